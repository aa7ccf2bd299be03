/** Fields of forms: what is entered goes to the address. */

import { go, one } from '../state.js';
import { h, visible } from './dom.js';

/** Fields that filter what is shown. @param {string} label @param {...Children} children */
export const filterForm = (label, ...children) =>
  h('form', { class: 'filters', role: 'search', 'aria-label': label, onsubmit: (event) => event.preventDefault() }, children);

/** @param {string} label @param {HTMLElement} control */
export const labelled = (label, control) => h('label', { class: 'field' }, h('span', null, label), control);

/** @param {HTMLElement | null} field */
const valueOf = (field) => /** @type {HTMLInputElement} */ (field).value.trim();

/** @param {string} label @param {string} parameter @param {Properties} [more] */
export const field = (label, parameter, more = {}) =>
  labelled(label, h('input', {
    type: 'search', autocomplete: 'off', spellcheck: 'false', value: one(parameter), 'data-key': `field-${parameter}`,
    onchange: (event) => go({ [parameter]: valueOf(event.target), cursor: '' }), ...more }));

/**
 * @param {string} label @param {string} now @param {readonly (readonly [string, string])[]} options values and titles
 * @param {(value: string) => void} pick
 */
export const choice = (label, now, options, pick) =>
  labelled(label, h('select', { value: now, onchange: (event) => pick(valueOf(event.target)) },
    options.map(([value, title]) => h('option', { value, selected: value === now }, visible(title)))));

/** @param {string} label @param {boolean} on @param {(on: boolean) => void} pick @param {Properties} [more] */
export const check = (label, on, pick, more = {}) =>
  h('label', { class: 'check' }, h('input', {
    type: 'checkbox', checked: on, onchange: (event) => pick(event.target.checked), ...more }),
  h('span', null, label));
