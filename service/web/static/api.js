/** The public API: its addresses are relative to the page's, its errors are problems (RFC 9457). */

import { parse } from './exact.js';
import * as session from './session.js';

const BASE = new URL('../', document.baseURI);

/** What an answer belongs to: it goes with every request. @type {{zone: string, group: string, connection: string}} */
export const context = { zone: '', group: '', connection: '' };

/** @typedef {{data: any, etag: string | null, eventId: string | null, asOf: Date, stale: boolean, unchanged: boolean}} Answer */

/** An answer that is none. `status` is 0 where the service itself was not reached. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} document @param {Headers} [headers] */
  constructor(status, document, headers) {
    super(document.detail || document.title || `status ${status}`);
    this.status = status;
    this.document = document;
    const seconds = Number(headers?.get('Retry-After') ?? NaN);
    this.retryAfter = [0, 429, 503, 504].includes(status) ? (seconds > 0 ? seconds : 5) : null;
    this.requestId = document.requestId ?? headers?.get('X-Request-ID') ?? null;
  }
}

/** @param {string} path relative to the service's root @param {Record<string, unknown>} [query] */
export function address(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== '' && one !== null && one !== undefined && one !== false) parameters.append(name, String(one));
    }
  }
  return parameters.size ? `${path}?${parameters}` : path;
}

/** The URL of a resource, for other programs. @param {string} path */
export const url = (path) => new URL(path, BASE).href;

/**
 * @param {string} path
 * @param {{signal?: AbortSignal | null, refresh?: boolean, etag?: string | null}} [options] `refresh`: data fetched from
 * the runtime after this request; `etag`: of the answer that is there already, which may be five seconds old.
 * @returns {Promise<Answer>}
 */
export async function get(path, { signal = null, refresh = false, etag = null } = {}) {
  /** @type {Record<string, string>} */
  const headers = etag ? { 'If-None-Match': etag, 'Cache-Control': 'max-age=5' } : {};
  const answer = await ask(path, { signal, headers, cache: refresh ? 'reload' : 'default' });
  const unchanged = answer.status === 304;
  const date = new Date(answer.headers.get('Date') ?? Date.now());
  return {
    data: unchanged ? null : parse(await answer.text()),
    etag: answer.headers.get('ETag'),
    eventId: answer.headers.get('Event-ID'),
    asOf: new Date(date.getTime() - 1000 * Number(answer.headers.get('Age') ?? 0)),
    stale: /stale-if-error/.test(answer.headers.get('Cache-Status') ?? ''),
    unchanged,
  };
}

/** Have the browser save what is at `path`. @param {string} path @param {string} name */
export async function download(path, name) {
  const answer = await ask(path, {});
  const given = /filename="([^"/\\]+)"/.exec(answer.headers.get('Content-Disposition') ?? '');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = given?.[1] ?? name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {string} path @param {RequestInit & {headers?: Record<string, string>}} options */
export async function ask(path, options) {
  /** @type {Record<string, string>} */
  const headers = { ...session.headers(), ...options.headers };
  if (context.zone) headers['Time-Zone'] = context.zone;
  if (context.group) headers['AI-Resource-Group'] = context.group;
  if (context.connection) headers['AI-Connection'] = context.connection;
  let answer;
  try {
    answer = await fetch(new URL(path, BASE), { ...options, headers });
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'AbortError') throw error;
    throw new Problem(0, { title: 'The service cannot be reached', detail: 'check the connection' });
  }
  const type = answer.headers.get('Content-Type') ?? '';
  if (session.mode() === 'session' && (answer.redirected || type.startsWith('text/html'))) {
    throw new Problem(401, { title: 'The session has expired' }); // a login page in place of an answer
  }
  if (answer.ok || answer.status === 304) return answer;
  const document = type.includes('json') ? parse(await answer.text()) : {};
  throw new Problem(answer.status, document ?? {}, answer.headers);
}
