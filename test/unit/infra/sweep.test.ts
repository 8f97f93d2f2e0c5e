import { describe, expect, test } from "vitest";
import { type EventLine, HEALTH, metricDimension, type WindowRecord } from "../../../infra/lambda/names.ts";
import type { MetricPoint, MetricQuery, MetricSource, StreamRecord } from "../../../infra/lambda/ports.ts";
import { beatTime, knownGroups, Sweep } from "../../../infra/lambda/sweeping.ts";
import { ForecastTable } from "../../../src/core/forecast.ts";
import { CLICKS, FLIGHTS } from "./pipelines.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 10, 22, 12, 30);
const at = (minutesAgo: number) => NOW - minutesAgo * MINUTE;
const EMPTY = new ForecastTable();

/** Metrics by name; of a comparison's marker, by series. Answers as GetMetricData does: what lies in the span. */
class MetricStore implements MetricSource {
  readonly points = new Map<string, MetricPoint[]>();
  reads = 0;
  add(name: string, time: number, value: number): this {
    this.points.set(name, [...(this.points.get(name) ?? []), { time, value }]);
    return this;
  }
  async read(queries: readonly MetricQuery[], from: number, until: number): Promise<Map<string, MetricPoint[]>> {
    this.reads++;
    return new Map(
      queries.map((q) => {
        const name = q.dimensions.Series === undefined ? q.name : `${q.name} ${q.dimensions.Series}`;
        return [q.id, (this.points.get(name) ?? []).filter((p) => p.time >= from && p.time < until)];
      }),
    );
  }
}

class Stream {
  readonly records: StreamRecord[] = [];
  async put(records: readonly StreamRecord[]): Promise<number[]> {
    this.records.push(...records);
    return [];
  }
  async shards(): Promise<string[]> {
    return ["0", "170141183460469231731687303715884105728"];
  }
}

function sweep(metrics: MetricStore, spec = FLIGHTS) {
  const events = new Stream();
  const windows = new Stream();
  const names = {
    namespace: "Forewatch/flights",
    health: "Forewatch/flights/Health",
    rawStream: "flights",
    prefix: "fw-flights",
  };
  return { events, windows, metrics, run: new Sweep({ spec, metrics, events, windows, names }) };
}

describe("a beat", () => {
  const newest = NOW / 1_000 - 600;
  const events = [{ time: at(11), value: newest }];
  const quiet = { events, beats: [], incoming: [], relayAge: [] };
  const minutes = (from: number, to: number, value: number) =>
    Array.from({ length: from - to + 1 }, (_, i) => ({ time: at(from - i), value }));

  test("moves the clock on by the silence", () => {
    const time = beatTime(FLIGHTS, quiet, NOW);
    // Ten minutes after the minute in which the newest event came in, less a minute for what is on its way.
    expect(time).toBe(newest * 1_000 + 10 * MINUTE - MINUTE);
  });
  test("goes on from beat to beat", () => {
    const first = beatTime(FLIGHTS, quiet, NOW)!;
    const beats = [{ time: NOW, value: first / 1_000 }];
    const second = beatTime(FLIGHTS, { ...quiet, beats }, NOW + 5 * MINUTE)!;
    expect(second - first).toBeGreaterThan(2 * MINUTE);
    expect(second).toBeLessThanOrEqual(NOW + 5 * MINUTE);
  });
  test.each([
    ["before the first event", { ...quiet, events: [] }],
    ["while events come in", { ...quiet, events: [...events, { time: at(2), value: newest + 500 }] }],
    ["while the relay is behind", { ...quiet, relayAge: [{ time: at(2), value: 20 * MINUTE }] }],
    ["while records come in and the relay is not called", { ...quiet, incoming: minutes(9, 0, 3) }],
    [
      "while records wait that came after the relay was last called",
      { ...quiet, incoming: minutes(9, 5, 3), relayAge: minutes(9, 6, 500) },
    ],
  ])("is not made %s", (_, health) => {
    expect(beatTime(FLIGHTS, health, NOW)).toBeUndefined();
  });
  test.each([
    ["minutes without a record are told as zeros", { ...quiet, incoming: minutes(9, 1, 0) }],
    [
      "every record that comes in is turned away",
      { ...quiet, incoming: minutes(11, 1, 40), relayAge: minutes(11, 2, 900) },
    ],
    ["the relay was behind, and has caught up", { ...quiet, relayAge: minutes(20, 11, 20 * MINUTE) }],
  ])("is made when %s", (_, health) => {
    expect(beatTime(FLIGHTS, health, NOW)).toBeDefined();
  });
  test.each([
    2 * MINUTE,
    3 * HOUR,
    26 * HOUR,
  ])("is made when the stream may be silent for %d ms, and was longer", async (idle) => {
    const spec = { ...FLIGHTS, source: { ...FLIGHTS.source, idle } };
    const last = NOW - idle - 5 * MINUTE;
    const { run } = sweep(new MetricStore().add(HEALTH.newestEvent, last, last / 1_000), spec);
    expect((await run.run(NOW, EMPTY)).beat).toBe(last + idle + 5 * MINUTE - 2 * MINUTE);
    const early = sweep(new MetricStore().add(HEALTH.newestEvent, last, last / 1_000), spec);
    expect((await early.run.run(NOW - 10 * MINUTE, EMPTY)).beat).toBeUndefined();
  });
  test("goes to every shard, without a group", async () => {
    const { run, events } = sweep(new MetricStore().add(HEALTH.newestEvent, at(30), at(30) / 1_000));
    const { beat } = await run.run(NOW, EMPTY);
    expect(events.records.map((r) => JSON.parse(r.data) as EventLine)).toEqual([
      { time: beat, key: null, fields: {} },
      { time: beat, key: null, fields: {} },
    ]);
    expect(events.records.map((r) => r.hashKey)).toEqual(["0", "170141183460469231731687303715884105728"]);
  });
});

describe("a closed window", () => {
  const end = Date.UTC(2026, 10, 22, 12);
  const compared = (metrics: MetricStore, origin: string, time = end) =>
    metrics.add(`ForecastMissing ${metricDimension(`departures{origin=${origin}}`)}`, time, 1);
  const busy = () =>
    new MetricStore().add(HEALTH.newestEvent, at(1), NOW / 1_000).add(HEALTH.closed, at(15), end / 1_000);

  test("gets the groups it lacks, as empty windows", async () => {
    const metrics = busy();
    for (const origin of ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX"]) compared(metrics, origin);
    const { run, windows, events } = sweep(metrics);
    expect(await run.run(NOW, EMPTY)).toEqual({ beat: undefined, swept: 2 });
    expect(events.records).toEqual([]);
    const records = windows.records.map((r) => JSON.parse(r.data) as WindowRecord);
    expect(records).toEqual(
      ["LGA", "ORD"].map((key) => ({
        kind: "window",
        start: "2026-11-22T11:00:00Z",
        end: "2026-11-22T12:00:00Z",
        key,
        events: 0,
        measures: { departures: 0, mean_delay: null, delay_spread: null },
        swept: true,
      })),
    );
  });

  test("that lacks none is not asked about again", async () => {
    const metrics = busy();
    for (const origin of knownGroups(FLIGHTS, EMPTY)) compared(metrics, origin);
    const { run, windows } = sweep(metrics);
    await run.run(NOW, EMPTY);
    const reads = metrics.reads;
    await run.run(NOW + MINUTE, EMPTY);
    expect(metrics.reads).toBe(reads + 1);
    expect(windows.records).toEqual([]);
  });

  test("is left alone until its groups have had time to be compared", async () => {
    const { run, windows } = sweep(
      new MetricStore().add(HEALTH.newestEvent, at(1), NOW / 1_000).add(HEALTH.closed, at(2), end / 1_000),
    );
    expect((await run.run(NOW, EMPTY)).swept).toBe(0);
    expect(windows.records).toEqual([]);
  });

  test("is one that Flink closed: when Flink is down, nothing is taken for silence", async () => {
    const { run, windows } = sweep(
      new MetricStore().add("IncomingRecords", at(1), 50).add(HEALTH.newestEvent, at(1), NOW / 1_000),
    );
    expect(await run.run(NOW, EMPTY)).toEqual({ beat: undefined, swept: 0 });
    expect(windows.records).toEqual([]);
  });

  test("and all between two that closed while the sweep was away", async () => {
    const metrics = busy().add(HEALTH.closed, at(15), (end - 2 * HOUR) / 1_000);
    const { run, windows } = sweep(metrics);
    await run.run(NOW, EMPTY);
    const ends = new Set(windows.records.map((r) => (JSON.parse(r.data) as WindowRecord).end));
    expect(ends).toEqual(new Set(["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"]));
  });
});

test("discovered groups are known from the forecast", () => {
  const table = new ForecastTable();
  const forecast = { method: "ensemble", quantiles: [[1], [2], [3]] };
  table.add({
    format: 1,
    pipeline: CLICKS.name,
    version: "v",
    origin: 0,
    every: 300_000,
    levels: [0.01, 0.5, 0.99],
    series: {
      "views{Page=/a|b,mobile=true}": forecast,
      "traffic{Page=/a|b,mobile=true}": forecast,
      "views{Page=/,mobile=false}": forecast,
    },
  });
  expect(knownGroups(CLICKS, table)).toEqual(["/a\\|b|true", "/|false"].sort());
  expect(knownGroups(CLICKS, EMPTY)).toEqual([]);
});
