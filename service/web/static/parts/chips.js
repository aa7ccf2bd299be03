/** Labels and tags. */

import { dash, h, shown, visible } from './dom.js';

const MODEL = 'metrics.ai.sap.com/Artifact.name';

/** @param {Pair} pair */
export const labelText = ({ name, value }) => (name === MODEL ? `model: ${value}` : `${name}: ${value}`);

/** @param {Pair[]} labels @param {(label: Pair) => void} [pick] what a click does @param {string[]} [picked] */
export function chips(labels, pick, picked = []) {
  if (!labels.length) return dash();
  return h('span', { class: 'chips' }, labels.map((label) => {
    const on = picked.includes(`${label.name}:${label.value}`);
    return pick
      ? h('button', { class: 'chip', 'aria-pressed': String(on), title: `Filter by ${visible(label.name)}`, onclick: () => pick(label) }, shown(labelText(label)))
      : h('span', { class: 'chip' }, shown(labelText(label)));
  }));
}
