import { describe, expect, test } from "vitest";
import { type EventLine, HEALTH } from "../../../infra/lambda/names.ts";
import type { MetricPoint, MetricQuery, MetricSource, StreamRecord } from "../../../infra/lambda/ports.ts";
import { beatTime, Sweep } from "../../../infra/lambda/sweeping.ts";
import { FLIGHTS } from "./pipelines.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 10, 22, 12, 30);
const at = (minutesAgo: number) => NOW - minutesAgo * MINUTE;

/** Metrics by name. Answers as GetMetricData does: what lies in the span. */
class MetricStore implements MetricSource {
  readonly points = new Map<string, MetricPoint[]>();
  add(name: string, time: number, value: number): this {
    this.points.set(name, [...(this.points.get(name) ?? []), { time, value }]);
    return this;
  }
  async read(queries: readonly MetricQuery[], from: number, until: number): Promise<Map<string, MetricPoint[]>> {
    return new Map(
      queries.map((q) => [q.id, (this.points.get(q.name) ?? []).filter((p) => p.time >= from && p.time < until)]),
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
  const names = { health: "Forewatch/flights/Health", rawStream: "flights", prefix: "fw-flights" };
  return { events, run: new Sweep({ spec, metrics, events, names }) };
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
    expect(await run.run(NOW)).toBe(last + idle + 5 * MINUTE - 2 * MINUTE);
    const early = sweep(new MetricStore().add(HEALTH.newestEvent, last, last / 1_000), spec);
    expect(await early.run.run(NOW - 10 * MINUTE)).toBeUndefined();
  });
  test("goes to every shard, without a group", async () => {
    const { run, events } = sweep(new MetricStore().add(HEALTH.newestEvent, at(30), at(30) / 1_000));
    const beat = await run.run(NOW);
    expect(events.records.map((r) => JSON.parse(r.data) as EventLine)).toEqual([
      { time: beat, key: null, fields: {} },
      { time: beat, key: null, fields: {} },
    ]);
    expect(events.records.map((r) => r.hashKey)).toEqual(["0", "170141183460469231731687303715884105728"]);
  });
});
