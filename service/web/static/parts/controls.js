/** What can be chosen stands in the address: a control has the name of the parameter that it sets. */

import { address, download } from '../api.js';
import { all, go, link, one } from '../state.js';
import { redraw } from '../store.js';
import { dash, h, shown } from './dom.js';
import { warning } from './states.js';

/** Fields that filter what is shown. @param {string} label @param {...Children} children */
export const filterForm = (label, ...children) => h('form.filters', { role: 'search', 'aria-label': label }, children);

/** Filters that are folded while none of them is set. @param {string} title @param {HTMLLabelElement[]} fields */
export function moreFilters(title, fields) {
  const count = fields.filter(({ control }) => /** @type {HTMLInputElement} */ (control).value).length;
  return h('details', { key: title, open: count > 0 }, h('summary', title, count > 0 && ` (${count})`), h('div.filters', fields));
}

/** @param {string[]} parameters */
export const clear = (parameters) =>
  h('button', { onclick: () => go(Object.fromEntries(parameters.map((name) => [name, '']))) }, 'Clear filters');

/** @param {string} label @param {HTMLElement} control */
export const labelled = (label, control) => h('label.field', h('span', label), control);

/** @param {string} label @param {string} name @param {Properties} [more] */
export const field = (label, name, more) => labelled(label,
  h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', name, key: name, value: one(name), ...more }));

/** From when, and until when: also as tables and logs write instants. */
export const period = () => ['Since', 'Until'].map((label) => field(label, label.toLowerCase(), { placeholder: '2026-03-29T03:00:00Z',
  onchange: ({ target }) => (target.value = target.value.trim().replace(/^([\d-]+) (?=\d)/, '$1T').replace(/ (?=[-+][\d:]+$)/, '')) }));

/** Values and titles: a word's value is itself in lower case; that of the first is '', as it holds where none is chosen. @param {Words} words @returns {any[]} */
const options = (words) => words.filter((word) => word !== false).map((word, index) =>
  typeof word === 'string' ? [index ? word.toLowerCase() : '', word] : word);

/** @param {Words} words @param {Properties} [more] */
export const select = (words, more) =>
  h('select', more, options(words).map(([value, title]) => h('option', { value }, title)));

/** @param {string} label @param {string} name @param {Words} words */
export const choice = (label, name, words, value = one(name)) => labelled(label, select(words, { name, value }));

/** A box that puts a value into a parameter, or takes it out. @param {Children} label @param {string} name @param {string} [value] @param {Properties} [more] */
export const check = (label, name, value = 'true', more) =>
  h('label.check', h('input', { type: 'checkbox', name, value, checked: all(name).includes(value), ...more }), h('span', label));

/** A value of a parameter that can have several. @param {string} name @param {string} value @param {Children} title @param {Properties} [more] */
export const toggle = (name, value, title, more) =>
  h('button.chip', { name, value, 'aria-pressed': String(all(name).includes(value)), ...more }, title);

/** A button that saves what is at `path`; why it could not stands beside it. @param {string} title @param {string} path @param {Record<string, unknown>} query @param {string} name @param {Properties} [more] */
export const save = (title, path, query, name, more) => h('button', { key: title, ...more, onclick: ({ currentTarget: button }) => {
  redraw();
  download(address(path, query), name).catch(({ message }) => button.after(warning(shown(`${title}: ${message}`), 'alert')));
} }, title);

/** @param {Pair} label */
export const labelText = ({ name, value }) => `${name === 'metrics.ai.sap.com/Artifact.name' ? 'model' : name}: ${value}`;
/** As a filter has it. @param {Pair} label */
export const labelKey = ({ name, value }) => `${name}:${value}`;

/** Labels: a click on one filters. @param {Pair[]} labels */
export const chips = (labels) => labels.length ? h('span.chips', labels.map((label) =>
  toggle('label', labelKey(label), shown(labelText(label)), { title: `Filter by ${label.name}` }))) : dash();

/** Views side by side: links, so that each has its address. @param {string} label @param {string} parameter @param {Words} words @param {Record<string, string>} [others] parameters that change with it */
export const tabs = (label, parameter, words, others) => h(`nav.tabs.${parameter}`, { 'aria-label': label },
  options(words).map(([value, title]) => h('a', { href: link({ ...others, [parameter]: value }), 'aria-current': value === one(parameter) && 'page' }, title)));
