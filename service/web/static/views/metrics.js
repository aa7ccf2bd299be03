/** A run's metric resource: how its metrics progressed, all points as a table, tags, custom info. */

import { address, download } from '../api.js';
import { chart } from '../parts/chart.js';
import { chips, labelKey, labelText } from '../parts/chips.js';
import { counted, dash, faint, h, shown, unseen, visible } from '../parts/dom.js';
import { check, choice, clear, field, filterForm, moreFilters, toggle } from '../parts/fields.js';
import { empty, panel } from '../parts/problem.js';
import { age, isLive, liveLine } from '../parts/status.js';
import { expiredLine, pages, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { text } from '../parts/value.js';
import { all, link, one } from '../state.js';
import { follow, redraw, use } from '../store.js';
import { time } from '../zone.js';

const RANGES = ['minStep', 'maxStep', 'since', 'until'];
const FILTERS = ['search', 'label', ...RANGES];
const AXES = /** @type {Options} */ ([['', 'Step'], ['time', 'Time'], ['elapsed', 'Elapsed time']]);
const SCALES = /** @type {Options} */ ([['', 'Linear'], ['log', 'Logarithmic']]);
const SMOOTH = /** @type {Options} */ ([['', 'None'], ['0.6', '0.6'], ['0.9', '0.9'], ['0.97', '0.97']]);
const PAGE = 200;

/** @typedef {{id: string, path: string, live: boolean, filters: Record<string, string[]>, filtered: boolean, whole: Slot, series: Series[]}} Resource */

/** @param {string} id @param {string} status @returns {Children} */
export function metricResource(id, status) {
  const path = `runs/${id}/metric-resource`;
  const live = isLive(status);
  const whole = use(`series:${id}`, address(`${path}/series`, { points: 2 }), live);
  const parts = use(`resource:${id}`, address(path, { limit: 1 }), live);
  if (live && parts.data) follow(path, parts.eventId);
  return panel(parts, ({ tags: pairs, customInfo, page }) => {
    /** @type {Resource} */
    const resource = { id, path, live, whole, series: whole.data?.series ?? [], filtered: FILTERS.some(one),
      filters: Object.fromEntries(FILTERS.map((name) => [name, all(name)])) };
    const total = whole.data ? sum(resource.series) : undefined;
    const count = total ?? page?.total ?? 0;
    return [
      h('div.row.bar',
        tabs('Metric resource', 'part', [['metrics', `Metrics (${count.toLocaleString('en')})`], ['tags', `Tags (${pairs.length})`],
          ['info', `Custom Info (${customInfo.length})`]], { search: '' }),
        liveLine(id, status, total), parts.stale && age(parts)),
      one('part') === 'tags' ? tags(pairs) : one('part') === 'info' ? info(customInfo)
        : count || whole.busy ? metrics(resource) : empty('No metrics were logged for this run.', live && 'They appear here as soon as they are.'),
    ];
  });
}

/** @param {Series[]} series */
const sum = (series) => series.reduce((total, { count }) => total + count, 0);
/** @param {Series} series @param {Pair} label */
const has = (series, label) => series.labels.some((other) => labelKey(other) === labelKey(label));
const noPoint = () => empty('No point matches these filters.', clear(FILTERS));

/** @param {Resource} resource */
function metrics(resource) {
  const { series } = resource;
  const isTable = one('as') === 'table';
  const labels = new Map(series.flatMap((each) => each.labels).filter((label) => !series.every((each) => has(each, label))).map((label) => [labelKey(label), labelText(label)]));
  for (const picked of all('label')) if (!labels.has(picked)) labels.set(picked, picked.replace(':', ': '));
  return [
    h('div.row.bar',
      tabs('Metrics', 'as', [['progress', 'Progress'], ['table', 'Table']], { sort: '' }),
      isTable ? downloads(resource)
        : h('div.row', choice('Against', 'x', AXES), choice('Scale', 'scale', SCALES), choice('Smoothing', 'smooth', SMOOTH))),
    filterForm('Filter points',
      field('Search by name', 'search'),
      labels.size > 0 && h('fieldset', h('legend', 'Labels'), h('span.chips', [...labels].slice(0, 40).map(([key, title]) => toggle('label', key, shown(title))))),
      moreFilters('Steps and times', RANGES,
        field('From step', 'minStep', { inputmode: 'numeric', size: 8 }), field('To step', 'maxStep', { inputmode: 'numeric', size: 8 }),
        field('Since', 'since', { placeholder: '2026-03-29T03:00:00Z' }), field('Until', 'until', { placeholder: '2026-03-29T04:00:00Z' })),
      resource.filtered && clear(FILTERS)),
    isTable ? points(resource) : progress(resource),
  ];
}

/** Why the last download failed. */
let failed = '';

/** @param {Resource} resource */
function downloads({ id, path, filters }) {
  const button = (/** @type {string} */ title, from = path, more = {}) => {
    const format = title.toLowerCase();
    return h('button', { key: format, onclick: async () => {
      failed = '';
      await download(address(from, { ...more, ...filters, format }), `${id}-metrics.${format}`).catch((error) => { failed = `${title}: ${error.message}`; });
      redraw();
    } }, title);
  };
  return h('div.row', { role: 'group', 'aria-label': 'Download' }, faint('Download'), button('CSV', path, { sort: one('sort') }), button('NDJSON', path, { sort: one('sort') }),
    button('Parquet', 'points', { run: id }), failed && h('p.strip.warning', { role: 'alert' }, shown(failed)));
}

/** @param {Resource} resource */
function progress({ id, path, filters, filtered, whole, live }) {
  const slot = filtered ? use(`filtered:${id}`, address(`${path}/series`, { ...filters, points: 2 }), live) : whole;
  return panel(slot, (/** @type {{series: Series[]}} */ { series }) => series.length ? h('div.charts', [...Map.groupBy(series, ({ name }) => name)].map(([name, its]) => {
    const count = sum(its);
    return h('figure.card', { key: name },
      h('figcaption.row', h('h3', shown(name)), faint(counted(count, 'point'))),
      chart(address(`${path}/chart`, { ...filters, search: '', name, x: one('x'), scale: one('scale'), smooth: one('smooth') }), 180, String(count)),
      summary(name, its));
  })) : noPoint());
}

const ROWS = /** @type {[string, (series: Series) => unknown][]} */ ([['First', ({ first }) => first.value], ['Last', ({ last }) => last.value],
  ['Min', ({ min }) => min?.value], ['Max', ({ max }) => max?.value], ['Mean', ({ mean }) => mean], ['Points', ({ count }) => count.toLocaleString('en')]]);

/** As the API gave it; NaN and infinities are words already. @param {any} value @returns {Children} */
const number = (value) => value ?? dash();

/** First, last, least, greatest and mean of each series. @param {string} name @param {Series[]} series */
const summary = (name, series) => table(`${name}: first, last, least, greatest, mean`, [
  { title: unseen('Value'), cell: ([title]) => title, head: true },
  ...series.map((each) => {
    const title = each.labels.filter((label) => !series.every((other) => has(other, label))).map(labelText).join(', ');
    return { title: title ? shown(title) : unseen('All'), class: 'number', cell: (/** @type {typeof ROWS[number]} */ [, of]) => number(of(each)) };
  })], ROWS);

/** @type {Set<string>} */
const folded = new Set();

/** @param {Resource} resource */
function points({ id, path, filters, filtered, series, live }) {
  const grouped = one('group-by') !== 'none';
  const [sort, ofNames] = [one('sort'), /^-?name$/.test(one('sort'))];
  const slot = use(`table:${id}`, address(path, { ...filters, limit: PAGE, cursor: one('cursor'),
    sort: grouped ? `${ofNames ? sort : 'name'},${ofNames || !sort ? 'step' : sort}` : sort }), live && !one('cursor'));
  const head = (/** @type {string} */ name, /** @type {Metric[]} */ its) => {
    const whole = filtered ? 0 : sum(series.filter((each) => each.name === name));
    return [shown(name), faint(whole > its.length ? ` ${its.length} of ${whole.toLocaleString('en')} here` : ` ${counted(its.length, 'point')}`)];
  };
  return [
    h('div.row', check('Group by name', grouped, { 'group-by': grouped && 'none' })),
    expiredLine(),
    panel(slot, (/** @type {{metrics: Metric[], page: any}} */ { metrics: rows, page }) => !rows.length && filtered ? noPoint() : [
      h('p.faint', { role: 'status' }, `${rows.length} of ${counted(page?.total ?? rows.length, 'point')}`),
      table('Points', [
        { title: 'Name', sort: 'name', cell: ({ name }) => (grouped ? unseen(shown(name)) : shown(name)) },
        { title: 'Value', sort: 'value', class: 'number', cell: ({ value }) => number(value) },
        { title: 'Timestamp', sort: 'timestamp', cell: ({ timestamp }) => time(timestamp) },
        { title: 'Step', sort: 'step', class: 'number', cell: ({ step }) => number(step) },
        { title: 'Labels', cell: ({ labels }) => chips(labels) },
      ], rows, { sort, ...(grouped && { group: { of: ({ name }) => name, head, folded } }) }),
      pages(page),
    ]),
  ];
}

/** @param {Pair[]} list */
function tags(list) {
  const matching = list.filter((tag) => labelKey(tag).toLowerCase().includes(one('search').toLowerCase()));
  return list.length ? [filterForm('Filter tags', field('Search tags', 'search')),
    matching.length ? h('ul.chips', matching.map(({ name, value }) => h('li.tag', faint(shown(name)), ' ', h('b', shown(value)))))
      : empty('No tag matches.', clear(['search']))] : empty('This run has no tags.');
}

/** Names on the left, the value of the chosen one on the right. @param {Pair[]} list */
function info(list) {
  const now = list.find(({ name }) => name === one('info')) ?? list[0];
  return now ? h('div.sides',
    h('nav', { 'aria-label': 'Custom info' }, h('ul', list.map(({ name }) => h('li', h('a', { href: link({ info: name }), 'aria-current': name === now.name && 'true' }, shown(name)))))),
    h('section', { 'aria-label': visible(now.name) }, h('h2', shown(now.name)), text(now.value))) : empty('This run has no custom info.');
}
