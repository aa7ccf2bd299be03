/** One run: its header, and the tabs below it. */

import { address, download } from '../api.js';
import { code, copy, dash, faint, h, shown } from '../parts/dom.js';
import { field, filterForm } from '../parts/fields.js';
import { empty, panel } from '../parts/problem.js';
import { head, isLive, statusChip } from '../parts/status.js';
import { facts, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { tree } from '../parts/value.js';
import { link, one } from '../state.js';
import { use } from '../store.js';
import { brief, duration, time } from '../zone.js';
import { metricResource } from './metrics.js';

/** The run that is known to have ended: it is not asked for again and again. */
let ended = '';

/** @returns {View} */
export function run() {
  const id = one('run');
  const slot = use(`run:${id}`, `runs/${encodeURIComponent(id)}`, ended !== id);
  ended = slot.data && !isLive(slot.data.status) ? id : '';
  return { title: `Run ${id}`, crumbs: [[`Run ${id.slice(0, 8)}`, link({ run: id }, true)]], body:
    panel(slot, (/** @type {RunDetails} */ found) => [
      head([h('span.id', shown(id)), ' ', copy('Copy', id, { 'aria-label': 'Copy the run’s id' })], slot),
      h('div.row', statusChip(found.status),
        found.targetStatus && found.targetStatus !== found.status && faint(`target: ${found.targetStatus.toLowerCase()}`),
        found.statusMessage && h('span.message', shown(found.statusMessage))),
      facts([['Configuration', shown(found.configurationName ?? found.configurationId)], ['Created', brief(found.createdAt)],
        ['Submitted', brief(found.submissionTime)], ['Started', brief(found.startTime)], ['Finished', brief(found.completionTime)],
        ['Duration', duration(found.durationSeconds)]]),
      tabs('Run', 'tab', [['overview', 'Overview'], ['status', 'Status'],
        ...(found.metricResource.available !== false || one('tab') === 'metrics' ? [/** @type {[string, string]} */ (['metrics', 'Metric Resource'])] : []),
        ...(found.logs?.available || one('tab') === 'logs' ? [/** @type {[string, string]} */ (['logs', 'Logs'])] : [])]),
      (SECTIONS.get(one('tab')) ?? overview)(found),
    ]) };
}

/** @param {RunDetails} found */
const metrics = (found) => found.metricResource.available === false
  ? empty('This runtime has no metric resource: it does not implement the metrics extension of the AI API.')
  : metricResource(found.runId, found.status);

/** @param {RunDetails} found */
function overview({ scenario, scenarioId, executable, executableId, parameters, inputArtifacts, outputArtifacts }) {
  const named = (/** @type {any} */ part, /** @type {any} */ id) => (part?.name ? [shown(part.name), ' ', code(part.id)] : id ? shown(id) : dash());
  return [
    facts([['Scenario', named(scenario, scenarioId)],
      ['Executable', [named(executable, executableId), executable?.versionId && [' version ', shown(executable.versionId)]]]]),
    section('Parameters', parameters, [{ title: 'Name', cell: (one) => shown(one.key), head: true }, { title: 'Value', cell: (one) => shown(one.value) }]),
    section('Inputs', inputArtifacts, ARTIFACT),
    section('Outputs', outputArtifacts, ARTIFACT),
  ];
}

const ARTIFACT = /** @type {Column<Artifact>[]} */ ([
  { title: 'Key', cell: (one) => shown(one.key), head: true }, { title: 'Name', cell: (one) => shown(one.name ?? one.id) },
  { title: 'Kind', cell: (one) => shown(one.kind) }, { title: 'URL', cell: (one) => one.url ? code(one.url) : dash() }]);

/** @template Row @param {string} title @param {Row[] | null} rows @param {Column<Row>[]} columns */
const section = (title, rows, columns) => [h('h2', `${title} (${rows?.length ?? '?'})`),
  rows?.length ? table(title, columns, rows) : empty(rows ? 'None.' : 'They could not be read.')];

/** @param {RunDetails} found */
const status = (found) => [
  facts([['Status', statusChip(found.status)], ['Target', statusChip(found.targetStatus)], ['Modified', time(found.modifiedAt)],
    ['Message', found.statusMessage ? shown(found.statusMessage) : dash()]]),
  h('h2', 'Details'),
  found.statusDetails ? tree(found.statusDetails) : empty('The runtime gives no details of the status.'),
];

/** @param {RunDetails} found */
function logs({ runId, status: now }) {
  const path = `runs/${runId}/logs`;
  const filters = { since: one('since'), until: one('until'), search: one('search') };
  return [
    filterForm('Filter log lines', field('Search', 'search'), field('Since', 'since', { placeholder: '2026-03-29T03:00:00Z' }), field('Until', 'until'),
      h('button', { onclick: () => download(address(path, { ...filters, limit: 5000, format: 'text' }), `${runId}.log`) }, 'Download')),
    panel(use(`logs:${runId}`, address(path, { ...filters, limit: 500 }), isLive(now)), ({ logs: lines }) => lines.length
      ? h('ol.logs', { tabindex: 0, 'aria-label': 'Log lines, newest first' }, lines.map((/** @type {any} */ line) =>
        h('li', { class: line.stream }, time(line.timestamp), ' ', faint(shown([line.container, line.stream].filter(Boolean).join(' '))), ' ', shown(line.message))))
      : empty(Object.values(filters).some(Boolean) ? 'No line matches.' : 'Nothing was logged.')),
  ];
}

/** @type {Map<string, (found: RunDetails) => Children>} */
const SECTIONS = new Map([['status', status], ['logs', logs], ['metrics', metrics]]);
