/** Time zones and times: the API's timestamps are in the reader's zone already, and stay as they are. */

import { context } from './api.js';
import { dash, faint, h } from './parts/dom.js';

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** All zones, the likely ones first. @param {string | undefined} claimed the token's zone */
export function zones(claimed) {
  const likely = [browserZone, claimed, 'UTC'].filter((zone) => zone !== undefined);
  return [...new Set([...likely, ...Intl.supportedValuesOf('timeZone')])];
}

/** A timestamp of the API, all its digits, for people. @param {string | null | undefined} timestamp */
export function time(timestamp) {
  if (!timestamp) return dash();
  const [, date, clock, offset] = /^(.*)T([\d:.]+)(.*)$/i.exec(timestamp) ?? [];
  return h('time', { datetime: timestamp }, date ?? timestamp, ' ', clock, ' ', faint(offset));
}

/** A timestamp to the second. @param {string | null | undefined} timestamp */
export function brief(timestamp) {
  if (!timestamp) return dash();
  return h('time', { datetime: timestamp, title: timestamp }, timestamp.slice(0, 10), ' ', timestamp.slice(11, 19));
}

/** The clock at an instant, in the reader's zone. @param {Date} instant */
export function clock(instant) {
  const options = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  try {
    return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: context.zone || browserZone }).format(instant);
  } catch {
    return new Intl.DateTimeFormat('en-GB', options).format(instant);
  }
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  const whole = Math.floor(Number(seconds));
  if (whole < 60) return `${Math.round(Number(seconds) * 10) / 10} s`;
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  return [days && `${days} d`, hours && `${hours} h`, minutes && `${minutes} min`, !days && whole % 60 && `${whole % 60} s`]
    .filter(Boolean)
    .join(' ');
}
