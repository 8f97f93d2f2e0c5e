/** What one training takes, how it is divided, and that more is refused before it costs anything. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packVersion, unpackVersion } from "../../../infra/lambda/forecasts.ts";
import { Publisher } from "../../../infra/lambda/publishing.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import {
  checkCapacity,
  compareMemory,
  judgingSeconds,
  mostSeries,
  originsInUse,
  PUBLISH_MEMORY,
  partSize,
  stagingSeconds,
  staysInUse,
} from "../../../infra/workflow/capacity.ts";
import { scheduleEvery, stepsToReach } from "../../../infra/workflow/times.ts";
import type { ForecastVersion } from "../../../src/core/forecast.ts";
import { MOST_SERIES } from "../../../src/core/series.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { parseDuration } from "../../../src/core/time.ts";
import { MemoryObjects } from "./memory.ts";
import { options, PIPELINES } from "./pipelines.ts";

const HOUR = 3_600_000;
const ORIGIN = Date.UTC(2026, 10, 22);

function pipeline(groups: number | undefined, forecast: object = {}, every = "1h"): PipelineSpec {
  const values = Array.from({ length: groups ?? 0 }, (_, i) => `g${i}`);
  return requireSpec(
    JSON.stringify({
      name: "wide",
      source: { time: "t", fields: { t: "timestamp", g: "string" } },
      series: { every, by: groups === undefined ? ["g"] : { g: values }, measures: { n: { count: "*" } } },
      forecast,
      // Whatever the history.
      retention: { lake: "400000d" },
    }),
  );
}

/** Pipelines with every length of window, of history and of horizon that a pipeline file may have. */
const anyForecast = fc
  .record({
    minutes: fc.constantFrom(1, 5, 15, 60, 360, 1_440),
    history: fc.integer({ min: 2, max: 400_000 }),
    horizon: fc.integer({ min: 1, max: 2_016 }),
  })
  .map(({ minutes, history, horizon }) => {
    const text = (windows: number) => `${windows * minutes}m`;
    const forecast = { history: text(history), horizon: text(horizon), retrain: text(1) };
    const every = minutes === 1_440 ? "1d" : `${minutes}m`;
    return pipeline(undefined, forecast, every);
  });

describe("what a training takes", () => {
  test("is every pipeline of the tests, and as many hourly series as a pipeline may have", () => {
    for (const spec of Object.values(PIPELINES)) synthesize(spec, options());
    expect(mostSeries(pipeline(1))).toBe(MOST_SERIES);
    expect(() => synthesize(pipeline(MOST_SERIES), options())).not.toThrow();
  });

  test("is ten thousand series of five-minute windows, two days ahead, with two weeks of history", () => {
    const most = (history: string) => mostSeries(pipeline(1, { history, horizon: "2d" }, "5m"));
    expect(most("2w")).toBe(MOST_SERIES);
    expect(most("4w")).toBeLessThan(MOST_SERIES);
  });

  test("more than a pipeline watches is refused as that", () => {
    expect(() => checkCapacity(pipeline(1), MOST_SERIES + 1)).toThrow(
      "10001 series are more than a pipeline watches: 10000.",
    );
  });

  test.each([
    ["history", { history: "520w" }],
    ["horizon", { horizon: "2016h" }],
  ])("a %s too long for so many series is refused with how many fit", (_, forecast) => {
    const most = mostSeries(pipeline(1, forecast));
    expect(most).toBeLessThan(MOST_SERIES);
    expect(() => synthesize(pipeline(most, forecast), options())).not.toThrow();
    expect(() => synthesize(pipeline(most + 1, forecast), options())).toThrow(
      `${most + 1} series are more than a training on AWS lays out and publishes at once: with this history and horizon, ${most}.`,
    );
  });

  test("more discovered groups are refused when they are laid out, before anything is trained", async () => {
    const spec = pipeline(undefined, { history: "520w" });
    const objects = new MemoryObjects();
    const rows = Array.from({ length: mostSeries(spec) + 1 }, (_, i) =>
      JSON.stringify({ window_start: ORIGIN - HOUR, g: `g${i}`, n: 1 }),
    );
    await objects.put("training/r/rows/1.json", `${rows.join("\n")}\n`);
    const staged = publisher(spec, objects).stage({ action: "stage", runId: "r", origin: ORIGIN });
    await expect(staged).rejects.toMatchObject({ code: "target.unsupported" });
    expect(await objects.list("training/r/")).toEqual(["training/r/rows/1.json"]);
  });

  test("whatever the windows: memory holds it, parts are done in time, and their names fit a state's payload", () => {
    fc.assert(
      fc.property(anyForecast, (spec) => {
        const windows = spec.forecast.history / spec.series.every;
        const most = mostSeries(spec);
        const size = partSize(spec);
        // The grid of all series, and the texts of one part, leave most of the memory free.
        expect(8 * most * windows).toBeLessThan((PUBLISH_MEMORY / 3) * 2 ** 20);
        expect(size === 1 || size * windows * 2 * 25 <= 100_000_000).toBe(true);
        expect(size * judgingSeconds(spec)).toBeLessThan(900 / 3);
        expect(stagingSeconds(spec, most)).toBeLessThanOrEqual(900 / 2);
        expect(Math.ceil(most / size)).toBeLessThan(200);
        expect(compareMemory(spec)).toBeGreaterThanOrEqual(512);
        expect(compareMemory(spec)).toBeLessThanOrEqual(PUBLISH_MEMORY);
      }),
    );
  });
});

test("the comparison has memory for the forecasts of the series that are known, or of all that may be", () => {
  const memory = (spec: PipelineSpec) =>
    synthesize(spec, options()).template.Resources.CompareFunction!.Properties.MemorySize as number;
  const forecast = { history: "2w", horizon: "2d" };
  expect(memory(pipeline(100, forecast, "5m"))).toBe(512);
  expect(memory(pipeline(undefined, forecast))).toBe(512);
  const wide = memory(pipeline(undefined, forecast, "5m"));
  expect(wide).toBe(memory(pipeline(MOST_SERIES, forecast, "5m")));
  // Three numbers of eight bytes a window: three versions, one more while they change, and its file.
  expect(wide).toBeGreaterThan((5 * 24 * 576 * MOST_SERIES) / 2 ** 20);
});

describe("forecasts in use", () => {
  /** What is in use after a training a day, or as often as they are, for so many days. */
  const after = (spec: PipelineSpec, trainings: number) => {
    let used: { origin: number }[] = [];
    for (let k = 0; k < trainings; k++)
      used = staysInUse(spec, [{ origin: ORIGIN + k * scheduleEvery(spec) }, ...used]);
    return used;
  };
  test.each([
    ["a day's stream and daily trainings", "1d", "1d"],
    ["a week's stream and daily trainings", "7d", "1d"],
    ["a week's stream and trainings every two hours", "7d", "1h"],
    ["a month's stream", "30d", "1d"],
  ])("reach back without a gap as far as windows may come: %s", (_, stream, retrain) => {
    const base = pipeline(100, { horizon: "2d", retrain });
    const spec = { ...base, retention: { ...base.retention, stream: parseDuration(stream)! } };
    const used = after(spec, 2_000);
    const reach = stepsToReach(spec) * HOUR;
    expect(used.length).toBeLessThanOrEqual(originsInUse(spec));
    for (const [i, { origin }] of used.entries())
      if (i > 0) expect(origin + reach).toBeGreaterThanOrEqual(used[i - 1]!.origin);
    expect(used.at(-1)!.origin).toBeLessThanOrEqual(used[0]!.origin - spec.retention.stream);
    expect(used.length).toBeLessThan(4 + (2 * spec.retention.stream) / reach);
  });
});

describe("ten thousand series", () => {
  const GROUPS = 10_000;
  const WINDOWS = 40;
  const spec = pipeline(undefined, { history: `${WINDOWS}h`, horizon: "16h", retrain: "16h" });

  test("are laid out in parts that a function and SageMaker can read", async () => {
    const objects = new MemoryObjects();
    for (let file = 0; file < 10; file++) {
      const lines: string[] = [];
      for (let hour = file; hour < WINDOWS; hour += 10) {
        const start = ORIGIN - (WINDOWS - hour) * HOUR;
        for (let g = 0; g < GROUPS; g++) lines.push(`{"window_start":${start},"g":"g${g}","n":${(g * hour) % 97}}`);
      }
      await objects.put(`training/r/rows/${file}`, lines.join("\n"));
    }
    const staged = await publisher(spec, objects).stage({ action: "stage", runId: "r", origin: ORIGIN });
    const parts = Math.ceil(GROUPS / partSize(spec));
    expect(staged).toEqual({ families: [{ family: "counts", series: GROUPS }], series: GROUPS, parts });
    expect(parts).toBeGreaterThan(1);
    const sizes = async (place: string) =>
      (await objects.list(`training/r/${place}/`)).map((key) => objects.content.get(key)!.length);
    for (const place of ["series", "counts/train", "counts/test", "counts/predict", "counts/index"]) {
      const found = await sizes(place);
      expect(found, place).toHaveLength(parts);
      expect(Math.max(...found), place).toBeLessThan(100_000_000 / parts);
    }
    const ids = await Promise.all(
      (await objects.list("training/r/counts/index/")).map(
        (key) => JSON.parse(objects.content.get(key)!.toString()) as string[],
      ),
    );
    expect(new Set(ids.flat()).size).toBe(GROUPS);
  });

  test("of 96 windows are a version that takes eight bytes a number, and is read back whole", () => {
    const list = (from: number) => Array.from({ length: 96 }, (_, t) => from + t / 7);
    const series = Array.from({ length: GROUPS }, (_, i) => {
      const quantiles = [list(i), list(i + 1), list(i + 2)];
      return [`n{g=g${i}}`, { method: "ensemble", quantiles }] as const;
    });
    const version: ForecastVersion = {
      ...{ format: 1, pipeline: "wide", version: "v", origin: ORIGIN, every: HOUR, levels: [0.01, 0.5, 0.99] },
      series: Object.fromEntries(series),
    };
    const packed = packVersion({ version, shape: { by: "", measures: {} } });
    expect(packed.length).toBeLessThan(1.04 * 8 * 3 * 96 * GROUPS);
    const { version: read } = unpackVersion(packed);
    for (const [id, one] of series) expect(read.series[id]!.quantiles[1]![287]).toBe(one.quantiles[1]![287]);
  });
});

function publisher(spec: PipelineSpec, objects: MemoryObjects): Publisher {
  return new Publisher({
    ...{ spec, objects, exclusions: [], training: "training/", forecasts: "forecasts/" },
    current: "forecasts/current.json",
  });
}
