/** Values that are JSON, folded open; a matrix as a table. */

import { parse } from '../exact.js';
import { code, dash, faint, h, shown } from './dom.js';
import { facts, table } from './table.js';

const DEEPEST = 8;
const MOST = 500;

/** @param {any} value */
const isPlain = (value) => value === null || typeof value !== 'object' || 'text' in value;
/** @param {any} value */
const isNumber = (value) => typeof value === 'number' || value?.text;

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
  if (!Array.isArray(found)) return facts(Object.entries(found).slice(0, MOST).map(([name, one]) => [shown(name), tree(one, depth + 1)]));
  const some = found.slice(0, MOST);
  return matrix(found) ?? [grid(some) ?? h('ol', some.map((one) => h('li', tree(one, depth + 1)))),
    found.length > MOST && h('p.faint', `and ${(found.length - MOST).toLocaleString('en')} more`)];
}

/** What all rows have in common, where each is a list of plain values, or an object with the same members. @param {any[]} rows @returns {string[]} */
function members(rows) {
  const longest = rows.reduce((most, row) => (isPlain(row) || Object.keys(row).length <= most.length ? most : Object.keys(row)), []);
  const alike = rows.every((row) => !isPlain(row) && Array.isArray(row) === Array.isArray(rows[0]) && Object.values(row).every(isPlain)
    && (Array.isArray(row) ? row.length : longest.every((/** @type {string} */ name) => name in row)));
  return alike ? longest : [];
}

/** @param {any[]} rows */
function grid(rows) {
  const names = members(rows);
  const isList = Array.isArray(rows[0]);
  return names.length ? table(isList ? 'Matrix' : names.join(', '), names.map((name) => ({ title: isList ? '' : shown(name),
    cell: (row) => (name in row ? tree(row[name]) : ''), ...(rows.every((row) => isNumber(row[name])) && { class: 'number' }) })), rows) : null;
}

/** Cells of two coordinates and a number, each pair once: as a square. @param {any[]} rows */
function matrix(rows) {
  const names = members(rows);
  const value = names.findLast((name) => rows.every((row) => isNumber(row[name])));
  const [down, across] = names.filter((name) => name !== value);
  if (names.length !== 3 || Array.isArray(rows[0]) || !value || !down || !across) return null;
  const cells = new Map(rows.map((row) => [`${row[down]}\n${row[across]}`, row[value]]));
  const places = (/** @type {string} */ name) => [...new Set(rows.map((row) => String(row[name])))].sort(new Intl.Collator('en', { numeric: true }).compare);
  const [left, top] = [places(down), places(across)];
  if (cells.size !== rows.length || left.length * top.length > 2500 || top.length < 2) return null;
  const most = Math.max(...rows.map((row) => Number(row[value])));
  const cell = (/** @type {any} */ found) => found === undefined ? faint('·')
    : h('span', { class: `heat${Math.max(0, Math.round((4 * Number(found)) / (most || 1)))}` }, String(found));
  return [h('p.faint', shown(value), ': rows ', shown(down), ', columns ', shown(across)),
    table(value, [{ title: faint(shown(down), ' \\ ', shown(across)), cell: shown, head: true },
      ...top.map((name) => ({ title: shown(name), class: 'number', cell: (/** @type {string} */ row) => cell(cells.get(`${row}\n${name}`)) }))], left)];
}
