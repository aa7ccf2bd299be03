/** What is shown stands in the query string: every view is a link, and back and forward work. */

/** @type {() => void} */
let changed = () => {};

/** @param {() => void} draw */
export function begin(draw) {
  changed = draw;
  addEventListener('popstate', draw);
}

export const query = () => new URLSearchParams(location.search);
/** @param {string} name */
export const one = (name) => query().get(name) ?? '';
/** @param {string} name */
export const all = (name) => query().getAll(name);

/** @typedef {Record<string, string | number | boolean | null | undefined | readonly string[]>} Changes */
const EVERYWHERE = ['zone', 'group', 'connection'];

/**
 * The address with some parameters changed; what is empty is left out.
 * @param {Changes} changes @param {boolean} [anew] of a new view, which keeps the zone, group and connection alone
 */
export function link(changes, anew = false) {
  const next = query();
  if (anew) for (const name of [...new Set(next.keys())]) if (!EVERYWHERE.includes(name)) next.delete(name);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== '' && each !== null && each !== undefined && each !== false) next.append(name, String(each));
    }
  }
  return `?${next}`;
}

/** @param {Changes} changes @param {{anew?: boolean, replace?: boolean}} [how] */
export function go(changes, { anew = false, replace = false } = {}) {
  visit(link(changes, anew), replace);
}

/** @param {string} search @param {boolean} [replace] */
function visit(search, replace = false) {
  if (search !== (location.search || '?')) history[replace ? 'replaceState' : 'pushState'](null, '', search);
  changed();
}

/** A link within the page. @param {MouseEvent} event */
export function follow(event) {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const href = link?.getAttribute('href');
  if (!href?.startsWith('?') || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const moved = new URLSearchParams(href).get('run') !== one('run') || !new URLSearchParams(href).has('tab');
  visit(href);
  if (moved) scrollTo(0, 0);
}
