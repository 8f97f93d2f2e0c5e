import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireSpec } from "../../../src/core/spec.ts";
import { DAY, MINUTE } from "../../../src/core/time.ts";
import { Lake } from "../../../src/engine/lake.ts";
import { Store } from "../../../src/engine/store.ts";
import { ordersPipeline, START } from "../../support/orders.ts";

const NAME = "lake-shop";
const spec = requireSpec(JSON.stringify(ordersPipeline(NAME)));

/** A lake on a store of its own. */
async function opened() {
  const home = mkdtempSync(join(tmpdir(), "forewatch-lake-"));
  const store = await Store.open(join(home, "store.duckdb"));
  onTestFinished(async () => {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  });
  const open = async () => {
    const lake = new Lake(store, spec, join(home, "lake"));
    await lake.open();
    return lake;
  };
  let sequence = 0;
  /** Takes in events by their times and rejected records, all of which arrive at `arrival`. */
  const add = (lake: Lake, times: readonly number[], rejected: number, arrival: number) =>
    store.transaction(async (writer) => {
      for (const time of times)
        lake.addEvent([time, `order-${++sequence}`, "north", 1, 1, null], sequence, arrival, false);
      for (let i = 0; i < rejected; i++)
        lake.addRejected({ reason: "malformed-json", detail: "no JSON", data: Buffer.from("{") }, ++sequence, arrival);
      await lake.write(writer);
    });
  const days = async (table: string) =>
    (await store.read(`SELECT dt, count(*) AS n FROM "${NAME}"."${table}" GROUP BY 1 ORDER BY 1`)).map((r) => [
      r.dt,
      r.n,
    ]);
  const files = () =>
    readdirSync(join(home, "lake"), { recursive: true })
      .map((name) => String(name).replaceAll("\\", "/"))
      .filter((name) => name.endsWith(".parquet"))
      .sort();
  return { store, open, add, days, files, places: () => sequence };
}

it("holds the first and the last instant that an event can have, in the tail and in files", async () => {
  const { open, add, days, files } = await opened();
  const lake = await open();
  const [first, last] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];
  await add(lake, [first, last], 0, START);
  const held = [
    ["0001-01-01", 1],
    ["9999-12-31", 1],
  ];
  expect(await days("raw")).toEqual(held);
  await lake.flush(1, START);
  expect(files()).toHaveLength(2);
  expect(await days("raw")).toEqual(held);
});

describe("retention", () => {
  it("counts an event's age from its own time and a rejected record's from its arrival", async () => {
    const { open, add, days } = await opened();
    const lake = await open();
    const today = Date.UTC(2026, 10, 23, 12);
    // A replay of two old days, which arrive twenty days apart.
    await add(lake, [START, START], 2, today - 20 * DAY);
    await add(lake, [START + DAY], 3, today);
    await lake.flush(1, today);
    expect(await days("rejected")).toEqual([
      ["2026-11-03", 2],
      ["2026-11-23", 3],
    ]);

    // By the stream's clock the first day's rejected records are of the future, by their arrival they are twenty days old.
    expect(await lake.expire({ raw: START - DAY, rejected: today - 19 * DAY })).toBe(1);
    expect(await days("raw")).toEqual([
      ["2024-03-01", 2],
      ["2024-03-02", 1],
    ]);
    expect(await days("rejected")).toEqual([["2026-11-23", 3]]);
    expect(await lake.expire({ raw: START + DAY, rejected: today - 19 * DAY })).toBe(1);
    expect(await days("raw")).toEqual([["2024-03-02", 1]]);
    expect(await days("rejected")).toEqual([["2026-11-23", 3]]);
  });

  it("of more than all time keeps everything", async () => {
    const { open, add, days } = await opened();
    const lake = await open();
    await add(lake, [START], 1, START);
    await lake.flush(1, START);
    const never = START - Number.MAX_SAFE_INTEGER;
    expect(await lake.expire({ raw: never, rejected: never })).toBe(0);
    expect(await days("raw")).toHaveLength(1);
  });
});

describe("small files", () => {
  it("of a day are merged at the twelfth, in the stream's order, and the old ones go a flush later", async () => {
    const { open, add, days, files, store, places } = await opened();
    const lake = await open();
    const flush = async (i: number) => {
      await add(lake, [START + i * MINUTE, START + i * MINUTE], i === 3 ? 1 : 0, START);
      await lake.flush(places(), START);
    };
    for (let i = 0; i < 11; i++) await flush(i);
    expect(files().filter((f) => f.startsWith("raw/"))).toHaveLength(11);
    await flush(11);
    const listed = async () =>
      (await store.read(`SELECT path FROM "_${NAME}"."lake_file" WHERE kind = 'raw'`)).map((r) => String(r.path));
    expect(await listed()).toEqual([`raw/dt=2024-03-01/merged-${places()}.parquet`]);
    // A query that began before may still read the old ones.
    expect(files().filter((f) => f.startsWith("raw/"))).toHaveLength(13);
    const [row] = await store.read(`SELECT count(*) AS n, count(DISTINCT _sequence) AS places FROM "${NAME}"."raw"`);
    expect(row).toEqual({ n: 24, places: 24 });
    const order = await store.read(`SELECT _sequence AS s FROM "${NAME}"."raw"`);
    expect(order.map((r) => Number(r.s))).toEqual(order.map((r) => Number(r.s)).sort((a, b) => a - b));
    expect(await days("rejected")).toEqual([["2024-03-01", 1]]);

    await flush(12);
    expect(files().filter((f) => f.startsWith("raw/"))).toEqual((await listed()).sort());
    expect(await listed()).toHaveLength(2);
    expect(await days("raw")).toEqual([["2024-03-01", 26]]);
    // What was merged is read at the next start as it is.
    const again = await open();
    expect(await days("raw")).toEqual([["2024-03-01", 26]]);
    expect(again.due(START)).toBe(false);
  });
});

describe("the tail's age", () => {
  it.each([
    ["events", 1, 0],
    ["rejected records", 0, 1],
  ])("is that of its oldest row, over a restart too: %s", async (_, events, rejected) => {
    const { open, add } = await opened();
    const lake = await open();
    const now = START;
    expect(lake.due(now)).toBe(false);
    await add(lake, Array<number>(events).fill(START), rejected, now);
    expect(lake.due(now + 9 * MINUTE)).toBe(false);
    expect(lake.due(now + 10 * MINUTE)).toBe(true);

    const restarted = await open();
    expect(restarted.due(now + 9 * MINUTE)).toBe(false);
    expect(restarted.due(now + 10 * MINUTE)).toBe(true);
    await restarted.flush(1, now + 10 * MINUTE);
    expect(restarted.due(now + 11 * MINUTE)).toBe(false);
    expect((await open()).due(now + 60 * MINUTE)).toBe(false);
  });
});
