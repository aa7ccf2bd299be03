/** What is shown stands in the query string: every view is a link, and back and forward work. */

let changed = () => {};

/** @param {() => void} draw */
export function begin(draw) {
  changed = draw;
  addEventListener('popstate', draw);
  document.addEventListener('click', follow);
  document.addEventListener('change', choose);
  document.addEventListener('submit', (event) => event.preventDefault()); // no form is sent by the browser
}

const query = () => new URLSearchParams(location.search);
/** @param {string} name */
export const one = (name) => query().get(name) ?? '';
/** @param {string} name */
export const all = (name) => query().getAll(name);
/** The values of several parameters. @param {Iterable<string>} names */
export const picked = (names, from = query()) => Object.fromEntries([...names].map((name) => [name, from.getAll(name)]));

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
/** What an answer belongs to: it goes with every request. */
export const context = () => ({ zone: one('zone') || browserZone, group: one('group'), connection: one('connection') });
const PLACE = ['zone', 'group', 'connection'];
const PAGE = ['cursor', 'expired'];

/** What is empty is left out; of lists, each. @param {[string, unknown][]} entries */
export const nonEmpty = (entries) => new URLSearchParams(entries.flatMap(([name, value]) => [value].flat()
  .filter((each) => each || each === 0).map((each) => [name, String(each)])));

/**
 * The address with some parameters changed, at page 1 but where runs are only picked; those are of one place.
 * @param {Record<string, unknown>} changes @param {boolean} [anew] only zone, group and connection are kept
 */
export function link(changes, anew = false) {
  const lost = 'pick' in changes ? [] : 'group' in changes || 'connection' in changes ? [...PAGE, 'pick'] : PAGE;
  const kept = [...query()].filter(([name]) => !(name in changes) && (anew ? PLACE.includes(name) : !lost.includes(name)));
  return `?${nonEmpty([...kept, ...Object.entries(changes)])}`;
}

/** @param {Record<string, unknown>} changes @param {{anew?: boolean, replace?: boolean}} [how] */
export const go = (changes, { anew, replace } = {}) => visit(link(changes, anew), replace || 'pick' in changes);

/** @param {string} search @param {boolean} [replace] */
function visit(search, replace) {
  if (search !== (location.search || '?')) history[replace ? 'replaceState' : 'pushState'](null, '', search);
  changed();
}

/** Add the value to those of the parameter, or take it away. @param {string} name @param {string} value */
const flip = (name, value) => go({ [name]: all(name).includes(value) ? all(name).filter((other) => other !== value) : [...all(name), value] });

/** A control has the name of the parameter that it sets; those of a form that is submitted wait for that. @param {any} event */
function choose({ target: { name, value, type, form } }) {
  if (!name || form?.onsubmit) return;
  if (type === 'checkbox') flip(name, value);
  else go({ [name]: value.trim() });
}

/** A link within the page, or a button that flips a value. @param {any} event */
function follow(event) {
  const { name, value } = event.target.closest('button[name]') ?? {};
  if (name) return flip(name, value);
  const href = event.target.closest('a')?.getAttribute('href');
  if (!href?.startsWith('?') || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const next = new URLSearchParams(href);
  if (next.get('run') !== one('run') || !next.has('tab')) scrollTo(0, 0);
  visit(href);
}
