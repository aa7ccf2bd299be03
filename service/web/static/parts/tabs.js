/** Views side by side: links, so that each has its address. */

import { link, one } from '../state.js';
import { h } from './dom.js';

/** @param {string} label @param {string} parameter @param {[string, string][]} tabs value and title, the default first @param {Record<string, string>} [others] parameters that change with it */
export const tabs = (label, parameter, tabs, others) => h(`nav.tabs.${parameter}`, { 'aria-label': label },
  tabs.map(([value, title], index) => h('a', { href: link({ ...others, [parameter]: index ? value : '' }),
    'aria-current': value === (one(parameter) || tabs[0]?.[0]) && 'page' }, title)));
