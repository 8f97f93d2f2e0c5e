import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, deviation, metricsOf, watchedMetric } from "../../../src/core/compare.ts";
import { DIRECTIONS, MISSING } from "../../../src/core/spec.ts";
import { HOUR } from "../../../src/core/time.ts";

const WINDOW = { series: "n{g=a}", start: 0, end: HOUR };
const BAND = { lower: 80, median: 100, upper: 110, version: "v" };

describe("the deviation", () => {
  test.each<[string, number, [number, number, number], number, number]>([
    ["is 0 at the median", 100, [80, 100, 110], 0, 0],
    ["is 1 at the upper edge", 110, [80, 100, 110], 0, 1],
    ["is -1 at the lower edge", 80, [80, 100, 110], 0, -1],
    ["counts half widths of its own side above", 130, [80, 100, 110], 0, 3],
    ["counts half widths of its own side below", 50, [80, 100, 110], 0, -2.5],
    ["has the resolution for its least half width", 103, [99.5, 100, 100.5], 1, 3],
    ["leaves a wider half as it is", 105, [99.5, 100, 102], 1, 2.5],
    ["of a band without width counts the resolution", 3, [0, 0, 0], 1, 3],
    ["of a band without width or resolution is 0 at the median", 7, [7, 7, 7], 0, 0],
    ["of a band without width or resolution counts a billionth of the median", 7.000_000_07, [7, 7, 7], 0, 10],
    ["of a band without width about zero is bounded", 1e-300, [0, 0, 0], 0, 1e6],
    ["of a band without width about zero is bounded below", -5, [0, 0, 0], 0, -1e6],
    ["of a band upside down counts the resolution", 105, [110, 100, 90], 1, 5],
    ["is not known of a window without a value", Number.NaN, [80, 100, 110], 0, Number.NaN],
    ["is not known of a band without a number", 100, [Number.NaN, Number.NaN, Number.NaN], 1, Number.NaN],
  ])("%s", (_, actual, [lower, median, upper], resolution, expected) => {
    const d = deviation(actual, { lower, median, upper }, resolution);
    if (Number.isNaN(expected)) expect(d).toBeNaN();
    else expect(d).toBeCloseTo(expected, 6);
  });

  test("is outside +-1 just where the actual is outside the band, and never beyond a number", () => {
    const number = fc.integer({ min: -1e9, max: 1e9 }).map((i) => i / 1_024);
    fc.assert(
      fc.property(fc.tuple(number, number, number), number, (band, actual) => {
        const [lower, median, upper] = band.sort((a, b) => a - b) as [number, number, number];
        // A half width that rounding can see.
        fc.pre(Math.min(upper - median, median - lower) > 1e-3);
        const d = deviation(actual, { lower, median, upper }, 0);
        expect(Number.isFinite(d)).toBe(true);
        expect([d > 0, d < 0]).toEqual([actual > median, actual < median]);
        if (Math.abs(Math.abs(d) - 1) > 1e-9) expect(Math.abs(d) > 1).toBe(actual > upper || actual < lower);
      }),
    );
  });
});

describe("a comparison and its metrics", () => {
  const metrics = (actual: number, band?: typeof BAND) =>
    Object.fromEntries(metricsOf(compare(WINDOW, actual, band, 1)).map((m) => [m.name, m.value]));

  test("of a window with its forecast", () => {
    expect(compare(WINDOW, 50, BAND, 1)).toEqual({
      ...WINDOW,
      actual: 50,
      lower: 80,
      median: 100,
      upper: 110,
      deviation: -2.5,
      version: "v",
    });
    expect(metrics(50, BAND)).toEqual({
      Actual: 50,
      Lower: 80,
      Median: 100,
      Upper: 110,
      Deviation: -2.5,
      ForecastMissing: 0,
    });
  });

  test("of a window without a forecast", () => {
    const c = compare(WINDOW, 50, undefined, 1);
    expect(c).toMatchObject({ actual: 50, deviation: Number.NaN, version: undefined });
    expect(metrics(50)).toEqual({ Actual: 50, ForecastMissing: 1 });
  });

  test("of a window without a value: no metric is NaN", () => {
    expect(metrics(Number.NaN, BAND)).toEqual({ Lower: 80, Median: 100, Upper: 110, ForecastMissing: 0 });
    expect(metrics(Number.NaN)).toEqual({ ForecastMissing: 1 });
  });

  test("what rules watch: the size on both sides; where silence breaches, a metric in which it does, and no lack of a forecast", () => {
    const rules = DIRECTIONS.flatMap((direction) => MISSING.map((missing) => ({ direction, missing })));
    const watched = (actual: number, band?: typeof BAND) =>
      Object.fromEntries(
        metricsOf(compare(WINDOW, actual, band, 1), rules)
          .filter((m) => m.name.startsWith("Deviation"))
          .map((m) => [m.name, m.value]),
      );
    expect(watched(50, BAND)).toEqual({
      Deviation: -2.5,
      DeviationSize: 2.5,
      DeviationBelowOrSilence: -2.5,
      DeviationAboveOrSilence: -2.5,
      DeviationSizeOrSilence: 2.5,
    });
    const each = (below: number, above: number) => ({
      DeviationBelowOrSilence: below,
      DeviationAboveOrSilence: above,
      DeviationSizeOrSilence: above,
    });
    expect(watched(50)).toEqual(each(0, 0));
    expect(watched(Number.NaN)).toEqual(each(0, 0));
    expect(watched(Number.NaN, BAND)).toEqual(each(-1e6, 1e6));
    // The forecast has no number, which is not the business's silence.
    expect(watched(50, { ...BAND, median: Number.NaN })).toEqual({});
    expect(watchedMetric({ direction: "below", missing: "missing" })).toBe("Deviation");
    const once = metricsOf(compare(WINDOW, 50, BAND, 1), [...rules, ...rules]).map((m) => m.name);
    expect(new Set(once).size).toBe(once.length);
  });

  test("no metric is ever other than a number", () => {
    const any = fc.double();
    fc.assert(
      fc.property(
        any,
        fc.option(fc.record({ lower: any, median: any, upper: any, version: fc.constant("v") }), { nil: undefined }),
        (actual, band) => metricsOf(compare(WINDOW, actual, band, 0)).every((m) => Number.isFinite(m.value)),
      ),
    );
  });
});
