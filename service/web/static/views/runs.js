/** The runs of a resource group: found, sorted, chosen for a comparison. */

import { address } from '../api.js';
import { dash, faint, h, shown, unseen } from '../parts/dom.js';
import { check, choice, clear, field, filterForm, moreFilters, toggle } from '../parts/fields.js';
import { empty, panel } from '../parts/problem.js';
import { head, isLive, STATUSES, statusChip } from '../parts/status.js';
import { expiredLine, pages, table } from '../parts/table.js';
import { all, context, flipped, go, link, one } from '../state.js';
import { use } from '../store.js';
import { brief, duration } from '../zone.js';

const MORE = ['scenarioId', 'executableId', 'configurationId', 'executionScheduleId'];
const FILTERS = ['status', 'search', ...MORE];
const AGGREGATES = /** @type {Options} */ ([['', 'least'], ['max', 'greatest'], ['last', 'last'], ['first', 'first'], ['mean', 'mean']]);
const MOST = 5;

/** @returns {View} */
export function runs() {
  const column = one('metric') && `${one('metric')}:${one('aggregate') || 'min'}`;
  const slot = use('runs', address('runs', { ...Object.fromEntries(FILTERS.map((name) => [name, all(name)])), metric: column,
    sort: one('sort').replace(/metric$/, `metric:${column}`), limit: 50, cursor: one('cursor') }));
  const picked = all('pick');
  return { title: 'Runs', crumbs: [], body: [
    head(['Runs', slot.data && h('span.faint', ` ${slot.data.count.toLocaleString('en')}`)], slot,
      h('button.primary', { disabled: picked.length < 2, key: 'compare', onclick: () => go({ compare: picked }, { anew: true }) }, `Compare (${picked.length})`)),
    filterForm('Filter runs',
      field('Search', 'search', { placeholder: 'run id or configuration' }),
      h('fieldset', h('legend', 'Status'), h('span.chips', STATUSES.map((status) => toggle('status', status, status.toLowerCase())))),
      h('div.row', field('Best value of', 'metric', { placeholder: 'a metric’s name', size: 14 }), column && choice('as', 'aggregate', AGGREGATES)),
      moreFilters('More filters', MORE, field('Scenario', 'scenarioId'), field('Executable', 'executableId'),
        field('Configuration', 'configurationId', { placeholder: 'its id' }), field('Schedule', 'executionScheduleId'))),
    expiredLine(),
    panel(slot, ({ runs: found, page }) => found.length ? [listed(found, column, picked), pages(page)]
      : FILTERS.some(one) ? empty('No run matches these filters.', clear(FILTERS))
        : empty(['There are no runs in the resource group ', h('b', shown(context().group || 'default')), ' yet.'])),
  ] };
}

/** @param {Run[]} found @param {string} column @param {string[]} picked */
const listed = (found, column, picked) => table('Runs', [
  { title: unseen('Compare'), cell: ({ runId }) => check(unseen(`Compare ${runId}`), picked.includes(runId), { pick: flipped('pick', runId) },
    { disabled: picked.length >= MOST && !picked.includes(runId) }) },
  { title: 'Run', cell: ({ runId }) => h('a.id', { href: link({ run: runId }, true), title: runId }, runId) },
  { title: 'Configuration', sort: 'configurationName', class: 'name', cell: (run) => shown(run.configurationName ?? run.configurationId) },
  { title: 'Status', sort: 'status', cell: (run) => [statusChip(run.status), run.statusMessage && h('div.message', shown(run.statusMessage))] },
  { title: 'Target', cell: ({ targetStatus }) => faint(targetStatus?.toLowerCase() ?? '–') },
  { title: 'Created', sort: 'createdAt', cell: (run) => brief(run.createdAt) },
  { title: 'Duration', sort: 'durationSeconds', class: 'number', cell: (run) => isLive(run.status) && run.durationSeconds === null ? '…' : duration(run.durationSeconds) },
  column && { title: shown(column.replace(/:(\w+)$/, ' ($1)')), sort: 'metric', class: 'number', cell: (run) => /** @type {any} */ (run).metrics?.[0]?.value ?? dash() },
], found, { sort: one('sort'), row: ({ runId }) => ({ key: runId, class: picked.includes(runId) && 'picked' }) });
