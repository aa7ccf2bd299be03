/** What is not there, and why: loading, empty, refused, failed, partly missing. */

import * as session from '../session.js';
import { context } from '../state.js';
import { again } from '../store.js';
import { code, h, shown, unseen } from './dom.js';

/** A part of a view that is read: its content once it is there, kept while it is asked for again. @param {Slot} slot @param {(data: any) => Children} draw */
export const panel = (slot, draw) => h('div.panel', { 'aria-busy': slot.busy && 'true' },
  slot.problem && problem(slot, slot.problem),
  slot.data !== null && slot.problem?.status !== 403 ? [strips(slot.data), draw(slot.data)] : !slot.problem && skeleton());

export const skeleton = () => h('div.skeleton', { role: 'status' }, unseen('Loading'), h('hr'), h('hr'), h('hr'));

/** @param {Children} line @param {Children} [cure] */
export const empty = (line, cure) => h('div.empty', h('p', line), cure);

/** @param {Slot} slot @param {import('../api.js').Problem} found */
const problem = (slot, { document, status, requestId }) => h('section.problem', { role: 'alert', 'aria-label': 'Problem' },
  h('h2', document['title'] ?? 'The service failed', status > 0 && ` (${status})`),
  document['detail'] && h('p', shown(document['detail'])),
  cure(slot, status, document),
  requestId && h('p.faint', 'Request ', code(requestId)));

/** @param {Slot} slot @param {number} status @param {Record<string, any>} document @returns {Children} */
function cure(slot, status, document) {
  const names = (/** @type {string[]} */ list) => h('ul.names', list.map((name) => h('li', code(name))));
  const { errors = [], scope, roles = [], roleCollections = [] } = document;
  if (status === 400) return h('ul', errors.map((/** @type {any} */ one) => h('li', code(one.parameter), ' ', shown(one.detail))));
  if (status === 401) return h('button.primary', { onclick: session.goSignIn }, 'Sign in');
  if (status === 403) {
    return [
      scope && h('p', 'Missing scope: ', code(scope)),
      roles.length > 0 && [h('p', 'An administrator can give you one of these roles:'), names(roles)],
      roleCollections.length > 0 && h('details',
        h('summary', `Role collections that contain one (${roleCollections.length})`), names(roleCollections)),
    ];
  }
  if (status === 404) {
    const { group, connection } = context();
    const named = (/** @type {string} */ kind, /** @type {string} */ name) => name ? [kind, ' ', h('b', shown(name))] : `the configured ${kind}`;
    return h('p', 'Looked for in ', named('resource group', group), ' of ', named('connection', connection), '.');
  }
  if (slot.retryAt !== null) {
    const seconds = Math.max(0, Math.ceil((slot.retryAt - Date.now()) / 1000));
    return h('p', h('span', { role: 'timer' }, `Trying again in ${seconds} s. `), h('button', { onclick: () => again() }, 'Try now'));
  }
  return status >= 500 && status !== 501 && h('button', { onclick: () => again() }, 'Try again');
}

/** Parts that could not be read, and odd data: each is named. @param {any} data */
function strips({ unavailable, warnings, missing }) {
  const lines = [
    ...(unavailable ?? []).map((/** @type {string} */ part) => ['Could not be read: ', shown(part)]),
    ...(warnings ?? []).map((/** @type {any} */ one) => [shown(one.detail ?? one.code), one.count && ` (${one.count})`]),
    ...(missing ?? []).map((/** @type {any} */ one) => ['Run ', shown(one.runId), ': ', shown(one.problem?.title), '. ', shown(one.problem?.detail)]),
  ];
  return lines.length > 0 && h('div.strip.warning', { role: 'status' }, h('ul', lines.map((line) => h('li', line))));
}
