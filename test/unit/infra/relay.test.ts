import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupHash, knownGroups } from "../../../infra/lambda/known.ts";
import { unpack } from "../../../infra/lambda/kpl.ts";
import { type EventLine, metricDimension, parseMetricDimension } from "../../../infra/lambda/names.ts";
import { checkpoint, lowerSequence, relay } from "../../../infra/lambda/relaying.ts";
import { lineShape } from "../../../infra/lambda/shapes.ts";
import { ForecastTable } from "../../../src/core/forecast.ts";
import { checks } from "./checks.ts";
import { aggregate, sealed } from "./kpl.ts";
import { CLICKS, FLIGHTS } from "./pipelines.ts";

const ARRIVAL = Date.UTC(2026, 10, 22, 10);
const incoming = (data: string | Uint8Array, i = 0, shard = "shardId-000000000000") => ({
  sequence: String(49_546_010_820n + BigInt(i)),
  shard,
  data: Buffer.from(data),
  arrival: ARRIVAL,
});
/** A record is a JSON array: Flink's format explodes that, and of lines would read the first alone. */
const linesOf = (records: readonly { readonly data: string }[]) =>
  records.flatMap((r) => JSON.parse(r.data) as EventLine[]);

describe("KPL aggregates", () => {
  test("give their records back, whatever is in them", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 }), (parts) => {
        expect(unpack(aggregate(parts)).map((p) => Buffer.from(p).toString("hex"))).toEqual(
          parts.map((p) => Buffer.from(p).toString("hex")),
        );
      }),
    );
  });
  test("a record that is none, or whose digest does not fit, stands for itself", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        expect(unpack(data)).toEqual([data]);
        const broken = Uint8Array.from([...aggregate([data]).subarray(0, -1), 0]);
        if (!Buffer.from(broken).equals(Buffer.from(aggregate([data])))) expect(unpack(broken)).toEqual([broken]);
      }),
    );
  });
  test.each([
    ["ends within a number", [0x1a, 0xff]],
    ["ends within a value", [0x1a, 9, 0x1a, 3, 0x7b, 0x7d]],
    ["ends within a record of it", [0x1a, 4, 0x1a, 9, 0x7b, 0x7d]],
    ["has a field of no known form", [0x1d, 0, 0, 0, 0]],
  ])("one that %s is rejected, and holds nothing up", async (_, message) => {
    const toEvents = relay(FLIGHTS, checks(FLIGHTS));
    expect(unpack(sealed(message))).toEqual([sealed(message)]);
    expect((await toEvents([incoming(sealed(message))])).counts).toEqual({ events: 0, rejected: 1, dropped: 0 });
  });
  test("no bytes under a digest that fits throw", () => {
    fc.assert(fc.property(fc.uint8Array(), (message) => void unpack(sealed([...message]))));
  });
});

test("an event becomes its time, its group and the fields that measures are made of", async () => {
  const toEvents = relay(FLIGHTS, checks(FLIGHTS));
  const { records, counts, newest } = await toEvents([
    incoming(JSON.stringify({ scheduled: "2026-11-22T09:00:00Z", origin: "BOS", delay: -3, distance: 5 })),
    incoming(JSON.stringify({ scheduled: "2026-11-22T09:30:00Z", origin: "ZZZ" }), 1),
    incoming("nonsense", 2),
  ]);
  expect(linesOf(records)).toEqual([
    { time: Date.UTC(2026, 10, 22, 9), key: "BOS", shape: lineShape(FLIGHTS), fields: { delay: -3 } },
    // Not a listed origin: no series counts it, but it moves the clock.
    { time: Date.UTC(2026, 10, 22, 9, 30), key: null, shape: lineShape(FLIGHTS), fields: {} },
  ]);
  expect(counts).toEqual({ events: 2, rejected: 1, dropped: 0 });
  expect(newest).toBe(Date.UTC(2026, 10, 22, 9, 30));
});

test("groups of several fields, and values that are only counted", async () => {
  const toEvents = relay(CLICKS, checks(CLICKS));
  const { records } = await toEvents([
    incoming(JSON.stringify({ at: ARRIVAL, Page: "a|b", mobile: true, status: 200 })),
  ]);
  expect(linesOf(records)).toEqual([
    { time: ARRIVAL, key: "a\\|b|true", shape: lineShape(CLICKS), fields: { status: 200 } },
  ]);
});

test("half a surrogate pair in a group is one letter for Flink and for what knows the groups", async () => {
  const toEvents = relay(CLICKS, checks(CLICKS));
  const pages = ["a\ud800", "\udc00|", "\ud83d\ude00"];
  const { records } = await toEvents(
    pages.map((Page, i) => incoming(JSON.stringify({ at: ARRIVAL, Page, mobile: true }), i)),
  );
  const keys = linesOf(records).map((line) => line.key!);
  expect(keys).toEqual(["a\ufffd|true", "\ufffd\\||true", "\ud83d\ude00|true"]);
  // A listed group is known by the key that its windows come with.
  const by = [
    { field: "Page", values: pages },
    { field: "mobile", values: ["true"] },
  ];
  const listed = { ...CLICKS, series: { ...CLICKS.series, by } };
  const known = knownGroups(listed, new ForecastTable());
  expect(known.map(({ key }) => key)).toEqual(keys);
  const md5 = (key: string) => createHash("md5").update(Buffer.from(key, "utf8")).digest("hex").slice(0, 12);
  expect(known.map(({ hash }) => hash)).toEqual(keys.map(md5));
  expect(groupHash("a\ud800|true")).toBe(md5(keys[0]!));
});

test("every event goes on once, in the order of its shard, in records of four units that Kinesis bills", async () => {
  const event = (i: number) =>
    JSON.stringify({ scheduled: ARRIVAL - i * 1_000, origin: i % 3 === 0 ? "JFK" : "BOS", delay: i });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
      await new Promise(setImmediate);
      let n = 0;
      const batches = sizes.map((size, i) => incoming(Array.from({ length: size }, () => event(n++)).join("\n"), i));
      const { records } = await relay(FLIGHTS, checks(FLIGHTS))(batches);
      expect(linesOf(records).map((l) => l.fields.delay)).toEqual(Array.from({ length: n }, (_, i) => i));
      for (const r of records) expect(Buffer.byteLength(r.data)).toBeLessThanOrEqual(100_000);
      const sequences = new Set(batches.map((b) => b.sequence));
      for (const r of records) expect(sequences.has(r.firstSequence)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("whatever the stream refuses, all of it comes again: no event is before the checkpoint that did not go out", async () => {
  const event = (i: number) => JSON.stringify({ scheduled: ARRIVAL, origin: "BOS", delay: i });
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.boolean()), async (counts, coins) => {
      await new Promise(setImmediate);
      let n = 0;
      const sequenceOf: bigint[] = [];
      const batch = counts.map((count, i) => {
        const record = incoming(Array.from({ length: count }, () => event(n++)).join("\n"), i);
        for (let k = 0; k < count; k++) sequenceOf.push(BigInt(record.sequence));
        return record;
      });
      const relayed = await relay(FLIGHTS, checks(FLIGHTS))(batch);
      const { records } = relayed;
      const refused = records.map((_, i) => i).filter(() => coins.next().value);
      const from = checkpoint(relayed, refused);
      expect(from === undefined).toBe(refused.length === 0);
      const kept = new Set(linesOf(records.filter((_, i) => !refused.includes(i))).map((l) => l.fields.delay));
      sequenceOf.forEach((sequence, i) => {
        if (from === undefined || sequence < BigInt(from)) expect(kept.has(i)).toBe(true);
      });
      // And it is one of the batch's own, which is what the event source takes.
      if (from !== undefined) expect(batch.map((r) => r.sequence)).toContain(from);
    }),
    { numRuns: 30 },
  );
});

describe("an event that no record of a stream holds is rejected, and holds nothing up", () => {
  /** A megabyte, of which the partition key takes a part (Kinesis API reference, PutRecords). */
  const most = 2 ** 20 - 100;
  const event = (Page: string) =>
    incoming(JSON.stringify({ at: ARRIVAL, Page, mobile: true, status: 200, bytes: 1.5 }));

  test.each([
    // Each of them is three letters once it stands in a group's key, in JSON.
    ["by its own length", "|".repeat(900_000), undefined],
    ["by what enrich makes of it", "short", (e: Record<string, unknown>) => ({ ...e, Page: "x".repeat(2_000_000) })],
  ])("%s", async (_, page, enrich) => {
    const { records, counts } = await relay(CLICKS, checks(CLICKS, enrich))([event(page)]);
    expect(counts).toEqual({ events: 0, rejected: 1, dropped: 0 });
    expect(records).toEqual([]);
  });

  test.each(["|", "\\", '"', "\u0001", "\ud800", "漢"])("the longest of %j still fits", async (letter) => {
    const { records, counts } = await relay(CLICKS, checks(CLICKS))([event(letter.repeat(99_000))]);
    expect(counts.events).toBe(1);
    for (const { data } of records) expect(Buffer.byteLength(data)).toBeLessThan(most);
  });
});

test("what was one shard stays one shard", async () => {
  const toEvents = relay(CLICKS, checks(CLICKS));
  const record = JSON.stringify({ at: ARRIVAL, Page: "p", mobile: false });
  const { records } = await toEvents([0, 1, 2, 3].map((s) => incoming(record, s, `shardId-00000000000${s}`)));
  const quarter = 2n ** 126n;
  expect(records.map((r) => r.hashKey)).toEqual([0n, 1n, 2n, 3n].map((s) => String(s * quarter)));
});

test("sequence numbers compare as the numbers they are", () => {
  expect(lowerSequence("999", "1000")).toBe("999");
  expect(
    lowerSequence(
      "49590338271490256608559692538361571095921575989136588898",
      "49590338271490256608559692538361571095921575989136588899",
    ),
  ).toMatch(/98$/);
});

describe("a series' id as a metric's dimension", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 60 });
  /** CloudWatch's own words for a dimension's value: 1 to 1,024 characters of printable ASCII. */
  const takes = /^[\x20-\x7e]{1,1024}$/;
  /** Whatever a program can make of UTF-16, halves of pairs too. */
  const anything = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
    .map((u) => String.fromCharCode(...u));

  test("is given back", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const id = `sales{store=${text}}`;
        expect(metricDimension(id)).toMatch(takes);
        expect(parseMetricDimension(metricDimension(id))).toBe(id);
      }),
    );
  });

  test("is taken and decoded however long it is and whatever is in it", () => {
    fc.assert(
      fc.property(anything, anything, fc.integer({ min: 0, max: 1_100 }), (head, tail, times) => {
        const value = metricDimension(`sales{store=${head}${"ü".repeat(times)}${tail}}`);
        expect(value).toMatch(takes);
        expect(parseMetricDimension(value)).toMatch(/^sales\{store=/);
      }),
      { numRuns: 500 },
    );
  });

  test("is another's for no other id, beyond the length and with letters that cannot be encoded too", () => {
    const lengths = fc.constantFrom(0, 1_000, 2_000);
    fc.assert(
      fc.property(anything, anything, lengths, lengths, (one, other, before, after) => {
        const [a, b] = [one, other].map((text) => `m{k=${"x".repeat(before)}${text}${"y".repeat(after)}}`) as [
          string,
          string,
        ];
        expect(metricDimension(a) === metricDimension(b)).toBe(a === b);
      }),
      { numRuns: 500 },
    );
    const long = "x".repeat(1_100);
    expect(metricDimension(`${long}1`)).not.toBe(metricDimension(`${long}2`));
    expect(metricDimension("\ud800")).not.toBe(metricDimension("\ud801"));
  });
});
