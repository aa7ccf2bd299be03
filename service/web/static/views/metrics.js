/** A run's metric resource: how its metrics progressed, all points as a table, tags, custom info. */

import { address, context, download } from '../api.js';
import { chart } from '../parts/chart.js';
import { chips, labelText } from '../parts/chips.js';
import { dash, faint, h, shown, unseen, visible } from '../parts/dom.js';
import { check, choice, field, filterForm } from '../parts/field.js';
import { expiredLine, pages } from '../parts/pages.js';
import { empty, panel, strips } from '../parts/problem.js';
import { age, isLive, liveLine } from '../parts/status.js';
import { table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { text } from '../parts/value.js';
import { all, go, link, one } from '../state.js';
import { follow, use } from '../store.js';
import { time } from '../zone.js';

const FILTERS = ['search', 'label', 'minStep', 'maxStep', 'since', 'until'];
const PAGE = 200;
const AXES = /** @type {const} */ ([['', 'Step'], ['time', 'Time'], ['elapsed', 'Elapsed time']]);
const SCALES = /** @type {const} */ ([['', 'Linear'], ['log', 'Logarithmic']]);
const SMOOTH = /** @type {const} */ ([['', 'None'], ['0.6', '0.6'], ['0.9', '0.9'], ['0.97', '0.97']]);

/** @param {string} id @param {string} status @returns {Children} */
export function metricResource(id, status) {
  const path = `runs/${id}/metric-resource`;
  const live = isLive(status);
  const whole = use(`series:${id}`, address(`${path}/series`, { points: 2 }), live);
  const parts = use(`resource:${id}`, address(path, { limit: 1 }), live);
  if (live && parts.data) follow(path, parts.eventId);
  return panel(parts, (resource) => {
    const total = /** @type {Series[]} */ (whole.data?.series ?? []).reduce((sum, { count }) => sum + count, 0);
    const count = whole.data ? total : (resource.page?.total ?? 0);
    const part = one('part') || 'metrics';
    return [
      h('div', { class: 'bar' },
        tabs('Metric resource', 'part', [
          ['metrics', `Metrics (${count.toLocaleString('en')})`],
          ['tags', `Tags (${resource.tags.length})`],
          ['info', `Custom Info (${resource.customInfo.length})`],
        ], { search: '' }),
        liveLine(id, status, whole.data ? total : undefined),
        parts.stale && age(parts)),
      strips(resource),
      part === 'tags' ? tags(resource.tags) : part === 'info' ? customInfo(resource.customInfo)
        : count === 0 && !whole.busy ? empty('No metrics were logged for this run.', live && 'They appear here as soon as they are.')
          : metrics(id, path, whole, live),
    ];
  });
}

/** @param {string} id @param {string} path @param {Slot} whole @param {boolean} live @returns {Children} */
function metrics(id, path, whole, live) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, all(name)]));
  const filtered = FILTERS.some((name) => all(name).length);
  return [
    h('div', { class: 'bar' },
      tabs('Metrics', 'as', [['progress', 'Progress'], ['table', 'Table']], { cursor: '', sort: '' }),
      one('as') === 'table' ? downloads(id, path, filters) : drawing()),
    filterBar(whole.data?.series ?? [], filtered),
    one('as') === 'table' ? points(id, path, filters, filtered, whole.data?.series ?? [], live)
      : progress(id, path, filters, filtered, whole, live),
  ];
}

const drawing = () => h('div', { class: 'controls' },
  choice('Against', one('x'), AXES, (x) => go({ x })),
  choice('Scale', one('scale'), SCALES, (scale) => go({ scale })),
  choice('Smoothing', one('smooth'), SMOOTH, (smooth) => go({ smooth })));

/** @param {string} id @param {string} path @param {Record<string, string[]>} filters */
function downloads(id, path, filters) {
  const formats = /** @type {const} */ ([['csv', 'CSV', path, {}], ['ndjson', 'NDJSON', path, {}], ['parquet', 'Parquet', 'points', { run: id }]]);
  return h('div', { class: 'controls', role: 'group', 'aria-label': 'Download' }, faint('Download'),
    formats.map(([format, title, from, more]) => h('button', { 'data-key': format, onclick: async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        await download(address(from, { ...more, ...filters, sort: from === path ? one('sort') : '', format }), `${id}-metrics.${format}`);
        failed = '';
      } catch (error) {
        failed = `${title}: ${/** @type {Error} */ (error).message}`;
      }
      button.disabled = false;
      go({}, { replace: true });
    } }, title)),
    failed && h('p', { class: 'strip warning', role: 'alert' }, shown(failed)));
}

/** Why the last download failed. */
let failed = '';

/** @param {Series[]} series @param {boolean} filtered */
function filterBar(series, filtered) {
  const picked = all('label');
  /** @type {Map<string, Pair>} */
  const labels = new Map(series.flatMap((one) => one.labels).map((label) => [`${label.name}:${label.value}`, label]));
  for (const given of picked) {
    const [name = '', ...rest] = given.split(':');
    if (!labels.has(given)) labels.set(given, { name, value: rest.join(':') });
  }
  const several = [...labels.values()].filter((label) => picked.includes(`${label.name}:${label.value}`) || !series.every((one) => has(one, label)));
  const ranges = FILTERS.slice(2).filter((name) => one(name)).length;
  return filterForm('Filter points',
    field('Search by name', 'search'),
    several.length > 0 && h('fieldset', null, h('legend', null, 'Labels'), chips(several.slice(0, 40), pickLabel, picked)),
    h('details', { 'data-key': 'ranges', open: ranges > 0 },
      h('summary', null, 'Steps and times', ranges > 0 && ` (${ranges})`),
      h('div', { class: 'filters inner' },
        field('From step', 'minStep', { inputmode: 'numeric', size: 8 }), field('To step', 'maxStep', { inputmode: 'numeric', size: 8 }),
        field('Since', 'since', { placeholder: '2026-03-29T03:00:00Z' }), field('Until', 'until', { placeholder: '2026-03-29T04:00:00Z' }))),
    filtered && h('button', { onclick: clear }, 'Clear filters'));
}

const clear = () => go(Object.fromEntries([...FILTERS, 'cursor'].map((name) => [name, ''])));

/** @param {Series} series @param {Pair} label */
const has = (series, label) => series.labels.some(({ name, value }) => name === label.name && value === label.value);

/** @param {Pair} label */
function pickLabel({ name, value }) {
  const picked = all('label');
  const given = `${name}:${value}`;
  go({ label: picked.includes(given) ? picked.filter((other) => other !== given) : [...picked, given], cursor: '' });
}

const noMatch = () => empty('No point matches these filters.', h('button', { onclick: clear }, 'Clear filters'));

/** @param {string} id @param {string} path @param {Record<string, string[]>} filters @param {boolean} filtered @param {Slot} whole @param {boolean} live */
function progress(id, path, filters, filtered, whole, live) {
  const slot = filtered ? use(`filtered:${id}`, address(`${path}/series`, { ...filters, points: 2 }), live) : whole;
  return panel(slot, (data) => {
    /** @type {Map<string, Series[]>} */
    const byName = new Map();
    for (const one of /** @type {Series[]} */ (data.series)) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
    if (!byName.size) return noMatch();
    const { search: _, ...rest } = filters;
    return [strips(data), h('div', { class: 'charts' }, [...byName].map(([name, series]) => {
      const count = series.reduce((sum, one) => sum + one.count, 0);
      const how = { ...rest, name, x: one('x'), scale: one('scale'), smooth: one('smooth') };
      return h('figure', { class: 'card', 'data-key': `chart ${name}` },
        h('figcaption', null, h('h3', null, shown(name)), faint(countLine(count))),
        chart(address(`${path}/chart`, how), { round: String(count), zone: context.zone, key: 'chart' }),
        summary(name, series));
    }))];
  });
}

/** @param {number} count */
const countLine = (count) => `${count.toLocaleString('en')} ${count === 1 ? 'point' : 'points'}`;

/** First, last, least, greatest and mean of each series. @param {string} name @param {Series[]} series */
function summary(name, series) {
  const titles = series.map((one) => one.labels.filter((label) => !series.every((other) => has(other, label))).map(labelText).join(', '));
  const rows = /** @type {[string, (one: Series) => unknown][]} */ ([
    ['First', (one) => one.first.value], ['Last', (one) => one.last.value], ['Min', (one) => one.min?.value], ['Max', (one) => one.max?.value], ['Mean', (one) => one.mean],
    ['Points', (one) => one.count.toLocaleString('en')],
  ]);
  return table(`${name}: first, last, least, greatest, mean`,
    [{ title: unseen('Value') }, ...titles.map((title) => ({ title: shown(title || 'All'), class: title ? 'number' : 'visually-hidden' }))],
    h('tbody', null, rows.map(([title, of]) =>
      h('tr', null, h('th', { scope: 'row' }, title), series.map((one) => h('td', { class: 'number' }, number(of(one))))))), { key: 'summary' });
}

/** As the API gave it; NaN and infinities are words already. @param {unknown} value */
const number = (value) => (value === null || value === undefined ? dash() : String(value));

/** @param {string} id @param {string} path @param {Record<string, string[]>} filters @param {boolean} filtered @param {Series[]} series @param {boolean} live */
function points(id, path, filters, filtered, series, live) {
  const grouped = one('group-by') !== 'none';
  const sort = grouped ? `name${one('sort') && !/^-?name$/.test(one('sort')) ? `,${one('sort')}` : ',step'}`.replace(/^name/, one('sort') === '-name' ? '-name' : 'name') : one('sort');
  const slot = use(`table:${id}`, address(path, { ...filters, sort, limit: PAGE, cursor: one('cursor') }), live && !one('cursor'));
  return [
    h('div', { class: 'bar' }, check('Group by name', grouped, (on) => go({ 'group-by': on ? '' : 'none', cursor: '' }))),
    expiredLine(),
    panel(slot, (data) => {
      const total = data.page?.total ?? data.metrics.length;
      if (!total) return filtered ? noMatch() : empty('No metrics were logged for this run.');
      const columns = [{ title: 'Name', sort: 'name' }, { title: 'Value', sort: 'value', class: 'number' }, { title: 'Timestamp', sort: 'timestamp' },
        { title: 'Step', sort: 'step', class: 'number' }, { title: 'Labels' }];
      return [
        h('p', { class: 'faint', role: 'status' }, `${data.metrics.length.toLocaleString('en')} of ${total.toLocaleString('en')} points`),
        table('Points', columns, grouped ? groups(data.metrics, filtered ? [] : series) : h('tbody', null, data.metrics.map((/** @type {Metric} */ point) => row(point, true))),
          { sort: one('sort') }),
        pages(data.page),
      ];
    }),
  ];
}

/** Names whose rows are folded. @type {Set<string>} */
const folded = new Set();

/** @param {Metric[]} metrics @param {Series[]} series */
function groups(metrics, series) {
  /** @type {Map<string, Metric[]>} */
  const byName = new Map();
  for (const point of metrics) {
    const there = byName.get(point.name);
    if (there) there.push(point);
    else byName.set(point.name, [point]);
  }
  return [...byName].map(([name, points]) => {
    const all = series.filter((one) => one.name === name).reduce((sum, one) => sum + one.count, 0);
    const open = !folded.has(name);
    const fold = () => {
      if (open) folded.add(name);
      else folded.delete(name);
      go({}, { replace: true });
    };
    return h('tbody', { 'data-key': `group ${name}` },
      h('tr', { class: 'group' }, h('th', { colspan: 5, scope: 'rowgroup' },
        h('button', { class: 'fold', 'aria-expanded': String(open), onclick: fold }, h('span', { 'aria-hidden': 'true' }, open ? '▾' : '▸'), ' ', shown(name),
          faint(` ${all > points.length ? `${points.length} of ${all.toLocaleString('en')} here` : countLine(points.length)}`)))),
      open && points.map((point) => row(point, false)));
  });
}

/** @param {Metric} point @param {boolean} named */
const row = (point, named) => h('tr', null,
  h('td', null, named ? shown(point.name) : unseen(shown(point.name))),
  h('td', { class: 'number' }, number(point.value)), h('td', null, time(point.timestamp)),
  h('td', { class: 'number' }, number(point.step)), h('td', null, chips(point.labels, pickLabel, all('label'))));

/** @param {Pair[]} list */
function tags(list) {
  const search = one('search').toLowerCase();
  const matching = list.filter(({ name, value }) => `${name}\n${value}`.toLowerCase().includes(search));
  return [
    list.length > 0 && filterForm('Filter tags', field('Search tags', 'search')),
    !list.length ? empty('This run has no tags.') : !matching.length ? noMatchOf('tag')
      : h('ul', { class: 'tags' }, matching.map(({ name, value }) => h('li', { class: 'tag' }, faint(shown(name)), h('b', null, shown(value))))),
  ];
}

/** @param {string} what */
const noMatchOf = (what) => empty(`No ${what} matches.`, h('button', { onclick: () => go({ search: '' }) }, 'Clear filters'));

/** Names on the left, the value of the chosen one on the right. @param {Pair[]} list */
function customInfo(list) {
  if (!list.length) return empty('This run has no custom info.');
  const now = list.find(({ name }) => name === one('info')) ?? list[0];
  return h('div', { class: 'sides' },
    h('nav', { 'aria-label': 'Custom info' }, h('ul', null, list.map(({ name }) =>
      h('li', null, h('a', { href: link({ info: name }), 'aria-current': name === now?.name ? 'true' : null }, shown(name)))))),
    h('section', { class: 'value', 'aria-label': visible(now?.name) }, h('h2', null, shown(now?.name)), text(now?.value ?? '')));
}
