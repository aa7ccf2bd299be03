/** A run's metric resource: how its metrics progressed, all points as a table, tags, custom info. */

import { chart } from '../parts/chart.js';
import { check, chips, choice, clear, field, filterForm, labelKey, labelText, moreFilters, period, save, tabs, toggle } from '../parts/controls.js';
import { counted, faint, h, number, shown, unseen } from '../parts/dom.js';
import { isLive, liveLine } from '../parts/run.js';
import { age, empty, panel } from '../parts/states.js';
import { pages, table } from '../parts/table.js';
import { text } from '../parts/value.js';
import { all, link, one, picked } from '../state.js';
import { use } from '../store.js';
import { time } from '../zone.js';

const FILTERS = ['search', 'label', 'minStep', 'maxStep', 'since', 'until'];

/** @typedef {{id: string, path: string, live: boolean, filters: Record<string, string[]>, filtered: boolean, whole: Slot, series: Series[]}} Resource */

/** @param {string} id @param {string} status @returns {Children} */
export function metricResource(id, status) {
  const path = `runs/${id}/metric-resource`;
  const live = isLive(status);
  const whole = use(`${path}/series`, { points: 2 }, live);
  const parts = use(path, { limit: 1 }, live);
  return panel(parts, ({ tags: pairs, customInfo, page }) => {
    const series = whole.data?.series ?? [];
    const total = whole.data ? sum(series) : undefined;
    const count = total ?? page?.total ?? 0;
    return [
      h('div.row.bar',
        tabs('Metric resource', 'part', [`Metrics (${counted(count)})`, ['tags', `Tags (${pairs.length})`], ['info', `Custom Info (${customInfo.length})`]], { search: '' }),
        liveLine(id, status, total, whole), parts.stale && age(parts)),
      one('part') === 'tags' ? tags(pairs) : one('part') ? info(customInfo)
        : count || whole.busy ? metrics({ id, path, live, whole, series, filtered: FILTERS.some(one), filters: picked(FILTERS) })
          : empty('No metrics were logged for this run.', live && 'They appear here as soon as they are.'),
    ];
  });
}

/** @param {Series[]} series @returns {number} */
const sum = (series) => series.reduce((total, { count }) => total + count, 0);
/** Labels that not all of these have, by their keys. @param {Series[]} series @returns {Map<string, string>} */
const telling = (series) => {
  const found = Map.groupBy(series.flatMap(({ labels }) => labels), labelKey);
  return new Map([...found].flatMap(([key, [label, ...others]]) => (label && others.length + 1 < series.length ? [[key, labelText(label)]] : [])));
};
const noPoint = () => empty('No point matches these filters.', clear(FILTERS));

/** @param {Resource} resource */
function metrics(resource) {
  const isTable = one('as') === 'table';
  const labels = telling(resource.series);
  for (const key of all('label')) if (!labels.has(key)) labels.set(key, key.replace(':', ': '));
  return [
    h('div.row.bar',
      tabs('Metrics', 'as', ['Progress', 'Table'], { sort: '' }),
      isTable ? downloads(resource) : h('div.row', choice('Against', 'x', ['Step', 'Time', 'Elapsed']), choice('Scale', 'scale', ['Linear', 'Log']),
        choice('Smoothing', 'smooth', ['None', '0.6', '0.9', '0.97']))),
    filterForm('Filter points',
      field('Search by name', 'search'),
      labels.size > 0 && h('fieldset', h('legend', 'Labels'), h('span.chips', [...labels].slice(0, 40).map(([key, title]) => toggle('label', key, shown(title))))),
      moreFilters('Steps and times', [field('From step', 'minStep', { size: 8 }), field('To step', 'maxStep', { size: 8 }), ...period()]),
      resource.filtered && clear(FILTERS)),
    isTable ? points(resource) : progress(resource),
  ];
}

/** @param {Resource} resource */
function downloads({ id, path, filters }) {
  const button = (/** @type {string} */ title, from = path, query = {}) => {
    const format = title.toLowerCase();
    return save(title, from, { ...filters, format, ...query }, `${id}-metrics.${format}`);
  };
  const sort = one('sort');
  return h('div.row', { role: 'group', 'aria-label': 'Download' }, faint('Download'), button('CSV', path, { sort }), button('NDJSON', path, { sort }),
    button('Parquet', 'points', { run: id }));
}

/** @param {Resource} resource */
function progress({ id, path, filters, filtered, whole, live }) {
  const slot = filtered ? use(`${path}/series`, { ...filters, points: 2 }, live, `filtered:${id}`) : whole;
  const how = { ...filters, ...picked(['x', 'scale', 'smooth']), search: '' };
  const along = (/** @type {Series[]} */ its) => one('x') || (its.every(({ last }) => last.step === null) && 'time');
  return panel(slot, (/** @type {{series: Series[]}} */ { series }) => series[0] ? h('div.charts', [...Map.groupBy(series, ({ name }) => name)].map(([name, its]) =>
    h('figure.card', { key: name },
      h('figcaption.row', h('h3', shown(name)), faint(counted(sum(its), 'point'))),
      chart(`${path} ${name}`, `${path}/chart`, { ...how, x: along(its), name }, 180, live),
      summary(name, its)))) : noPoint());
}

/** Its first, last, least and greatest value and their mean, as the API gave them. @param {string} name @param {Series[]} series */
function summary(name, series) {
  const labels = telling(series);
  return table(`Summary of ${name}`, [
    { title: unseen('Value'), cell: (title) => title, head: true },
    ...series.map((each) => {
      const title = each.labels.flatMap((label) => labels.get(labelKey(label)) ?? []).join(', ');
      return { title: title ? shown(title) : unseen('All'), class: 'number',
        cell: (/** @type {string} */ row) => (row === 'Points' ? counted(each.count) : number(/** @type {any} */ (each)[row.toLowerCase()])) };
    })], ['First', 'Last', 'Min', 'Max', 'Mean', 'Points']);
}

/** @type {Set<string>} */
const folded = new Set();

/** @param {Resource} resource */
function points({ id, path, filters, filtered, series, live }) {
  const isGrouped = one('group-by') !== 'none';
  const [sort, cursor] = [one('sort'), one('cursor')];
  const order = !isGrouped ? sort : /^-?name$/.test(sort) ? `${sort},step` : `name,${sort || 'step'}`;
  const slot = use(path, { ...filters, limit: 200, cursor, sort: order }, live && !cursor, `table:${id}`);
  const head = (/** @type {string} */ name, /** @type {Metric[]} */ its) => {
    const whole = filtered ? 0 : sum(series.filter((each) => each.name === name));
    return [shown(name), faint(whole > its.length ? ` ${its.length} of ${counted(whole)} here` : ` ${counted(its.length, 'point')}`)];
  };
  return panel(slot, (/** @type {{metrics: Metric[], page: any}} */ { metrics: rows, page }) => !rows[0] && filtered ? noPoint() : [
    h('div.row.bar', check('Group by name', 'group-by', 'none', { checked: isGrouped }),
      h('p.faint', { role: 'status' }, `${rows.length} of ${counted(page?.total ?? rows.length, 'point')}`)),
    table('Points', [
      { title: 'Name', sort: 'name', cell: ({ name }) => (isGrouped ? unseen(shown(name)) : shown(name)) },
      { title: 'Value', sort: 'value', class: 'number', cell: ({ value }) => number(value) },
      { title: 'Timestamp', sort: 'timestamp', cell: ({ timestamp }) => time(timestamp) },
      { title: 'Step', sort: 'step', class: 'number', cell: ({ step }) => number(step) },
      { title: 'Labels', cell: ({ labels }) => chips(labels) },
    ], rows, isGrouped ? { group: { of: ({ name }) => name, head, folded } } : {}),
    pages(page),
  ]);
}

/** @param {Pair[]} list */
function tags(list) {
  const matching = list.filter((tag) => labelKey(tag).toLowerCase().includes(one('search').toLowerCase()));
  return list[0] ? [filterForm('Filter tags', field('Search tags', 'search')),
    matching[0] ? h('ul.chips', matching.map(({ name, value }) => h('li.tag', faint(shown(name)), ' ', h('b', shown(value)))))
      : empty('No tag matches.', clear(['search']))] : empty('This run has no tags.');
}

/** Names on the left, the value of the chosen one on the right. @param {Pair[]} list */
function info(list) {
  const now = list.find(({ name }) => name === one('info')) ?? list[0];
  return now ? h('div.sides',
    h('nav', { 'aria-label': 'Custom info' }, h('ul', list.map(({ name }) => h('li', h('a', { href: link({ info: name }), 'aria-current': name === now.name && 'true' }, shown(name)))))),
    h('section', { 'aria-label': now.name }, h('h2', shown(now.name)), text(now.value))) : empty('This run has no custom info.');
}
