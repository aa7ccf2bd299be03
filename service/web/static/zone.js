/** Times: the API's timestamps are in the reader's zone already, and stay as they are. */

import { dash, faint, h } from './parts/dom.js';
import { browserZone, context } from './state.js';

/** All zones, the likely ones first. @param {string | undefined} claimed the token's zone */
export const zones = (claimed) =>
  [...new Set([browserZone, claimed ?? 'UTC', 'UTC', ...Intl.supportedValuesOf('timeZone')])];

/** A timestamp of the API, all its digits, for people. @param {string | null | undefined} timestamp */
export function time(timestamp) {
  const [, date, clock, offset] = /^(.*)T([\d:.]+)(.*)$/i.exec(timestamp ?? '') ?? [];
  return date ? h('time', { datetime: timestamp }, date, ' ', clock, ' ', faint(offset)) : timestamp || dash();
}

/** A timestamp to the second. @param {string | null | undefined} timestamp */
export const brief = (timestamp) => timestamp
  ? h('time', { datetime: timestamp, title: timestamp }, timestamp.slice(0, 10), ' ', timestamp.slice(11, 19)) : dash();

/** The clock at an instant, in the reader's zone, if the browser knows it. @param {Date} instant */
export function clock(instant) {
  try {
    return instant.toLocaleTimeString('en-GB', { timeZone: context().zone });
  } catch {
    return instant.toLocaleTimeString('en-GB');
  }
}

/** @param {any} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const days = Math.floor(seconds / 86400);
  const parts = [[days, 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'min'],
    [days ? 0 : Math.floor(seconds) % 60, 's']];
  return parts.filter(([count]) => count).map((part) => part.join(' ')).join(' ');
}
