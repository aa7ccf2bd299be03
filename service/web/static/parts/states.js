/** How things stand: what is loading, empty, refused, broken, old or partly missing. */

import * as session from '../session.js';
import { again, refresh } from '../store.js';
import { clock } from '../zone.js';
import { code, faint, h, shown, unseen } from './dom.js';

/** A part of a view that is read: its content once it is there, kept while it is asked for again. @param {Slot} slot @param {(data: any) => Children} draw */
export const panel = (slot, draw) => h('div.panel', { 'aria-busy': slot.busy && 'true' },
  slot.problem && problem(slot, slot.problem),
  slot.data ? slot.problem?.status !== 403 && [strips(slot.data), draw(slot.data)] : !slot.problem && skeleton());

export const skeleton = () => h('div.skeleton', { role: 'status' }, unseen('Loading'), h('hr'), h('hr'), h('hr'));

/** @param {Children} line @param {Children} [cure] */
export const empty = (line, cure) => h('div.empty', h('p', line), cure);

/** @param {Children} line @param {string} [role] */
export const warning = (line, role = 'status') => h('div.strip.warning', { role }, line);

/** @param {Slot} slot @param {import('../api.js').Problem} found */
const problem = (slot, { document, status, requestId }) => h('section.problem', { role: 'alert', 'aria-label': 'Problem' },
  h('h2', document['title'] ?? 'The service failed', status > 0 && ` (${status})`),
  document['detail'] && h('p', shown(document['detail'])),
  cure(slot),
  requestId && h('p.faint', 'Request ', code(requestId)));

/** @param {string[]} list */
const names = (list) => h('ul', list.map((name) => h('li', code(name))));

/** What can be done about its problem. @param {Slot} slot @returns {Children} */
export function cure(slot) {
  const { status = 0, document: { scope, roles = [], roleCollections = [] } = {} } = slot.problem ?? {};
  if (status === 401) return h('button.primary', { onclick: session.goSignIn }, 'Sign in');
  if (status === 403) {
    return scope && [h('p', 'An administrator can give you one of these roles:'), names(roles),
      h('details', h('summary', `Role collections that contain one (${roleCollections.length})`), names(roleCollections))];
  }
  if (slot.retryAt) {
    const seconds = Math.max(0, Math.ceil((slot.retryAt - Date.now()) / 1000));
    return h('p', h('span', { role: 'timer' }, `Trying again in ${seconds} s. `), h('button', { onclick: () => again() }, 'Try now'));
  }
  return status >= 500 && status !== 501 && h('button', { onclick: () => again() }, 'Try now');
}

/** Parts that could not be read, and odd data: each is named. @param {Record<string, any[] | undefined>} data */
function strips({ unavailable = [], warnings = [], missing = [] }) {
  const lines = [
    ...unavailable.map((part) => `Could not be read in full: ${part.replace(/[A-Z]/g, ' $&').toLowerCase()}`),
    ...warnings.map(({ code, detail = code, count }) => detail + (count ? ` (${count})` : '')),
    ...missing.map(({ runId, problem }) => `Run ${runId}: ${problem.detail ?? problem.title}`),
  ];
  return lines[0] && warning(h('ul', lines.map((line) => h('li', shown(line)))));
}

/** How old what is shown is; old data is said to be old. @param {Slot} slot */
export const age = ({ asOf, stale }) => asOf && (stale
  ? warning(`As of ${clock(asOf)}: the runtime cannot be reached. This clears itself.`) : faint(`as of ${clock(asOf)}`));

/** What a view begins with. @param {Children} title @param {Slot} slot @param {...Children} more */
export const head = (title, slot, ...more) => h('div.row.head', h('h1', title),
  h('div.row', age(slot), h('button', { onclick: refresh }, 'Refresh'), more));
