/** Charts: the API's Vega-Lite specifications, drawn by the Vega of the extra `charts`, or by the API as SVG. */

import { ask } from '../api.js';
import { redraw, use } from '../store.js';
import { h, shown } from './dom.js';
import { cure, warning } from './states.js';

/** @type {string | null} */
let script = null;
/** @type {Promise<boolean> | null} */
let loading = null;

/** @param {string | null} path of the script; `null` where the extra is not installed */
export const setVega = (path) => (script = path);

/** Whether there is `vegaEmbed`. */
const loaded = () => (loading ??= import(new URL(script ?? '', document.baseURI).href).then(() => true, () => false));

const PATIENCE = 1500;
const REST = 10_000; // between two drawings of a run that goes on
const later = (milliseconds = 0) => new Promise((then) => setTimeout(then, milliseconds));
/** Charts are drawn one by one, and what the reader does comes between them. @type {Promise<unknown>} */
let turn = Promise.resolve();

/** What is read of the charts that can be seen, or nearly, by their keys. @type {Map<string, Slot | null>} */
const inView = new Map();
const near = new IntersectionObserver((seen) => {
  for (const { target: { key = '' }, isIntersecting } of seen) {
    if (!isIntersecting) inView.delete(key);
    else if (!inView.has(key)) inView.set(key, null);
  }
  if ([...inView.values()].includes(null)) redraw();
}, { rootMargin: '300px' });
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) if (Math.abs(/** @type {MetricChart} */ (target).width - target.clientWidth) > 8) void /** @type {MetricChart} */ (target).draw();
});

/** `height` in pixels; `version`: changes when the specification has, which is that of the slot in view. */
class MetricChart extends HTMLElement {
  static observedAttributes = ['version'];
  finalize = () => {};
  path = '';
  text = '';
  width = 0;
  drawings = 0;

  connectedCallback() {
    near.observe(this);
    sizes.observe(this);
    void this.update();
  }

  disconnectedCallback() {
    this.finalize();
  }

  attributeChangedCallback() {
    if (this.isConnected) void this.update();
  }

  async update() {
    const { path, data } = inView.get(this.key ?? '') ?? {};
    if (!data || !path) return;
    Object.assign(this, { path, text: JSON.stringify(data) });
    this.drawings += 1;
    this.setAttribute('aria-busy', 'true');
    await this.draw().catch(({ message }) => this.say(message));
    this.drawings -= 1;
    if (!this.drawings) this.removeAttribute('aria-busy');
  }

  /** With what there is to draw with; while the script is loading, with a picture. */
  async draw() {
    if (!this.text) return;
    this.width = this.clientWidth;
    if (!script) return this.say('Charts need the extra “charts” of the service: pip install "metric-resource-service[charts]".');
    if (!(await Promise.race([loaded(), later(PATIENCE)]))) await this.picture();
    if (!(await loaded())) return;
    const drawn = turn.then(() => later()).then(() => this.embed());
    turn = drawn.catch(() => {});
    await drawn;
  }

  async embed() {
    if (!this.text || !this.isConnected) return;
    const { title, description, ...specification } = fitted(this.text, this.width, Number(this.getAttribute('height')));
    const target = h('div', { 'aria-hidden': 'true' });
    // Vega-Embed empties its element by markup, which Trusted Types refuse: this one is emptied without.
    Object.defineProperty(target, 'innerHTML', { set: () => target.replaceChildren() });
    const options = { ast: true, actions: false, defaultStyle: false, renderer: 'svg', tooltip: tip(this),
      loader: { http: () => Promise.reject(new Error('nothing is loaded')) } };
    let compiled = {};
    // Vega-Embed compiles and draws in one task: to make two of them, what it has compiled is first replaced by nothing.
    const patch = (/** @type {object} */ result) => {
      compiled = result;
      return {};
    };
    (await vegaEmbed(target, specification, { ...options, mode: 'vega-lite', patch })).finalize();
    await later();
    this.finalize();
    const notes = [title?.subtitle ?? []].flat().filter((line) => !/^Run [\w.-]+$/.test(line));
    this.replaceChildren(h('div', { role: 'img', 'aria-label': description }, target), h('div.faint', notes.map((line) => h('p', shown(line)))));
    this.finalize = (await vegaEmbed(target, compiled, { ...options, mode: 'vega' })).finalize;
  }

  async picture() {
    try {
      const image = await (await ask(this.path, { headers: { Accept: 'image/svg+xml' } })).blob();
      this.replaceChildren(h('img', { src: URL.createObjectURL(image), alt: JSON.parse(this.text).description }));
    } catch {
      this.say('The script that draws charts could not be loaded.');
    }
  }

  /** @param {string} line */
  say(line) {
    this.replaceChildren(warning(shown(line)));
  }
}
customElements.define('metric-chart', MetricChart);

/** The chart at `path`, read while it is in view; `key` tells it from the others of the page. @param {string} key @param {string} path @param {Record<string, unknown>} query @param {number} height @param {boolean} [live] */
export function chart(key, path, query, height, live) {
  const slot = inView.has(key) ? use(path, query, live, `chart:${key}`, REST) : null;
  if (slot) inView.set(key, slot);
  return h('div', { key: 'chart', 'aria-busy': slot?.busy && 'true' }, slot?.problem && warning([shown(slot.problem.message), cure(slot)]),
    h('metric-chart', { key, height, version: slot?.data && slot.headers?.get('ETag'), own: true }));
}

/** The specification, as wide as the element; its colours are the style sheet's. @param {string} text @param {number} width @param {number} height @returns {any} */
function fitted(text, width, height) {
  const legend = { orient: 'bottom', direction: 'vertical', columns: 1, labelLimit: width - 90 };
  const whole = JSON.parse(text, (name, part) => (name === 'legend' && part ? { ...part, ...legend } : part));
  const sized = (/** @type {any} */ part, /** @type {number} */ room) => {
    const { x, y, xOffset } = part.encoding ?? {};
    const places = x?.scale?.domain?.length;
    if (part.mark?.width) part.mark.width = Math.min(part.mark.width, (0.7 * room) / places / (xOffset?.scale.domain.length ?? 1));
    if (x?.axis?.labelAngle === 0) x.axis.labelLimit = Math.min(x.axis.labelLimit, (room - 90) / places - 12);
    return { ...part, width: room, height: y?.type === 'quantitative' || part.layer ? height : part.height, autosize: { type: 'fit-x', contains: 'padding' } };
  };
  whole.config.axis.labelSeparation = 8;
  whole.config.axisY.titleLimit = height;
  whole.config.legend.layout = { bottom: { anchor: 'start', direction: 'vertical' } };
  whole.config.font = getComputedStyle(document.body).fontFamily;
  return whole.vconcat ? { ...whole, vconcat: whole.vconcat.map((/** @type {any} */ part) => sized(part, width - 70)) } : sized(whole, width);
}

/** Vega's tooltips, as text. @param {HTMLElement} element */
const tip = (element) => (/** @type {unknown} */ _, /** @type {MouseEvent} */ event, /** @type {unknown} */ __, /** @type {any} */ value) => {
  element.querySelector('.tip')?.remove();
  if (!value) return;
  const box = h('div.tip', { 'aria-hidden': 'true' }, Object.entries(value).map(([name, text]) => h('div', shown(name), ' ', h('b', shown(text)))));
  element.append(box);
  box.style.left = `${Math.min(event.clientX + 12, innerWidth - box.offsetWidth)}px`;
  box.style.top = `${event.clientY + 16}px`;
};
