/** Two to five runs side by side: as a table, and as a board of charts. */

import { address, context, download, url } from '../api.js';
import { chart } from '../parts/chart.js';
import { labelText } from '../parts/chips.js';
import { dash, h, shown, unseen, visible } from '../parts/dom.js';
import { check, choice, labelled } from '../parts/field.js';
import { empty, panel, strips } from '../parts/problem.js';
import { age, statusChip } from '../parts/status.js';
import { table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { all, go, link, one } from '../state.js';
import { refresh, use } from '../store.js';
import { brief, duration } from '../zone.js';

/** @typedef {Comparison['runs'][number]} Compared */
/** @typedef {'last' | 'first' | 'min' | 'max' | 'mean' | 'count'} Aggregate */

const VALUES = /** @type {const} */ ([['', 'Last'], ['first', 'First'], ['min', 'Min'], ['max', 'Max'], ['mean', 'Mean'], ['count', 'Points']]);
const TYPES = /** @type {const} */ ([['', 'As suits'], ['line', 'Line'], ['scatter', 'Scatter'], ['column', 'Columns'], ['bar', 'Bars'], ['heatmap', 'Heatmap']]);
const SCALES = /** @type {const} */ ([['', 'Linear'], ['log', 'Logarithmic']]);

/** @returns {View} */
export function comparison() {
  const ids = all('compare');
  const slot = use('comparison', address('comparisons', { run: ids, differs: one('differs') && 'true', baseline: ids.includes(one('baseline')) ? one('baseline') : '' }));
  return {
    title: `Compare ${ids.length} runs`,
    crumbs: [[`Compare (${ids.length})`, link({})]],
    body: [
      h('div', { class: 'head' }, h('h1', null, `Compare ${ids.length} runs`),
        h('div', { class: 'actions' }, age(slot), h('button', { onclick: refresh }, 'Refresh'))),
      panel(slot, (/** @type {Comparison} */ found) => [
        strips(found),
        selection(found, ids),
        tabs('Comparison', 'view', [['table', 'Table'], ['board', 'Board']]),
        one('view') === 'board' ? board(found, ids) : sideBySide(found),
      ]),
    ],
  };
}

/** @param {Compared} run */
const brief8 = (run) => h('span', null, shown(run.configurationName ?? 'run'), ' ', h('code', { class: 'faint' }, run.runId.slice(0, 8)));

/** My selection: each run can be hidden, and left. @param {Comparison} found @param {string[]} ids */
function selection(found, ids) {
  const hidden = all('hide');
  return h('ul', { class: 'selection', 'aria-label': 'My selection' }, found.runs.map((run) => {
    const on = !hidden.includes(run.runId);
    return h('li', { 'data-key': run.runId },
      check(`Show ${run.runId.slice(0, 8)}`, on, (now) => go({ hide: now ? hidden.filter((id) => id !== run.runId) : [...hidden, run.runId] })),
      h('a', { href: link({ run: run.runId }, true) }, brief8(run)), statusChip(run.status),
      ids.length > 2 && h('button', { class: 'small', 'aria-label': `Remove ${run.runId}`,
        onclick: () => go({ compare: ids.filter((id) => id !== run.runId), hide: hidden.filter((id) => id !== run.runId) }) }, '✕'));
  }));
}

/** @param {Comparison} found */
function sideBySide(found) {
  const columns = found.runs.map((run, index) => ({ run, index })).filter(({ run }) => !all('hide').includes(run.runId));
  const of = one('of') || 'configurations';
  return [
    h('div', { class: 'bar' },
      tabs('Table of', 'of', [['configurations', 'Configurations'], ['runs', 'Runs'], ['models', 'Models']]),
      h('div', { class: 'controls' },
        check('Only what differs', one('differs') === 'true', (on) => go({ differs: on && 'true' })),
        of !== 'configurations' && choice('Value', one('value'), VALUES, (value) => go({ value })),
        of !== 'configurations' && choice('Baseline', one('baseline'), [['', 'None'], ...found.runs.map((run) => /** @type {const} */ ([run.runId, `${run.configurationName ?? 'run'} ${run.runId.slice(0, 8)}`]))],
          (baseline) => go({ baseline })))),
    of !== 'configurations' && one('value') && one('baseline') && h('p', { class: 'faint' }, 'Only last values are compared with the baseline.'),
    of === 'models' ? models(found, columns) : of === 'runs' ? runs(found, columns) : configurations(found, columns),
  ];
}

/** @typedef {{run: Compared, index: number}[]} Columns the runs that are shown, and their places in the API's lists */
/** @typedef {{title: Children, of: (index: number) => Children, class?: string | null}} Row `of`: what the run at that place has */

/** A column for each run. @param {string} caption @param {Columns} columns @param {Row[]} rows @param {string} [style] of the cells */
const beside = (caption, columns, rows, style) => table(caption,
  [{ title: unseen('What') },
    ...columns.map(({ run }) => ({ class: style, title: [brief8(run), run.runId === one('baseline') && h('span', { class: 'chip' }, 'baseline')] }))],
  h('tbody', null, rows.map((row) => h('tr', { class: row.class }, h('th', { scope: 'row' }, row.title),
    columns.map(({ index }) => h('td', { class: style }, row.of(index)))))));

/** @param {Comparison} found @param {Columns} columns */
function configurations(found, columns) {
  const rows = found.parameters.filter((one_) => one_.differs || one('differs') !== 'true');
  return rows.length
    ? beside('Parameters', columns, rows.map(({ key, values, differs }) => ({
      class: differs ? 'differs' : null, title: [shown(key), differs && h('span', { class: 'chip' }, 'differs')],
      of: (index) => values[index] === null ? dash() : shown(values[index]) })))
    : empty(one('differs') ? 'All parameters are the same.' : 'These runs have no parameters.');
}

/** @param {Comparison} found @param {Columns} columns */
function runs(found, columns) {
  const rows = /** @type {[string, (run: Compared) => Children][]} */ ([
    ['Status', (run) => statusChip(run.status)], ['Created', (run) => brief(run.createdAt)],
    ['Duration', (run) => duration(run.durationSeconds)], ['Configuration', (run) => shown(run.configurationName)],
    ['Scenario', (run) => shown(run.scenarioId)], ['Executable', (run) => shown(run.executableId)],
  ]);
  const kept = rows.filter(([, of]) => one('differs') !== 'true' || new Set(found.runs.map((run) => h('p', null, of(run)).textContent)).size > 1);
  return [
    beside('Runs', columns, kept.map(([title, of]) => ({ title, of: (index) => of(/** @type {Compared} */ (found.runs[index])) }))),
    h('h2', null, `Metrics of the runs (${found.metrics.length})`),
    found.metrics.length ? metricTable('Metrics of the runs', found.metrics, columns)
      : empty(found.models.length ? 'All metrics belong to models.' : 'These runs have no metrics.'),
  ];
}

/** @param {Comparison} found @param {Columns} columns */
function models(found, columns) {
  if (!found.models.length) return empty('None of these runs has a model with metrics.');
  return found.models.map(({ models: each, metrics }) => {
    const names = [...new Set(columns.flatMap(({ index }) => each[index]?.name ?? []))].join(', ');
    const first = { title: 'Model', of: (/** @type {number} */ index) => shown(each[index]?.name ?? '–') };
    return names && [h('h2', null, shown(names)), metricTable(`Metrics of ${names}`, metrics, columns, [first])];
  });
}

/** @param {string} caption @param {ComparedMetric[]} metrics @param {Columns} columns @param {Row[]} [first] rows above */
function metricTable(caption, metrics, columns, first = []) {
  const which = /** @type {Aggregate} */ (one('value') || 'last');
  const rows = metrics.filter((metric) => one('differs') !== 'true' || new Set(columns.map(({ index }) => String(valueOf(metric, which, index)))).size > 1);
  if (!rows.length) return empty('All values are the same.');
  return beside(caption, columns, [...first, ...rows.map((metric) => ({
    title: [shown(metric.name), h('div', { class: 'faint labels' }, shown(metric.labels.map(labelText).join(', ')))],
    of: (/** @type {number} */ index) => [valueOf(metric, which, index), which === 'last' && difference(metric, index)] }))], 'number');
}

/** @param {ComparedMetric} metric @param {Aggregate} which @param {number} index */
function valueOf(metric, which, index) {
  const found = metric[which]?.[index];
  const value = found && typeof found === 'object' && 'value' in found ? found.value : found;
  return value === null || value === undefined ? '–' : String(value);
}

/** @param {ComparedMetric} metric @param {number} index */
function difference(metric, index) {
  const found = metric.difference?.[index];
  if (found === null || found === undefined) return null;
  const relative = metric.relative?.[index];
  const percent = relative === null || relative === undefined ? '' : ` (${(100 * Number(relative)).toLocaleString('en', { maximumSignificantDigits: 3, signDisplay: 'exceptZero' })} %)`;
  return h('div', { class: 'faint' }, `${Number(found) > 0 ? '+' : ''}${found}${percent}`);
}

/** @param {Comparison} found @param {string[]} ids */
function board(found, ids) {
  const names = [...new Set([...found.metrics, ...found.models.flatMap((block) => block.metrics)].map((metric) => metric.name))];
  const charts = all('chart');
  const visible = ids.filter((id) => !all('hide').includes(id) && found.runs.some((run) => run.runId === id));
  if (!names.length) return empty('These runs have no metrics to draw.');
  return [
    adding(found, names, charts),
    visible.length < 2 ? empty('Show at least two runs to draw them.')
      : charts.length ? h('div', { class: 'charts wide' }, charts.map((wanted, index) => card(wanted, index, charts, visible)))
        : empty('The board is empty.', h('button', { onclick: () => go({ chart: names.slice(0, 4).map((name) => String(new URLSearchParams({ metric: name, against: 'step' }))) }) },
          names.length > 1 ? `Draw the first ${Math.min(4, names.length)} metrics by step` : 'Draw it by step')),
  ];
}

/** @param {Comparison} found @param {string[]} names @param {string[]} charts */
function adding(found, names, charts) {
  const against = /** @type {[string, string][]} */ ([['step', 'Step'], ['time', 'Time'], ['elapsed', 'Elapsed time'], ['run', 'Run'],
    ...found.parameters.map(({ key }) => [`parameter:${key}`, `Parameter ${key}`])]);
  const add = (/** @type {any} */ event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    const wanted = new URLSearchParams();
    for (const [name, value] of given) if (value) wanted.append(name, String(value));
    if (wanted.has('metric')) go({ chart: [...charts, String(wanted)] });
  };
  const pick = (/** @type {string} */ label, /** @type {string} */ name, /** @type {readonly (readonly [string, string])[]} */ options, more = {}) =>
    labelled(label, h('select', { name, 'data-own': '', 'data-key': `add-${name}`, ...more }, options.map(([value, title]) => h('option', { value }, visible(title)))));
  return h('form', { class: 'filters adding', 'aria-label': 'Add a chart', onsubmit: add },
    pick('Metrics (up to 4)', 'metric', names.map((name) => [name, name]), { multiple: true, required: true, size: Math.min(4, Math.max(2, names.length)) }),
    pick('Against', 'against', against), pick('Type', 'type', TYPES), pick('Scale', 'scale', SCALES),
    h('button', { class: 'primary', type: 'submit' }, 'Add chart'));
}

/** @param {string} wanted @param {number} index @param {string[]} charts @param {string[]} runs */
function card(wanted, index, charts, runs) {
  const how = new URLSearchParams(wanted);
  const path = address('comparisons/chart', { run: runs, ...Object.fromEntries([...new Set(how.keys())].map((name) => [name, how.getAll(name)])) });
  const title = `${how.getAll('metric').join(', ')} by ${(how.get('against') ?? 'step').replace('parameter:', 'parameter ')}`;
  const copy = (/** @type {any} */ event) => {
    const button = event.currentTarget;
    void navigator.clipboard.writeText(url(`${path}&format=svg`)).then(() => (button.textContent = 'Copied'));
  };
  return h('figure', { class: 'card', 'data-key': `${index} ${wanted}` },
    h('figcaption', null, h('h3', null, shown(title)), h('div', { class: 'controls' },
      ['svg', 'png'].map((format) => h('button', { class: 'small', onclick: () => download(`${path}&format=${format}`, `comparison.${format}`) }, format.toUpperCase())),
      h('button', { class: 'small', onclick: copy }, 'Copy link'),
      h('button', { class: 'small', 'aria-label': `Remove the chart ${visible(title)}`, onclick: () => go({ chart: charts.filter((_, other) => other !== index) }) }, 'Remove'))),
    chart(path, { height: 260, zone: context.zone, key: 'chart' }));
}
