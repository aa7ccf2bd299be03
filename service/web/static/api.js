/** The public API: its addresses are relative to the page's, its errors are problems (RFC 9457). */

import { parse } from './exact.js';
import * as session from './session.js';
import { context, nonEmpty } from './state.js';

/** An answer that is none. `status` is 0 where the service itself was not reached. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} document @param {Headers} [headers] */
  constructor(status, document, headers) {
    super(document.detail || document.title || `status ${status}`);
    this.status = status;
    this.document = document;
    this.retryAfter = [0, 429, 503, 504].includes(status) ? Number(headers?.get('Retry-After')) || 5 : null;
    this.requestId = document.requestId ?? headers?.get('X-Request-ID');
  }
}

/** @param {string} path relative to the service's root @param {Record<string, unknown>} query */
export const address = (path, query) => `${path}?${nonEmpty(Object.entries(query))}`.replace(/\?$/, '');

/** The URL of a resource, for other programs. @param {string} path */
export const url = (path) => new URL(`../${path}`, document.baseURI).href;

/**
 * @param {string} path
 * @param {{signal: AbortSignal, refresh?: boolean, recent?: boolean, etag?: string | null | false}} how `refresh`: data that is
 * fetched from the runtime after this request; `recent`: at most five seconds before it; `etag`: of the answer that is there already
 */
export async function get(path, { signal, refresh, recent, etag }) {
  const conditions = { ...(recent && { 'Cache-Control': 'max-age=5' }), ...(etag && { 'If-None-Match': etag }) };
  const answer = await ask(path, { signal, cache: refresh ? 'reload' : recent ? 'no-store' : 'default', headers: refresh ? {} : conditions });
  const { headers } = answer;
  const text = await answer.text(); // of a 304, too: what is not read to its end counts as aborted
  return {
    ...(answer.status !== 304 && { data: parse(text) }),
    headers,
    asOf: new Date((Date.parse(headers.get('Date') ?? '') || Date.now()) - 1000 * Number(headers.get('Age'))),
    stale: /stale-if-error/.test(headers.get('Cache-Status') ?? ''),
  };
}

/** Have the browser save what is at `path`. @param {string} path @param {string} name */
export async function download(path, name) {
  const answer = await ask(path);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {string} path @param {RequestInit & {headers?: Record<string, string>}} [options] */
export async function ask(path, options = {}) {
  const { zone, group, connection } = context();
  const headers = new Headers(options.headers);
  for (const [name, value] of Object.entries({ ...session.headers(), 'Time-Zone': zone, 'AI-Resource-Group': group, 'AI-Connection': connection })) {
    try {
      if (value) headers.set(name, value);
    } catch {
      throw name === 'Authorization' ? new Problem(401, {}) : new Problem(400, { title: 'Bad request',
        detail: `${name}: no header can have the characters of “${value}”` });
    }
  }
  const answer = await fetch(url(path), { ...options, headers }).catch((error) => {
    throw options.signal?.aborted ? error : new Problem(0, { title: 'The service cannot be reached', detail: 'check the connection' });
  });
  const type = answer.headers.get('Content-Type') ?? '';
  if (session.mode() === 'session' && (answer.redirected || type.startsWith('text/html'))) {
    throw new Problem(401, { title: 'The session has expired' }); // a login page in place of an answer
  }
  if (answer.ok || answer.status === 304) return answer;
  throw new Problem(answer.status, type.includes('json') ? parse(await answer.text()) : {}, answer.headers);
}
