/** Values that are JSON, folded open; a matrix as a table. */

import { parse } from '../exact.js';
import { faint, h, shown } from './dom.js';
import { facts, table } from './table.js';

const DEEPEST = 8;
const MOST = 500;

/** @param {unknown} value */
const isPlain = (value) => value === null || typeof value !== 'object' || 'text' in value;

/** Text that may be JSON. @param {string} text @returns {Children} */
export function text(text) {
  try {
    const found = parse(text);
    return isPlain(found) ? shown(text) : value(found);
  } catch {
    return h('span', { class: 'prose' }, shown(text));
  }
}

/** @param {any} found @param {number} [depth] @returns {Children} */
export function value(found, depth = 0) {
  if (isPlain(found)) return shown(found);
  if (depth > DEEPEST) return h('code', null, shown(JSON.stringify(found)));
  if (!Array.isArray(found)) return facts(Object.entries(found).slice(0, MOST).map(([name, one]) => [shown(name), value(one, depth + 1)]));
  if (!found.length) return '[]';
  return grid(found) ?? h('ol', { class: 'list' }, found.slice(0, MOST).map((one) => h('li', null, value(one, depth + 1))), more(found.length));
}

/** @param {number} length */
const more = (length) => length > MOST && h('li', { class: 'faint' }, `and ${(length - MOST).toLocaleString('en')} more`);

/** A list of rows as a table: of lists, of objects with the same members, or of a matrix's cells. @param {any[]} rows */
function grid(rows) {
  if (rows.every((row) => Array.isArray(row) && row.length && row.every(isPlain))) {
    return body([], rows.slice(0, MOST).map((row) => row.map(cell)));
  }
  if (!rows.every((row) => !isPlain(row) && !Array.isArray(row) && Object.values(row).every(isPlain))) return null;
  const names = Object.keys(rows[0]);
  if (!names.length || !rows.every((row) => Object.keys(row).length === names.length && names.every((name) => name in row))) return null;
  return matrix(names, rows) ?? body(names, rows.slice(0, MOST).map((row) => names.map((name) => cell(row[name]))));
}

/** Cells of two coordinates and a number, each pair once: as a square. @param {string[]} names @param {any[]} rows */
function matrix(names, rows) {
  const numbers = names.filter((name) => rows.every((row) => typeof row[name] === 'number' || row[name]?.text));
  const counted = numbers.at(-1);
  const [down, across] = names.filter((name) => name !== counted);
  if (names.length !== 3 || !counted || !down || !across) return null;
  const cells = new Map(rows.map((row) => [`${row[down]}\n${row[across]}`, row[counted]]));
  const [left, top] = [[...new Set(rows.map((row) => String(row[down])))].sort(order), [...new Set(rows.map((row) => String(row[across])))].sort(order)];
  if (cells.size !== rows.length || left.length * top.length > 2500 || top.length < 2) return null;
  const most = Math.max(...rows.map((row) => Number(row[counted])));
  return h('div', { class: 'matrix' }, h('p', { class: 'faint' }, shown(counted), ': rows ', shown(down), ', columns ', shown(across)),
    table(counted, [{ title: faint(shown(down), ' \\ ', shown(across)) }, ...top.map((name) => ({ title: shown(name), class: 'number' }))],
      h('tbody', null, left.map((row) => h('tr', null, h('th', { scope: 'row' }, shown(row)),
        top.map((column) => {
          const found = cells.get(`${row}\n${column}`);
          const heat = found === undefined || most <= 0 ? 0 : Math.max(0, Math.round((4 * Number(found)) / most));
          return h('td', { class: `number heat${heat}` }, found === undefined ? faint('·') : String(found));
        }))))));
}

/** @param {string} a @param {string} b */
const order = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** @param {unknown} found */
const cell = (found) => h('td', { class: typeof found === 'number' ? 'number' : null }, found === null ? '–' : shown(found));

/** @param {string[]} names @param {HTMLElement[][]} rows */
const body = (names, rows) => table(names.join(', ') || 'Matrix', names.map((name) => ({ title: shown(name) })), h('tbody', null, rows.map((row) => h('tr', null, row))));
