/**
 * A pipeline that is deployed again while its job runs: the job stops with a savepoint, and the next one starts from it in a process
 * of its own, as on the service. State that fits no operator may be left behind, as the template allows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { MADE } from "./cases.ts";
import { Cluster, MINUTES } from "./cluster.ts";
import { byCore, byFlink } from "./core.ts";
import { type Folders, folders } from "./files.ts";
import { pyflink } from "./pyflink.ts";

const flink = await pyflink();
const lacking = "lacking" in flink ? flink.lacking : undefined;
const folder = mkdtempSync(join(tmpdir(), "forewatch-restore-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { spec, items } = MADE.find((c) => c.name.includes("disorder"))!;
const half = Math.floor(items.length / 2);
const earlier = items.slice(0, half);
const later = items.slice(half);

describe.skipIf(lacking)(`a job that is deployed again${lacking ? ` (skipped: ${lacking})` : ""}`, () => {
  test.for<[string, PipelineSpec]>([
    ["nothing has changed", spec],
    ["the lateness has", { ...spec, source: { ...spec.source, lateness: 20 * MINUTES } }],
  ])("goes on as if it had not been stopped when %s", { timeout: 10 * MINUTES }, async ([, changed]) => {
    const place = folders(join(folder, `kept-${++places}`));
    const before = byCore({ spec, items: earlier }, false).rows;
    const savepoint = await first(place, before.length);
    expect(byFlink(spec, place.read()).rows).toEqual(before);

    place.write({ spec: changed, items: later });
    const all = byCore(
      [
        { spec, items: earlier },
        { spec: changed, items: later },
      ],
      false,
    ).rows;
    const next = place.elsewhere();
    await second(changed, next, savepoint, [() => all.length - before.length]);
    // Windows that were open at the savepoint hold the events from before it: none is there twice, none is short.
    expect([...before, ...byFlink(changed, next.read()).rows].sort()).toEqual(all);
    expect(all.length).toBeGreaterThan(before.length + 3);
  });

  const { series } = spec;
  const most = { name: "most_x", statistic: "max", field: "x" } as const;
  test.for<[string, PipelineSpec]>([
    [
      "a measure is added",
      { ...spec, series: { ...series, measures: [...series.measures, { ...series.measures[0]!, ...most }] } },
    ],
    ["measures are removed", { ...spec, series: { ...series, measures: series.measures.slice(2) } }],
    ["windows are shorter", { ...spec, series: { ...series, every: 15 * MINUTES } }],
  ])("begins anew with the events that are there when %s", { timeout: 10 * MINUTES }, async ([, changed]) => {
    const place = folders(join(folder, `anew-${++places}`));
    const savepoint = await first(place, byCore({ spec, items: earlier }, false).rows.length);

    const next = place.elsewhere();
    const again = byCore({ spec: changed, items: earlier }, false).rows;
    const all = byCore({ spec: changed, items }, false).rows;
    await second(changed, next, savepoint, [
      () => again.length,
      () => {
        place.write({ spec: changed, items: later });
        return all.length;
      },
    ]);
    expect(byFlink(changed, next.read()).rows).toEqual(all);
    expect(all.length).toBeGreaterThan(again.length + 3);
  });
});
let places = 0;

/** The job as it was deployed first, until it has made so many windows; resolves with its savepoint. */
async function first(place: Folders, windows: number): Promise<string> {
  place.write({ spec, items: earlier });
  return inProcess(async (cluster) => {
    const job = await cluster.start(spec, place.watched);
    await cluster.until(job, () => byFlink(spec, place.read()).rows.length >= windows);
    return cluster.stop(job);
  });
}

/** The job as it is deployed next, until it has made as many windows as each step says. */
async function second(
  changed: PipelineSpec,
  { watched, read }: Folders,
  savepoint: string,
  steps: readonly (() => number)[],
): Promise<void> {
  const settings = {
    ...watched.settings,
    "execution.state-recovery.path": savepoint,
    "execution.state-recovery.ignore-unclaimed-state": "true",
  };
  await inProcess(async (cluster) => {
    const job = await cluster.start(changed, { ...watched, settings });
    for (const step of steps) {
      const windows = step();
      await cluster.until(job, () => byFlink(changed, read()).rows.length >= windows);
    }
    await cluster.stop(job);
  });
}

async function inProcess<T>(run: (cluster: Cluster) => Promise<T>): Promise<T> {
  const { python } = flink as { python: string };
  const cluster = new Cluster(python, join(folder, `cluster-${++clusters}`));
  try {
    return await run(cluster);
  } finally {
    await cluster.close();
  }
}
let clusters = 0;
