/** Batches of the windows stream, and what the compare handler's code writes of them. */
import { CompareBatch } from "../../../infra/lambda/compare-batch.ts";
import { CurrentForecast } from "../../../infra/lambda/forecasts.ts";
import { groupHash } from "../../../infra/lambda/known.ts";
import type { Datum } from "../../../infra/lambda/ports.ts";
import { type ForecastVersion, versionName } from "../../../src/core/forecast.ts";
import { seriesId } from "../../../src/core/series.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";
import { MemoryObjects, putToUse } from "./memory.ts";
import { FLIGHTS } from "./pipelines.ts";

export const HOUR = 3_600_000;
export const NOW = Date.UTC(2026, 10, 22, 12);
export const ORIGIN = NOW - 6 * HOUR;

/** A forecast of every listed series: 100 give or take 10 for each measure. */
export function version(origin: number, median = 100): ForecastVersion {
  const ids = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"].flatMap((o) =>
    FLIGHTS.series.measures.map((m) => seriesId(m.name, ["origin"], [o])),
  );
  const row = (v: number) => Array.from({ length: 48 }, () => v);
  return {
    format: 1,
    pipeline: "flights",
    version: versionName(origin),
    origin,
    every: HOUR,
    levels: [0.01, 0.5, 0.99],
    series: Object.fromEntries(
      ids.map((id) => [id, { method: "ensemble", quantiles: [row(median - 10), row(median), row(median + 10)] }]),
    ),
  };
}

export function batch(first: PipelineSpec | ForecastVersion = FLIGHTS, ...others: ForecastVersion[]) {
  return "format" in first ? batchOf(FLIGHTS, FLIGHTS, [first, ...others]) : batchOf(first, first, others);
}

/** @param trained the pipeline file that the versions were trained for. */
export async function batchOf(spec: PipelineSpec, trained: PipelineSpec, versions: readonly ForecastVersion[]) {
  const objects = new MemoryObjects();
  if (versions.length > 0) await putToUse(objects, "current.json", versions, trained);
  const forecast = new CurrentForecast(objects, "current.json", spec);
  const written: Datum[][] = [];
  const sink = { fail: false };
  const metrics = {
    async put(data: Iterable<Datum>) {
      if (sink.fail) throw new Error("Throttled");
      const all = [...data];
      if (all.length > 0) written.push(all);
    },
  };
  return {
    run: new CompareBatch(spec, forecast, metrics),
    forecast,
    written,
    sink,
    objects,
  };
}

export const window = (start: number, key: string, measures: object, over: object = {}) => ({
  kind: "window",
  start: new Date(start).toISOString(),
  end: new Date(start + HOUR).toISOString(),
  key,
  events: 5,
  measures,
  ...over,
});
export const message = (sequence: string, ...records: unknown[]) => ({
  sequence,
  data: Buffer.from(records.map((r) => JSON.stringify(r)).join("\n")),
});

/** As Flink tells that a window is closed: which groups it had, and which window it closed before. */
export const closed = (start: number, groups: readonly string[], after: number | null = start, every = HOUR) => ({
  kind: "closed",
  start: new Date(start).toISOString(),
  end: new Date(start + every).toISOString(),
  events: groups.length,
  groups: groups.map(groupHash).join(""),
  after: after === null ? null : new Date(after).toISOString(),
});
