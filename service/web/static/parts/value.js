/** Values that are JSON, folded open; a matrix as a table. */

import { Exact, parse } from '../exact.js';
import { code, counted, dash, faint, h, shown } from './dom.js';
import { facts, table } from './table.js';

const DEEPEST = 8;
const MOST = 500;

/** @param {any} value */
const isPlain = (value) => typeof value !== 'object' || value === null || value instanceof Exact;
/** @param {any} value */
const isNumber = (value) => typeof value === 'number' || value instanceof Exact;

/** Text that may be JSON. @param {string} text @returns {Children} */
export function text(text) {
  try {
    const found = parse(text);
    return isPlain(found) ? shown(text) : tree(found);
  } catch {
    return shown(text);
  }
}

/** @param {any} found @param {number} [depth] @returns {Children} */
export function tree(found, depth = 0) {
  if (isPlain(found)) return found === null ? dash() : shown(found);
  if (depth > DEEPEST) return code(JSON.stringify(found));
  const some = Object.entries(found).slice(0, MOST);
  if (!some[0]) return code(JSON.stringify(found));
  if (!Array.isArray(found)) return facts(some.map(([name, one]) => [shown(name), tree(one, depth + 1)]));
  return square(found) ?? [grid(found.slice(0, MOST)) ?? h('ol', some.map(([, one]) => h('li', tree(one, depth + 1)))),
    found.length > MOST && h('p.faint', `and ${counted(found.length - MOST)} more`)];
}

/** What all rows have in common, where each is a list of plain values, or an object with the same members. @param {any[]} rows @returns {string[]} */
function members(rows) {
  const longest = rows.reduce((most, row) => (isPlain(row) || Object.keys(row).length <= most.length ? most : Object.keys(row)), []);
  const isAlike = (/** @type {any} */ row) => !isPlain(row) && Object.values(row).every(isPlain) && Array.isArray(row) === Array.isArray(rows[0])
    && (row.length || longest.every((/** @type {string} */ name) => name in row));
  return rows.every(isAlike) ? longest : [];
}

/** @param {any[]} rows */
function grid(rows) {
  const names = members(rows);
  const isList = Array.isArray(rows[0]);
  return names[0] ? table(isList ? 'Matrix' : names.join(', '), names.map((name) => ({ title: isList ? '' : shown(name),
    class: rows.every((row) => isNumber(row[name])) && 'number', cell: (row) => (name in row ? tree(row[name]) : '') })), rows) : null;
}

/** Each once; numbers by their size, others as they come. @param {string[]} names */
const ordered = (names) => names.every((name) => Number.isFinite(Number(name || NaN))) ? [...new Set(names)].sort((one, other) => Number(one) - Number(other)) : [...new Set(names)];

/** Cells of two coordinates and a number, each pair once: of one kind, or most pairs there. @param {any[]} rows */
function square(rows) {
  const names = members(rows);
  const value = names.findLast((name) => rows.every((row) => isNumber(row[name])));
  const [down, across] = names.filter((name) => name !== value);
  if (names.length !== 3 || Array.isArray(rows[0]) || !value || !down || !across) return null;
  const cells = new Map(rows.map((row) => [`${row[down]}\n${row[across]}`, row[value]]));
  const [left = [], right = []] = [down, across].map((name) => ordered(rows.map((row) => String(row[name]))));
  const isOfOneKind = left.length === right.length && left.length < rows.length && new Set([...left, ...right]).size === left.length; // a confusion matrix, whose zeros may be left out
  const top = isOfOneKind ? left : right;
  if (cells.size !== rows.length || right.length < 2 || left.length * right.length > 2500 || (!isOfOneKind && 2 * rows.length <= left.length * right.length)) return null;
  const most = Math.max(...cells.values()) || 1;
  const cell = (/** @type {any} */ found) => found === undefined ? faint('·')
    : h('span', { class: `heat${Math.max(0, Math.round((3 * found) / most))}` }, String(found));
  return [h('p.faint', shown(value), ': rows ', shown(down), ', columns ', shown(across)),
    table(value, [{ title: faint(shown(down), ' \\ ', shown(across)), cell: shown, head: true },
      ...top.map((name) => ({ title: shown(name), class: 'number', cell: (/** @type {string} */ row) => cell(cells.get(`${row}\n${name}`)) }))], left)];
}
