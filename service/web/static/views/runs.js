/** The runs of a resource group: found, sorted, chosen for a comparison. */

import { address, context } from '../api.js';
import { h, shown, unseen } from '../parts/dom.js';
import { check, choice, field, filterForm } from '../parts/field.js';
import { expiredLine, pages } from '../parts/pages.js';
import { empty, panel, strips } from '../parts/problem.js';
import { age, isLive, STATUSES, statusChip } from '../parts/status.js';
import { table } from '../parts/table.js';
import { all, go, link, one } from '../state.js';
import { refresh, use } from '../store.js';
import { brief, duration } from '../zone.js';

const FILTERS = ['status', 'search', 'scenarioId', 'executableId', 'configurationId', 'executionScheduleId'];
const AGGREGATES = /** @type {const} */ ([['min', 'least'], ['max', 'greatest'], ['last', 'last'], ['first', 'first'], ['mean', 'mean']]);
const MOST = 5;
const PAGE = 50;
const isNarrow = () => matchMedia('(max-width: 700px)').matches;

/** @returns {View} */
export function runs() {
  const [metric, aggregate] = [one('metric'), one('aggregate') || 'min'];
  const column = metric && `${metric}:${aggregate}`;
  const filters = Object.fromEntries(FILTERS.map((name) => [name, all(name)]));
  const sort = one('sort') === 'metric' || one('sort') === '-metric' ? one('sort').replace('metric', `metric:${column}`) : one('sort');
  const slot = use('runs', address('runs', { ...filters, metric: column, sort, limit: PAGE, cursor: one('cursor') }));
  const picked = all('pick');
  return {
    title: 'Runs',
    crumbs: [],
    body: [
      h('div', { class: 'head' },
        h('h1', null, 'Runs', slot.data && h('span', { class: 'count' }, ` ${Number(slot.data.count).toLocaleString('en')}`)),
        h('div', { class: 'actions' }, age(slot), h('button', { onclick: refresh }, 'Refresh'),
          h('button', { class: 'primary', disabled: picked.length < 2, 'data-key': 'compare',
            onclick: () => go({ compare: picked }, { anew: true }) }, `Compare (${picked.length})`))),
      filterBar(metric, aggregate),
      expiredLine(),
      panel(slot, (data) => [strips(data), data.runs.length ? listed(data, column, picked) : nothing()]),
    ],
  };
}

/** @param {string} metric @param {string} aggregate */
function filterBar(metric, aggregate) {
  const statuses = all('status');
  const further = FILTERS.slice(2).filter((name) => one(name)).length;
  return filterForm('Filter runs',
    field('Search', 'search', { placeholder: 'run id or configuration' }),
    h('fieldset', { class: 'statuses' }, h('legend', null, 'Status'), h('span', { class: 'chips' }, STATUSES.map((status) =>
      h('button', { class: 'chip', 'aria-pressed': String(statuses.includes(status)), onclick: () =>
        go({ status: statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status], cursor: '' }) },
      status.toLowerCase())))),
    h('div', { class: 'together' },
      field('Best value of', 'metric', { placeholder: 'a metric’s name', size: 14 }),
      metric && choice('as', aggregate, AGGREGATES, (value) => go({ aggregate: value === 'min' ? '' : value, cursor: '' }))),
    h('details', { 'data-key': 'further', open: further > 0 },
      h('summary', null, 'More filters', further > 0 && ` (${further})`),
      h('div', { class: 'filters inner' },
        field('Scenario', 'scenarioId'), field('Executable', 'executableId'),
        field('Configuration', 'configurationId', { placeholder: 'its id' }), field('Schedule', 'executionScheduleId'))));
}

function nothing() {
  const filtered = FILTERS.some((name) => all(name).length);
  return filtered
    ? empty('No run matches these filters.', h('button', { onclick: () => go({}, { anew: true }) }, 'Clear filters'))
    : empty(['There are no runs in the resource group ', h('b', null, shown(context.group || 'default')), ' yet.']);
}

/** @param {{runs: Run[], page?: {total: number, next: string | null}}} data @param {string} column @param {string[]} picked */
function listed({ runs, page }, column, picked) {
  const columns = [
    { title: unseen('Compare') },
    { title: 'Run' },
    { title: 'Configuration', sort: 'configurationName' },
    { title: 'Status', sort: 'status' },
    { title: 'Target' },
    { title: 'Created', sort: 'createdAt' },
    { title: 'Duration', sort: 'durationSeconds', class: 'number' },
    ...(column ? [{ title: shown(column.replace(/:(\w+)$/, ' ($1)')), sort: 'metric', class: 'number' }] : []),
  ];
  return [
    table('Runs', columns, h('tbody', null, runs.map((run) => row(run, column, picked))), { sort: one('sort') }),
    pages(page),
  ];
}

/** @param {Run} run @param {string} column @param {string[]} picked */
function row(run, column, picked) {
  const on = picked.includes(run.runId);
  const value = /** @type {any} */ (run).metrics?.[0]?.value;
  return h('tr', { 'data-key': run.runId, class: on ? 'picked' : null },
    h('td', null, check(`Compare ${run.runId}`, on, (now) =>
      go({ pick: now ? [...picked, run.runId] : picked.filter((id) => id !== run.runId) }, { replace: true }),
    { disabled: !on && picked.length >= MOST })),
    h('td', null, h('a', { href: link({ run: run.runId }, true), class: column || isNarrow() ? 'id short' : 'id', title: run.runId }, run.runId)),
    h('td', { class: 'name' }, shown(run.configurationName ?? run.configurationId)),
    h('td', null, statusChip(run.status), run.statusMessage && h('div', { class: 'message faint' }, shown(run.statusMessage))),
    h('td', { class: 'faint' }, run.targetStatus ? run.targetStatus.toLowerCase() : '–'),
    h('td', null, brief(run.createdAt)),
    h('td', { class: 'number' }, isLive(run.status) && typeof run.durationSeconds !== 'number' ? '…' : duration(run.durationSeconds)),
    column && h('td', { class: 'number' }, value === undefined || value === null ? '–' : String(value)));
}
