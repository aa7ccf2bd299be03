/** Native tables, whose headers sort. */

import { go } from '../state.js';
import { h, visible } from './dom.js';

/** @typedef {{title: Children, sort?: string, class?: string}} Column */

/**
 * @param {string} caption @param {Column[]} columns @param {Children} bodies
 * @param {{sort?: string, key?: string}} [how] `sort`: as it is now, a `-` in front for descending
 */
export function table(caption, columns, bodies, { sort = '', key } = {}) {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': visible(caption), 'data-key': key },
    h('table', null,
      h('caption', { class: 'visually-hidden' }, visible(caption)),
      h('thead', null, h('tr', null, columns.map((column) => header(column, sort)))),
      bodies));
}

/** @param {Column} column @param {string} now */
function header({ title, sort, class: style }, now) {
  if (!sort) return h('th', { scope: 'col', class: style }, title);
  const up = now === sort;
  const down = now === `-${sort}`;
  return h('th', { scope: 'col', class: style, 'aria-sort': up ? 'ascending' : down ? 'descending' : null },
    h('button', { class: 'sort', onclick: () => go({ sort: up ? `-${sort}` : down ? '' : sort, cursor: '' }) },
      title, h('span', { 'aria-hidden': 'true', class: 'arrow' }, up ? '▲' : down ? '▼' : '↕')));
}

/** Names and values. @param {[Children, Children][]} pairs */
export const facts = (pairs) =>
  h('dl', { class: 'facts' }, pairs.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))));
