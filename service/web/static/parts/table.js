/** Native tables, whose headers sort, in the API's pages; names and values. */

import { go, link, one } from '../state.js';
import { redraw } from '../store.js';
import { h } from './dom.js';

/** @template Row @param {string} caption @param {(Column<Row> | false | '')[]} given @param {readonly Row[]} rows @param {TableStyle<Row>} [style] */
export function table(caption, given, rows, { row = () => ({}), group } = {}) {
  const columns = given.filter((column) => !!column);
  const line = (/** @type {Row} */ each) => h('tr', row(each), columns.map((column) =>
    column.head ? h('th', { scope: 'row' }, column.cell(each)) : h('td', { class: column.class }, column.cell(each))));
  const bodies = group ? [...Map.groupBy(rows, group.of)].map(([name, its]) => h('tbody', { key: name },
    h('tr.group', h('th', { colspan: columns.length, scope: 'rowgroup' }, fold(name, group.folded, group.head(name, its)))),
    !group.folded.has(name) && its.map(line))) : h('tbody', rows.map(line));
  return h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': caption, key: caption }, h('table',
    h('caption.unseen', caption), h('thead', h('tr', columns.map(header))), bodies));
}

/** @param {string} name @param {Set<string>} folded @param {Children} title */
function fold(name, folded, title) {
  const open = !folded.has(name);
  const flip = () => {
    folded[open ? 'add' : 'delete'](name);
    redraw();
  };
  return h('button.fold', { 'aria-expanded': String(open), onclick: flip }, title);
}

/** @param {Column<any>} column */
function header({ title, sort, class: style }) {
  if (!sort) return h('th', { scope: 'col', class: style }, title);
  const [up, down] = [sort, `-${sort}`].map((each) => one('sort') === each);
  return h('th', { scope: 'col', class: style, 'aria-sort': up ? 'ascending' : down && 'descending' },
    h('button.sort', { onclick: () => go({ sort: up ? `-${sort}` : down ? '' : sort }) }, title));
}

/** @param {{next?: string | null}} page of the answer */
export function pages(page) {
  const cursor = new URLSearchParams(page?.next ?? '').get('cursor');
  return h('nav.row', { 'aria-label': 'Pages' }, one('cursor') && h('a', { href: link({}), key: 'first' }, 'First page'),
    cursor && h('a', { href: link({ cursor }), key: 'next' }, 'Next page'));
}

/** @param {[Children, Children][]} pairs */
export const facts = (pairs) => h('dl.facts', pairs.map(([name, value]) => h('div', h('dt', name), h('dd', value))));
