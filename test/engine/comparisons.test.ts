/**
 * The same windows through the engine's comparer, with its store, and through the compare handler, which knows of them what Flink
 * tells: the groups that had events, and that a window is closed. Both must write the same comparisons, and every rule must find the
 * same windows breaching, healthy or missing.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { CompareBatch } from "../../infra/lambda/compare-batch.ts";
import { CurrentForecast } from "../../infra/lambda/forecasts.ts";
import { groupHash } from "../../infra/lambda/known.ts";
import type { Datum } from "../../infra/lambda/ports.ts";
import { Analyzer, type ClosedWindow } from "../../src/core/analyze.ts";
import { watchedMetric } from "../../src/core/compare.ts";
import { ForecastTable, type ForecastVersion, versionName } from "../../src/core/forecast.ts";
import { seriesId } from "../../src/core/series.ts";
import type { AlarmRule, PipelineSpec } from "../../src/core/spec.ts";
import { createPipelineTables, FRESH_CHECKPOINT } from "../../src/engine/checkpoint.ts";
import { Comparer, toPending } from "../../src/engine/comparer.ts";
import { IncidentBook } from "../../src/engine/incident-book.ts";
import { rowsOf, Store } from "../../src/engine/store.ts";
import { dataFolder } from "../support/engine.ts";
import { MemoryObjects, putToUse } from "../unit/infra/memory.ts";
import { FLIGHTS } from "../unit/infra/pipelines.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 22);
const HOURS = 24;

const DIRECTIONS = ["below", "above", "both"] as const;
const MISSING = ["missing", "ignore", "breaching", "notBreaching"] as const;
/** A rule for every way to watch each measure, each deciding by the last window alone. */
const RULES: AlarmRule[] = FLIGHTS.series.measures.flatMap((measure) =>
  DIRECTIONS.flatMap((direction) =>
    MISSING.map((missing) => ({
      ...FLIGHTS.alarms[0]!,
      ...{ name: `${measure.name}-${direction}-${missing}`, measure: measure.name, direction, missing },
      ...{ threshold: 1, datapoints: 1, periods: 1 },
    })),
  ),
);
const SPEC: PipelineSpec = { ...FLIGHTS, alarms: RULES };

/** Of all airports but one, for two thirds of the day; narrow, wide, and of no width. */
function forecast(): ForecastVersion {
  const series = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA"].flatMap((origin, i) =>
    FLIGHTS.series.measures.map((m) => {
      const row = (v: number) => Array.from({ length: (HOURS * 2) / 3 }, () => v);
      const half = [0, 0.4, 3][i % 3]!;
      return [
        seriesId(m.name, ["origin"], [origin]),
        { method: "ensemble", quantiles: [row(3 - half), row(3), row(3 + 2 * half)] },
      ] as const;
    }),
  );
  return {
    ...{ format: 1, pipeline: SPEC.name, version: versionName(START), origin: START, every: HOUR },
    levels: [0.01, 0.5, 0.99],
    series: Object.fromEntries(series),
  };
}

/** A day's closed windows: some groups silent in some hours, all of them in others, and values that are no numbers. */
function day(): ClosedWindow[] {
  const analyzer = new Analyzer(SPEC);
  const events = fc.sample(
    fc.record({
      second: fc.nat(HOURS * 3_600 - 1),
      origin: fc.constantFrom("ATL", "BOS", "DFW", "JFK", "LAX", "ORD", "???"),
      delay: fc.option(fc.integer({ min: -100, max: 200 }).map((tenths) => tenths / 10)),
    }),
    { numRuns: 200, seed: 7 },
  );
  const silent = new Set([0, 5, 6, 7, 15, 21, 22]);
  for (const { second, origin, delay } of events.sort((a, b) => a.second - b.second)) {
    if (silent.has(Math.floor(second / 3_600))) continue;
    const time = START + second * 1_000;
    analyzer.add({ time, values: [time, origin, null, delay, null] }, time);
  }
  analyzer.advanceTo(START + (HOURS + 1) * HOUR);
  return [...analyzer.close()];
}

/** What the engine makes of a window: its rows of the comparison, and of each rule and series whether it breaches. */
async function engine(windows: readonly ClosedWindow[]) {
  const folder = dataFolder();
  mkdirSync(folder, { recursive: true });
  const store = await Store.open(join(folder, "store.duckdb"));
  onTestFinished(() => store.close());
  await store.writer.run(`CREATE SCHEMA "${SPEC.name}"`);
  await store.writer.run(`CREATE SCHEMA "_${SPEC.name}"`);
  await createPipelineTables(store.writer, SPEC.name, ["origin"]);
  const table = new ForecastTable();
  table.add(forecast());
  const comparer = new Comparer(SPEC, table, new IncidentBook(store, SPEC.name), () => 0);
  let state = { ...FRESH_CHECKPOINT, liveFrom: 0 };
  const made = new Map<number, { rows: Record<string, unknown>[]; verdicts: Record<string, boolean | null> }>();
  for (const window of windows) {
    const pending = { ...state, pending: [toPending(window)] };
    await store.transaction(async (writer) => {
      const drained = await comparer.drain(writer, pending, Number.POSITIVE_INFINITY);
      state = { ...state, ...drained.state, liveFrom: 0 };
    });
    const rows = await rowsOf(
      store.writer,
      `SELECT series, actual, lower, median, upper, deviation, version FROM "${SPEC.name}".comparison
       WHERE window_start = make_timestamp(${window.start} * 1000) ORDER BY series`,
    );
    const verdicts: Record<string, boolean | null> = {};
    for (const rule of RULES)
      for (const [series, memory] of Object.entries(state.rules[rule.name]!.series))
        verdicts[`${rule.name} ${series}`] = memory.recent.at(-1)!.breaching;
    made.set(window.end, { rows: [...rows], verdicts });
  }
  return made;
}

/** What the handler's code writes of the same windows, in whatever order its records come. */
async function handler(windows: readonly ClosedWindow[]): Promise<Datum[]> {
  const objects = new MemoryObjects();
  await putToUse(objects, "current.json", [forecast()], SPEC);
  const written: Datum[] = [];
  const sink = { put: async (data: Iterable<Datum>) => void written.push(...data) };
  const batch = new CompareBatch(SPEC, new CurrentForecast(objects, "current.json", SPEC), sink);
  const records: object[] = [];
  let after: string | null = null;
  for (const { start, end, groups } of windows) {
    const there = groups.filter((g) => g.events > 0);
    if (there.length === 0) continue;
    const times = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
    const list = there.map((g) => groupHash(g.key)).join("");
    records.push({ kind: "closed", ...times, events: 9, groups: list, after });
    for (const { key, events, values } of there) {
      // JSON has no NaN, and Flink writes null.
      const measures = Object.fromEntries(SPEC.series.measures.map((m, i) => [m.name, values[i]]));
      records.push({ kind: "window", ...times, key, events, measures });
    }
    after = times.end;
  }
  const messages = records.map((r, i) => ({ sequence: String(i), data: Buffer.from(JSON.stringify(r)) }));
  const outcome = await batch.run(messages.reverse(), START + (HOURS + 1) * HOUR);
  expect(outcome).toMatchObject({ unreadable: [], unwritable: 0, tooOld: 0, turnedAway: 0 });
  expect(outcome.failure).toBeUndefined();
  return written;
}

test("engine and handler compare the same windows alike, and every rule sees the same in them", async () => {
  const all = day();
  // Before the first event there is no window, and after the last no event has closed one in Flink.
  const last = all.findLastIndex((w) => w.groups.some((g) => g.events > 0));
  const windows = all.slice(0, last + 1);
  const made = await engine(windows);
  const written = await handler(windows);
  const seen = new Map<boolean | null, number>();
  for (const { end } of windows) {
    const data = new Map<string, number>();
    for (const { series, name, value } of written.filter((d) => d.time === end)) {
      expect(data.get(`${series} ${name}`) ?? value).toBe(value);
      data.set(`${series} ${name}`, value);
    }
    const { rows, verdicts } = made.get(end)!;
    expect(rows).toHaveLength(8 * SPEC.series.measures.length);
    const expected = rows.flatMap(({ series, actual, lower, median, upper, deviation, version }) =>
      Object.entries({
        ...{ Actual: actual, Lower: lower, Median: median, Upper: upper, Deviation: deviation },
        ForecastMissing: version === null ? 1 : 0,
      }).flatMap(([name, value]) => (value === null ? [] : [[`${series} ${name}`, value] as const])),
    );
    const compared = [...data].filter(([id]) => !/ Deviation(Size|\w*OrSilence)$/.test(id));
    expect(Object.fromEntries(compared)).toEqual(Object.fromEntries(expected));
    for (const rule of RULES) {
      for (const { series } of rows.filter((r) => String(r.series).startsWith(`${rule.measure}{`))) {
        const value = data.get(`${String(series)} ${watchedMetric(rule)}`);
        const breaching = rule.direction === "below" ? value! < -rule.threshold : value! > rule.threshold;
        const verdict = value === undefined ? null : breaching;
        expect(verdict, `${rule.name} ${String(series)}`).toBe(verdicts[`${rule.name} ${String(series)}`]);
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
      }
    }
  }
  for (const verdict of [true, false, null]) expect(seen.get(verdict), String(verdict)).toBeGreaterThan(100);
});
