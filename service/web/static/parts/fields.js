/** What can be chosen stands in the address, and so do filters. */

import { all, flipped, go, one } from '../state.js';
import { h, visible } from './dom.js';

/** Fields that filter what is shown. @param {string} label @param {...Children} children */
export const filterForm = (label, ...children) =>
  h('form.filters', { role: 'search', 'aria-label': label, onsubmit: (event) => event.preventDefault() }, children);

/** Filters that are folded while none of them is set. @param {string} title @param {string[]} parameters @param {...Children} children */
export function moreFilters(title, parameters, ...children) {
  const count = parameters.filter(one).length;
  return h('details', { key: title, open: count > 0 }, h('summary', title, count > 0 && ` (${count})`), h('div.filters', children));
}

/** @param {string[]} parameters */
export const clear = (parameters) =>
  h('button', { onclick: () => go(Object.fromEntries(parameters.map((name) => [name, '']))) }, 'Clear filters');

/** @param {string} label @param {HTMLElement} control */
export const labelled = (label, control) => h('label.field', h('span', label), control);

/** @param {string} label @param {string} parameter @param {Properties} [more] */
export const field = (label, parameter, more) => labelled(label, h('input', { type: 'search', autocomplete: 'off',
  spellcheck: 'false', value: one(parameter), key: parameter, onchange: ({ target }) => go({ [parameter]: target.value.trim() }), ...more }));

/** @param {Options} options */
export const select = (options, now = options[0]?.[0], more = {}) =>
  h('select', { value: now, ...more }, options.map(([value, title]) => h('option', { value, selected: value === now }, visible(title))));

/** @param {string} label @param {string} parameter @param {Options} options */
export const choice = (label, parameter, options, now = one(parameter)) =>
  labelled(label, select(options, now, { onchange: (/** @type {any} */ event) => go({ [parameter]: event.target.value }) }));

/** @param {Children} label @param {boolean} checked @param {Record<string, unknown>} changes what a click does to the address @param {Properties} [more] */
export const check = (label, checked, changes, more) =>
  h('label.check', h('input', { type: 'checkbox', checked, onchange: () => go(changes, { replace: 'pick' in changes }), ...more }), h('span', label));

/** A value of a parameter that can have several. @param {string} parameter @param {string} value @param {Children} title @param {Properties} [more] */
export const toggle = (parameter, value, title, more) => h('button.chip', { 'aria-pressed': String(all(parameter).includes(value)),
  onclick: () => go({ [parameter]: flipped(parameter, value) }), ...more }, title);
