/** Two to five runs side by side: as a table, and as a board of charts. */

import { address, url } from '../api.js';
import { chart } from '../parts/chart.js';
import { check, choice, labelled, labelText, save, select, tabs } from '../parts/controls.js';
import { copy, counted, h, number, shown, unseen } from '../parts/dom.js';
import { members, statusChip } from '../parts/run.js';
import { empty, head, panel } from '../parts/states.js';
import { table } from '../parts/table.js';
import { all, go, link, nonEmpty, one, picked } from '../state.js';
import { use } from '../store.js';

/** @typedef {Comparison['runs'][number]} Compared */
/** @typedef {{run: Compared, index: number}[]} Shown the runs that are shown, and their places in the API's lists */
/** @typedef {{title: Children, values: any[], cell: (value: any, index: number) => Children}} Row `values`: of all runs */

const MOST = 4;

/** @returns {View} */
export function comparison() {
  const ids = all('compare');
  const slot = use('comparisons', { run: ids, differs: one('differs'), baseline: ids.includes(one('baseline')) && one('baseline') });
  const title = `Compare ${counted(ids.length, 'run')}`;
  return { title, body: [
    head(title, slot),
    panel(slot, (/** @type {Comparison} */ found) => {
      const columns = found.runs.map((run, index) => ({ run, index })).filter(({ run }) => !all('hide').includes(run.runId));
      return [
        h('ul.chips', { 'aria-label': 'My selection' }, ids.map((id) => selected(id, found.runs.find(({ runId }) => runId === id), ids.length > 2))),
        tabs('Comparison', 'view', ['Table', 'Board']),
        !columns[0] ? empty('Show at least one run.') : one('view') ? board(found, columns) : sideBySide(found, columns),
      ];
    }),
  ] };
}

/** @param {Compared} run */
const named = ({ runId, configurationName }) => [shown(configurationName ?? 'run'), ' ', h('code.faint', runId.slice(0, 8))];

/** A run can be hidden, and left. @param {string} id @param {Compared | undefined} run missing where it cannot be read @param {boolean} canLeave */
const selected = (id, run, canLeave) => h('li.tag', { key: id },
  check(unseen(`Show ${id.slice(0, 8)}`), 'hide', id, { checked: !all('hide').includes(id) }),
  h('a', { href: link({ run: id }, true) }, run ? named(run) : h('code', shown(id.slice(0, 8)))), run && statusChip(run.status),
  canLeave && h('button.small', { 'aria-label': `Remove ${id}`, name: 'compare', value: id }, '✕'));

/** @param {Comparison} found @param {Shown} columns */
function sideBySide({ runs, parameters, metrics, models }, columns) {
  const of = one('of');
  return [
    h('div.row.bar',
      tabs('Table of', 'of', ['Configurations', 'Runs', 'Models']),
      h('div.row', check('Only what differs', 'differs'),
        of && [choice('Value', 'value', ['Last', 'First', 'Min', 'Max', 'Mean', 'Count']),
          choice('Baseline', 'baseline', ['None', ...runs.map(({ runId, configurationName }) => [runId, `${configurationName ?? 'run'} ${runId.slice(0, 8)}`])])])),
    of && one('value') && one('baseline') && h('p.faint', 'Only last values are compared with the baseline.'),
    of === 'models' ? blocks(models, columns) : of ? [
      beside('Runs', columns, members('status', 'createdAt', 'durationSeconds', 'configurationName', 'scenarioId', 'executableId').map(
        ({ name, title, cell }) => ({ title, cell, values: runs.map((run) => run[/** @type {'status'} */ (name)]) }))),
      h('h2', `Metrics of the runs (${metrics.length})`),
      metrics[0] ? beside('Metrics of the runs', columns, metrics.map(row), 'number') : empty('These runs have no metrics of their own.'),
    ] : parameters[0] || one('differs')
      ? beside('Parameters', columns, parameters.map(({ key, values }) => ({ title: shown(key), values, cell: (value) => shown(value ?? '–') })))
      : empty('These runs have no parameters.'),
  ];
}

/** A column for each run; only rows that differ, where they are asked for. @param {string} caption @param {Shown} columns @param {Row[]} rows @param {string} [style] of the cells */
function beside(caption, columns, rows, style) {
  const differs = (/** @type {Row} */ { values }) => new Set(columns.map(({ index }) => String(values[index]?.value ?? values[index]))).size > 1;
  const kept = one('differs') ? rows.filter(differs) : rows;
  return kept[0] ? table(caption, [
    { title: unseen('What'), cell: ({ title }) => title, head: true },
    ...columns.map(({ run, index }) => ({ class: style, title: [named(run), run.runId === one('baseline') && h('span.chip', 'baseline')],
      cell: (/** @type {Row} */ { values, cell }) => cell(values[index], index) }))],
  kept, { row: (row) => ({ class: caption === 'Parameters' && differs(row) && 'differs' }) }) : empty('Nothing differs.');
}

/** @param {Comparison['models']} found @param {Shown} columns */
const blocks = (found, columns) => found[0] ? found.map(({ models, metrics }) => {
  const values = models.map((model) => model?.name);
  const names = [...new Set(columns.flatMap(({ index }) => values[index] ?? []))].join(', ');
  return names && [h('h2', shown(names)), beside(`Metrics of ${names}`, columns, [{ title: 'Model', values, cell: (name) => shown(name ?? '–') }, ...metrics.map(row)], 'number')];
}) : empty('None of these runs has a model with metrics.');

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 3, signDisplay: 'exceptZero' });

/** @param {ComparedMetric} metric @returns {Row} */
function row({ name, labels, difference, relative, ...metric }) {
  const which = /** @type {'last'} */ (one('value') || 'last');
  const against = (/** @type {any} */ found, /** @type {any} */ part) => (found ?? null) !== null && which === 'last'
    && h('div.faint', found > 0 && '+', found, (part ?? null) !== null && ` (${percent.format(part)})`);
  return { title: [shown(name), h('div.faint', shown(labels.map(labelText).join(', ')))], values: metric[which] ?? [],
    cell: (value, index) => [number(value), against(difference?.[index], relative?.[index])] };
}

/** @param {Comparison} found @param {Shown} columns */
function board({ metrics, models, parameters }, columns) {
  const names = [...new Set([metrics, ...models.map((block) => block.metrics)].flat().map(({ name }) => name))];
  const charts = all('chart');
  const add = (/** @type {any} */ { target }) => {
    const wanted = nonEmpty([...new FormData(target)]);
    if (wanted.has('metric')) go({ chart: [...new Set([...charts, String(wanted)])] });
  };
  const pick = (/** @type {string} */ label, /** @type {string} */ name, /** @type {Words} */ words) => labelled(label, select(words, { name, own: true, key: name }));
  return !names[0] ? empty('These runs have no metrics to draw.') : [
    h('form.filters', { 'aria-label': 'Add a chart', onsubmit: add },
      labelled(`Metrics (up to ${MOST}, with Ctrl)`, select(names.map((name) => [name, name]), { name: 'metric', own: true, key: 'metric', multiple: true, required: true, size: MOST })),
      pick('Against', 'against', ['Step', 'Time', 'Elapsed', 'Run', ...parameters.map(({ key }) => [`parameter:${key}`, `Parameter ${key}`])]),
      pick('Type', 'type', ['As suits', 'Line', 'Scatter', 'Column', 'Bar', 'Heatmap']), pick('Scale', 'scale', ['Linear', 'Log']),
      h('button.primary', { type: 'submit' }, 'Add chart')),
    !columns[1] ? empty('Show at least two runs to draw them.')
      : charts[0] ? h('div.charts.wide', charts.map((wanted) => card(wanted, columns.map(({ run }) => run.runId))))
        : empty('The board is empty.'),
  ];
}

/** @param {string} wanted @param {string[]} run */
function card(wanted, run) {
  const how = new URLSearchParams(wanted);
  const [path, query] = ['comparisons/chart', { run, ...picked(how.keys(), how) }];
  const title = `${how.getAll('metric').join(', ')} by ${(how.get('against') ?? 'step').replace(':', ' ')}`;
  return h('figure.card', { key: wanted },
    h('figcaption.row', h('h3', shown(title)), h('div.row',
      ['svg', 'png'].map((format) => save(format.toUpperCase(), path, { ...query, format }, `comparison.${format}`, { class: 'small' })),
      copy('Copy link', url(address(path, { ...query, format: 'svg' }))),
      h('button.small', { 'aria-label': `Remove the chart ${title}`, name: 'chart', value: wanted }, 'Remove'))),
    chart(wanted, path, query, 260));
}
