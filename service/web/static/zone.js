/** Times: the API's timestamps are in the reader's zone already, and stay as they are. */

import { faint, h, shown } from './parts/dom.js';
import { context } from './state.js';

/** A timestamp of the API, all its digits, for people. @param {string | null | undefined} timestamp */
export function time(timestamp) {
  const [, date, clock, offset] = /^([\d-]+)T([\d:.]+)([-+:\dZ]*)$/i.exec(timestamp ?? '') ?? [];
  return date ? h('time', { datetime: timestamp }, `${date} ${clock} `, faint(offset)) : shown(timestamp ?? '–');
}

/** A timestamp to the second. @param {string} timestamp */
export const brief = (timestamp) => h('time', { datetime: timestamp, title: timestamp }, timestamp.slice(0, 19).replace(/T/i, ' '));

/** The clock at an instant, in the reader's zone, if the browser knows it. @param {Date} instant */
export function clock(instant) {
  try {
    return instant.toLocaleTimeString('en-GB', { timeZone: context().zone });
  } catch {
    return instant.toLocaleTimeString('en-GB');
  }
}

const inWords = new Intl.DurationFormat('en', { style: 'narrow' });

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(10 * seconds) / 10}s`;
  const [days, hours, minutes, rest] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(Math.trunc);
  return inWords.format({ days, hours, minutes, seconds: rest });
}
