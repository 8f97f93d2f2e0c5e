import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { TrainingJob } from "../../../src/backend.ts";
import { byFields, requireSpec } from "../../../src/core/spec.ts";
import { createPipelineTables } from "../../../src/engine/checkpoint.ts";
import { ensureFolder, putInPlace, writeDurably } from "../../../src/engine/durable.ts";
import { Lake } from "../../../src/engine/lake.ts";
import { createSchemas, Store } from "../../../src/engine/store.ts";
import { TrainPool } from "../../../src/engine/train-pool.ts";
import { Training } from "../../../src/engine/training.ts";
import { MINUTE, ordersPipeline, START } from "../../support/orders.ts";

/** What has become durable, in order, by inode: files and folders are synced under their temporary names too. */
let synced: number[] = [];

beforeAll(async () => {
  const handle = await open(import.meta.filename, "r");
  const kind = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = kind;
  vi.spyOn(kind, "sync").mockImplementation(async function (this: FileHandle) {
    await sync.call(this);
    synced.push((await this.stat()).ino);
  });
  return () => vi.restoreAllMocks();
});

function folder(): string {
  synced = [];
  const path = mkdtempSync(join(tmpdir(), "forewatch-durable-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const inode = (path: string) => statSync(path).ino;
/** On Windows folders cannot be synced, and need not be. */
const withFolders = process.platform !== "win32";

/** Where in the order of syncs a path and the folder that names it stand; -1 for never. */
const orderOf = (path: string) => [synced.indexOf(inode(path)), synced.lastIndexOf(inode(dirname(path)))] as const;

function expectDurable(path: string): void {
  const [bytes, name] = orderOf(path);
  expect(bytes, `the bytes of ${path}`).toBeGreaterThanOrEqual(0);
  if (withFolders) expect(name, `the name of ${path}`).toBeGreaterThan(bytes);
}

describe("a file that is put in its place", () => {
  it("has its bytes on the disk before its name, and leaves nothing beside it", async () => {
    const home = folder();
    await writeDurably(join(home, "a.json"), "old");
    synced = [];
    writeFileSync(join(home, "a.json.tmp"), "newer");
    expect(await putInPlace(join(home, "a.json.tmp"), join(home, "a.json"))).toBe(5);
    expect(readFileSync(join(home, "a.json"), "utf8")).toBe("newer");
    expectDurable(join(home, "a.json"));
  });

  it.runIf(withFolders)("lies in folders whose names are on the disk", async () => {
    const home = folder();
    await ensureFolder(join(home, "a", "b", "c"));
    expect([home, join(home, "a"), join(home, "a", "b")].map((f) => synced.includes(inode(f)))).toEqual([
      true,
      true,
      true,
    ]);
    synced = [];
    await ensureFolder(join(home, "a", "b", "c"));
    expect(synced).toEqual([]);
  });
});

describe("what the store names", () => {
  /** A pipeline's store and lake with an hour of events. */
  async function pipeline(home: string) {
    const spec = requireSpec(JSON.stringify(ordersPipeline("durable-shop")));
    const store = await Store.open(join(home, "store.duckdb"));
    onTestFinished(() => store.close());
    await store.transaction(async (writer) => {
      await createSchemas(writer, spec.name);
      await createPipelineTables(
        writer,
        spec.name,
        byFields(spec).map((f) => `"${f}"`),
      );
    });
    const lake = new Lake(store, spec, join(home, "lake"));
    await lake.open();
    await store.transaction(async (writer) => {
      for (let i = 0; i < 60; i++)
        lake.addEvent([START + i * MINUTE, String(i), "north", i, 1, null], i + 1, START, false);
      await lake.write(writer);
    });
    const training = new Training(store, spec, home, new TrainPool(new URL("file:///never-started.mjs"), 1));
    return { spec, store, lake, training };
  }

  it("is durable before: the lake's files", async () => {
    const home = folder();
    const { lake, spec, store } = await pipeline(home);
    await lake.flush(61, Date.now());
    const files = await store.read(`SELECT path FROM "_${spec.name}"."lake_file"`);
    expect(files).toHaveLength(1);
    for (const { path } of files) expectDurable(join(home, "lake", String(path)));
  });

  it("is durable before: a training's frozen series, and the forecast that comes of it", async () => {
    const home = folder();
    const { store, training } = await pipeline(home);
    const origin = START + 60 * MINUTE;
    const version = "2024-03-01T01:00:00Z";
    const planned: { job: TrainingJob } = await store.transaction((writer) =>
      training.plan(writer, origin, version, "schedule", Date.now()),
    );
    expect(planned.job.state).toBe("queued");
    expectDurable(join(home, "prepared", "2024-03-01T010000Z.parquet"));
    await store.transaction((writer) =>
      training.keep(writer, {
        format: 1,
        pipeline: "durable-shop",
        version,
        origin,
        every: MINUTE,
        levels: [0.05, 0.5, 0.95],
        series: { "orders{region=north}": { method: "ensemble", quantiles: [[1], [2], [3]] } },
      }),
    );
    expectDurable(join(home, "forecasts", "2024-03-01T010000Z.json"));
  });
});
