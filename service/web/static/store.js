/** What has been read, by slot: the same slot keeps its old content until the new one is there. */

import { context, get, Problem } from './api.js';

/**
 * @typedef {object} Slot
 * @property {string} path what it holds, or is about to
 * @property {any} data
 * @property {Problem | null} problem
 * @property {boolean} busy
 * @property {boolean} stale whether the runtime could not be reached for it
 * @property {Date | null} asOf
 * @property {number | null} retryAt when it is asked again, in milliseconds since 1970
 */
/** @typedef {Slot & {name: string, wanted: string, etag: string | null, round: number, live: boolean, asked: number, aborter: AbortController | null}} Entry */

const LIVE = 5_000;
const STALE = 10_000;
/** @type {Map<string, Entry>} */
const entries = new Map();
let round = 0;
let paused = false;
/** @type {() => void} */
let changed = () => {};
/** @type {() => void} */
let refused = () => {};
/** @type {() => void} */
let expired = () => {};

/**
 * @param {() => void} draw called after something has been read @param {() => void} signedOut after a `401`
 * @param {() => void} pagesExpired in place of drawing, after a `410`
 */
export function begin(draw, signedOut, pagesExpired) {
  changed = draw;
  refused = signedOut;
  expired = pagesExpired;
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}

/**
 * The content of a slot, which is asked for where it is not there.
 * @param {string} name @param {string} path @param {boolean} [live] whether it is asked for again and again
 * @returns {Slot}
 */
export function use(name, path, live = false) {
  const wanted = JSON.stringify([path, context]);
  let entry = entries.get(name);
  if (!entry) {
    entry = { name, path, wanted: '', data: null, problem: null, busy: false, stale: false, asOf: null, retryAt: null,
      etag: null, round, live, asked: 0, aborter: null };
    entries.set(name, entry);
  }
  entry.round = round;
  entry.live = live;
  if (entry.wanted !== wanted) {
    Object.assign(entry, { path, wanted, etag: null, problem: null });
    void load(entry);
  }
  return entry;
}

/** Between these, all slots in use are used. @param {() => void} draw */
export function drawing(draw) {
  round += 1;
  draw();
  for (const [name, entry] of entries) {
    if (entry.round === round) continue;
    entry.aborter?.abort();
    entries.delete(name);
  }
}

/** Ask for everything again, from the runtime itself. */
export function refresh() {
  for (const entry of entries.values()) void load(entry, { refresh: true });
}

/** Ask again for what failed, or for everything. @param {boolean} [all] */
export function again(all = false) {
  for (const entry of entries.values()) if (all || entry.problem) void load(entry);
}

export const isPaused = () => paused;
/** @param {boolean} stop */
export function pause(stop) {
  paused = stop;
  changed();
}

/** @param {Entry} entry @param {{refresh?: boolean, poll?: boolean}} [how] */
async function load(entry, { refresh: forced = false, poll = false } = {}) {
  entry.aborter?.abort();
  const aborter = (entry.aborter = new AbortController());
  entry.busy = !poll;
  entry.asked = Date.now();
  entry.retryAt = null;
  try {
    const answer = await get(entry.path, {
      signal: aborter.signal,
      refresh: forced,
      etag: poll ? entry.etag : null,
    });
    if (!answer.unchanged) entry.data = answer.data;
    Object.assign(entry, { problem: null, stale: answer.stale, asOf: answer.asOf, etag: answer.etag });
  } catch (error) {
    if (aborter.signal.aborted) return;
    const problem = error instanceof Problem ? error : new Problem(0, { title: String(error) });
    entry.problem = problem;
    if (problem.status === 401) refused();
    entry.retryAt = problem.retryAfter === null ? null : Date.now() + 1000 * problem.retryAfter;
  }
  entry.busy = false;
  if (entry.problem?.status === 410) expired();
  else changed();
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  let counting = false;
  for (const entry of entries.values()) {
    const rest = entry.stale ? STALE : LIVE;
    if (entry.retryAt !== null) {
      counting = true;
      if (now >= entry.retryAt) void load(entry);
    } else if (!entry.busy && !entry.problem && (entry.stale || (entry.live && !paused)) && now - entry.asked >= rest) {
      void load(entry, { poll: true });
    }
  }
  if (counting) changed();
}
