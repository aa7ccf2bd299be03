/** Types that all scripts of the page know; the API's shapes are those of its OpenAPI document. */
import type { components } from '#api';

type Schemas = components['schemas'];
type Handler = 'onclick' | 'oninput' | 'onchange' | 'onsubmit' | 'onkeydown' | 'ontoggle';
type Child = Node | string | number | { toString(): string; text: string } | null | undefined | false;

declare global {
  type Run = Schemas['ListedRun'];
  type RunDetails = Schemas['RunDetails'];
  type Artifact = Schemas['Artifact'];
  type Metric = Schemas['Metric'];
  type Series = Schemas['OneSeries'];
  type Comparison = Schemas['Comparison'];
  type ComparedMetric = Schemas['ComparedMetric'];
  type Pair = { name: string; value: string };

  /** What an element can hold: text, or lists of it, however deep. */
  type Children = Child | readonly Children[];
  /** Attributes; handlers are given an event whose target is what they are on. */
  type Properties = Record<string, unknown> & { [handler in Handler]?: (event: any) => void };
  type View = { title: string; crumbs: [string, string][]; body: Children };
  /** What has been read, or is about to be; see `store.js`. */
  type Slot = {
    path: string;
    data: any;
    problem: import('./api.js').Problem | null;
    busy: boolean;
    /** Whether the runtime could not be reached for it. */
    stale: boolean;
    asOf: Date | null;
    /** When it is asked again, in milliseconds since 1970. */
    retryAt: number | null;
    /** Where `data` is in the events of its run. */
    eventId: string | null;
  };
}
