/** A run's status, in words and colour, and the data's age. */

import { isPaused, pause, refresh } from '../store.js';
import { clock } from '../zone.js';
import { counted, dash, faint, h, shown } from './dom.js';

const SIGNS = /** @type {Record<string, string>} */ ({
  COMPLETED: '✓', RUNNING: '●', PENDING: '◌', DEAD: '✕', STOPPING: '◼', STOPPED: '◼', UNKNOWN: '?',
});
export const STATUSES = Object.keys(SIGNS);

/** @param {string | null | undefined} status */
export const statusChip = (status) => status
  ? h('span', { class: `status ${SIGNS[status] ? status.toLowerCase() : ''}` }, h('span', { 'aria-hidden': 'true' }, SIGNS[status] ?? '?'), ' ', shown(status))
  : dash();

/** Whether a run in this state may change. @param {string | undefined} status */
export const isLive = (status) => ['RUNNING', 'PENDING', 'STOPPING'].includes(status ?? '');

/** How old what is shown is; old data is said to be old. @param {Slot} slot */
export const age = ({ asOf, stale }) => asOf && (stale
  ? h('p.strip.warning', { role: 'status' }, `As of ${clock(asOf)}: the runtime cannot be reached. This clears itself.`)
  : faint(`as of ${clock(asOf)}`));

/** What a view begins with. @param {Children} title @param {Slot} slot @param {...Children} more */
export const head = (title, slot, ...more) => h('div.row.head', h('h1', title),
  h('div.row', age(slot), h('button', { onclick: refresh }, 'Refresh'), more));

/** Runs that were seen to go on, since when, and with how many points. @type {Map<string, {total: number, since: string}>} */
const followed = new Map();

/** What has come since the page was opened. @param {string} run @param {string} status @param {number | undefined} total */
export function liveLine(run, status, total) {
  const live = isLive(status);
  if (live && total !== undefined && !followed.has(run)) followed.set(run, { total, since: clock(new Date()) });
  const first = followed.get(run);
  if (!first) return null;
  const news = `${counted((total ?? first.total) - first.total, 'new point')} since ${first.since}.`;
  return h('div.row.live', { key: 'live' },
    h('span', { 'aria-live': 'polite', 'aria-atomic': 'true' },
      live ? (isPaused() ? `Paused. ${news}` : `Live: ${news}`) : `The run has ended: ${status}. ${news}`),
    live && h('button', { 'aria-pressed': String(isPaused()), onclick: pause }, 'Pause'));
}
