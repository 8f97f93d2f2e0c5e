import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { FirehoseEvent, FirehoseRecord } from "../../../infra/lambda/events.ts";
import { ANSWER_BYTES, transform } from "../../../infra/lambda/transform.ts";
import { checks } from "./checks.ts";
import { FLIGHTS } from "./pipelines.ts";

const ARRIVAL = Date.UTC(2026, 10, 22, 10);
const spec = { ...FLIGHTS };
const check = checks(spec);
const good = (over: object = {}) => ({
  scheduled: "2026-11-22T09:59:30Z",
  origin: "BOS",
  destination: "LAX",
  delay: 4.5,
  distance: 2611,
  ...over,
});

/** As Firehose sends it to a transform, with these data. */
const DELIVERY = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../infra/events/firehose-records.json"), "utf8"),
) as FirehoseEvent;
const [TEMPLATE] = DELIVERY.records as [FirehoseRecord];

function event(...data: (string | Uint8Array)[]): FirehoseEvent {
  const records = data.map((d, i) => ({
    ...TEMPLATE,
    recordId: `4954601082${i}0000000`,
    approximateArrivalTimestamp: ARRIVAL,
    data: Buffer.from(d).toString("base64"),
    kinesisRecordMetadata: {
      ...TEMPLATE.kinesisRecordMetadata!,
      sequenceNumber: `4954601082${i}`,
      approximateArrivalTimestamp: ARRIVAL,
    },
  }));
  return { ...DELIVERY, records };
}

const text = (base64: string) => Buffer.from(base64, "base64").toString();
const rows = (base64: string) =>
  text(base64)
    .split("\n")
    .filter(Boolean)
    .map((l) => JSON.parse(l) as Record<string, unknown>);

test("a good record becomes a row with the lake's columns", async () => {
  const { records, rejected } = await transform(event(JSON.stringify(good())), spec, check);
  expect(records.map((r) => r.result)).toEqual(["Ok"]);
  expect(rows(records[0]!.data)).toEqual([
    {
      scheduled: "2026-11-22 09:59:30.000",
      origin: "BOS",
      destination: "LAX",
      delay: 4.5,
      distance: 2611,
      _sequence: "49546010820",
      _arrival: "2026-11-22 10:00:00.000",
    },
  ]);
  expect(rejected).toEqual([]);
});

test("of a batched record each line stands for itself; what is rejected is kept with its reason and bytes", async () => {
  const lines = [
    JSON.stringify(good()),
    "{not json",
    JSON.stringify(good({ delay: "late" })),
    JSON.stringify(good({ origin: "JFK" })),
  ];
  const { records, rejected, counts } = await transform(event(lines.join("\n")), spec, check);
  expect(records[0]!.result).toBe("Ok");
  expect(rows(records[0]!.data).map((r) => r.origin)).toEqual(["BOS", "JFK"]);
  expect(rejected).toHaveLength(1);
  expect(rejected[0]!.key).toMatch(/^dt=2026-11-22\/[0-9a-f]{32}\.json\.gz$/);
  const kept = rejected[0]!.lines
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as Record<string, string>);
  expect(kept.map((k) => k.reason)).toEqual(["malformed-json", "wrong-type"]);
  expect(kept.map((k) => text(k.data!))).toEqual([lines[1], lines[2]]);
  expect(kept[0]).toMatchObject({ sequence: "49546010820", arrival: "2026-11-22 10:00:00.000" });
  expect(counts).toEqual({ events: 2, rejections: 2, dropped: 0, overflowed: 0 });
});

test("records of a KPL aggregate are told apart by their subsequence", async () => {
  const [record] = event(JSON.stringify(good())).records;
  const packed = { ...record!, kinesisRecordMetadata: { ...record!.kinesisRecordMetadata!, subsequenceNumber: 3 } };
  const { records } = await transform({ records: [packed] }, spec, check);
  expect(rows(records[0]!.data)[0]!._sequence).toBe("49546010820.3");
});

test("what enrich drops is dropped, what it makes of an event is delivered, and its failure is a rejection", async () => {
  const enriched = checks(spec, (e) => {
    if (e.origin === "XXX") return null;
    if (e.origin === "BAD") throw new Error("no such airport");
    return [e, { ...e, origin: "JFK" }];
  });
  const { records, counts, rejected } = await transform(
    event(JSON.stringify(good()), JSON.stringify(good({ origin: "XXX" })), JSON.stringify(good({ origin: "BAD" }))),
    spec,
    enriched,
  );
  expect(records.map((r) => r.result)).toEqual(["Ok", "Dropped", "Dropped"]);
  expect(counts).toEqual({ events: 2, rejections: 1, dropped: 1, overflowed: 0 });
  expect(rejected[0]!.lines).toContain("no such airport");
});

test("events too far from their arrival to be true are rejected", async () => {
  const { rejected } = await transform(
    event(JSON.stringify(good({ scheduled: "2027-01-01" })), JSON.stringify(good({ scheduled: "2001-03-05" }))),
    spec,
    check,
  );
  const reasons = rejected[0]!.lines
    .trim()
    .split("\n")
    .map((l) => (JSON.parse(l) as { reason: string }).reason);
  expect(reasons).toEqual(["time-ahead", "time-behind"]);
});

test("of a batched record what is kept of an untimely event is its own line, not all the others once more", async () => {
  const old = (i: number) => JSON.stringify(good({ scheduled: "2001-03-05", delay: i }));
  const lines = [JSON.stringify(good()), ...Array.from({ length: 500 }, (_, i) => old(i))];
  const { rejected, counts } = await transform(event(lines.join("\n")), spec, check);
  expect(counts).toEqual({ events: 1, rejections: 500, dropped: 0, overflowed: 0 });
  const kept = rejected[0]!.lines
    .trim()
    .split("\n")
    .map((l) => text((JSON.parse(l) as { data: string }).data));
  expect(kept).toEqual(lines.slice(1));
});

test("of many events that enrich makes of a record and that do not fit, the record's bytes are kept once", async () => {
  const itemised = checks(spec, (e) => (e.items as object[]).map((item) => ({ scheduled: e.at as string, ...item })));
  const item = { origin: "BOS", delay: "+12 min", note: "x".repeat(40) };
  const record = JSON.stringify({ at: ARRIVAL, items: Array.from({ length: 2_000 }, () => item) });
  const { counts, rejected } = await transform(event(record, record), spec, itemised);
  expect(counts).toEqual({ events: 0, rejections: 4_000, dropped: 0, overflowed: 0 });
  expect(rejected[0]!.lines.length).toBeLessThan(3 * record.length);
  const kept = rejected[0]!.lines.trim().split("\n");
  expect(kept.map((l) => JSON.parse(l) as { reason: string; detail: string })).toMatchObject(
    Array.from({ length: 2 }, () => ({
      reason: "wrong-type",
      detail: '"delay" should be a number, not "+12 min" (2,000 events that enrich made of this one)',
    })),
  );
});

test("however many lines of records are broken, what is kept of them stays within memory, and is complete", async () => {
  const lines = [JSON.stringify(good()), ...Array.from({ length: 20_000 }, (_, i) => String(i % 10))];
  const batch = event(...Array.from({ length: 4 }, () => lines.join("\n")));
  const { counts, rejected } = await transform(batch, spec, check);
  expect(counts).toEqual({ events: 4, rejections: 80_000, dropped: 0, overflowed: 0 });
  expect(rejected[0]!.lines.length).toBeLessThan(10 * 2 ** 20);
  const kept = rejected[0]!.lines
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as Record<string, string>);
  const sequences = new Map<string, Record<string, string>[]>();
  for (const row of kept) sequences.set(row.sequence!, [...(sequences.get(row.sequence!)?.slice(-1) ?? []), row]);
  expect(sequences.size).toBe(4);
  // The first were kept one by one; of the last all stand in one row.
  expect(text(kept[0]!.data!)).toBe(lines[1]);
  expect(text(kept.at(-1)!.data!)).toBe(lines.join("\n"));
  expect(kept.at(-1)!.detail).toMatch(/; and 19,999 more of this record, whose bytes these are$/);
});

test.each([
  [
    "the stream's arrival, not Firehose's own",
    { approximateArrivalTimestamp: ARRIVAL - 7_200_000 },
    "08:00",
    "time-ahead",
  ],
  ["Firehose's arrival where the record says no other", {}, "10:00", undefined],
])("an event's time is held against %s", async (_, metadata, hour, reason) => {
  const [record] = event(`${JSON.stringify(good())}\n{broken`).records;
  const { approximateArrivalTimestamp: _at, ...rest } = record!.kinesisRecordMetadata!;
  const strict = { ...spec, source: { ...spec.source, ahead: 3_600_000 } };
  const { records, rejected } = await transform(
    { records: [{ ...record!, kinesisRecordMetadata: { ...rest, ...metadata } }] },
    strict,
    checks(strict),
  );
  const arrival = `2026-11-22 ${hour}:00.000`;
  const kept = rejected[0]!.lines
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as Record<string, string>);
  expect(kept.map((k) => [k.reason, k.arrival])).toEqual(
    ["malformed-json", reason].filter((r) => r !== undefined).map((r) => [r, arrival]),
  );
  expect(rows(records[0]!.data).map((r) => r._arrival)).toEqual(reason === undefined ? [arrival] : []);
});

test("a batch that is brought again rejects to the same object", async () => {
  const batch = event("nonsense", "more nonsense");
  const { rejected } = await transform(batch, spec, check);
  expect((await transform({ ...batch }, spec, check)).rejected).toEqual(rejected);
});

/** What stands in a record, and what must come of it, worked out beside the code: rows by their delays, and bytes that are kept. */
interface Made {
  readonly data: string | Uint8Array;
  readonly delays: readonly number[];
  readonly kept: readonly (string | Uint8Array)[];
}

/** A record of lines; the events among them are numbered on from `first`. */
function ofLines(kinds: readonly ("event" | "[1]" | "" | "{")[], first: number): Made {
  let n = first;
  const delays: number[] = [];
  const lines = kinds.map((kind) => {
    if (kind !== "event") return kind;
    delays.push(n);
    return JSON.stringify(good({ delay: n++ }));
  });
  const data = lines.join("\n");
  // Without a line that is an object by itself it is one thing that is none; else every line stands for itself.
  if (delays.length === 0) return { data, delays, kept: [data] };
  return { data, delays, kept: lines.filter((_, i) => kinds[i] !== "event" && kinds[i] !== "") };
}

test("whatever comes, every record comes back once, in order, and every event in it is a row or kept with its bytes", async () => {
  const lines = fc.array(fc.constantFrom("event", "[1]", "", "{"), { maxLength: 5 });
  // Without braces: no object, and no line that looks like one.
  const bytes = fc.uint8Array({ maxLength: 64 }).map((b) => b.map((byte) => (byte === 0x7b ? 0 : byte)));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(lines, bytes), { minLength: 1, maxLength: 8 }), async (records) => {
      await new Promise(setImmediate);
      let n = 0;
      const made = records.map((record): Made => {
        if (record instanceof Uint8Array) return { data: record, delays: [], kept: [record] };
        const one = ofLines(record as Parameters<typeof ofLines>[0], n);
        n += one.delays.length;
        return one;
      });
      const batch = event(...made.map((m) => m.data));
      const answer = await transform(batch, spec, check);
      expect(answer.records.map((r) => r.recordId)).toEqual(batch.records.map((r) => r.recordId));
      expect(answer.records.map((r) => r.result)).toEqual(made.map((m) => (m.delays.length > 0 ? "Ok" : "Dropped")));
      expect(answer.records.map((r) => rows(r.data).map((row) => row.delay))).toEqual(made.map((m) => m.delays));
      const kept = answer.rejected.flatMap((r) =>
        r.lines
          .trim()
          .split("\n")
          .map((l) => JSON.parse(l) as { data: string }),
      );
      expect(kept.map((k) => k.data)).toEqual(
        made.flatMap((m) => m.kept.map((data) => Buffer.from(data).toString("base64"))),
      );
      expect(answer.counts).toEqual({ events: n, rejections: kept.length, dropped: 0, overflowed: 0 });
    }),
    { numRuns: 300 },
  );
});

test("however large records are and however enrich multiplies them, the answer fits and none is lost", async () => {
  const sizes = fc.array(
    fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), times: fc.integer({ min: 0, max: 25 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(sizes, async (made) => {
      await new Promise(setImmediate);
      const batch = event(
        ...made.map(({ bytes }, i) => JSON.stringify(good({ destination: "x".repeat(bytes), delay: i }))),
      );
      // Firehose itself sends six megabytes at most.
      fc.pre(JSON.stringify(batch).length < ANSWER_BYTES);
      const multiply = checks(spec, (e) => Array.from({ length: made[e.delay as number]!.times }, () => e));
      const { records, counts } = await transform(batch, spec, multiply);
      expect(JSON.stringify({ records }).length).toBeLessThanOrEqual(ANSWER_BYTES + 4_096);
      expect(records.map((r) => r.recordId)).toEqual(batch.records.map((r) => r.recordId));
      records.forEach((r, i) => {
        if (r.result === "ProcessingFailed") expect(r.data).toBe(batch.records[i]!.data);
        else expect(text(r.data).split("\n")).toHaveLength(made[i]!.times + 1);
      });
      expect(counts.overflowed).toBe(records.filter((r) => r.result === "ProcessingFailed").length);
    }),
    { numRuns: 12 },
  );
});

test("an enrich that multiplies events beyond the answer's room loses none: those records go back as they came", async () => {
  const flood = checks(spec, (e) => Array.from({ length: 2_000 }, () => e));
  const batch = event(...Array.from({ length: 40 }, () => JSON.stringify(good())));
  const { records, counts } = await transform(batch, spec, flood);
  expect(JSON.stringify({ records }).length).toBeLessThanOrEqual(ANSWER_BYTES + 4_096);
  expect(counts.overflowed).toBeGreaterThan(0);
  records.forEach((r, i) => {
    if (r.result === "ProcessingFailed") expect(r.data).toBe(batch.records[i]!.data);
    else expect(rows(r.data)).toHaveLength(2_000);
  });
});
