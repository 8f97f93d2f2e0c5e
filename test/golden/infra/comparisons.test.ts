/** The golden cases through the compare handler's code: window records in, as Flink writes them, and CloudWatch's data out. */
import { describe, expect, test } from "vitest";
import { CompareBatch } from "../../../infra/lambda/compare-batch.ts";
import { CurrentForecast } from "../../../infra/lambda/forecasts.ts";
import type { Datum } from "../../../infra/lambda/ports.ts";
import { type ForecastVersion, versionName } from "../../../src/core/forecast.ts";
import { parseGroupKey, seriesId } from "../../../src/core/series.ts";
import { byFields, type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { MemoryObjects, putToUse } from "../../unit/infra/memory.ts";
import deviations from "../deviations.golden.json" with { type: "json" };
import windows from "../windows.golden.json" with { type: "json" };

const HOUR = 3_600_000;
const START = Date.UTC(2001, 2, 5, 10);

/** What CloudWatch gets for one window of one group. */
async function compared(
  spec: PipelineSpec,
  record: { readonly start: number; readonly key: string; readonly measures: Readonly<Record<string, number | null>> },
  forecast?: ForecastVersion,
): Promise<readonly Datum[]> {
  const objects = new MemoryObjects();
  if (forecast) await putToUse(objects, "current.json", [forecast], spec);
  const written: Datum[] = [];
  const sink = { put: async (data: readonly Datum[]) => void written.push(...data) };
  const batch = new CompareBatch(spec, new CurrentForecast(objects, "current.json", spec), sink);
  const end = record.start + spec.series.every;
  const times = { start: new Date(record.start).toISOString(), end: new Date(end).toISOString() };
  const text = JSON.stringify({ kind: "window", ...record, ...times, events: 1 });
  const outcome = await batch.run([{ sequence: "1", data: Buffer.from(text) }], end + 60_000);
  expect(outcome.failure).toBeUndefined();
  for (const datum of written) expect(datum.time).toBe(end);
  return written;
}

describe("the compare handler gives the golden deviations", () => {
  test.each(deviations.cases)("$name", async ({ actual, band, resolution, deviation }) => {
    const spec = requireSpec(
      JSON.stringify({
        name: "golden",
        source: { time: "t", fields: { t: "timestamp", x: "double" } },
        series: { every: "1h", measures: { n: { sum: "x", resolution } } },
      }),
    );
    const forecast = band && {
      ...{ format: 1 as const, pipeline: "golden", version: versionName(START), origin: START, every: HOUR },
      levels: [0.01, 0.5, 0.99],
      series: { n: { method: "ensemble", quantiles: band.map((v) => [v, v]) } },
    };
    const record = { start: START, key: "", measures: { n: actual } };
    const written = await compared(spec, record, forecast ?? undefined);
    const found = written.find((d) => d.name === "Deviation");
    if (deviation === null) expect(found).toBeUndefined();
    else expect(Math.abs(found!.value - deviation)).toBeLessThanOrEqual(1e-6 * Math.abs(deviation));
    expect(written.find((d) => d.name === "ForecastMissing")!.value).toBe(band ? 0 : 1);
  });
});

describe("the compare handler writes the golden windows' values", () => {
  test.each(windows.cases)("$name", async ({ series, windows: closed }) => {
    const spec = requireSpec(JSON.stringify({ name: "golden", source: windows.source, series }));
    const fields = byFields(spec);
    for (const window of closed) {
      const groups = window.groups as Record<string, Record<string, number | null>>;
      for (const [key, measures] of Object.entries(groups)) {
        const written = await compared(spec, { start: Date.parse(window.start), key, measures });
        const actual = Object.fromEntries(
          written.filter((d) => d.name === "Actual").map((d) => [d.series, d.value] as const),
        );
        const expected = Object.entries(measures)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => [seriesId(name, fields, parseGroupKey(key, fields.length)), value] as const);
        expect(actual).toEqual(Object.fromEntries(expected));
      }
    }
  });
});
