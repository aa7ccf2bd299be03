/** The API's shapes, of its OpenAPI document, under the names that the page has for them. */
import type { components } from '#api';

type Schemas = components['schemas'];
export type Run = Schemas['ListedRun'];
export type RunDetails = Schemas['RunDetails'];
export type Artifact = Schemas['Artifact'];
export type Metric = Schemas['Metric'];
export type Series = Schemas['OneSeries'];
export type Comparison = Schemas['Comparison'];
export type ComparedMetric = Schemas['ComparedMetric'];

/** What an element can hold: text, or lists of it, however deep. */
type Child = Node | string | number | { toString(): string; text: string } | null | undefined | false;
export type Children = Child | readonly Children[];
