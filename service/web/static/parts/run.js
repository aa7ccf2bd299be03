/** What is said of a run wherever it is shown. */

import { isPaused, pause } from '../store.js';
import { brief, clock, duration } from '../zone.js';
import { counted, dash, h, shown } from './dom.js';

const SIGNS = /** @type {Record<string, string>} */ ({
  COMPLETED: '✓', RUNNING: '●', PENDING: '◌', DEAD: '✕', STOPPING: '◼', STOPPED: '◼', UNKNOWN: '?',
});
export const STATUSES = Object.keys(SIGNS);

/** @param {any} status */
export const statusChip = (status) => status
  ? h('span', { class: `status ${SIGNS[status] ? status.toLowerCase() : ''}` }, h('span', { 'aria-hidden': 'true' }, SIGNS[status] ?? '?'), ' ', shown(status))
  : dash();

/** Whether a run in this state may change. @param {any} status */
export const isLive = (status) => ['RUNNING', 'PENDING', 'STOPPING'].includes(status);

/** Members of a run, by the API's names. @type {Record<string, [string, (value: any) => Children]>} */
const MEMBERS = {
  status: ['Status', statusChip], targetStatus: ['Target', statusChip], statusMessage: ['Message', shown],
  configurationName: ['Configuration', shown], scenarioId: ['Scenario', shown], executableId: ['Executable', shown],
  createdAt: ['Created', brief], modifiedAt: ['Modified', brief], submissionTime: ['Submitted', brief],
  startTime: ['Started', brief], completionTime: ['Finished', brief], durationSeconds: ['Duration', duration],
};

/** Titles of members of runs, and how their values are shown. @param {...string} names */
export const members = (...names) => names.map((name) => {
  const [title, show] = MEMBERS[name] ?? [name, shown];
  return { name, title, cell: (/** @type {any} */ value) => ((value ?? null) === null ? dash() : show(value)) };
});

/** Those of one run, with their values. @param {any} run @param {...string} names @returns {[Children, Children][]} */
export const valuesOf = (run, ...names) => members(...names).map(({ name, title, cell }) => [title, cell(run[name])]);

/** Runs that were seen to go on, since when, and with how many points. @type {Map<string, {total: number, since: string}>} */
const followed = new Map();

/** What has come since the page was opened. @param {string} run @param {string} status @param {number | undefined} total @param {Slot} slot that it is of */
export function liveLine(run, status, total, { asOf, stale }) {
  const live = isLive(status);
  if (live && total !== undefined && !followed.has(run)) followed.set(run, { total, since: clock(asOf ?? new Date()) });
  const first = followed.get(run);
  if (!first) return null;
  const news = `${counted((total ?? first.total) - first.total, 'new point')} since ${first.since}.`;
  return h('div.row.live', { key: 'live' },
    h('span', { 'aria-live': 'polite', 'aria-atomic': 'true' },
      live ? `${isPaused() ? 'Paused.' : stale ? 'Interrupted:' : 'Live:'} ${news}` : `The run has ended: ${status}. ${news}`),
    live && h('button', { 'aria-pressed': String(isPaused()), onclick: pause }, 'Pause'));
}
