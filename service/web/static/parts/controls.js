/** What can be chosen stands in the address: fields, filters, labels, tabs. */

import { download } from '../api.js';
import { all, flipped, go, link, one } from '../state.js';
import { redraw } from '../store.js';
import { dash, h, shown, visible } from './dom.js';
import { warning } from './states.js';

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
export const field = (label, parameter, more) => labelled(label, h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false',
  value: one(parameter), key: parameter, onchange: ({ target }) => go({ [parameter]: target.value.trim() }), ...more }));

/** A button that saves what is at `path`; why it could not stands beside it. @param {string} title @param {string} path @param {string} name @param {Properties} [more] */
export const save = (title, path, name, more) => h('button', { key: title, ...more, onclick: ({ currentTarget: button }) => {
  redraw();
  download(path, name).catch(({ message }) => button.after(warning(shown(`${title}: ${message}`), 'alert')));
} }, title);

/** From when, and until when. */
export const period = () => ['Since', 'Until'].map((label) => field(label, label.toLowerCase(), { placeholder: '2026-03-29T03:00:00Z' }));

/** Values and titles: a word's value is itself in lower case; that of the first is '', as it holds where none is chosen. @param {Words} words @returns {(readonly [string, string])[]} */
const options = (words) => words.filter((word) => word !== false).map((word, index) =>
  typeof word === 'string' ? [index ? word.toLowerCase() : '', word] : word);

/** @param {Words} words @param {string} [now] @param {Properties} [more] */
export const select = (words, now, more) =>
  h('select', more, options(words).map(([value, title]) => h('option', { value, selected: value === now }, visible(title))));

/** @param {string} label @param {string} parameter @param {Words} words */
export const choice = (label, parameter, words, now = one(parameter)) =>
  labelled(label, select(words, now, { value: now, onchange: ({ target }) => go({ [parameter]: target.value }) }));

/** @param {Children} label @param {boolean} checked @param {Record<string, unknown>} changes what a click does to the address @param {Properties} [more] */
export const check = (label, checked, changes, more) =>
  h('label.check', h('input', { type: 'checkbox', checked, onchange: () => go(changes), ...more }), h('span', label));

/** A value of a parameter that can have several. @param {string} parameter @param {string} value @param {Children} title @param {Properties} [more] */
export const toggle = (parameter, value, title, more) => h('button.chip', { 'aria-pressed': String(all(parameter).includes(value)),
  onclick: () => go({ [parameter]: flipped(parameter, value) }), ...more }, title);

/** @param {Pair} label */
export const labelText = ({ name, value }) => `${name === 'metrics.ai.sap.com/Artifact.name' ? 'model' : name}: ${value}`;
/** As a filter has it. @param {Pair} label */
export const labelKey = ({ name, value }) => `${name}:${value}`;

/** Labels: a click on one filters. @param {Pair[]} labels */
export const chips = (labels) => labels.length ? h('span.chips', labels.map((label) =>
  toggle('label', labelKey(label), shown(labelText(label)), { title: `Filter by ${visible(label.name)}` }))) : dash();

/** Views side by side: links, so that each has its address. @param {string} label @param {string} parameter @param {Words} words @param {Record<string, string>} [others] parameters that change with it */
export const tabs = (label, parameter, words, others) => h(`nav.tabs.${parameter}`, { 'aria-label': label },
  options(words).map(([value, title]) => h('a', { href: link({ ...others, [parameter]: value }), 'aria-current': value === one(parameter) && 'page' }, title)));
