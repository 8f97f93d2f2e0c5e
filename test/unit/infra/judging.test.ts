/** Which forecast of a series goes live. */
import { expect, test } from "vitest";
import { type DeepArForecast, judge } from "../../../infra/lambda/judging.ts";
import { predictionLength } from "../../../infra/workflow/deepar.ts";
import type { PreparedSeries } from "../../../src/core/prepare.ts";
import { batchOf, message, window } from "./batches.ts";
import { ORIGIN, SHOP } from "./shop.ts";

const HOUR = 3_600_000;
const STEPS = predictionLength(SHOP);
const HOURS = 21 * 24;

/** A day's rhythm that wanders from day to day, but whose last day is the day before once more. */
function wandering(): PreparedSeries {
  const values = new Float64Array(HOURS);
  let seed = 1;
  const noise = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647 - 0.5;
  };
  for (let i = 0; i < HOURS - STEPS; i++) values[i] = 100 + 40 * Math.sin((i % 24) / 3.8) + 30 * noise();
  values.copyWithin(HOURS - STEPS, HOURS - 2 * STEPS, HOURS - STEPS);
  const start = ORIGIN - HOURS * HOUR;
  return { id: "price{store=north}", measure: SHOP.series.measures[2]!, start, every: HOUR, values };
}

/** A forecast of the test window that is off by `off` throughout. */
function deepar(series: PreparedSeries, off: number): DeepArForecast {
  const actual = Array.from(series.values.subarray(HOURS - STEPS));
  const held = [-1, 0, 1].map((side) => actual.map((v) => v + off + side * 0.01));
  return { held, live: held };
}

test("DeepAR goes live when it lost less than the ensemble and than repeating the last season", () => {
  const series = wandering();
  const chosen = (off: number) =>
    judge(SHOP, ORIGIN, [series], new Map([[series.id, deepar(series, off)]])).choices[0]!;
  const between = chosen(1);
  const { loss } = between;
  // What the test is about: the last day repeats itself, so that the season alone is hard to beat there.
  expect(loss.baseline!).toBeLessThan(loss.deepar!);
  expect(loss.deepar!).toBeLessThan(loss.ensemble!);
  expect(between.chosen).not.toBe("deepar");
  expect(between.reason).toContain("repeating the last season");
  expect(chosen(60).reason).toMatch(/lost less on the test window$/);
});

test("a season that repeats itself badly does not stand in DeepAR's way", () => {
  const series = wandering();
  const wide = { ...series, values: series.values.slice() };
  // The last day is another one: nobody repeats anything there.
  for (let i = HOURS - STEPS; i < HOURS; i++) wide.values[i] = 100 + 40 * Math.sin((i % 24) / 3.8);
  const { choices, version } = judge(SHOP, ORIGIN, [wide], new Map([[wide.id, deepar(wide, 0.5)]]));
  expect(choices[0]).toMatchObject({ chosen: "deepar", reason: "DeepAR lost less on the test window" });
  expect(version.series[wide.id]!.method).toBe("deepar");
});

test("a series that cannot be forecast is in the version without a window, and its group lacks a forecast ever after", async () => {
  const none = { ...wandering(), id: "price{store=south}", values: new Float64Array(HOURS).fill(Number.NaN) };
  const { version, choices, failures } = judge(SHOP, ORIGIN, [wandering(), none], new Map());
  expect(choices.map((c) => c.series)).toEqual(["price{store=north}"]);
  expect(failures).toEqual([expect.stringMatching(/^price\{store=south\}: None of the 504 windows/)]);
  expect(version.series[none.id]).toMatchObject({ method: "none", quantiles: [[], [], []] });
  // A container that starts now, and sees the group for the first time.
  const spec = { ...SHOP, series: { ...SHOP.series, by: [{ field: "store" }] } };
  const { run } = await batchOf(spec, spec, [version]);
  const records = [window(ORIGIN, "south", { price: 5 }), window(ORIGIN, "west", { price: 5 })];
  const outcomes = [];
  for (const record of records) outcomes.push(await run.run([message("1", record)], ORIGIN + 2 * HOUR));
  expect(outcomes.map((o) => o.forecastMissing)).toEqual([3, 0]);
});
