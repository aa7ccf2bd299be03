/** Labels. */

import { dash, h, shown, visible } from './dom.js';
import { toggle } from './fields.js';

const MODEL = 'metrics.ai.sap.com/Artifact.name';

/** @param {Pair} label */
export const labelText = ({ name, value }) => `${name === MODEL ? 'model' : name}: ${value}`;
/** As a filter has it. @param {Pair} label */
export const labelKey = ({ name, value }) => `${name}:${value}`;

/** A click on one filters. @param {Pair[]} labels */
export const chips = (labels) => labels.length ? h('span.chips', labels.map((label) =>
  toggle('label', labelKey(label), shown(labelText(label)), { title: `Filter by ${visible(label.name)}` }))) : dash();
