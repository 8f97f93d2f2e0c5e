/** What enrich leaves behind when it returns, in the process that listens to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { checker } from "../../../infra/lambda/checked.ts";
import { Journal } from "../../../infra/lambda/journal.ts";
import { Strays } from "../../../infra/lambda/strays.ts";
import { watched } from "../../../infra/lambda/watch.ts";
import { FLIGHTS } from "./pipelines.ts";

const ARRIVAL = Date.UTC(2026, 10, 22, 10);
const folder = mkdtempSync(join(tmpdir(), "forewatch-strays-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The test runner listens too, and takes what fails for its own.
const EVENTS = ["uncaughtException", "unhandledRejection"] as const;
let others: [(typeof EVENTS)[number], (() => void)[]][];
beforeEach(() => {
  others = EVENTS.map((event) => [event, process.listeners(event as "exit") as (() => void)[]]);
});
afterEach(() => {
  for (const [event, listeners] of others) {
    process.removeAllListeners(event);
    for (const listener of listeners) process.on(event, listener);
  }
});

const fail = () => {
  throw new TypeError("no network");
};
const LEFT: Record<string, () => unknown> = {
  "a promise that nobody waits for": async () => fail(),
  "one that fails at its second step": () => Promise.resolve().then(() => Promise.resolve().then(fail)),
  "a timer": () => setTimeout(fail, 0),
  "a microtask": () => queueMicrotask(fail),
  "what the next turn does": () => setImmediate(fail),
  "a tick": () => process.nextTick(fail),
};

/** Checks flights to these destinations; `leave` is done for those to BAD. */
async function check(leave: () => unknown, destinations: readonly string[]) {
  const late: string[] = [];
  const strays = new Strays((failure) => late.push(failure));
  strays.listen();
  const enrich = (event: Record<string, unknown>) => {
    if (event.destination === "LOOP") for (;;);
    if (event.destination === "BAD") leave();
    return event;
  };
  const checkAll = watched(checker(FLIGHTS, enrich), new Journal(join(folder, "journal.json")), strays);
  const records = destinations.map((destination) => ({
    data: Buffer.from(JSON.stringify({ scheduled: ARRIVAL, origin: "BOS", destination, delay: 1 })),
    arrival: ARRIVAL,
  }));
  const delivered = await checkAll(records, () => 1_000);
  return { delivered, records, late, checkAll };
}

test.each(Object.entries(LEFT))("%s that fails is its record's, and harms no other", async (_, leave) => {
  const { delivered, records, late } = await check(leave, ["LAX", "BAD", "JFK", "BAD", "ORD"]);
  expect(delivered.map((d) => d.events.length)).toEqual([1, 0, 1, 0, 1]);
  expect(delivered.flatMap((d) => d.rejections)).toEqual(
    [1, 3].map((i) => ({
      reason: "enrich-failed",
      detail: "enrich failed outside its function: TypeError: no network",
      data: records[i]!.data,
    })),
  );
  expect(late).toEqual([]);
});

test.each(Object.entries(LEFT))("%s beside a record that hangs is not taken for that one's", async (_, leave) => {
  const { delivered } = await check(leave, ["BAD", "LOOP", "LAX"]);
  expect(delivered.map((d) => d.rejections.map((r) => r.reason))).toEqual([["enrich-failed"], ["enrich-timeout"], []]);
});

test("what fails when its record is done with is told once, and is nobody's", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { delivered, late, checkAll, records } = await check(() => gate.then(fail), ["BAD", "BAD", "LAX"]);
  expect(delivered.map((d) => d.events.length)).toEqual([1, 1, 1]);
  open();
  await new Promise(setImmediate);
  expect(late).toEqual(["TypeError: no network"]);
  expect((await checkAll(records.slice(2))).map((d) => d.events.length)).toEqual([1]);
});
