/** Times: the API's timestamps are in the reader's zone already, and stay as they are. */

import { dash, faint, h, shown, visible } from './parts/dom.js';
import { browserZone, context } from './state.js';

/** All zones, the likely ones first. @param {string | undefined} claimed the token's zone */
export const zones = (claimed = 'UTC') => [...new Set([browserZone, claimed, 'UTC', ...Intl.supportedValuesOf('timeZone')])];

/** A timestamp of the API, all its digits, for people. @param {string | null | undefined} timestamp */
export function time(timestamp) {
  const [, date, clock, offset] = /^([\d-]+)T([\d:.]+)([-+:\dZ]*)$/i.exec(timestamp ?? '') ?? [];
  return date ? h('time', { datetime: timestamp }, `${date} ${clock} `, faint(offset)) : shown(timestamp ?? '–');
}

/** A timestamp to the second. @param {string | null} timestamp */
export const brief = (timestamp) => timestamp
  ? h('time', { datetime: timestamp, title: visible(timestamp) }, visible(timestamp.slice(0, 19).replace(/T/i, ' '))) : dash();

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
  if (seconds === null) return dash();
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const days = Math.floor(seconds / 86400);
  const parts = [[days, 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'min'], [days ? 0 : Math.floor(seconds) % 60, 's']];
  return parts.filter(([count]) => count).map((part) => part.join(' ')).join(' ');
}
