import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireSpec } from "../../src/core/spec.ts";
import { Lake } from "../../src/engine/lake.ts";
import { Store } from "../../src/engine/store.ts";
import {
  eventually,
  faultOf,
  select,
  settled,
  startTestEngine,
  type TestEngine,
  writePipeline,
} from "../support/engine.ts";
import { MINUTE, ordersBetween, ordersPipeline, START, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";
import { type SmallDisk, smallDisks } from "../support/small-disk.ts";

const NAME = "full-shop";
const LIMIT = { timeout: 300_000 };
const disks = smallDisks();
const fileSystems = disks.filter((d) => d.kind === "a file system without space");

/** A disk for one test. */
function diskOf(make: () => SmallDisk): SmallDisk {
  const disk = make();
  onTestFinished(() => disk.remove());
  return disk;
}

/** The engine on it with a pipeline of five minutes' orders, before the disk is full. */
async function running(disk: SmallDisk): Promise<TestEngine> {
  const engine = await startTestEngine(disk.folder);
  onTestFinished(() => engine.kill());
  const file = await writePipeline(disk.folder, ordersPipeline(NAME));
  await engine.backend.stack.deploy({ file, trusted: true });
  await new Producer(engine.endpoint, NAME).put(toRecords(ordersBetween(0, 5)));
  await settled(engine.backend, NAME);
  return engine;
}

const stateOf = async (engine: TestEngine) => (await engine.backend.stack.list()).find((p) => p.name === NAME);
const becomes = (engine: TestEngine, state: string) =>
  eventually(async () => {
    const summary = await stateOf(engine);
    return summary?.state === state ? summary : undefined;
  }, `the pipeline to be ${state}`);

if (disks.length === 0) it.skip("a disk that is full: there is no way here to make one (no root, no sh)");

describe.each(disks)("$kind", ({ make }) => {
  it(
    "refuses records and degrades the pipeline, which say what to do; with room it goes on, and nothing is lost",
    LIMIT,
    async () => {
      const disk = diskOf(make);
      let engine = await disk.fill(await running(disk));
      onTestFinished(() => engine.kill());
      const producer = new Producer(engine.endpoint, NAME);
      const stout = toRecords(ordersBetween(5, 10).map((o) => ({ ...o, id: `${o.id} ${"x".repeat(20_000)}` })));
      const small = toRecords(ordersBetween(10, 60));
      let kept = 0;
      let refusal: Error | undefined;
      // Many large records for the stream to be full, a small one that may still fit and wakes the store.
      const send = async () => {
        for (const records of [stout.slice(0, 20), [small[kept % small.length]!]]) {
          const places = await producer.putOnce(records).catch((error: Error) => {
            refusal = error;
            return [];
          });
          kept += places.length;
        }
      };
      const degraded = await eventually(async () => {
        await send();
        const summary = await stateOf(engine);
        return refusal && summary?.state === "degraded" ? summary : undefined;
      }, "the disk to be full for the stream and the store");
      expect(refusal!.message).toMatch(
        /500 .*InternalFailure.*no space left for the stream.*[Ff]ree some space.*send them again/,
      );
      expect(degraded.fault).toMatchObject({ code: "engine.disk-full" });
      expect(degraded.fault!.next).toMatch(/free some space/i);
      // What is there can still be looked at.
      expect((await engine.backend.streams.peek(NAME, { limit: 1 })).length).toBe(1);
      expect((await select(engine.backend, NAME, "SELECT count(*) FROM comparison"))[0]![0]).not.toBe("0");

      engine = await disk.makeRoom(engine);
      await becomes(engine, "running");
      const again = new Producer(engine.endpoint, NAME);
      kept += (await again.putOnce(stout.slice(0, 20))).length;
      const status = await settled(engine.backend, NAME);
      expect(status.fault).toBeUndefined();
      const [row] = await select(
        engine.backend,
        NAME,
        "SELECT count(*), count(DISTINCT _sequence), max(_sequence) FROM raw",
      );
      expect(row).toEqual(Array(3).fill(String(ordersBetween(0, 5).length + kept)));
    },
  );
});

describe.each(fileSystems)("$kind", ({ make }) => {
  it(
    "lets no pipeline be deployed, and leaves nothing of it; the others run on once there is room",
    LIMIT,
    async () => {
      const disk = diskOf(make);
      const other = await writePipeline(disk.folder, ordersPipeline("other-shop"));
      const engine = await disk.fill(await running(disk));
      const fault = await faultOf(engine.backend.stack.deploy({ file: other, trusted: true }));
      expect(fault).toMatchObject({ code: "engine.disk-full" });
      expect(fault.next).toMatch(/space/);
      expect((await engine.backend.stack.list()).map((p) => p.name)).toEqual([NAME]);
      await disk.makeRoom(engine);
      expect(await engine.backend.stack.deploy({ file: other, trusted: true })).toMatchObject({ state: "running" });
      await new Producer(engine.endpoint, NAME).put(toRecords(ordersBetween(5, 7)));
      expect((await settled(engine.backend, NAME)).counts.events).toBe(ordersBetween(0, 7).length);
    },
  );

  it("lets the engine end in order, and tells the next one's user what to do", LIMIT, async () => {
    const disk = diskOf(make);
    const engine = await disk.fill(await running(disk));
    // Its checkpoint finds no room: what it would have moved stays in the store's log.
    await engine.end();
    const fault = await faultOf(startTestEngine(disk.folder));
    expect(fault).toMatchObject({ code: "engine.disk-full" });
    expect(fault.next).toMatch(/[Ff]ree some space/);
    await disk.makeRoom(engine);
    const next = await startTestEngine(disk.folder);
    onTestFinished(() => next.kill());
    const [row] = await select(next.backend, NAME, "SELECT count(*), count(DISTINCT _sequence) FROM raw");
    expect(row).toEqual(Array(2).fill(String(ordersBetween(0, 5).length)));
  });

  it("keeps the lake's tail where it is, until its file can be written whole", LIMIT, async () => {
    const disk = diskOf(make);
    const store = await Store.open(join(disk.folder, "store.duckdb"));
    onTestFinished(() => store.close());
    const lake = new Lake(store, requireSpec(JSON.stringify(ordersPipeline(NAME))), join(disk.folder, "lake"));
    await lake.open();
    await store.transaction(async (writer) => {
      for (let i = 0; i < 2_000; i++)
        lake.addEvent([START + MINUTE, `order-${i}-${Math.sin(i)}`, "north", Math.cos(i), 1, null], i, START, false);
      await lake.write(writer);
    });
    const nobody = {} as TestEngine;
    await disk.fill(nobody);
    await expect(lake.flush(2_000, START)).rejects.toMatchObject({ code: "engine.disk-full" });
    const count = async () =>
      (await store.read(`SELECT count(*) AS n, count(DISTINCT _sequence) AS places FROM "${NAME}".raw`))[0];
    expect(await count()).toEqual({ n: 2_000, places: 2_000 });
    const listed = () => store.read(`SELECT path FROM "_${NAME}".lake_file`);
    expect(await listed()).toEqual([]);
    await disk.makeRoom(nobody);
    await lake.flush(2_000, START);
    expect(await count()).toEqual({ n: 2_000, places: 2_000 });
    expect(await listed()).toHaveLength(1);
    expect(readdirSync(join(disk.folder, "lake", "raw", "dt=2024-03-01"))).toEqual(["part-2000.parquet"]);
  });
});
