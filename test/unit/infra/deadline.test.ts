/** An enrich function that does not come back: its record is rejected, and those beside it go their way. */
import { describe, expect, test } from "vitest";
import { checker } from "../../../infra/lambda/checked.ts";
import { checkAll } from "../../../infra/lambda/deadline.ts";
import { relay } from "../../../infra/lambda/relaying.ts";
import { transform } from "../../../infra/lambda/transform.ts";
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
    const delivered = checkAll(check, records, 300);
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
  const delivered = checkAll(slow, records, 1_000);
  expect(delivered.flatMap((d) => d.rejections)).toEqual([]);
  expect(delivered.flatMap((d) => d.events)).toHaveLength(60);
});

test("the relay and the transform reject it alike", () => {
  const check = checker(FLIGHTS, HANGING["an expression that backtracks"]);
  const both = [data("LOOP"), data("LAX")];
  const relayed = relay(
    FLIGHTS,
    check,
  )(both.map((d, i) => ({ data: d, arrival: ARRIVAL, sequence: String(i), shard: "shardId-000000000000" })));
  expect(relayed.counts).toEqual({ events: 1, rejected: 1, dropped: 0 });
  const records = both.map((d, i) => ({
    recordId: String(i),
    approximateArrivalTimestamp: ARRIVAL,
    data: d.toString("base64"),
  }));
  const transformed = transform({ records }, FLIGHTS, check);
  expect(transformed.records.map((r) => r.result)).toEqual(["Dropped", "Ok"]);
  expect(transformed.rejected[0]!.lines).toContain("enrich-timeout");
});
