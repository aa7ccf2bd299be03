/** Elements from data. Text is only ever text, with what cannot be seen written out: nothing here, or elsewhere in the page, makes markup of it. */

const HANDLERS = /** @type {const} */ (['onclick', 'onchange', 'onsubmit']);
const PROPERTIES = new Set(['value', 'checked', 'key', 'own', ...HANDLERS]);

/**
 * `h('li.chip', { title: 'x' }, 'text')`; attributes can be left out. An element with a `key` stays the same when it is
 * drawn again; the children of one that is its `own` are left alone.
 * @param {string} tag @param {...(Properties | Children)} parts @returns {any}
 */
export function h(tag, ...parts) {
  const [name = '', ...classes] = tag.split('.');
  const element = /** @type {any} */ (document.createElement(name));
  if (classes[0]) element.className = classes.join(' ');
  if (name === 'button') element.type = 'button'; // Enter in a field presses none that does not say `submit`
  const properties = parts[0]?.constructor === Object ? /** @type {Properties} */ (parts.shift()) : {};
  element.append(...flat(parts));
  for (const [name, value] of Object.entries(properties)) {
    if (isNothing(value)) continue;
    if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? '' : visible(value));
  }
  return element;
}

/** @param {unknown} value */
const isNothing = (value) => (value ?? false) === false;

/** @param {any} children `Children`, however deep @returns {Node[]} */
export const flat = (children) => [children].flat(Infinity).filter((child) => child !== '' && !isNothing(child))
  .map((child) => (child instanceof Node ? child : new Text(visible(child))));

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/** What cannot be seen is written out: controls, and what changes the direction of text. @param {unknown} text */
export const visible = (text) => String(text).replace(UNSEEN, (sign) => {
  const code = sign.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
});
/** Text that somebody logged: its direction changes nothing around it. @param {any} text */
export const shown = (text) => h('bdi', String(text ?? ''));
/** @param {...Children} children */
export const faint = (...children) => h('span.faint', children);
/** For who hears the page. @param {...Children} children */
export const unseen = (...children) => h('span.unseen', children);
/** Where there is no value. */
export const dash = () => faint('–');
/** A number as the API gave it, or that of a point; NaN and infinities are words already. @param {any} found @returns {Children} */
export const number = (found) => (found && typeof found === 'object' && 'value' in found ? found.value : found) ?? dash();
/** @param {unknown} name */
export const code = (name) => h('code', shown(name));

/** @param {number} count @param {string} [what] */
export const counted = (count, what) => count.toLocaleString('en') + (what ? ` ${what}${count === 1 ? '' : 's'}` : '');

/** A button that copies. @param {string} title @param {string} text @param {Properties} [more] */
export const copy = (title, text, more) => h('button.small', { ...more, onclick: ({ currentTarget: button }) =>
  navigator.clipboard.writeText(text).then(() => (button.textContent = 'Copied')) }, title);

/** Make the children of `parent` those of `fresh`, keeping the elements that are there: focus, scrolling, what is typed. Elements are the same by key, or by place and name. @param {Element} parent @param {Children} fresh */
export function morph(parent, fresh) {
  const nodes = flat(fresh);
  const keys = new Set(nodes.map(({ key }) => key));
  const there = new Map([...parent.children].filter(({ key }) => key).map((old) => [old.key, old]));
  for (const [key, old] of there) if (!keys.has(key)) old.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    const old = node.key ? there.get(node.key) : at && !at.key && at.nodeName === node.nodeName ? at : null;
    if (old && old === at) at = at.nextSibling;
    else parent.insertBefore(old ?? node, at);
    if (old) update(old, node);
  }
  for (const old of [...parent.childNodes].slice(nodes.length)) old.remove();
}

/** @param {any} old @param {any} fresh */
function update(old, fresh) {
  if (fresh instanceof Text) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (name !== 'open' && !fresh.own && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of HANDLERS) old[name] = fresh[name];
  if (fresh.own) return;
  morph(old, [...fresh.childNodes]);
  if ('value' in fresh && old !== document.activeElement && old.value !== fresh.value) old.value = fresh.value;
  if ('checked' in fresh) old.checked = fresh.checked;
}
