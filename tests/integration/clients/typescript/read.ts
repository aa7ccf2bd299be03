// Reads the demo as a front-end would, typed by what openapi-typescript makes of the document.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Point = components["schemas"]["Metric"];

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const options = {
  baseUrl: environment("SERVICE"),
  headers: { Authorization: `Bearer ${environment("TOKEN")}` },
};
// One client for each media type: a resource that has several is typed by the one that is asked for.
const client = createClient<paths, "application/json" | "application/problem+json">(options);
const tables = createClient<paths, "text/csv" | "application/problem+json">(options);
const pictures = createClient<paths, "image/png" | "application/problem+json">(options);
const [large, first, second] = environment("RUNS").split(",");
if (large === undefined || first === undefined || second === undefined) throw new Error("three RUNS are needed");

/** All points, page by page: `page.next` is the URL of the next page, and its cursor is a query parameter. */
async function pages(runId: string): Promise<Point[]> {
  const points: Point[] = [];
  let cursor: string | undefined;
  do {
    const { data, error } = await client.GET("/runs/{runId}/metric-resource", {
      params: { path: { runId }, query: { limit: 5000, ...(cursor === undefined ? {} : { cursor }) } },
    });
    if (error) throw new Error(`${error.status} ${error.detail}`);
    points.push(...data.metrics);
    const next = data.page?.next;
    cursor = next == null ? undefined : (new URL(next, environment("SERVICE")).searchParams.get("cursor") ?? undefined);
  } while (cursor !== undefined);
  return points;
}

/** What can be drawn: NaN and the infinities come as strings. */
function finite(value: Point["value"]): number | null {
  return typeof value === "number" ? value : null;
}

const points = await pages(large);
const greatest = points.reduce((found, point) => Math.max(found, finite(point.value) ?? found), -Infinity);

const series = await client.GET("/runs/{runId}/metric-resource/series", {
  params: { path: { runId: first }, query: { name: ["Loss"], points: 5, timezone: "Asia/Tokyo" } },
});
if (series.error) throw new Error(series.error.detail);

const table = await tables.GET("/runs/{runId}/metric-resource", {
  params: { path: { runId: first } },
  headers: { Accept: "text/csv" },
  parseAs: "text",
});
if (table.error) throw new Error(table.error.detail);

const details = await client.GET("/runs/{runId}", { params: { path: { runId: first } } });
if (details.error) throw new Error(details.error.detail);

const runs = await client.GET("/runs", { params: { query: { status: ["COMPLETED"], limit: 2 } } });
if (runs.error) throw new Error(runs.error.detail);

const compared = await client.GET("/comparisons", { params: { query: { run: [first, second, "unheard-of"] } } });
if (compared.error) throw new Error(compared.error.detail);

const chart = await pictures.GET("/comparisons/chart", {
  params: { query: { run: [first, second], metric: ["Loss"] } },
  headers: { Accept: "image/png" },
  parseAs: "arrayBuffer",
});
if (chart.error) throw new Error(chart.error.detail);

const unknown = await client.GET("/runs/{runId}/tags", { params: { path: { runId: "unheard-of" } } });
const capabilities = await client.GET("/capabilities");

const log = await client.GET("/runs/{runId}/logs", {
  params: { path: { runId: first }, query: { limit: 2, timezone: "Asia/Tokyo" } },
});
if (log.error) throw new Error(log.error.detail);

const groups = await client.GET("/resource-groups");
if (groups.error) throw new Error(groups.error.detail);

console.log(
  JSON.stringify({
    points: points.length,
    greatest,
    series: series.data.series.map((one) => [one.name, one.points.length, one.count, one.last.timestamp?.slice(-6)]),
    rows: table.data.trimEnd().split("\r\n").length,
    parameters: details.data.parameters?.map((parameter) => parameter.key) ?? null,
    tab: details.data.metricResource.available,
    runs: [runs.data.runs.length, runs.data.count],
    compared: compared.data.runs.map((run) => run.runId),
    missing: compared.data.missing.map((run) => [run.runId, run.problem.status]),
    chart: [...new Uint8Array(chart.data.slice(1, 4))].map((code) => String.fromCharCode(code)).join(""),
    unknown: unknown.error?.type,
    log: log.data.logs.map((line) => line.timestamp?.slice(-6) ?? null),
    groups: groups.data.resourceGroups.map((group) => group.id),
    metrics: capabilities.data?.metricResource.available,
  }),
);
