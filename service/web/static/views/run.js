/** One run: its header, and the tabs below it. */

import { address, download } from '../api.js';
import { faint, h, shown } from '../parts/dom.js';
import { field, filterForm } from '../parts/field.js';
import { empty, panel, strips } from '../parts/problem.js';
import { age, isLive, statusChip } from '../parts/status.js';
import { facts, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { link, one } from '../state.js';
import { refresh, use } from '../store.js';
import { brief, duration, time } from '../zone.js';
import { value as tree } from '../parts/value.js';
import { metricResource } from './metrics.js';

/** @returns {View} */
export function run() {
  const id = one('run');
  const known = use(`run:${id}`, `runs/${encodeURIComponent(id)}`, ended !== id);
  ended = known.data && !isLive(known.data.status) ? id : '';
  return {
    title: `Run ${id}`,
    crumbs: [[`Run ${id.slice(0, 8)}`, link({ run: id }, true)]],
    body: panel(known, (/** @type {RunDetails} */ found) => [
      h('div', { class: 'head' },
        h('h1', { class: 'id' }, shown(id), ' ', copyButton(id)),
        h('div', { class: 'actions' }, age(known), h('button', { onclick: refresh }, 'Refresh'))),
      strips(found),
      h('div', { class: 'summary' },
        statusChip(found.status),
        found.targetStatus && found.targetStatus !== found.status && faint(`target: ${found.targetStatus.toLowerCase()}`),
        found.statusMessage && h('span', { class: 'message' }, shown(found.statusMessage))),
      facts([
        ['Configuration', shown(found.configurationName ?? found.configurationId)],
        ['Created', brief(found.createdAt)],
        ['Submitted', brief(found.submissionTime)],
        ['Started', brief(found.startTime)],
        ['Finished', brief(found.completionTime)],
        ['Duration', duration(found.durationSeconds)],
      ]),
      tabs('Run', 'tab', shownTabs(found)),
      section(found),
    ]),
  };
}

/** The run that is known to have ended: it is not asked for again and again. */
let ended = '';

/** @param {string} id */
const copyButton = (id) => h('button', { class: 'small', 'aria-label': 'Copy the run’s id', onclick: (event) => {
  const button = event.currentTarget;
  void navigator.clipboard.writeText(id).then(() => {
    button.textContent = 'Copied';
  });
} }, 'Copy');

/** @param {RunDetails} found @returns {[string, Children][]} */
function shownTabs(found) {
  const metrics = found.metricResource.available !== false || one('tab') === 'metrics';
  return [
    ['overview', 'Overview'],
    ['status', 'Status'],
    ...(metrics ? [/** @type {[string, Children]} */ (['metrics', 'Metric Resource'])] : []),
    ...(found.logs?.available || one('tab') === 'logs' ? [/** @type {[string, Children]} */ (['logs', 'Logs'])] : []),
  ];
}

/** @param {RunDetails} found @returns {Children} */
function section(found) {
  const tab = one('tab');
  if (tab === 'status') return status(found);
  if (tab === 'logs') return logs(found);
  if (tab !== 'metrics') return overview(found);
  return found.metricResource.available === false
    ? empty('This runtime has no metric resource: it does not implement the metrics extension of the AI API.')
    : metricResource(found.runId, found.status);
}

/** @param {RunDetails} found */
function overview(found) {
  /** @type {[string, any][]} */
  const parameters = (found.parameters ?? []).map(({ key, value }) => [key, value]);
  return [
    facts([
      ['Scenario', named(found.scenario, found.scenarioId)],
      ['Executable', [named(found.executable, found.executableId), found.executable?.versionId && [' version ', shown(found.executable.versionId)]]],
    ]),
    h('h2', null, `Parameters (${parameters.length})`),
    found.parameters === null ? empty('The parameters could not be read.') : parameters.length
      ? table('Parameters', [{ title: 'Name' }, { title: 'Value' }],
        h('tbody', null, parameters.map(([key, value]) => h('tr', null, h('th', { scope: 'row' }, shown(key)), h('td', null, shown(value))))))
      : empty('The configuration has no parameters.'),
    artifacts('Inputs', found.inputArtifacts),
    artifacts('Outputs', found.outputArtifacts),
  ];
}

/** @param {{id?: string | null, name?: string | null} | null} part @param {string | null | undefined} id */
const named = (part, id) => (part?.name ? [shown(part.name), ' ', h('code', { class: 'faint' }, shown(part.id))] : shown(id ?? '–'));

/** @param {string} title @param {Artifact[] | null} list */
function artifacts(title, list) {
  return [
    h('h2', null, `${title} (${list?.length ?? '?'})`),
    list === null ? empty('They could not be read.') : list.length
      ? table(title, ['Key', 'Name', 'Kind', 'URL'].map((name) => ({ title: name })),
        h('tbody', null, list.map((one) => h('tr', null, h('td', null, shown(one.key)), h('td', null, shown(one.name ?? one.id)),
          h('td', null, shown(one.kind)), h('td', null, h('code', null, shown(one.url)))))))
      : empty('None.'),
  ];
}

/** @param {RunDetails} found */
function status(found) {
  return [
    facts([['Status', statusChip(found.status)], ['Target', statusChip(found.targetStatus)], ['Modified', time(found.modifiedAt)],
      ['Message', found.statusMessage ? shown(found.statusMessage) : '–']]),
    h('h2', null, 'Details'),
    found.statusDetails ? tree(found.statusDetails) : empty('The runtime gives no details of the status.'),
  ];
}

/** @param {RunDetails} found */
function logs(found) {
  const path = `runs/${found.runId}/logs`;
  const filters = { since: one('since'), until: one('until'), search: one('search') };
  const slot = use(`logs:${found.runId}`, address(path, { ...filters, limit: 1000 }), isLive(found.status));
  return [
    filterForm('Filter log lines',
      field('Search', 'search'), field('Since', 'since', { placeholder: '2026-03-29T03:00:00Z' }), field('Until', 'until'),
      h('button', { onclick: () => download(address(path, { ...filters, limit: 5000, format: 'text' }), `${found.runId}.log`) }, 'Download')),
    panel(slot, (data) => [
      strips(data),
      data.logs.length
        ? h('ol', { class: 'logs', tabindex: 0, 'aria-label': 'Log lines, newest first' }, data.logs.map((/** @type {any} */ line) =>
          h('li', { class: line.stream === 'stderr' ? 'stderr' : null }, time(line.timestamp), ' ',
            faint(shown([line.container, line.stream].filter(Boolean).join(' '))), ' ', shown(line.message))))
        : empty(Object.values(filters).some(Boolean) ? 'No line matches.' : 'Nothing was logged.'),
    ]),
  ];
}

