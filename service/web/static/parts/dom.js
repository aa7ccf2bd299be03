/** Elements from data. Text is only ever text: nothing here, or elsewhere in the page, makes markup of it. */

const HANDLERS = /** @type {const} */ (['onclick', 'oninput', 'onchange', 'onsubmit', 'onkeydown', 'ontoggle']);
const FIELDS = new Set(['INPUT', 'SELECT', 'TEXTAREA']);
const SAFE = new Set(['http:', 'https:', 'blob:']);

/**
 * An element. Properties are attributes, but for handlers (`onclick`), and `value` and `checked` of fields.
 * @param {string} tag @param {Properties | null} [properties] @param {...Children} children
 * @returns {HTMLElement}
 */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  if (element instanceof HTMLButtonElement) element.type = 'button'; // Enter in a field presses none that does not say `submit`
  element.append(...flat(children));
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') /** @type {any} */ (element)[name] = value;
    else if (FIELDS.has(element.tagName) && (name === 'value' || name === 'checked')) {
      /** @type {any} */ (element)[name] = value;
    } else if (name === 'href' && !SAFE.has(new URL(String(value), document.baseURI).protocol)) continue;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  return element;
}

/** @param {any} children `Children`, however deep @returns {Node[]} */
export function flat(children) {
  if (Array.isArray(children)) return children.flatMap((child) => flat(child));
  if (children === null || children === undefined || children === false) return [];
  return [children instanceof Node ? children : document.createTextNode(String(children))];
}

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text that somebody logged, what cannot be seen written out: for names and attributes. @param {unknown} text */
export const visible = (text) =>
  String(text ?? '').replace(CONTROLS, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });

/** The same as an element, whose direction changes nothing around it. @param {unknown} text */
export const shown = (text) => h('bdi', null, visible(text));

/** @param {...Children} children */
export const faint = (...children) => h('span', { class: 'faint' }, children);
/** For who hears the page. @param {...Children} children */
export const unseen = (...children) => h('span', { class: 'visually-hidden' }, children);
/** Where there is no value. */
export const dash = () => faint('–');

/**
 * Make the children of `parent` those of `fresh`, keeping the elements that are there: focus, scrolling, what is typed.
 * Elements are the same by `data-key`, or by place and tag. The children of an element with `data-own` are its own.
 * @param {Element} parent @param {Children} fresh
 */
export function morph(parent, fresh) {
  const nodes = flat(fresh);
  const wanted = new Set(nodes.map(keyOf).filter(Boolean));
  /** @type {Map<string, Element>} */
  const there = new Map();
  for (const old of [...parent.children]) {
    const key = keyOf(old);
    if (key && wanted.has(key)) there.set(key, old);
    else if (key) old.remove();
  }
  let at = parent.firstChild;
  for (const node of nodes) {
    const key = keyOf(node);
    const old = key ? there.get(key) : at && !keyOf(at) && at.nodeName === node.nodeName ? at : null;
    if (!old) {
      parent.insertBefore(node, at);
      continue;
    }
    if (old === at) at = at.nextSibling;
    else parent.insertBefore(old, at);
    update(old, node);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** @param {Node} node */
const keyOf = (node) => (node instanceof Element ? node.getAttribute('data-key') : null);

/** @param {Node} old @param {Node} fresh */
function update(old, fresh) {
  if (!(old instanceof HTMLElement && fresh instanceof HTMLElement)) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (name !== 'open' && !name.startsWith('data-own') && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const handler of HANDLERS) old[handler] = /** @type {any} */ (fresh[handler]);
  if (!fresh.hasAttribute('data-own')) morph(old, [...fresh.childNodes]);
  if (FIELDS.has(old.tagName) && old !== document.activeElement) {
    const [field, other] = /** @type {HTMLInputElement[]} */ ([old, fresh]);
    if (field && other && field.value !== other.value) field.value = other.value;
  }
  if (old instanceof HTMLInputElement) old.checked = /** @type {HTMLInputElement} */ (fresh).checked;
}
