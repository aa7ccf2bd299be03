/** What is not there, and why: loading, empty, refused, failed, partly missing. */

import * as session from '../session.js';
import { again } from '../store.js';
import { context } from '../api.js';
import { h, shown, unseen } from './dom.js';

/**
 * A part of a view that is read: its content once it is there, kept while it is asked for again.
 * @param {Slot} slot @param {(data: any) => Children} draw
 */
export function panel(slot, draw) {
  return h('div', { class: 'panel', 'aria-busy': slot.busy ? 'true' : null },
    slot.problem && problem(slot),
    slot.data !== null && slot.problem?.status !== 403 ? draw(slot.data) : !slot.problem && skeleton());
}

export const skeleton = () => h('div', { class: 'skeleton', role: 'status' }, unseen('Loading'),
  [90, 70, 80].map((width) => h('span', { class: `line w${width}`, 'aria-hidden': 'true' })));

/** @param {Children} line @param {Children} [cure] */
export const empty = (line, cure) => h('div', { class: 'empty' }, h('p', null, line), cure);

/** @param {Slot} slot */
export function problem(slot) {
  const found = slot.problem;
  if (!found) return null;
  const { document, status, requestId } = found;
  return h('section', { class: 'problem', role: 'alert', 'aria-label': 'Problem' },
    h('h2', null, document['title'] ?? 'The service failed', status ? ` (${status})` : ''),
    document['detail'] && h('p', null, shown(document['detail'])),
    cure(slot, status, document),
    requestId && h('p', { class: 'faint' }, 'Request ', h('code', null, shown(requestId))));
}

/** @param {Slot} slot @param {number} status @param {Record<string, any>} document @returns {Children} */
function cure(slot, status, document) {
  if (status === 400) {
    const errors = /** @type {{parameter: string, detail: string}[]} */ (document['errors'] ?? []);
    return h('ul', null, errors.map((one) => h('li', null, h('code', null, shown(one.parameter)), ' ', shown(one.detail))));
  }
  if (status === 401) return h('button', { class: 'primary', onclick: session.goSignIn }, 'Sign in');
  if (status === 403) return grants(document);
  if (status === 404) {
    const named = (/** @type {string} */ kind, /** @type {string} */ name) => (name ? [kind, ' ', h('b', null, shown(name))] : `the configured ${kind}`);
    return h('p', null, 'Looked for in ', named('resource group', context.group), ' of ', named('connection', context.connection), '.');
  }
  if (slot.retryAt !== null) {
    const seconds = Math.max(0, Math.ceil((slot.retryAt - Date.now()) / 1000));
    return h('p', null, h('span', { role: 'timer' }, `Trying again in ${seconds} s. `),
      h('button', { onclick: () => again() }, 'Try now'));
  }
  return status >= 500 && status !== 501 ? h('button', { onclick: () => again() }, 'Try again') : null;
}

/** @param {Record<string, any>} document */
function grants(document) {
  /** @type {string[]} */
  const roles = document['roles'] ?? [];
  /** @type {string[]} */
  const collections = document['roleCollections'] ?? [];
  const listed = (/** @type {string[]} */ names) => h('ul', { class: 'names' }, names.map((name) => h('li', null, h('code', null, shown(name)))));
  return [
    document['scope'] && h('p', null, 'Missing scope: ', h('code', null, shown(document['scope']))),
    roles.length > 0 && [h('p', null, 'An administrator can give you one of these roles:'), listed(roles)],
    collections.length > 0 && h('details', null,
      h('summary', null, `Role collections that contain one (${collections.length})`), listed(collections)),
  ];
}

/** Parts that could not be read, and odd data: each is named. @param {any} data */
export function strips(data) {
  const lines = [
    ...(data.unavailable ?? []).map((/** @type {string} */ part) => ['Could not be read: ', shown(part)]),
    ...(data.warnings ?? []).map((/** @type {any} */ one) => [shown(one.detail ?? one.code), one.count ? ` (${one.count})` : '']),
    ...(data.missing ?? []).map((/** @type {any} */ one) =>
      typeof one === 'string' ? ['Missing: ', shown(one)] : ['Run ', shown(one.runId), ': ', shown(one.problem?.title), '. ', shown(one.problem?.detail)]),
  ];
  return lines.length > 0 && h('ul', { class: 'strip warning', role: 'status' }, lines.map((line) => h('li', null, line)));
}
