/** Charts: the API's Vega-Lite specifications, drawn by the Vega of the extra `charts`, or by the API as SVG. */

import { ask, Problem } from '../api.js';
import { h, shown, visible } from './dom.js';

/** @typedef {{finalize: () => void}} Drawn */
/** @typedef {(target: Element, specification: object, options: object) => Promise<Drawn>} Embed */

/** @type {string | null} */
let script = null;
/** @type {Promise<Embed | null> | null} */
let loading = null;
/** @type {Embed | null} */
let embed = null;

/** In other colours. */
export function redraw() {
  for (const one of document.querySelectorAll('metric-chart')) if (one instanceof MetricChart && one.specification) void one.draw();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

/** @param {string | null} path of the script; `null` where the extra is not installed */
export function setVega(path) {
  script = path;
}

function vega() {
  loading ??= import(new URL(script ?? '', document.baseURI).href).then(
    () => (embed = /** @type {any} */ (window)['vegaEmbed']),
    () => null,
  );
  return loading;
}

/** Charts are drawn one by one, and what the reader does comes between them. */
let turn = Promise.resolve();
const ownTurn = () => (turn = turn.then(() => new Promise((now) => setTimeout(now))));

const PATIENCE = 1500;
const near = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) if (isIntersecting && target instanceof MetricChart) void target.read();
}, { rootMargin: '300px' });
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) if (target instanceof MetricChart) target.fit();
});

/** `src`: the chart's path; `height` in pixels; `round`: changes when the data has. Reads when it comes into view. */
class MetricChart extends HTMLElement {
  static observedAttributes = ['src', 'round', 'zone'];
  /** @type {Drawn | null} */
  drawn = null;
  /** @type {any} */
  specification = null;
  /** @type {AbortController | null} */
  aborter = null;
  width = 0;
  wanted = '';

  connectedCallback() {
    near.observe(this);
    sizes.observe(this);
  }

  disconnectedCallback() {
    near.unobserve(this);
    sizes.unobserve(this);
    this.aborter?.abort();
    this.drawn?.finalize();
    this.drawn = null;
    this.wanted = '';
  }

  attributeChangedCallback() {
    if (!this.isConnected) return;
    near.unobserve(this);
    near.observe(this); // tells anew whether it can be seen
  }

  fit() {
    if (this.specification && Math.abs(this.width - this.clientWidth) > 8) void this.draw();
  }

  async read() {
    const wanted = ['src', 'round', 'zone'].map((name) => this.getAttribute(name)).join('\n');
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.aborter?.abort();
    const aborter = (this.aborter = new AbortController());
    const source = this.getAttribute('src') ?? '';
    this.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask(source, { signal: aborter.signal });
      this.specification = await answer.json();
      await this.draw();
    } catch (error) {
      if (aborter.signal.aborted) return;
      this.specification = null;
      const problem = error instanceof Problem ? error : new Problem(0, { detail: String(error) });
      this.replaceChildren(h('p', { class: 'strip warning' }, shown(problem.message)));
    } finally {
      if (!aborter.signal.aborted) this.removeAttribute('aria-busy');
    }
  }

  /** With what there is to draw with; while the script is loading, with a picture. */
  async draw() {
    if (!script) return this.say('Charts need the extra “charts” of the service: pip install "metric-resource-service[charts]".');
    if (!embed && !(await Promise.race([vega(), new Promise((late) => setTimeout(late, PATIENCE))]))) {
      await this.picture();
      if (!(await vega())) return;
    }
    await ownTurn();
    if (!this.isConnected || !embed || !this.specification) return;
    this.width = this.clientWidth;
    const target = h('div', { class: 'drawing', 'aria-hidden': 'true' });
    // Vega-Embed empties its element by markup, which Trusted Types refuse: this one is emptied without.
    Object.defineProperty(target, 'innerHTML', { set: () => target.replaceChildren() });
    const old = this.drawn;
    const description = visible(this.specification.description ?? 'Chart');
    this.replaceChildren(h('div', { role: 'img', 'aria-label': description, class: 'picture' }, target), this.notes());
    this.drawn = await embed(target, styled(this.specification, this), {
      ast: true, actions: false, defaultStyle: false, renderer: 'canvas', mode: 'vega-lite', tooltip: tip(this),
      loader: { http: () => Promise.reject(new Error('nothing is loaded')) },
    });
    old?.finalize();
  }

  async picture() {
    try {
      const answer = await ask(this.getAttribute('src') ?? '', { headers: { Accept: 'image/svg+xml' } });
      const source = URL.createObjectURL(await answer.blob());
      const image = h('img', { src: source, alt: visible(this.specification.description ?? 'Chart'), class: 'svg' });
      image.onload = () => URL.revokeObjectURL(source);
      if (!embed) this.replaceChildren(image);
    } catch {
      this.say('The script that draws charts could not be loaded.');
    }
  }

  /** @param {string} line */
  say(line) {
    this.replaceChildren(h('p', { class: 'strip' }, line));
  }

  notes() {
    /** @type {unknown[]} */
    const lines = [this.specification.title?.subtitle ?? []].flat();
    return h('div', { class: 'notes faint' }, lines
      .filter((line) => !/^Run [\w.-]+$/.test(String(line))).map((line) => h('p', null, shown(line))));
  }
}
customElements.define('metric-chart', MetricChart);

/** @param {string} source @param {{height?: number, round?: string, zone: string, key?: string}} how */
export const chart = (source, { height = 180, round = '', zone, key }) =>
  h('metric-chart', { src: source, height, round, zone, 'data-own': '', 'data-key': key });

/** The specification in the page's colours and the element's size. @param {any} specification @param {HTMLElement} element */
function styled(specification, element) {
  const { color: text, borderTopColor: line, outlineColor: faint, fontFamily: font } = getComputedStyle(element);
  const own = specification.config ?? {};
  const axis = { ...own.axis, labelColor: text, titleColor: text, gridColor: line, domainColor: faint, tickColor: faint, labelSeparation: 8 };
  const width = element.clientWidth;
  const fitting = { orient: 'bottom', direction: 'vertical', columns: width > 560 ? 2 : 1, labelLimit: width > 560 ? width / 2 - 60 : width - 90 };
  const legend = { ...own.legend, ...fitting, labelColor: text, titleColor: text };
  const config = { ...own, background: 'transparent', font, axis, legend };
  const { title, ...rest } = adapted(specification, fitting);
  return { ...sized(rest, width, Number(element.getAttribute('height'))), config };
}

const isDark = () => (document.documentElement.dataset['theme'] || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
const ON_DARK = /** @type {Record<string, string>} */ ({ '#000000': '#ffffff', '#0072B2': '#4ba3e3' });

/** With colours that can be seen on dark, and legends that fit. @param {any} part @param {object} legend @returns {any} */
function adapted(part, legend) {
  if (typeof part === 'string') return (isDark() && ON_DARK[part]) || part;
  if (Array.isArray(part)) return part.map((one) => adapted(one, legend));
  if (part === null || typeof part !== 'object') return part;
  return Object.fromEntries(Object.entries(part).map(([name, one]) => {
    if (name === 'data' || name === 'datasets' || name === 'domain') return [name, one];
    return [name, name === 'legend' && one ? { ...one, ...legend } : adapted(one, legend)];
  }));
}

/** @param {any} part @param {number} width @param {number} height @returns {any} */
function sized(part, width, height) {
  if (part.vconcat) return { ...part, vconcat: part.vconcat.map((/** @type {any} */ one) => sized(one, width - 70, height)) };
  const autosize = { type: 'fit-x', contains: 'padding' };
  const { x, y, xOffset } = part.encoding ?? {};
  const places = (x?.scale?.domain?.length ?? 1) * (xOffset?.scale?.domain?.length ?? 1);
  const mark = typeof part.mark?.width === 'number' ? { ...part.mark, width: Math.min(part.mark.width, (0.7 * width) / places) } : part.mark;
  const encoding = x?.axis?.labelLimit && x.axis.labelAngle === 0
    ? { ...part.encoding, x: { ...x, axis: { ...x.axis, labelLimit: Math.min(x.axis.labelLimit, (width - 60) / x.scale.domain.length - 8) } } } : part.encoding;
  return { ...part, width, height: y?.type === 'quantitative' || part.layer ? height : part.height, autosize, ...(mark && { mark }), ...(encoding && { encoding }) };
}

/** Vega's tooltips, as text. @param {HTMLElement} element */
function tip(element) {
  return (/** @type {unknown} */ _, /** @type {MouseEvent} */ event, /** @type {unknown} */ __, /** @type {any} */ value) => {
    let box = /** @type {HTMLElement | null} */ (element.querySelector('.tip'));
    if (!value) return box?.remove();
    if (!box) element.append((box = h('div', { class: 'tip', 'aria-hidden': 'true' })));
    const rows = typeof value === 'object' ? Object.entries(value) : [['', value]];
    box.replaceChildren(h('dl', null, rows.map(([name, text]) => [h('dt', null, shown(name)), h('dd', null, shown(text))])));
    const place = element.getBoundingClientRect();
    const left = Math.min(event.clientX - place.left + 12, place.width - box.offsetWidth);
    box.style.left = `${Math.max(0, left)}px`;
    box.style.top = `${event.clientY - place.top + 16}px`;
  };
}
