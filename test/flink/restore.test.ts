/**
 * A pipeline that is deployed again while its job runs: the job stops with a savepoint, and the next one starts from it in a process
 * of its own, as on the service. State that fits no operator may be left behind, as the template allows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstWhole, parseWindowRecord } from "../../infra/lambda/comparing.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { MADE } from "./cases.ts";
import { inProcess, MINUTES } from "./cluster.ts";
import { byCore, byFlink, reaches, type Stage, type Windows } from "./core.ts";
import { type Folders, folders } from "./files.ts";
import { pyflink } from "./pyflink.ts";

const flink = await pyflink();
const lacking = "lacking" in flink ? flink.lacking : undefined;
const python = "python" in flink ? flink.python : "";
let folder = "";

const { spec, items } = MADE.find((c) => c.name.includes("disorder"))!;
const half = Math.floor(items.length / 2);
const earlier = items.slice(0, half);
const later = items.slice(half);

describe.skipIf(lacking)(`a job that is deployed again${lacking ? ` (skipped: ${lacking})` : ""}`, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "forewatch-restore-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.for<[string, PipelineSpec]>([
    ["nothing has changed", spec],
    ["the lateness has", { ...spec, source: { ...spec.source, lateness: 20 * MINUTES } }],
  ])("goes on as if it had not been stopped when %s", { timeout: 10 * MINUTES }, async ([, changed]) => {
    const place = folders(join(folder, `kept-${++places}`));
    const before = windowsOf({ spec, items: earlier });
    place.write({ spec, items: earlier });
    const savepoint = await first(place, before);
    expect(byFlink(spec, place.read())).toEqual(before);

    place.write({ spec: changed, items: later });
    const all = windowsOf([
      { spec, items: earlier },
      { spec: changed, items: later },
    ]);
    const next = place.elsewhere();
    const after = {
      rows: all.rows.filter((row) => !before.rows.includes(row)),
      closed: all.closed.filter((row) => !before.closed.includes(row)),
      arrived: all.arrived - before.arrived,
    };
    await second(changed, next, savepoint, [() => after]);
    // Windows that were open at the savepoint hold the events from before it: none is there twice, none is short.
    expect(byFlink(changed, next.read())).toEqual(after);
    expect(after.closed.length).toBeGreaterThan(3);
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
    place.write({ spec, items: earlier });
    const savepoint = await first(place, windowsOf({ spec, items: earlier }));
    const next = place.elsewhere();
    const again = windowsOf({ spec: changed, items: earlier });
    const all = windowsOf({ spec: changed, items });
    await second(changed, next, savepoint, [
      () => again,
      () => {
        place.write({ spec: changed, items: later });
        return all;
      },
    ]);
    expect(byFlink(changed, next.read())).toEqual(all);
    expect(all.closed.length).toBeGreaterThan(again.closed.length + 3);
  });

  const shorter = { ...spec, series: { ...series, every: 15 * MINUTES } };
  test("begins anew where the stream begins by now: what is compared is whole", { timeout: 10 * MINUTES }, async () => {
    const place = folders(join(folder, `trimmed-${++places}`));
    const gone = items.slice(0, 450);
    place.write({ spec, items: gone });
    const savepoint = await first(place, windowsOf({ spec, items: gone }));
    place.trim();
    place.write({ spec, items: items.slice(gone.length, half) });
    const next = place.elsewhere();
    const kept = windowsOf({ spec: shorter, items: items.slice(gone.length, half) });
    await second(shorter, next, savepoint, [() => kept]);
    expect(byFlink(shorter, next.read())).toEqual(kept);
    const whole = new Set(windowsOf({ spec: shorter, items: earlier }).rows);
    const isCompared = (text: string) => {
      const record = parseWindowRecord(text);
      return Date.parse(record.start) >= firstWhole(shorter, record);
    };
    const compared = byFlink(shorter, next.read().filter(isCompared)).rows;
    expect(compared.filter((row) => !whole.has(row))).toEqual([]);
    expect(compared.length).toBeGreaterThan(20);
    // Of those that are not compared, some are short of events.
    expect(kept.rows.some((row) => !whole.has(row))).toBe(true);
    expect(kept.rows.length).toBeGreaterThan(compared.length);
  });

  const newest = Math.max(...earlier.map((item) => (item as { t: number }).t));
  const following = later.filter((item) => (item as { t: number }).t > newest);
  test.for<[string, PipelineSpec]>([
    ["what the series are split by has changed", { ...spec, series: { ...series, by: [{ field: "n" }] } }],
    ["a measure is of a field that lines did not bear", { ...spec, series: { ...series, measures: ofSpare(series) } }],
  ])("begins anew with the lines that are written since when %s", { timeout: 10 * MINUTES }, async ([, changed]) => {
    const place = folders(join(folder, `since-${++places}`));
    place.write({ spec, items: earlier });
    const savepoint = await first(place, windowsOf({ spec, items: earlier }));
    place.write({ spec: changed, items: following });
    const next = place.elsewhere();
    const made = windowsOf({ spec: changed, items: following });
    await second(changed, next, savepoint, [() => made]);
    expect(byFlink(changed, next.read())).toEqual(made);
    expect(made.closed.length).toBeGreaterThan(3);
  });
});
let places = 0;

/** Other measures: a count of the fields `n` and `g`, of which the second was not measured. */
function ofSpare({ measures }: PipelineSpec["series"]): PipelineSpec["series"]["measures"] {
  const [first] = measures;
  return [
    { ...first!, name: "n", field: "n" },
    { ...first!, name: "g", field: "g" },
  ];
}

function windowsOf(stages: Stage | readonly Stage[]): Windows {
  const { late, ...windows } = byCore(stages, false);
  return windows;
}

/** The job as it was deployed first, on what the stream holds, until it has made these windows; resolves with its savepoint. */
async function first(place: Folders, windows: Windows): Promise<string> {
  return inProcess(python, join(folder, `cluster-${++clusters}`), async (cluster) => {
    const job = await cluster.start(spec, place.watched);
    await cluster.until(job, () => reaches(byFlink(spec, place.read()), windows));
    return cluster.stop(job);
  });
}

/** The job as it is deployed next, until it has made the windows of each step. */
async function second(
  changed: PipelineSpec,
  { watched, read }: Folders,
  savepoint: string,
  steps: readonly (() => Windows)[],
): Promise<void> {
  const settings = {
    ...watched.settings,
    "execution.state-recovery.path": savepoint,
    "execution.state-recovery.ignore-unclaimed-state": "true",
  };
  await inProcess(python, join(folder, `cluster-${++clusters}`), async (cluster) => {
    const job = await cluster.start(changed, { ...watched, settings });
    for (const step of steps) {
      const windows = step();
      await cluster.until(job, () => reaches(byFlink(changed, read()), windows));
    }
    await cluster.stop(job);
  });
}
let clusters = 0;
