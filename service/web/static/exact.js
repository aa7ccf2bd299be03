/** JSON whose numbers keep their digits. */

/** A number that JavaScript would write otherwise, or round: shown as the API gave it. */
class Exact {
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
export function parse(text) {
  let exact = false;
  /** @param {string} _ @param {unknown} value @param {{source?: string}} [context] in browsers that have it */
  const revive = (_, value, context) => {
    if (typeof value !== 'number' || !context?.source) return value;
    exact = true;
    return String(value) === context.source ? value : new Exact(context.source);
  };
  const found = JSON.parse(text, /** @type {any} */ (revive));
  return exact || !/\d/.test(text) ? found : parsedApart(text);
}

/** For browsers whose `JSON.parse` does not give the source of a number. @param {string} text */
const parsedApart = (text) => JSON.parse(
  text.replace(NUMBERS, (part) => part[0] === '"' || String(Number(part)) === part ? part : `{"\\u0000digits":"${part}"}`),
  (_, value) => value?.[MARK] ? new Exact(value[MARK]) : value);
