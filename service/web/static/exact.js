/** JSON whose numbers keep their digits. */

/** A number that JavaScript would write otherwise, or round: shown as the API gave it. */
export class Exact {
  /** @param {string} text the number's JSON literal */
  constructor(text) {
    this.text = text;
  }
  valueOf = () => Number(this.text);
  toJSON = this.valueOf;
  toString = () => this.text;
}

const MARK = '\u0000digits';
const NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** As `JSON.parse`, with an `Exact` in place of each number that would lose digits. @param {string} text @returns {any} */
export const parse = (text) => JSON.parse(givesSource() ? text : text.replace(NUMBERS, marked), /** @type {any} */ (revive));

/** @param {string} _ @param {any} value @param {{source?: string}} [context] in browsers that have it */
function revive(_, value, context) {
  const source = typeof value === 'number' ? context?.source : value?.[MARK];
  return source && String(value) !== source ? new Exact(source) : value;
}

const givesSource = () => JSON.parse('1', /** @type {any} */ ((/** @type {any} */ ...[, , context]) => !!context?.source));

/** For browsers whose `JSON.parse` does not give the source of a number. @param {string} part a string or a number */
const marked = (part) => part[0] === '"' || String(Number(part)) === part ? part : `{"\\u0000digits":"${part}"}`;
