/** The runs of a resource group: found, sorted, chosen for a comparison. */

import { check, choice, clear, field, filterForm, moreFilters, toggle } from '../parts/controls.js';
import { counted, dash, faint, h, shown, unseen } from '../parts/dom.js';
import { members, STATUSES, statusChip } from '../parts/run.js';
import { empty, head, panel } from '../parts/states.js';
import { pages, table } from '../parts/table.js';
import { all, go, link, one, picked } from '../state.js';
import { groupName, use } from '../store.js';

const MORE = { scenarioId: 'Scenario', executableId: 'Executable', configurationId: 'Configuration', executionScheduleId: 'Schedule' };
const FILTERS = ['status', 'search', ...Object.keys(MORE)];
const MOST = 5;

/** @returns {View} */
export function runs() {
  const metric = one('metric') && `${one('metric')}:${one('aggregate') || 'min'}`;
  const slot = use('runs', { ...picked(FILTERS), metric, sort: one('sort').replace(/metric$/, `metric:${metric}`), limit: 50, cursor: one('cursor') });
  const chosen = all('pick');
  return { title: 'Runs', body: [
    head(['Runs', slot.data && faint(' ', counted(slot.data.count))], slot,
      h('button.primary', { disabled: chosen.length < 2, key: 'compare', onclick: () => go({ compare: chosen }, { anew: true }) }, `Compare (${chosen.length})`)),
    filterForm('Filter runs',
      field('Search', 'search', { placeholder: 'run id or configuration' }),
      h('fieldset', h('legend', 'Status'), h('span.chips', STATUSES.map((status) => toggle('status', status, status.toLowerCase())))),
      field('Best value of', 'metric', { placeholder: 'a metric’s name', size: 14 }), metric && choice('as', 'aggregate', ['Min', 'Max', 'Last', 'First', 'Mean']),
      moreFilters('More filters', Object.entries(MORE).map(([name, label]) => field(label, name, { placeholder: 'id' })))),
    panel(slot, ({ runs: found, page }) => found.length ? [listed(found, metric, chosen), pages(page)]
      : FILTERS.some(one) ? empty('No run matches these filters.', clear(FILTERS))
        : empty(['There are no runs in the resource group ', h('b', shown(groupName())), ' yet.'])),
  ] };
}

/** @param {Run[]} found @param {string} metric @param {string[]} chosen */
const listed = (found, metric, chosen) => table('Runs', [
  { title: unseen('Compare'), cell: ({ runId }) =>
    check(unseen(`Compare ${runId}`), 'pick', runId, { disabled: chosen.length >= MOST && !chosen.includes(runId) }) },
  { title: 'Run', cell: ({ runId }) => h('a.id', { href: link({ run: runId }, true), title: runId }, runId) },
  { title: 'Configuration', sort: 'configurationName', class: 'name', cell: (run) => shown(run.configurationName ?? run.configurationId) },
  { title: 'Status', sort: 'status', cell: (run) => [statusChip(run.status), run.statusMessage && h('div.message', shown(run.statusMessage))] },
  { title: 'Target', cell: ({ targetStatus }) => faint(targetStatus?.toLowerCase() ?? '–') },
  ...members('createdAt', 'durationSeconds').map(({ name, title, cell }) => (
    { title, sort: name, class: name === 'createdAt' ? '' : 'number', cell: (/** @type {any} */ run) => cell(run[name]) })),
  metric && { title: shown(metric.replace(/:(\w+)$/, ' ($1)')), sort: 'metric', class: 'number', cell: (run) => /** @type {any} */ (run).metrics?.[0]?.value ?? dash() },
], found, { row: ({ runId }) => ({ key: runId, class: chosen.includes(runId) && 'picked' }) });
