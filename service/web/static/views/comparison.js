/** Two to five runs side by side: as a table, and as a board of charts. */

import { address, download, url } from '../api.js';
import { chart } from '../parts/chart.js';
import { labelText } from '../parts/chips.js';
import { copy, dash, h, shown, unseen, visible } from '../parts/dom.js';
import { check, choice, labelled, select } from '../parts/fields.js';
import { empty, panel } from '../parts/problem.js';
import { head, statusChip } from '../parts/status.js';
import { table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { all, flipped, go, link, one } from '../state.js';
import { use } from '../store.js';
import { brief, duration } from '../zone.js';

/** @typedef {Comparison['runs'][number]} Compared */
/** @typedef {{run: Compared, index: number}[]} Shown the runs that are shown, and their places in the API's lists */
/** @typedef {{title: Children, of: (index: number, run: Compared) => Children, differs?: boolean}} Row `of`: what the run at that place has */

const VALUES = /** @type {Options} */ ([['', 'Last'], ['first', 'First'], ['min', 'Min'], ['max', 'Max'], ['mean', 'Mean'], ['count', 'Points']]);
const TYPES = /** @type {Options} */ ([['', 'As suits'], ['line', 'Line'], ['scatter', 'Scatter'], ['column', 'Columns'], ['bar', 'Bars'], ['heatmap', 'Heatmap']]);
const SCALES = /** @type {Options} */ ([['', 'Linear'], ['log', 'Logarithmic']]);
const MOST = 4;
const onlyDiffering = () => one('differs') === 'true';

/** @returns {View} */
export function comparison() {
  const ids = all('compare');
  const baseline = ids.includes(one('baseline')) && one('baseline');
  const slot = use('comparison', address('comparisons', { run: ids, differs: onlyDiffering(), baseline }));
  const title = `Compare ${ids.length} runs`;
  return { title, crumbs: [[`Compare (${ids.length})`, link({})]], body: [
    head(title, slot),
    panel(slot, (/** @type {Comparison} */ found) => {
      const shownRuns = found.runs.map((run, index) => ({ run, index })).filter(({ run }) => !all('hide').includes(run.runId));
      return [
        h('ul.chips', { 'aria-label': 'My selection' }, found.runs.map((run) => selected(run, ids))),
        tabs('Comparison', 'view', [['table', 'Table'], ['board', 'Board']]),
        one('view') === 'board' ? board(found, shownRuns) : sideBySide(found, shownRuns),
      ];
    }),
  ] };
}

/** @param {Compared} run */
const named = ({ runId, configurationName }) => [shown(configurationName ?? 'run'), ' ', h('code.faint', runId.slice(0, 8))];

/** A run can be hidden, and left. @param {Compared} run @param {string[]} ids */
const selected = (run, ids) => h('li.tag', { key: run.runId },
  check(unseen(`Show ${run.runId.slice(0, 8)}`), !all('hide').includes(run.runId), { hide: flipped('hide', run.runId) }),
  h('a', { href: link({ run: run.runId }, true) }, named(run)), statusChip(run.status),
  ids.length > 2 && h('button.small', { 'aria-label': `Remove ${run.runId}`,
    onclick: () => go({ compare: flipped('compare', run.runId), hide: all('hide').filter((id) => id !== run.runId) }) }, '✕'));

/** @param {Comparison} found @param {Shown} columns */
function sideBySide(found, columns) {
  const of = one('of');
  const metrics = of === 'runs' || of === 'models';
  return [
    h('div.row.bar',
      tabs('Table of', 'of', [['configurations', 'Configurations'], ['runs', 'Runs'], ['models', 'Models']]),
      h('div.row', check('Only what differs', onlyDiffering(), { differs: !onlyDiffering() }),
        metrics && [choice('Value', 'value', VALUES), choice('Baseline', 'baseline',
          [['', 'None'], ...found.runs.map((run) => /** @type {const} */ ([run.runId, `${run.configurationName ?? 'run'} ${run.runId.slice(0, 8)}`]))])])),
    metrics && one('value') && one('baseline') && h('p.faint', 'Only last values are compared with the baseline.'),
    of === 'models' ? models(found, columns) : of === 'runs' ? runs(found, columns) : configurations(found, columns),
  ];
}

/** A column for each run; only rows that differ, where they are asked for. @param {string} caption @param {Shown} columns @param {Row[]} rows @param {string} none @param {string} [style] of the cells */
function beside(caption, columns, rows, none, style = '') {
  const same = (/** @type {Row} */ row) => row.differs === undefined ? new Set(columns.map(({ run, index }) => h('p', row.of(index, run)).textContent)).size < 2 : !row.differs;
  const kept = onlyDiffering() ? rows.filter((row) => !same(row)) : rows;
  return !rows.length ? empty(none) : !kept.length ? empty('Nothing differs.') : table(caption, [
    { title: unseen('What'), cell: ({ title, differs }) => [title, differs && h('span.chip', 'differs')], head: true },
    ...columns.map(({ run, index }) => ({ class: style, title: [named(run), run.runId === one('baseline') && h('span.chip', 'baseline')],
      cell: (/** @type {Row} */ { of }) => of(index, run) }))], kept, { row: ({ differs }) => ({ class: differs && 'differs' }) });
}

/** @param {Comparison} found @param {Shown} columns */
const configurations = ({ parameters }, columns) => beside('Parameters', columns, parameters.map(({ key, values, differs }) => (
  { title: shown(key), differs, of: (index) => (values[index] === null ? dash() : shown(values[index])) })), 'These runs have no parameters.');

/** @param {Comparison} found @param {Shown} columns */
const runs = ({ metrics, models: blocks }, columns) => [
  beside('Runs', columns, [
    { title: 'Status', of: (_, run) => statusChip(run.status) }, { title: 'Created', of: (_, run) => brief(run.createdAt) },
    { title: 'Duration', of: (_, run) => duration(run.durationSeconds) }, { title: 'Configuration', of: (_, run) => shown(run.configurationName) },
    { title: 'Scenario', of: (_, run) => shown(run.scenarioId) }, { title: 'Executable', of: (_, run) => shown(run.executableId) }], ''),
  h('h2', `Metrics of the runs (${metrics.length})`),
  beside('Metrics of the runs', columns, metrics.map(row), blocks.length ? 'All metrics belong to models.' : 'These runs have no metrics.', 'number'),
];

/** @param {Comparison} found @param {Shown} columns */
const models = ({ models: blocks }, columns) => blocks.length ? blocks.map(({ models: each, metrics }) => {
  const names = [...new Set(columns.flatMap(({ index }) => each[index]?.name ?? []))].join(', ');
  return names && [h('h2', shown(names)), beside(`Metrics of ${names}`, columns,
    [{ title: 'Model', of: (index) => shown(each[index]?.name ?? '–') }, ...metrics.map(row)], '', 'number')];
}) : empty('None of these runs has a model with metrics.');

/** @param {ComparedMetric} metric @returns {Row} */
const row = (metric) => ({
  title: [shown(metric.name), h('div.faint', shown(metric.labels.map(labelText).join(', ')))],
  of: (index) => {
    const which = /** @type {'last' | 'count'} */ (one('value') || 'last');
    const found = /** @type {any} */ (metric[which]?.[index]);
    return [found?.value ?? found ?? dash(), which === 'last' && difference(metric, index)];
  },
});

/** @param {ComparedMetric} metric @param {number} index */
function difference({ difference: all, relative }, index) {
  const [found, part] = [all?.[index], relative?.[index]];
  const percent = typeof part === 'number' || part ? ` (${(100 * Number(part)).toLocaleString('en', { maximumSignificantDigits: 3, signDisplay: 'exceptZero' })} %)` : '';
  return (found ?? null) !== null && h('div.faint', `${Number(found) > 0 ? '+' : ''}${found}${percent}`);
}

/** @param {Comparison} found @param {Shown} columns */
function board({ metrics, models: blocks, parameters }, columns) {
  const names = [...new Set([...metrics, ...blocks.flatMap((block) => block.metrics)].map(({ name }) => name))];
  const charts = all('chart');
  const add = (/** @type {any} */ event) => {
    event.preventDefault();
    const wanted = String(new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value).map(([name, value]) => [name, String(value)])));
    if (wanted.includes('metric=')) go({ chart: [...charts, wanted] });
  };
  const pick = (/** @type {string} */ label, /** @type {string} */ name, /** @type {Options} */ options, more = {}) =>
    labelled(label, select(options, undefined, { name, own: true, key: name, ...more }));
  const draw = () => go({ chart: names.slice(0, MOST).map((metric) => `${new URLSearchParams({ metric, against: 'step' })}`) });
  return !names.length ? empty('These runs have no metrics to draw.') : [
    h('form.filters', { 'aria-label': 'Add a chart', onsubmit: add },
      pick(`Metrics (up to ${MOST})`, 'metric', names.map((name) => [name, name]), { multiple: true, required: true, size: Math.min(MOST, Math.max(2, names.length)) }),
      pick('Against', 'against', [['step', 'Step'], ['time', 'Time'], ['elapsed', 'Elapsed time'], ['run', 'Run'],
        ...parameters.map(({ key }) => /** @type {const} */ ([`parameter:${key}`, `Parameter ${key}`]))]),
      pick('Type', 'type', TYPES), pick('Scale', 'scale', SCALES), h('button.primary', { type: 'submit' }, 'Add chart')),
    columns.length < 2 ? empty('Show at least two runs to draw them.')
      : charts.length ? h('div.charts.wide', charts.map((wanted) => card(wanted, columns.map(({ run }) => run.runId))))
        : empty('The board is empty.', h('button', { onclick: draw }, names.length > 1 ? `Draw the first ${Math.min(MOST, names.length)} metrics by step` : 'Draw it by step')),
  ];
}

/** @param {string} wanted @param {string[]} run */
function card(wanted, run) {
  const how = new URLSearchParams(wanted);
  const path = address('comparisons/chart', { run, ...Object.fromEntries([...how.keys()].map((name) => [name, how.getAll(name)])) });
  const title = `${how.getAll('metric').join(', ')} by ${(how.get('against') ?? 'step').replace('parameter:', 'parameter ')}`;
  return h('figure.card', { key: wanted },
    h('figcaption.row', h('h3', shown(title)), h('div.row',
      ['svg', 'png'].map((format) => h('button.small', { onclick: () => download(`${path}&format=${format}`, `comparison.${format}`) }, format.toUpperCase())),
      copy('Copy link', url(`${path}&format=svg`)),
      h('button.small', { 'aria-label': `Remove the chart ${visible(title)}`, onclick: () => go({ chart: flipped('chart', wanted) }) }, 'Remove'))),
    chart(path, 260));
}
