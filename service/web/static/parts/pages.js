/** Pages of a list, by the API's cursors. */

import { link, one } from '../state.js';
import { h } from './dom.js';

/** @param {{next?: string | null} | null | undefined} page of the answer */
export function pages(page) {
  const next = page?.next ? new URLSearchParams(page.next).get('cursor') : null;
  return h('nav', { class: 'pages', 'aria-label': 'Pages' },
    one('cursor') && h('a', { href: link({ cursor: '' }) }, 'First page'),
    next && h('a', { href: link({ cursor: next, expired: '' }), rel: 'next' }, 'Next page'));
}

/** Why this is page 1, where the address asked for a later one. */
export const expiredLine = () =>
  one('expired') && h('p', { class: 'strip', role: 'status' }, 'The pages had expired: this is page 1 again.');
