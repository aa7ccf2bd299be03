/** What has been read, by slot: the same slot keeps its old content until the new one is there. */

import { address, get, Problem } from './api.js';
import * as live from './live.js';
import { context } from './state.js';

const BUSY = 3_000; // a run may log many points a second
const LIVE = 5_000;
const STALE = 10_000;
const QUIET = 30_000; // events do not say that the runtime cannot be reached
/** @type {Map<string, Slot>} */
const slots = new Map();
let round = 0;
let paused = false;
let recent = false;
/** When there was news of the run that is followed, in milliseconds since 1970. */
let newsAt = 0;
/** `draw` after something has been read, `refused` after a `401`, `expired` in place of drawing after a `410`. */
let on = { draw() {}, refused() {}, expired() {} };

/** @param {typeof on} handlers */
export function begin(handlers) {
  on = handlers;
  live.begin(() => (newsAt = Date.now()));
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}

/**
 * What is at that address, which is asked for where it is not there; where it is live, again and again. What has another
 * address takes its place in the slot of that name.
 * @param {string} path @param {Record<string, unknown>} [query] @param {boolean} [live] @param {string} [name] @param {number} [rest] milliseconds between two answers, at least
 */
export function use(path, query = {}, live = false, name = path, rest = 0) {
  const wanted = JSON.stringify([path, query, context()]);
  const { group, connection } = context();
  // Of another place nothing is shown; what can be chosen stays while it is.
  const key = JSON.stringify([name, path !== 'connections' && connection, path !== 'resource-groups' && group]);
  /** @type {Slot} */
  const slot = slots.get(key) ?? { path, wanted: '', round, rest, liveUntil: 0, asked: 0 };
  slots.set(key, slot);
  Object.assign(slot, { round, rest });
  slot.liveUntil = live ? Infinity : Math.min(slot.liveUntil, Date.now() + 2 * LIVE + rest); // what came with the end is seen, too
  if (slot.wanted !== wanted) {
    Object.assign(slot, { path: address(path, query), wanted, problem: null });
    void load(slot);
  }
  return slot;
}

/** The resource groups that the reader may use, and the one that is read: the connection's own where the address names none. */
export const groups = () => use('resource-groups');
export const groupName = () => context().group || (groups().headers?.get('AI-Resource-Group') ?? 'default');
/** The connections that the reader may use, and the one that is read. @returns {{name: string, default: boolean}[]} */
export const connections = () => use('connections').data?.connections ?? [];
export const connectionName = () => context().connection || connections().find((each) => each.default)?.name;

/** Between these, all slots in use are used. @param {() => void} draw */
export function drawing(draw) {
  round += 1;
  draw();
  for (const [name, slot] of slots) {
    if (slot.round === round) continue;
    slot.aborter?.abort();
    slots.delete(name);
  }
  const followed = [...slots.values()].find(({ liveUntil, headers }) => liveUntil === Infinity && headers?.has('Event-ID'));
  live.follow(followed?.path.split('?')[0], followed?.headers?.get('Event-ID'));
}

export const redraw = () => on.draw();
/** Ask for everything again, from the runtime itself; what is asked for from then on is recent. */
export function refresh() {
  recent = true;
  slots.forEach((slot) => void load(slot, { refresh: true }));
}
/** Ask again for what failed, or for everything. */
export const again = (all = false) => slots.forEach((slot) => (all || slot.problem) && void load(slot));

export const isPaused = () => paused;
export function pause() {
  paused = !paused;
  tick();
  redraw();
}

/** @param {Slot} slot @param {{refresh?: boolean, poll?: boolean}} [how] */
async function load(slot, { refresh, poll } = {}) {
  slot.aborter?.abort();
  const { signal } = (slot.aborter = new AbortController());
  Object.assign(slot, { busy: !poll, asked: Date.now(), retryAt: null });
  try {
    Object.assign(slot, { problem: null }, await get(slot.path, { signal, refresh, recent: poll || recent, etag: poll && slot.headers?.get('ETag') }));
  } catch (error) {
    if (signal.aborted) return;
    const problem = (slot.problem = error instanceof Problem ? error : new Problem(0, { title: String(error) }));
    if (problem.status === 401) on.refused();
    slot.retryAt = problem.retryAfter && Date.now() + 1000 * problem.retryAfter;
  }
  Object.assign(slot, { busy: false, aborter: null });
  if (slot.problem?.status === 410) on.expired();
  else redraw();
}

/** Asked for after news, and again when no cache has anything older left. @param {number} asked @param {number} now */
const isDue = (asked, now) => now - asked >= (asked < newsAt ? BUSY : live.isFollowing() && asked >= newsAt + LIVE ? QUIET : LIVE);

function tick() {
  live.look(document.hidden || paused);
  if (document.hidden) return;
  const now = Date.now();
  for (const slot of slots.values()) {
    const { aborter, problem, retryAt, asked, rest } = slot;
    if (aborter) continue; // what is asked for is waited for, however long it takes
    const isWanted = slot.stale ? now - asked >= STALE : now < slot.liveUntil && !paused && now - asked >= rest && isDue(asked, now);
    if (retryAt ? now >= retryAt : (!problem || rest) && isWanted) void load(slot, { poll: !retryAt });
  }
  if ([...slots.values()].some(({ retryAt }) => retryAt)) redraw();
}
