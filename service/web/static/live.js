/** A run that goes on is followed by its events, which say that there is news: what it is, is read as everything else. */

import { ask, Problem } from './api.js';
import { context } from './state.js';

const SILENCE = 60_000; // the service sends something each 15 seconds
const LONGEST_PAUSE = 30_000;
/** @type {Stream | null} */
let stream = null;
let news = () => {};

/** @param {() => void} heard called when the run may have changed */
export const begin = (heard) => (news = heard);
export const isFollowing = () => !!stream?.open;

/** Follow the run whose metric resource is at `path`, from behind that event on; none where there is no path. @param {string} [path] @param {string | null} [last] */
export function follow(path, last) {
  const wanted = path && JSON.stringify([path, context()]);
  if (wanted === stream?.wanted) return;
  stream?.aborter?.abort();
  stream = wanted ? { path, wanted, last, open: false, heardAt: 0, retryAt: 0, failures: 0, aborter: null } : null;
}

/** Open what is to be open, and close what is not: called every second, and when the tab is hidden or shown. @param {boolean} rests */
export function look(rests) {
  if (!stream) return;
  const now = Date.now();
  if (rests || now - stream.heardAt > SILENCE) stream.aborter?.abort();
  if (!rests && !stream.aborter && now >= stream.retryAt) void read(stream);
}

/** One connection, until it ends. @param {Stream} mine */
async function read(mine) {
  const now = Date.now();
  const { signal } = (mine.aborter = new AbortController());
  mine.failures += 1;
  Object.assign(mine, { heardAt: now, retryAt: now + Math.min(1000 * 2 ** mine.failures, LONGEST_PAUSE) });
  try {
    const headers = { Accept: 'text/event-stream', ...(mine.last && { 'Last-Event-ID': mine.last }) };
    const { body } = await ask(`${mine.path}/events`, { signal, headers, cache: 'no-store' });
    const reader = /** @type {ReadableStream<BufferSource>} */ (body).pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      mine.heardAt = Date.now();
      const events = (text + part.value).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) take(mine, event);
    }
  } catch (error) {
    if (error instanceof Problem && error.status) mine.retryAt = error.retryAfter ? Date.now() + 1000 * error.retryAfter : Infinity;
  }
  mine.aborter = null;
  if (mine !== stream || !mine.open) return;
  mine.open = false;
  if (mine.retryAt < Infinity) mine.retryAt = Date.now(); // what was missed comes behind the last event
  news();
}

/** @param {Stream} mine @param {string} text of one event, or a comment */
function take(mine, text) {
  const { id, event, data = '{}' } = Object.fromEntries([...text.matchAll(/^(\w+): ?(.*)$/gm)].map(([, name, value]) => [name, value]));
  if (!event) return;
  mine.last = id ?? mine.last;
  if (event === 'end' && JSON.parse(data).reason !== 'shutdown') mine.retryAt = Infinity; // a run that goes on all the same is polled
  else Object.assign(mine, { open: true, failures: 0 });
  if (event !== 'state') news();
}
