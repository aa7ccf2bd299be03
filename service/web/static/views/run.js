/** One run: its header, and the tabs below it. */

import { field, filterForm, period, save, tabs } from '../parts/controls.js';
import { code, copy, counted, dash, faint, h, shown } from '../parts/dom.js';
import { isLive, statusChip, valuesOf } from '../parts/run.js';
import { empty, head, panel } from '../parts/states.js';
import { facts, table } from '../parts/table.js';
import { tree } from '../parts/value.js';
import { one, picked } from '../state.js';
import { use } from '../store.js';
import { time } from '../zone.js';
import { metricResource } from './metrics.js';

/** @returns {View} */
export function run() {
  const id = one('run');
  const path = `runs/${encodeURIComponent(id)}`;
  const slot = use(path, {}, isLive(use(path).data?.status));
  return { title: `Run ${id.slice(0, 8)}`, body: panel(slot, (/** @type {RunDetails} */ found) => {
    const { status, targetStatus: target, statusMessage, configurationName, configurationId, metricResource: resource, logs } = found;
    const has = (/** @type {boolean | undefined | null} */ part, /** @type {string} */ tab) => !!part || one('tab') === tab;
    return [
      head([h('span.id', shown(id)), ' ', copy('Copy', id, { 'aria-label': 'Copy the run’s id' })], slot),
      h('div.row', statusChip(status), target !== status && target && faint('target: ', target.toLowerCase()),
        statusMessage && h('span.message', shown(statusMessage))),
      facts([['Configuration', shown(configurationName ?? configurationId)],
        ...valuesOf(found, 'createdAt', 'submissionTime', 'startTime', 'completionTime', 'durationSeconds')]),
      tabs('Run', 'tab', ['Overview', 'Status', has(resource.available !== false, 'metrics') && ['metrics', 'Metric Resource'], has(logs?.available, 'logs') && 'Logs']),
      (SECTIONS.get(one('tab')) ?? overview)(found),
    ];
  }) };
}

/** @param {RunDetails} found */
function overview({ scenario, scenarioId, executable, executableId, parameters, inputArtifacts, outputArtifacts }) {
  return [
    facts([['Scenario', named(scenario, scenarioId)],
      ['Executable', [named(executable, executableId), executable?.versionId && [' version ', shown(executable.versionId)]]]]),
    section('Parameters', parameters, ['Key', 'Value']),
    section('Inputs', inputArtifacts, ARTIFACT),
    section('Outputs', outputArtifacts, ARTIFACT),
  ];
}

/** @param {{name: string | null} | null} part @param {string | null} id */
const named = (part, id) => [part?.name && [shown(part.name), ' '], id ? code(id) : dash()];

const [LINES, MOST_SAVED] = [500, 5000];
const ARTIFACT = ['Key', 'Name', 'Kind', 'URL'];

/** @param {string} title @param {any[] | null} rows @param {string[]} names of their members */
const section = (title, rows, names) => [h('h2', `${title} (${rows?.length ?? '?'})`), rows?.length
  ? table(title, names.map((name) => ({ title: name, head: name === 'Key', class: name, cell: (row) => shown(row[name.toLowerCase()] ?? '–') })), rows)
  : empty(rows ? 'None.' : 'They could not be read.')];

/** @param {RunDetails} found */
const status = (found) => [
  facts(valuesOf(found, 'status', 'targetStatus', 'modifiedAt', 'statusMessage')),
  h('h2', 'Details'),
  found.statusDetails ? tree(found.statusDetails) : empty('The runtime gives no details of the status.'),
];

/** @param {RunDetails} found */
function logs({ runId, status: now }) {
  const path = `runs/${runId}/logs`;
  const filters = picked(['since', 'until', 'search']);
  return [
    filterForm('Filter log lines', field('Search', 'search'), period(),
      save('Download', path, { ...filters, limit: MOST_SAVED, format: 'text' }, `${runId}.log`)),
    panel(use(path, { ...filters, limit: LINES }, isLive(now)), ({ logs: lines }) => lines.length
      ? [lines.length === LINES && h('p.faint', `The newest ${LINES} lines; a download has up to ${counted(MOST_SAVED)}. Search or times find others.`),
        h('ol.logs', { tabindex: 0, 'aria-label': 'Log lines, newest first' }, lines.map((/** @type {any} */ { timestamp, container, stream, message }) =>
        h('li', { class: stream }, time(timestamp), ' ', faint(shown([container, stream].filter(Boolean).join(' '))), ' ', shown(message))))]
      : empty(Object.keys(filters).some(one) ? 'No line matches.' : 'Nothing was logged.')),
  ];
}

/** @type {Map<string, (found: RunDetails) => Children>} */
const SECTIONS = new Map([['status', status], ['logs', logs], ['metrics', ({ runId, status, metricResource: { available } }) => available === false
  ? empty('This runtime has no metric resource: it does not implement the metrics extension of the AI API.') : metricResource(runId, status)]]);
