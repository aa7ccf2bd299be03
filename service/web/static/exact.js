/** JSON whose numbers keep their digits. */

/** A number that JavaScript would write otherwise, or round: shown as the API gave it. */
class Exact {
  /** @param {string} text the number's JSON literal */
  constructor(text) {
    this.text = text;
  }
  valueOf() {
    return Number(this.text);
  }
  toString() {
    return this.text;
  }
  toJSON() {
    return Number(this.text);
  }
}

const MARK = '\u0000digits';
const NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** @param {string} source @param {number} value */
const kept = (source, value) => (String(value) === source ? value : new Exact(source));

/**
 * As `JSON.parse`, with an `Exact` in place of each number that would lose digits.
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  let sources = false;
  /** @param {string} _ @param {unknown} value @param {{source?: string}} [context] of browsers that tell it */
  const revive = (_, value, context) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    sources = true;
    return kept(context.source, value);
  };
  const found = JSON.parse(text, /** @type {(key: string, value: unknown) => unknown} */ (revive));
  return sources || !/\d/.test(text) ? found : parsedApart(text);
}

/** For browsers whose `JSON.parse` does not tell the source of a number. @param {string} text */
function parsedApart(text) {
  const marked = text.replace(NUMBERS, (part) =>
    part[0] === '"' || String(Number(part)) === part ? part : `{"\\u0000digits":"${part}"}`,
  );
  return JSON.parse(marked, (_, value) =>
    value !== null && typeof value === 'object' && MARK in value ? new Exact(value[MARK]) : value,
  );
}
