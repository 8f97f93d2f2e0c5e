/** An enrich function that does not come back: its record is rejected, and those beside it go their way. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checker } from "../../../infra/lambda/checked.ts";
import { checkAll, PATIENCE, sharing, stopping } from "../../../infra/lambda/deadline.ts";
import { checkpoint, relay } from "../../../infra/lambda/relaying.ts";
import { transform } from "../../../infra/lambda/transform.ts";
import { checks } from "./checks.ts";
import { aggregate } from "./kpl.ts";
import { FLIGHTS } from "./pipelines.ts";

const ARRIVAL = Date.UTC(2026, 10, 22, 10);
const data = (destination: string) =>
  Buffer.from(JSON.stringify({ scheduled: ARRIVAL, origin: "BOS", destination, delay: 1, distance: 1 }));

/** Enrich functions that never return for the destination "LOOP". */
const HANGING = {
  "a loop that catches everything": (event: Record<string, unknown>) => {
    while (event.destination === "LOOP") {
      try {
        event.delay = 0;
      } catch {
        event.delay = 1;
      }
    }
    return event;
  },
  "an expression that backtracks": (event: Record<string, unknown>) => {
    if (event.destination === "LOOP") /^(a+)+$/.test(`${"a".repeat(60)}b`);
    return event;
  },
  "a getter of what it returns": (event: Record<string, unknown>) => {
    if (event.destination !== "LOOP") return event;
    return {
      ...event,
      get delay() {
        for (;;);
      },
    };
  },
};

describe.each(Object.entries(HANGING))("%s", (_, enrich) => {
  test("loses nothing but its own record", () => {
    const check = checker(FLIGHTS, enrich);
    const records = ["LAX", "LOOP", "JFK", "LOOP", "ORD"].map((d) => ({ data: data(d), arrival: ARRIVAL }));
    const delivered = checkAll(check, records, () => 1_000);
    expect(delivered.map((d) => d.events.length)).toEqual([1, 0, 1, 0, 1]);
    const rejected = delivered.flatMap((d) => d.rejections);
    expect(rejected.map((r) => r.reason)).toEqual(["enrich-timeout", "enrich-timeout"]);
    for (const rejection of rejected) expect(rejection.data).toEqual(data("LOOP"));
  });
});

test("many records that are slow together are none of them too slow", () => {
  const slow = checker(FLIGHTS, (event) => {
    const until = performance.now() + 20;
    while (performance.now() < until);
    return event;
  });
  const records = Array.from({ length: 60 }, () => ({ data: data("LAX"), arrival: ARRIVAL }));
  const delivered = checkAll(slow, records, () => 1_000);
  expect(delivered.flatMap((d) => d.rejections)).toEqual([]);
  expect(delivered.flatMap((d) => d.events)).toHaveLength(60);
});

test("the relay and the transform reject it alike", async () => {
  const check = checks(FLIGHTS, HANGING["an expression that backtracks"]);
  const both = [data("LOOP"), data("LAX")];
  const relayed = await relay(
    FLIGHTS,
    check,
  )(both.map((d, i) => ({ data: d, arrival: ARRIVAL, sequence: String(i), shard: "shardId-000000000000" })));
  expect(relayed).toMatchObject({ counts: { events: 1, rejected: 1, dropped: 0 }, left: undefined });
  const records = both.map((d, i) => ({
    recordId: String(i),
    approximateArrivalTimestamp: ARRIVAL,
    data: d.toString("base64"),
  }));
  const transformed = await transform({ records }, FLIGHTS, check);
  expect(transformed.records.map((r) => r.result)).toEqual(["Dropped", "Ok"]);
  expect(transformed.rejected[0]!.lines).toContain("enrich-timeout");
});

describe("the time of a call", () => {
  /** A clock that stands, but for what records take. */
  const clock = () => {
    let time = 1_000;
    const pass = (millis: number) => {
      time += millis;
    };
    return { now: () => time, pass };
  };
  /** What a record that hangs takes at most: a slice, once more alone, and a third time when that was hardly anything. */
  const cost = (patience: number) => (patience < 50 ? 3.1 : 2.1) * patience;

  test("is enough for all records, however many hang, when each has its share", () => {
    const counts = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 32_000, max: 300_000 }), (count, millis) => {
        const { now, pass } = clock();
        const patience = sharing(millis, now);
        const granted = { early: [PATIENCE], late: [1] };
        for (let left = count; left > 0; left--) {
          const mine = patience(left);
          granted[now() - 1_000 < millis / 2 ? "early" : "late"].push(mine);
          pass(cost(mine));
        }
        expect(new Set(granted.early)).toEqual(new Set([PATIENCE]));
        expect(Math.min(...granted.late)).toBe(1);
        expect(Math.max(...granted.late)).toBeLessThanOrEqual(PATIENCE);
        expect(now() - 1_000).toBeLessThanOrEqual(millis + cost(PATIENCE));
      }),
    );
  });

  test("is never overrun by a record, when those that have none left come again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (millis) => {
        const { now, pass } = clock();
        const patience = stopping(millis, now);
        for (let granted = patience(1); granted > 0; granted = patience(1)) {
          expect(granted).toBe(PATIENCE);
          pass(cost(granted));
        }
        expect(now() - 1_000).toBeLessThanOrEqual(millis);
      }),
    );
  });

  const incoming = (bytes: Uint8Array, i: number) => ({
    data: bytes,
    arrival: ARRIVAL,
    sequence: String(1_000 + i),
    shard: "shardId-000000000000",
  });

  test("without any, the relay still gets on record by record, and sends each event once", async () => {
    const parts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, async (sizes) => {
        await new Promise(setImmediate);
        const toEvents = relay(FLIGHTS, checks(FLIGHTS));
        let n = 0;
        let batch = sizes.map((size, i) =>
          incoming(size === 1 ? data(`D${n++}`) : aggregate(Array.from({ length: size }, () => data(`D${n++}`))), i),
        );
        const sent: number[] = [];
        for (const size of sizes) {
          const relayed = await toEvents(batch, 0);
          sent.push(relayed.counts.events);
          expect(relayed.records.flatMap((r) => JSON.parse(r.data) as unknown[])).toHaveLength(size);
          const from = checkpoint(relayed, []);
          batch = batch.filter(({ sequence }) => from !== undefined && sequence >= from);
        }
        expect(sent).toEqual(sizes);
        expect(batch).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("that is hardly any is given twice: the machine may have paused", () => {
    let tries = 0;
    const hanging = (): never => {
      tries++;
      for (;;);
    };
    const [delivered] = checkAll(hanging, [{ data: data("LAX"), arrival: ARRIVAL }], () => 10);
    expect(delivered!.rejections.map((r) => r.reason)).toEqual(["enrich-timeout"]);
    expect(tries).toBeGreaterThanOrEqual(2);
  });

  test("a refusal before the record that there was no time for is where the batch comes again from", async () => {
    const relayed = await relay(FLIGHTS, checks(FLIGHTS))([incoming(data("LAX"), 0), incoming(data("JFK"), 1)], 0);
    expect(checkpoint(relayed, [])).toBe("1001");
    expect(checkpoint(relayed, [0])).toBe("1000");
  });

  const hanging = checks(FLIGHTS, HANGING["an expression that backtracks"]);

  test("a record whose every part hangs is done with in one call", async () => {
    const packed = aggregate(Array.from({ length: 40 }, () => data("LOOP")));
    const { counts, left } = await relay(FLIGHTS, hanging)([incoming(packed, 0), incoming(data("LAX"), 1)], 400);
    expect({ counts, left }).toEqual({ counts: { events: 0, rejected: 40, dropped: 0 }, left: "1001" });
  });

  test("a batch of which many records hang comes back whole, and each that hung is kept with its reason", async () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      recordId: String(i),
      approximateArrivalTimestamp: ARRIVAL,
      data: data(i % 4 === 0 ? "LAX" : "LOOP").toString("base64"),
    }));
    const answer = await transform({ records }, FLIGHTS, hanging, 4_000);
    expect(answer.records.map((r) => r.recordId)).toEqual(records.map((r) => r.recordId));
    const kept = answer.rejected.flatMap((r) =>
      r.lines
        .trim()
        .split("\n")
        .map((l) => JSON.parse(l) as Kept),
    );
    expect(new Set(kept.map((k) => k.reason))).toEqual(new Set(["enrich-timeout"]));
    expect(kept.filter((k) => Buffer.from(k.data, "base64").equals(data("LOOP")))).toHaveLength(30);
    // The last had less than those before them, and are told so.
    expect(kept.at(-1)!.detail).toMatch(/within \d+ ms; so many records of its batch hung/);
    expect(answer.counts.events + answer.counts.rejections).toBe(40);
  });
});

interface Kept {
  readonly reason: string;
  readonly detail: string;
  readonly data: string;
}
