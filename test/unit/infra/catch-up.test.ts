/**
 * The relay after an outage: records have piled up, and more events are to go on than a shard takes at once. Real relay, real sink, the
 * analysis behind them; Kinesis has a time of its own.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamSink } from "../../../infra/lambda/aws.ts";
import type { EventLine } from "../../../infra/lambda/names.ts";
import { type IncomingRecord, pass, relay } from "../../../infra/lambda/relaying.ts";
import { Analyzer } from "../../../src/core/analyze.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { checks } from "./checks.ts";
import { type Failure, Shards } from "./shards.ts";

const MIB = 2 ** 20;
const START = Date.UTC(2026, 10, 22, 10);
const SHARD = "shardId-000000000000";
const LATENESS = 60_000;
const SPEC = requireSpec(
  JSON.stringify({
    name: "orders",
    source: { time: "t", fields: { t: "timestamp", k: "string", n: "double" }, lateness: "1m", idle: "2m" },
    series: { every: "1m", by: ["k"], measures: { orders: { count: "*" }, sum: { sum: "n" } } },
    forecast: { history: "1w", horizon: "1h", retrain: "1h" },
  }),
);

/** Events of two kilobytes: a shard is full of a few of them. */
const LONG = "k".repeat(2_000);

/** Records of so many events each, numbered in `n`, those of none without sense; `times` has their event times, ms since the start. */
function recordsOf(sizes: readonly number[], times: (n: number) => number): IncomingRecord[] {
  let n = 0;
  return sizes.map((size, i) => {
    const arrival = START + times(n);
    const event = () => JSON.stringify({ t: START + times(n), k: LONG + (n % 7), n: n++ });
    const data = Buffer.from(size === 0 ? "nonsense" : Array.from({ length: size }, event).join("\n"));
    return { sequence: String(10n ** 20n + BigInt(i)), shard: SHARD, data, arrival };
  });
}

interface Calls {
  /** Records of a call at most. */
  readonly batch: number;
  /** What a call has for putting, ms. */
  readonly millis: number;
}

/** Calls the relay as Lambda does, from where it asked for, until all is through. @returns the tallies of the calls' events. */
async function catchUp(shards: Shards, records: readonly IncomingRecord[], { batch, millis }: Calls): Promise<number> {
  const toEvents = relay(SPEC, checks(SPEC));
  const sink = streamSink(shards.client, "events", shards.time);
  let counted = 0;
  for (let at = 0, calls = 0; at < records.length; calls++) {
    if (calls > 300) throw new Error("The relay does not get on.");
    const incoming = records.slice(at, at + batch);
    const passed = await pass(await toEvents(incoming), sink, millis).catch(() => undefined);
    counted += passed?.counts.events ?? 0;
    // Lambda waits before it brings again what failed from the first record on; its calls take their time.
    await shards.time.sleep(passed === undefined || passed.again === incoming[0]!.sequence ? 1_000 : 50);
    if (passed === undefined) continue;
    if (passed.again === undefined) at += incoming.length;
    else at = records.findIndex(({ sequence }) => sequence === passed.again);
  }
  return counted;
}

const eventsIn = (text: string) => JSON.parse(text) as EventLine[];
/** What the events stream holds, in its order. */
const linesIn = (shards: Shards) => [...shards.taken.values()].flat().flatMap(eventsIn);

/** Which events the analysis counts, by number, and the windows that it closes. */
function analysed(lines: readonly { readonly time: number; readonly key: string | null; readonly n: number }[]) {
  const analyzer = new Analyzer(SPEC);
  const counted: number[] = [];
  const windows: unknown[] = [];
  for (const { time, key, n } of lines) {
    if (analyzer.add({ time, values: [time, key, n] }, time) === "counted") counted.push(n);
    windows.push(...analyzer.close());
  }
  return { counted, windows };
}

const numbered = (lines: readonly EventLine[]) => lines.map(({ time, key, fields }) => ({ time, key, n: fields.n! }));
const sent = (records: readonly IncomingRecord[]) =>
  records
    .flatMap(({ data }) => Buffer.from(data).toString().split("\n"))
    .filter((line) => line !== "nonsense")
    .map((line) => JSON.parse(line) as { t: number; k: string; n: number })
    .map(({ t, k, n }) => ({ time: t, key: k, n }));

/** Spans of time in which requests fail, ms from the beginning. */
const outages = (...kinds: Failure[]) =>
  fc.array(
    fc.record({ from: fc.nat(3_000), millis: fc.integer({ min: 1, max: 8_000 }), kind: fc.constantFrom(...kinds) }),
    { maxLength: 4 },
  );
/** More than its shard takes at once, for sure. */
const HEAVY = {
  ...{ sizes: Array<number>(15).fill(40), gap: 100, disorder: LATENESS, rate: MIB / 8, latency: 20 },
  calls: { batch: 10, millis: 2_000 },
};
const load = fc.record({
  // Of more than 47 events a record has no room in a pack of several.
  sizes: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 15 }),
  // Event time between two events, and how far they are out of order: some are late, whoever counts them.
  gap: fc.integer({ min: 1, max: 200 }),
  disorder: fc.nat(2 * LATENESS),
  rate: fc.integer({ min: MIB / 8, max: MIB / 2 }),
  latency: fc.integer({ min: 5, max: 80 }),
  calls: fc.record({ batch: fc.integer({ min: 1, max: 20 }), millis: fc.integer({ min: 0, max: 5_000 }) }),
});

describe("a relay that catches up", () => {
  const check = (kinds: readonly Failure[], judge: (shards: Shards, records: IncomingRecord[], told: number) => void) =>
    fc.asyncProperty(load, outages(...kinds), async ({ sizes, gap, disorder, rate, latency, calls }, spans) => {
      // Vitest takes a worker that does not answer for a minute for dead.
      await new Promise(setImmediate);
      const records = recordsOf(sizes, (n) => n * gap - (n % 5 === 4 ? disorder : 0));
      const fails = (now: number) => spans.find(({ from, millis }) => now >= from && now < from + millis)?.kind;
      const shards = new Shards({ rate, latency, fails });
      judge(shards, records, await catchUp(shards, records, calls));
    });

  test("passes each event on once and in its order, whatever is refused: the analysis counts those that it would have", async () => {
    let refused = 0;
    const property = check(["full", "locked", "broken"], (shards, records, told) => {
      refused += shards.counts.refused;
      const lines = numbered(linesIn(shards));
      expect(lines).toEqual(sent(records));
      expect(analysed(lines)).toEqual(analysed(sent(records)));
      expect(told).toBe(lines.length);
    });
    await fc.assert(property, { numRuns: 8, examples: [[HEAVY, []]] });
    expect(refused).toBeGreaterThan(10);
  });

  test("loses none where requests end without an answer, and doubles only what those held", async () => {
    const property = check(["unanswered", "full"], (shards, records) => {
      const unanswered = new Set(shards.unanswered.flatMap(eventsIn).map(({ fields }) => fields.n));
      const lines = numbered(linesIn(shards));
      const first = new Map(lines.map(({ n }, i) => [n, i] as const).reverse());
      const [once, again] = [true, false].map((isFirst) =>
        lines.filter(({ n }, i) => (first.get(n) === i) === isFirst),
      );
      expect(once).toEqual(sent(records));
      expect(again!.filter(({ n }) => !unanswered.has(n))).toEqual([]);
    });
    await fc.assert(property, {
      numRuns: 8,
      examples: [[HEAVY, [{ from: 500, millis: 900, kind: "unanswered" as const }]]],
    });
  });

  test("is as fast as the shard takes it", async () => {
    const records = recordsOf(Array<number>(600).fill(5), (n) => n * 40);
    const shards = new Shards({ rate: MIB, latency: 20 });
    await catchUp(shards, records, { batch: 1_000, millis: 40_000 });
    const bytes = [...shards.taken.values()].flat().reduce((sum, text) => sum + text.length, 0);
    const rate = (bytes - MIB) / (shards.time.now() / 1_000);
    expect(rate).toBeGreaterThan(0.95 * MIB);
  });

  test("has each record's events in one, so that none is torn where the stream stops", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(sizes, async (counts) => {
        await new Promise(setImmediate);
        const records = recordsOf(counts, (n) => n);
        const packs = (await relay(SPEC, checks(SPEC))(records)).records;
        const places = new Map(packs.flatMap((pack, i) => eventsIn(pack.data).map(({ fields }) => [fields.n, i])));
        for (const record of records)
          expect(new Set(sent([record]).map(({ n }) => places.get(n))).size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 20 },
    );
    // More than a record of a stream holds goes on in several, each of which a shard takes once it is idle.
    const toEvents = relay(
      SPEC,
      checks(SPEC, (event) => [event, event, event]),
    );
    const large = (await toEvents(recordsOf([10, 300, 10], (n) => n))).records.map(({ data }) => data);
    expect(large.map((data) => Math.ceil(data.length / 100_000))).toEqual([1, 10, 9, 1]);
    const numbers = Array.from({ length: 960 }, (_, i) => Math.floor(i / 3));
    expect(large.flatMap(eventsIn).map(({ fields }) => fields.n)).toEqual(numbers);
  });

  test("tells of what is done alone, and of the rest when that is", async () => {
    const shards = new Shards({ rate: 150_000, latency: 5 });
    const sink = streamSink(shards.client, "events", shards.time);
    const toEvents = relay(SPEC, checks(SPEC));
    // Two hours in a batch, of which the shard takes the first record only.
    const records = recordsOf([40, 40], (n) => (n < 40 ? n : n + 2 * 3_600_000));
    const first = await pass(await toEvents(records), sink, 50);
    expect(first).toMatchObject({
      again: records[1]!.sequence,
      refused: 1,
      counts: { events: 40 },
      newest: START + 39,
    });
    const none = await pass(await toEvents(records), sink, 50);
    expect(none).toMatchObject({
      again: records[0]!.sequence,
      counts: { events: 0 },
      newest: undefined,
      onTime: undefined,
    });
    await shards.time.sleep(1_000);
    // The clock had gone on with the second record, which is not in the stream: the first is on time as it was.
    expect(await pass(await toEvents([records[0]!]), sink, 50)).toMatchObject({ onTime: records[0]!.arrival });
  });

  test("tells what is on time by each shard's own clock", async () => {
    const toEvents = relay(SPEC, checks(SPEC));
    const [late, early] = recordsOf([1, 1], (n) => (1 - n) * 10 * 60_000);
    expect((await toEvents([late!])).onTime).toBe(late!.arrival);
    expect((await toEvents([{ ...early!, shard: "shardId-000000000001" }])).onTime).toBe(early!.arrival);
    expect((await toEvents([early!])).onTime).toBeUndefined();
  });
});
