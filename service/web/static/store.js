/** What has been read, by slot: the same slot keeps its old content until the new one is there. */

import { context, get, Problem } from './api.js';
import * as live from './live.js';

/** @typedef {Slot & {name: string, wanted: string, etag: string | null, round: number, liveUntil: number, asked: number, aborter: AbortController | null}} Entry */

const LIVE = 5_000;
const STALE = 10_000;
const QUIET = 30_000; // events do not say that the runtime cannot be reached
/** @type {Map<string, Entry>} */
const entries = new Map();
let round = 0;
let paused = false;
/** When there was news of the run that is followed, in milliseconds since 1970. */
let newsAt = 0;
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
  live.begin(() => (newsAt = Date.now()));
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
      eventId: null, etag: null, round, liveUntil: 0, asked: 0, aborter: null };
    entries.set(name, entry);
  }
  entry.round = round;
  entry.liveUntil = live ? Infinity : Math.min(entry.liveUntil, Date.now() + 2 * LIVE); // what came with the end is seen, too
  if (entry.wanted !== wanted) {
    Object.assign(entry, { path, wanted, etag: null, problem: null });
    void load(entry);
  }
  return entry;
}

/** Between these, all slots in use are used. @param {() => void} draw */
export function drawing(draw) {
  round += 1;
  following = ['', null];
  draw();
  live.follow(...following);
  for (const [name, entry] of entries) {
    if (entry.round === round) continue;
    entry.aborter?.abort();
    entries.delete(name);
  }
}

/** @type {[string, string | null]} */
let following = ['', null];

/** For this drawing, live slots are of that run. @param {string} path of its metric resource @param {string | null} after the last event that is known */
export function follow(path, after) {
  following = [path, after];
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
  tick();
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
    const { stale, asOf, etag, eventId } = answer;
    Object.assign(entry, { problem: null, stale, asOf, etag, eventId });
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

/** Asked for at once after news, and again when no cache has anything older left. @param {Entry} entry @param {number} now */
function isDue({ asked }, now) {
  return asked < newsAt || now - asked >= (live.isFollowing() && asked >= newsAt + LIVE ? QUIET : LIVE);
}

function tick() {
  live.look(document.hidden || paused);
  if (document.hidden) return;
  const now = Date.now();
  let counting = false;
  for (const entry of entries.values()) {
    if (entry.retryAt !== null) {
      counting = true;
      if (now >= entry.retryAt) void load(entry);
    } else if (!entry.busy && !entry.problem && (entry.stale ? now - entry.asked >= STALE : now < entry.liveUntil && !paused && isDue(entry, now))) {
      void load(entry, { poll: true });
    }
  }
  if (counting) changed();
}
