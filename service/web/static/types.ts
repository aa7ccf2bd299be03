/** Types that all scripts of the page know; the API's shapes are those of its OpenAPI document. */
import type { components } from '#api';

type Schemas = components['schemas'];
type Handler = 'onclick' | 'onchange' | 'onsubmit';
type Child = Node | string | number | { toString(): string; text: string } | null | undefined | false;

declare global {
  // Of the script that draws charts.
  const vegaEmbed: (target: Element, specification: object, options: object) => Promise<{ finalize: () => void }>;
  // What TypeScript 5.9 does not know.
  interface Uint8Array {
    toBase64(options: { alphabet: 'base64url'; omitPadding?: boolean }): string;
  }
  interface Uint8ArrayConstructor {
    fromBase64(text: string, options: { alphabet: 'base64url' }): Uint8Array<ArrayBuffer>;
  }
  namespace Intl {
    class DurationFormat {
      constructor(locale: string, options: Record<string, string | number>);
      format(duration: Record<string, number | undefined>): string;
    }
  }
  interface Node {
    /** An element with one stays the same when it is drawn again. */
    key?: string;
  }
  type Run = Schemas['ListedRun'];
  type RunDetails = Schemas['RunDetails'];
  type Artifact = Schemas['Artifact'];
  type Metric = Schemas['Metric'];
  type Series = Schemas['OneSeries'];
  type Comparison = Schemas['Comparison'];
  type ComparedMetric = Schemas['ComparedMetric'];
  type Pair = { name: string; value: string };
  /** `issuer`, `clientId` and `scope` are there in the mode `oidc`. */
  type SignIn = { mode: 'token' | 'session' | 'oidc'; signOutUrl?: string; issuer: string; clientId: string; scope: string };

  /** What an element can hold: text, or lists of it, however deep. */
  type Children = Child | readonly Children[];
  /** Attributes; handlers are given an event whose target is what they are on. */
  type Properties = Record<string, unknown> & { [handler in Handler]?: (event: any) => void };
  type View = { title: string; body: Children };
  /** What can be chosen: titles whose values are these in lower case, or values with their titles; the default first. */
  type Words = readonly (string | readonly string[] | false)[];
  type Column<Row> = { title: Children; cell: (row: Row) => Children; sort?: string; class?: string | false | undefined; head?: boolean };
  type TableStyle<Row> = {
    /** Properties of a row's element. */
    row?: (row: Row) => Properties;
    /** Rows of one name fold under it. */
    group?: { of: (row: Row) => string; head: (name: string, rows: Row[]) => Children; folded: Set<string> };
  };
  /** What has been read, or is about to be; see `store.js`. */
  type Slot = {
    path: string;
    data?: any;
    headers?: Headers;
    problem?: import('./api.js').Problem | null;
    busy?: boolean;
    /** Whether the runtime could not be reached for it. */
    stale?: boolean;
    asOf?: Date;
    /** When it is asked again, in milliseconds since 1970. */
    retryAt?: number | null;
    /** The path and all that it was asked for. */
    wanted: string;
    round: number;
    liveUntil: number;
    /** Milliseconds between two answers, at least. */
    rest: number;
    asked: number;
    /** Of a request that is on its way. */
    aborter?: AbortController | null;
  };
  type Stream = {
    path: string;
    /** The path, and for whom. */
    wanted: string;
    /** The event to go on behind. */
    last: string | null | undefined;
    /** Whether events come: where they do not, the run is polled. */
    open: boolean;
    /** When anything came, in milliseconds since 1970. */
    heardAt: number;
    /** When it is opened again, in the same; `Infinity` where it is not. */
    retryAt: number;
    /** One after the other. */
    failures: number;
    aborter: AbortController | null;
  };
}
