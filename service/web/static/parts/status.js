/** A run's status, in words and colour, and the data's age. */

import { pause, isPaused } from '../store.js';
import { clock } from '../zone.js';
import { dash, h, shown } from './dom.js';

const SIGNS = /** @type {Record<string, string>} */ ({
  COMPLETED: '✓', RUNNING: '●', PENDING: '◌', DEAD: '✕', STOPPING: '◼', STOPPED: '◼', UNKNOWN: '?',
});
export const STATUSES = Object.keys(SIGNS);

/** @param {string | null | undefined} status */
export function statusChip(status) {
  if (!status) return dash();
  const sign = SIGNS[status];
  return h('span', { class: `status ${sign ? status.toLowerCase() : 'unknown'}` },
    h('span', { 'aria-hidden': 'true' }, sign ?? '?'), ' ', shown(status));
}

/** Whether a run in this state may change. @param {string | undefined} status */
export const isLive = (status) => ['RUNNING', 'PENDING', 'STOPPING'].includes(status ?? '');

/** How old what is shown is; old data is said to be old. @param {Slot} slot */
export function age(slot) {
  if (!slot.asOf) return null;
  const at = clock(slot.asOf);
  return slot.stale
    ? h('p', { class: 'strip warning', role: 'status' }, `As of ${at}: the runtime cannot be reached. This clears itself.`)
    : h('span', { class: 'faint age' }, `as of ${at}`);
}

/** @type {Map<string, {total: number, began: string}>} */
const firstSeen = new Map();
/** @type {Set<string>} */
const wereLive = new Set();

/** What has come since the page was opened. @param {string} run @param {string} status @param {number | undefined} total */
export function liveLine(run, status, total) {
  const live = isLive(status);
  if (live) wereLive.add(run);
  if (!wereLive.has(run)) return null;
  if (total !== undefined && !firstSeen.has(run)) firstSeen.set(run, { total, began: clock(new Date()) });
  const first = firstSeen.get(run);
  const added = first && total !== undefined ? total - first.total : 0;
  const news = `${added.toLocaleString('en')} new ${added === 1 ? 'point' : 'points'} since ${first?.began ?? '–'}`;
  return h('div', { class: 'live', 'data-key': 'live' },
    h('span', { 'aria-live': 'polite', 'aria-atomic': 'true' },
      live ? (isPaused() ? `Paused. ${news}.` : `Live: ${news}.`) : `The run has ended: ${status}. ${news}.`),
    live && h('button', { 'aria-pressed': String(isPaused()), onclick: () => pause(!isPaused()) }, 'Pause'));
}
