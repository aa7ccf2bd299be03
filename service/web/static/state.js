/** What is shown stands in the query string: every view is a link, and back and forward work. */

let changed = () => {};

/** @param {() => void} draw */
export function begin(draw) {
  changed = draw;
  addEventListener('popstate', draw);
  document.addEventListener('click', follow);
}

const query = () => new URLSearchParams(location.search);
/** @param {string} name */
export const one = (name) => query().get(name) ?? '';
/** @param {string} name */
export const all = (name) => query().getAll(name);
/** The values of several parameters. @param {string[]} names */
export const picked = (names) => Object.fromEntries(names.map((name) => [name, all(name)]));
/** The values of a parameter with this one added, or without it. @param {string} name @param {string} value */
export const flipped = (name, value) =>
  all(name).includes(value) ? all(name).filter((other) => other !== value) : [...all(name), value];

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
/** What an answer belongs to: it goes with every request. */
export const context = () => ({ zone: one('zone') || browserZone, group: one('group'), connection: one('connection') });
const PLACE = ['zone', 'group', 'connection'];
const PAGE = ['cursor', 'expired'];

/** What is empty is left out; of lists, each. @param {[string, unknown][]} entries */
export const parameters = (entries) => new URLSearchParams(entries.flatMap(([name, value]) => [value].flat()
  .filter((each) => each || each === 0).map((each) => [name, String(each)])));

/**
 * The address with some parameters changed, at page 1 but where runs are only picked; those are of one place.
 * @param {Record<string, unknown>} changes @param {boolean} [anew] only zone, group and connection are kept
 */
export function link(changes, anew = false) {
  const lost = 'pick' in changes ? [] : 'group' in changes || 'connection' in changes ? [...PAGE, 'pick'] : PAGE;
  const kept = [...query()].filter(([name]) => !(name in changes) && (anew ? PLACE.includes(name) : !lost.includes(name)));
  return `?${parameters([...kept, ...Object.entries(changes)])}`;
}

/** @param {Record<string, unknown>} changes @param {{anew?: boolean, replace?: boolean}} [how] */
export const go = (changes, { anew, replace } = {}) => visit(link(changes, anew), replace || 'pick' in changes);

/** @param {string} search @param {boolean} [replace] */
function visit(search, replace) {
  if (search !== (location.search || '?')) history[replace ? 'replaceState' : 'pushState'](null, '', search);
  changed();
}

/** A link within the page. @param {any} event */
function follow(event) {
  const href = event.target.closest('a')?.getAttribute('href');
  if (!href?.startsWith('?') || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const next = new URLSearchParams(href);
  if (next.get('run') !== one('run') || !next.has('tab')) scrollTo(0, 0);
  visit(href);
}
