import { describe, expect, test } from "vitest";
import { type BacktestOptions, backtest, forecast, type TimeSeries } from "../../../src/forecaster/index.ts";
import { AccuracyTally, seasonalScale } from "../../../src/forecaster/metrics.ts";
import { HOUR, ordinary, START, seriesOf } from "./support.ts";

const WINDOWS = 8 * 168;
const SERIES = seriesOf(WINDOWS, ordinary(WINDOWS));
const OPTIONS: BacktestOptions = {
  horizon: 48,
  seasons: [24, 168],
  from: START + 5 * 168 * HOUR,
  step: 24,
  refitEvery: 168,
};

describe("a backtest of an ordinary series", () => {
  const report = backtest(SERIES, OPTIONS);

  test("beats the seasonal naive forecast, with an honest band", () => {
    // Repeating last week's noise costs the square root of 2; nothing can do better than 0.71 of that.
    expect(report.accuracy.mase).toBeLessThan(0.85 * report.baseline.mase);
    expect(report.accuracy.wql).toBeLessThan(0.85 * report.baseline.wql);
    expect(report.accuracy.msis).toBeLessThan(0.9 * report.baseline.msis);
    expect(report.accuracy.coverage).toBeGreaterThan(0.96);
    expect(report.baseline.coverage).toBeGreaterThan(0.95);
    expect(report.baselineSeason).toBe(168);
  });

  test("has an origin a day, trained once a week, each with what came", () => {
    expect(report.origins.map((o) => o.start)).toEqual(
      Array.from({ length: 21 }, (_, i) => START + (5 * 168 + 24 * i) * HOUR),
    );
    expect(report.origins.filter((o) => o.refitted).length).toBe(3);
    for (const origin of report.origins) {
      const from = (origin.start - START) / HOUR;
      const windows = Math.min(48, WINDOWS - from);
      expect(origin.actual).toEqual(SERIES.values.slice(from, from + windows));
      for (const q of [...origin.quantiles, ...origin.baseline]) expect(q.length).toBe(windows);
      expect(origin.accuracy.windows).toBe(windows);
    }
  });

  test("pools its windows: each origin's errors add up to the whole", () => {
    const windows = report.origins.reduce((n, o) => n + o.accuracy.windows, 0);
    const smape = report.origins.reduce((sum, o) => sum + o.accuracy.smape * o.accuracy.windows, 0) / windows;
    expect(report.accuracy.windows).toBe(windows);
    expect(report.accuracy.smape).toBeCloseTo(smape, 10);
  });
});

describe("a backtest sees nothing of the future", () => {
  const origin = START + 900 * HOUR;
  const changed: TimeSeries = { ...SERIES, values: SERIES.values.map((v, t) => (t < 900 ? v : 1e4 - 3 * v)) };
  const gappy = (series: TimeSeries): TimeSeries => ({
    ...series,
    values: series.values.map((v, t) => (t % 5 === 0 || (t > 880 && t < 920) ? Number.NaN : v)),
  });
  const only: BacktestOptions = { ...OPTIONS, from: origin, to: origin + 48 * HOUR };

  test.each([
    { name: "whole", before: SERIES, after: changed },
    { name: "with gaps across the origin", before: gappy(SERIES), after: gappy(changed) },
  ])("a $name series with another future has the same forecast", ({ before, after }) => {
    expect(backtest(after, only).origins[0]!.quantiles).toEqual(backtest(before, only).origins[0]!.quantiles);
  });

  test("and forecast() makes the same from the past alone", () => {
    const past = { ...SERIES, values: SERIES.values.slice(0, 900) };
    const { quantiles } = forecast(past, { horizon: 48, seasons: [24, 168] });
    expect(backtest(SERIES, only).origins[0]!.quantiles).toEqual(quantiles);
  });

  test("between refits a newer origin still uses the newest values", () => {
    const report = backtest(
      { ...SERIES, values: SERIES.values.map((v, t) => (t >= 900 && t < 924 ? v + 50 : v)) },
      { ...OPTIONS, from: origin, to: origin + 72 * HOUR, refitEvery: 1000 },
    );
    const plain = backtest(SERIES, { ...OPTIONS, from: origin, to: origin + 72 * HOUR, refitEvery: 1000 });
    expect(report.origins.map((o) => o.refitted)).toEqual([true, false, false]);
    expect(report.origins[0]!.quantiles).toEqual(plain.origins[0]!.quantiles);
    expect(report.origins[1]!.quantiles[1]![0]!).toBeGreaterThan(plain.origins[1]!.quantiles[1]![0]! + 5);
  });
});

describe("a backtest that cannot be", () => {
  test.each<{ name: string; options: Partial<BacktestOptions>; series?: TimeSeries }>([
    { name: "begins after the end", options: { from: START + WINDOWS * HOUR } },
    { name: "ends before it begins", options: { from: START + 900 * HOUR, to: START + 800 * HOUR } },
    { name: "has steps of nothing", options: { step: 0 } },
    { name: "never trains", options: { refitEvery: 0 } },
    { name: "has no value", options: {}, series: seriesOf(600, () => Number.NaN) },
  ])("$name", ({ options, series = SERIES }) => {
    expect(() => backtest(series, { ...OPTIONS, ...options })).toThrow(
      expect.objectContaining({ code: "forecast.invalid" }),
    );
  });
});

describe("accuracy, by hand", () => {
  const levels = [0.1, 0.5, 0.9];
  /** Lower, median, upper of each window. */
  const tallyOf = (windows: readonly { actual: number; forecast: readonly number[] }[], scale: number) => {
    const tally = new AccuracyTally(levels);
    for (const { actual, forecast: f } of windows) tally.add(actual, f[1]!, (l) => f[l]!, scale);
    return tally.accuracy;
  };

  test("of three windows, one above its band", () => {
    const accuracy = tallyOf(
      [
        { actual: 10, forecast: [8, 10, 12] },
        { actual: 9, forecast: [8, 11, 12] },
        { actual: 15, forecast: [8, 10, 12] },
        { actual: Number.NaN, forecast: [0, 0, 0] },
      ],
      2,
    );
    expect(accuracy.windows).toBe(3);
    expect(accuracy.mase).toBeCloseTo((0 + 2 + 5) / 3 / 2, 12);
    expect(accuracy.smape).toBeCloseTo((200 * (0 + 2 / 20 + 5 / 25)) / 3, 12);
    expect(accuracy.coverage).toBeCloseTo(2 / 3, 12);
    // Width 4 each; 3 beyond the upper level costs 2 / 0.2 times as much.
    expect(accuracy.msis).toBeCloseTo((4 + 4 + 4 + 30) / 3 / 2, 12);
    const pinball = 0.1 * 2 + 0 + 0.1 * 2 + (0.1 * 1 + 0.5 * 2 + 0.1 * 3) + (0.1 * 7 + 0.5 * 5 + 0.9 * 3);
    expect(accuracy.wql).toBeCloseTo((2 * pinball) / 3 / (10 + 9 + 15), 12);
  });

  test("the scale is the mean difference a season apart, gaps left out", () => {
    expect(seasonalScale(Float64Array.of(1, 2, 4, Number.NaN, 5, 9), 6, 2)).toBeCloseTo((3 + 1) / 2, 12);
    expect(seasonalScale(Float64Array.of(3, 3, 3), 3, 1)).toBe(1);
  });
});
