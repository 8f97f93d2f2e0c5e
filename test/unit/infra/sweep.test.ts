import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventLine, HEALTH } from "../../../infra/lambda/names.ts";
import type { MetricPoint, MetricQuery, MetricSource, StreamRecord } from "../../../infra/lambda/ports.ts";
import { relay } from "../../../infra/lambda/relaying.ts";
import { lineShape } from "../../../infra/lambda/shapes.ts";
import { Sweep } from "../../../infra/lambda/sweeping.ts";
import { Analyzer } from "../../../src/core/analyze.ts";
import { checks } from "./checks.ts";
import { FLIGHTS } from "./pipelines.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 22, 12, 30);
const at = (minutesAgo: number) => NOW - minutesAgo * MINUTE;

/** How long CloudWatch keeps points, by the period of the query (User Guide, "Metrics retention"). */
const KEPT = [
  { period: 60, days: 15 },
  { period: 300, days: 63 },
  { period: 3_600, days: 455 },
];

/** Metrics by name, told in minutes. Answers as GetMetricData does: what lies in the span and is kept, folded to the period. */
class MetricStore implements MetricSource {
  readonly points = new Map<string, MetricPoint[]>();
  /** Periods that were asked for. */
  readonly periods: number[] = [];
  add(name: string, time: number, value: number): this {
    const points = this.points.get(name);
    if (points) points.push({ time, value });
    else this.points.set(name, [{ time, value }]);
    return this;
  }
  async read(queries: readonly MetricQuery[], from: number, until: number): Promise<Map<string, MetricPoint[]>> {
    return new Map(
      queries.map(({ id, name, period, statistic }) => {
        this.periods.push(period);
        const kept = until - KEPT.findLast((k) => period >= k.period)!.days * DAY;
        const folded = new Map<number, number>();
        for (const { time, value } of this.points.get(name) ?? []) {
          if (time < Math.max(from, kept) || time >= until) continue;
          const start = Math.floor(time / (period * 1_000)) * period * 1_000;
          const before = folded.get(start);
          const sum = statistic === "Sum" ? (before ?? 0) + value : Math.max(before ?? value, value);
          folded.set(start, sum);
        }
        return [id, Array.from(folded, ([time, value]) => ({ time, value })).sort((a, b) => a.time - b.time)];
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
  const names = { health: "Forewatch/flights/Health", rawStream: "flights", prefix: "fw-flights" };
  return { events, metrics, run: new Sweep({ spec, metrics, events, names }) };
}

/** An event, told by the relay in the minute of its arrival. */
function told(arrival: number, time = arrival, metrics = new MetricStore()): MetricStore {
  const minute = Math.floor(arrival / MINUTE) * MINUTE;
  return metrics.add(HEALTH.newestEvent, minute, time / 1_000).add(HEALTH.onTime, minute, arrival / 1_000);
}

/** Runs the sweep each minute of a span; its beats are told as its metric. @returns the last beat's time. */
async function eachMinute(one: ReturnType<typeof sweep>, from: number, until: number): Promise<number | undefined> {
  let last: number | undefined;
  for (let now = from; now <= until; now += MINUTE) {
    const beat = await one.run.run(now);
    if (beat === undefined) continue;
    one.metrics.add(HEALTH.clock, Math.floor(now / MINUTE) * MINUTE, beat.delay / 1_000);
    last = beat.time;
  }
  return last;
}

describe("a beat", () => {
  test("moves the clock on by the silence, less a minute for what is on its way", async () => {
    const arrival = at(11) + 17_000;
    expect(await sweep(told(arrival, arrival - 5_000)).run.run(NOW)).toEqual({
      time: NOW - 5_000 - MINUTE,
      delay: 5_000,
    });
  });
  test("after beat keeps the clock at the wall clock's pace, for as long as the silence lasts", async () => {
    const one = sweep(told(at(0), at(0) - 30_000));
    expect(await eachMinute(one, NOW, NOW + 8 * HOUR)).toBe(NOW + 8 * HOUR - 30_000 - MINUTE);
  });
  test.each([
    ["three hours", 3 * HOUR + 5 * MINUTE],
    ["a week", 7 * DAY],
    ["a month", 31 * DAY],
    ["a year", 365 * DAY],
  ])("is made after %s in which neither an event came nor the sweep ran", async (_, away) => {
    const afterEvent = sweep(told(NOW - away, NOW - away - 40_000));
    expect((await afterEvent.run.run(NOW))?.time).toBe(NOW - 40_000 - MINUTE);
    const beaten = new MetricStore().add(HEALTH.clock, NOW - away, 40);
    expect((await sweep(beaten).run.run(NOW))?.time).toBe(NOW - 40_000 - MINUTE);
  });
  test("is not held back by an event whose window the clock had left behind, though the relay knows of none", async () => {
    const { lateness, idle } = FLIGHTS.source;
    expect(idle).toBeLessThan(30 * MINUTE);
    const one = sweep(told(at(0)));
    const straggles = NOW + 2 * HOUR;
    await eachMinute(one, NOW + MINUTE, straggles - MINUTE);
    // A container that has just been started takes it for on time.
    told(straggles, NOW - lateness, one.metrics);
    for (let now = straggles; now < straggles + 30 * MINUTE; now += MINUTE)
      expect(await eachMinute(one, now, now)).toBe(now - MINUTE);
    // One of the window that is open breaks the silence.
    told(straggles + 30 * MINUTE, straggles + 20 * MINUTE, one.metrics);
    expect(await eachMinute(one, straggles + 31 * MINUTE, straggles + 31 * MINUTE)).toBeUndefined();
  });
  test("is made of what was found once, until there is something newer", async () => {
    const idle = 2 * DAY;
    const one = sweep(told(at(0)), { ...FLIGHTS, source: { ...FLIGHTS.source, idle } });
    expect(await eachMinute(one, NOW + MINUTE, NOW + idle)).toBeUndefined();
    expect(one.metrics.periods.filter((p) => p > 60)).toHaveLength(3);
    one.metrics.periods.length = 0;
    expect(await eachMinute(one, NOW + idle, NOW + idle + 5 * MINUTE)).toBe(NOW + idle + 4 * MINUTE);
    told(NOW + idle + 6 * MINUTE, NOW + idle + 6 * MINUTE - 1_000, one.metrics);
    expect(await eachMinute(one, NOW + idle + 7 * MINUTE, NOW + 2 * idle)).toBeUndefined();
    expect(await eachMinute(one, NOW + 2 * idle, NOW + 2 * idle + 9 * MINUTE)).toBe(
      NOW + 2 * idle + 8 * MINUTE - 1_000,
    );
  });
  test.each([
    2 * MINUTE,
    3 * HOUR,
    26 * HOUR,
    20 * DAY,
  ])("is made when the stream may be silent for %d ms, and was longer", async (idle) => {
    const spec = { ...FLIGHTS, source: { ...FLIGHTS.source, idle } };
    const last = NOW - idle - 5 * MINUTE;
    expect((await sweep(told(last), spec).run.run(NOW))?.time).toBe(NOW - MINUTE);
    expect(await sweep(told(last), spec).run.run(NOW - 4 * MINUTE)).toBeUndefined();
  });
  test("goes to every shard, without a group", async () => {
    const { run, events } = sweep(told(at(30)));
    const { time } = (await run.run(NOW))!;
    expect(events.records.map((r) => JSON.parse(r.data) as EventLine)).toEqual([
      { time, key: null, shape: lineShape(FLIGHTS), fields: {} },
      { time, key: null, shape: lineShape(FLIGHTS), fields: {} },
    ]);
    expect(events.records.map((r) => r.hashKey)).toEqual(["0", "170141183460469231731687303715884105728"]);
  });
  test("that a shard refuses is a failure of the run, not a beat", async () => {
    const { run, events } = sweep(told(at(30)));
    events.put = async () => [1];
    await expect(run.run(NOW)).rejects.toThrow("1 of 2 shards refused the beat");
  });

  const minutes = (name: string, from: number, to: number, value: number) => (metrics: MetricStore) => {
    for (let ago = from; ago >= to; ago--) metrics.add(name, at(ago), value);
  };
  const incoming = (from: number, to: number, value: number) => minutes("IncomingRecords", from, to, value);
  const relayAge = (from: number, to: number, value: number) => minutes("IteratorAge", from, to, value);
  test.each([
    ["before the first event", [(m: MetricStore) => m.points.clear()]],
    ["while events come in", [(m: MetricStore) => told(at(2), at(2), m)]],
    ["while events come in out of order, on time", [(m: MetricStore) => told(at(2), at(15), m)]],
    ["while the relay is behind", [relayAge(2, 2, 20 * MINUTE)]],
    ["while records come in and the relay is not called", [incoming(9, 0, 3)]],
    ["while records wait that came after the relay was last called", [incoming(9, 5, 3), relayAge(9, 6, 500)]],
    ["where the clock of the stream is ahead of it", [(m: MetricStore) => told(at(11), NOW + HOUR, m)]],
  ])("is not made %s", async (_, more) => {
    const metrics = told(at(11));
    for (const add of more) add(metrics);
    const beat = await sweep(metrics).run.run(NOW);
    expect(beat?.time ?? Number.POSITIVE_INFINITY).toBeGreaterThan(NOW);
  });
  test.each([
    ["minutes without a record are told as zeros", [incoming(9, 1, 0)]],
    ["every record that comes in is turned away", [incoming(11, 1, 40), relayAge(11, 2, 900)]],
    ["the events that come in are late", [(m: MetricStore) => m.add(HEALTH.newestEvent, at(2), at(90) / 1_000)]],
    ["the relay was behind, and has caught up", [relayAge(20, 11, 20 * MINUTE)]],
  ])("is made when %s", async (_, more) => {
    const metrics = told(at(11));
    for (const add of more) add(metrics);
    expect((await sweep(metrics).run.run(NOW))?.time).toBe(NOW - MINUTE);
  });

  describe("and a relay that is switched off", () => {
    const THREE_DAYS = { ...FLIGHTS, retention: { ...FLIGHTS.retention, stream: 3 * DAY } };
    /** Events each minute of the last two hours and their relay; it is switched off `off` minutes ago, and ten records come `came` ago. */
    const world = (off: number, came?: number) => {
      const metrics = told(at(off));
      for (const add of [incoming(off + 120, off, 10), relayAge(off + 120, off, 500)]) add(metrics);
      if (came !== undefined) incoming(came, came, 10)(metrics);
      return sweep(metrics, THREE_DAYS);
    };
    test.each([
      ["in the next hour", 31, 25],
      ["in the same hour", 29, 20],
    ])("with records that came %s is not made, and once they are not kept any more it is", async (_, off, came) => {
      const one = world(off, came);
      for (const later of [0, 2 * HOUR, 4 * HOUR, 70 * HOUR]) expect(await one.run.run(NOW + later)).toBeUndefined();
      // Another container's sweep knows no more than the metrics.
      expect(await sweep(one.metrics, THREE_DAYS).run.run(NOW + 71 * HOUR)).toBeUndefined();
      expect((await one.run.run(NOW + 75 * HOUR))?.time).toBe(NOW + 75 * HOUR - MINUTE);
    });
    test("is made some time after the stream has let go of what waited, though the sweep never paused", async () => {
      const one = world(31, 25);
      expect(await eachMinute(one, NOW, NOW + 71 * HOUR)).toBeUndefined();
      expect(await eachMinute(one, NOW + 71 * HOUR, NOW + 75 * HOUR)).toBe(NOW + 75 * HOUR - MINUTE);
    });
    test("goes on when it is called again for what came", async () => {
      const one = world(31, 25);
      expect(await one.run.run(NOW + 5 * HOUR)).toBeUndefined();
      for (const name of [HEALTH.newestEvent, HEALTH.onTime])
        one.metrics.add(name, NOW + 5 * HOUR, (NOW - 25 * MINUTE) / 1_000);
      one.metrics.add("IteratorAge", NOW + 5 * HOUR, 5 * HOUR).add("IteratorAge", NOW + 5 * HOUR + MINUTE, 500);
      expect(await one.run.run(NOW + 5 * HOUR + 2 * MINUTE)).toBeUndefined();
      const later = NOW + 5 * HOUR + 20 * MINUTE;
      expect((await one.run.run(later))?.time).toBe(later - MINUTE);
    });
    test("is made where nothing came, and the hours before are asked for once", async () => {
      const one = world(31);
      expect(await eachMinute(one, NOW, NOW + 10 * HOUR)).toBe(NOW + 10 * HOUR - MINUTE);
      expect(one.metrics.periods.filter((p) => p > 60)).toEqual([3_600, 3_600]);
    });
  });
});

describe("on whatever stream", () => {
  const spec = { ...FLIGHTS, source: { ...FLIGHTS.source, idle: 4 * MINUTE, lateness: 10 * MINUTE } };
  const step = fc.record({
    // Between two arrivals, s: mostly close together, and silences of up to a day.
    gap: fc.oneof({ weight: 6, arbitrary: fc.nat(90) }, fc.integer({ min: 300, max: 3_600 }), fc.nat(86_400)),
    // How far the event's time lies behind its arrival, s: in order, out of order, late.
    behind: fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, fc.integer({ min: -30, max: 600 }), fc.nat(7_200)),
  });
  /** The second event is newer than the first, and yet late by the clock that went on in between. */
  const STRAGGLER = [
    { gap: 22_186, behind: 0 },
    { gap: 1_854, behind: 641 },
    { gap: 300, behind: 0 },
  ];
  /** Minutes between the runs of a sweep that pauses. */
  const pause = fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 400 }));

  test("beats never run ahead of the engine's clock, and in silence stay a minute behind it", async () => {
    let silent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(pause, { minLength: 1, maxLength: 30 }),
        async (steps, pauses) => {
          // Vitest takes a worker that does not answer for a minute for dead.
          await new Promise(setImmediate);
          const one = sweep(new MetricStore(), spec);
          const toEvents = relay(spec, checks(spec));
          const engine = new Analyzer(spec);
          const arrivals: { arrival: number; time: number }[] = [];
          for (const { gap, behind } of steps) {
            const arrival = (arrivals.at(-1)?.arrival ?? NOW) + gap * 1_000 + 1;
            arrivals.push({ arrival, time: arrival - behind * 1_000 });
          }
          let clock = Number.NEGATIVE_INFINITY;
          let onTime = Number.NEGATIVE_INFINITY;
          let next = 0;
          const until = arrivals.at(-1)!.arrival + 4 * HOUR;
          for (let now = NOW + 15_000, run = 0; now < until; now += MINUTE * pauses[run++ % pauses.length]!) {
            for (; next < arrivals.length && arrivals[next]!.arrival <= now; next++) {
              const { arrival, time } = arrivals[next]!;
              engine.tick(arrival, 0);
              engine.add({ time, values: [time, "BOS", null, null, null] }, arrival);
              const data = Buffer.from(JSON.stringify({ scheduled: time, origin: "BOS" }));
              const told = await toEvents([{ sequence: String(next), shard: "shardId-000000000000", data, arrival }]);
              // Told within the minute of its arrival, or in the next one.
              const minute = Math.floor((arrival + 20_000) / MINUTE) * MINUTE;
              one.metrics.add(HEALTH.newestEvent, minute, told.newest! / 1_000);
              if (told.onTime !== undefined) one.metrics.add(HEALTH.onTime, minute, told.onTime / 1_000);
              clock = Math.max(clock, time);
              onTime = Math.max(onTime, told.onTime ?? onTime);
            }
            engine.tick(now, 0);
            const beat = await one.run.run(now);
            if (beat) {
              one.metrics.add(HEALTH.clock, Math.floor(now / MINUTE) * MINUTE, beat.delay / 1_000);
              clock = Math.max(clock, beat.time);
            }
            if (engine.watermark === null) continue;
            expect(clock).toBeLessThanOrEqual(engine.watermark + spec.source.lateness);
            const { newest, newestArrival } = engine.state();
            // An event that the engine's own clock has left behind is late there; the relay knows no beats, and waits for it.
            if (now - onTime < spec.source.idle + 2 * MINUTE || newestArrival !== onTime) continue;
            silent++;
            expect(clock).toBeGreaterThanOrEqual(newest! + now - newestArrival - MINUTE);
          }
        },
      ),
      { numRuns: 40, examples: [[STRAGGLER, [1]]] },
    );
    expect(silent).toBeGreaterThan(1_000);
  });
});
