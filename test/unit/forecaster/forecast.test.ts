import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { type ForecastOptions, findSeasons, forecast, type TimeSeries } from "../../../src/forecaster/index.ts";
import { DAY, flaws, gauss, HOUR, meanError, ordinary, randomFrom, START, seriesOf } from "./support.ts";

const WEEKS = 8 * 168;
const usual = ordinary(WEEKS);
const OPTIONS: ForecastOptions = { horizon: 48, seasons: [24, 168] };

/** The middle level's value at each step. */
const middle = (series: TimeSeries, options: ForecastOptions = OPTIONS) => forecast(series, options).quantiles[1]!;

describe("an ordinary series", () => {
  const truth = ordinary(WEEKS, 1, 24, 0);
  const result = forecast(seriesOf(WEEKS, ordinary(WEEKS)), OPTIONS);

  test("is forecast by the ensemble, near its pattern", () => {
    expect(result.method).toBe("ensemble");
    expect(result.reason).toBeUndefined();
    // The noise has a deviation of 4, so its mean absolute value is 3.2: the forecast must be much nearer to the pattern.
    expect(meanError(result, (h) => truth(WEEKS + h))).toBeLessThan(2);
  });

  test("says what it is a forecast of", () => {
    expect(result).toMatchObject({
      start: START + WEEKS * HOUR,
      every: HOUR,
      horizon: 48,
      levels: [0.01, 0.5, 0.99],
      seasons: [24, 168],
      trainedOn: { from: START, to: START + WEEKS * HOUR, windows: WEEKS, missing: 0 },
    });
  });

  test("has a band about as wide as its noise", () => {
    const width = result.quantiles[2]!.map((v, h) => v - result.quantiles[0]![h]!);
    const mean = width.reduce((a, b) => a + b, 0) / width.length;
    const exact = 2 * 2.326 * 4;
    expect(mean).toBeGreaterThan(0.9 * exact);
    expect(mean).toBeLessThan(1.7 * exact);
  });

  test("is forecast the same again", () => {
    expect(forecast(seriesOf(WEEKS, ordinary(WEEKS)), OPTIONS)).toEqual(result);
  });
});

describe.each([
  { name: "a minute, hourly season", every: 60_000, seasons: [60], windows: 2000, day: 60 },
  { name: "5 minutes, daily and weekly season", every: 300_000, seasons: [288, 2016], windows: 5 * 2016, day: 288 },
  { name: "a quarter of an hour, daily season", every: 900_000, seasons: [96], windows: 2000, day: 96 },
  { name: "a day, weekly season", every: DAY, seasons: [7], windows: 200, day: 7 },
  { name: "an hour, no season", every: HOUR, seasons: [], windows: 400, day: 24 },
])("windows of $name", ({ every, seasons, windows, day }) => {
  test("are forecast by the ensemble with these seasons", () => {
    const random = randomFrom(3);
    const value = (t: number) => 50 + (seasons.length > 0 ? 20 * Math.sin((2 * Math.PI * t) / day) : 0);
    const noisy = Array.from({ length: windows }, (_, t) => value(t) + gauss(random));
    const result = forecast(
      seriesOf(windows, (t) => noisy[t]!, every),
      { horizon: day, seasons },
    );
    expect(result).toMatchObject({ method: "ensemble", seasons });
    expect(flaws(result)).toEqual([]);
    expect(meanError(result, (h) => value(windows + h))).toBeLessThan(0.8);
  });
});

describe("gaps", () => {
  const value = ordinary(WEEKS);
  const truth = ordinary(WEEKS, 1, 24, 0);
  const gap = (from: number, to: number) => (t: number) => t >= from && t < to;
  const random = randomFrom(9);
  const scattered = new Set(Array.from({ length: WEEKS / 4 }, () => Math.floor(random() * WEEKS)));
  test.each([
    { name: "at the start", missing: gap(0, 100) },
    { name: "at the end", missing: gap(WEEKS - 30, WEEKS) },
    { name: "of a week in the middle", missing: gap(600, 768) },
    { name: "of a week at the end", missing: gap(WEEKS - 168, WEEKS) },
    { name: "a fifth of all windows, scattered", missing: (t: number) => scattered.has(t) },
    { name: "every night", missing: (t: number) => t % 24 < 5 },
  ])("$name leave the forecast near the pattern", ({ missing }) => {
    const result = forecast(
      seriesOf(WEEKS, (t) => (missing(t) ? Number.NaN : value(t))),
      OPTIONS,
    );
    expect(flaws(result)).toEqual([]);
    expect(result.method).toBe("ensemble");
    const observedAhead = (h: number) => !(missing(WEEKS - 168 + h) && missing(WEEKS - 336 + h));
    const errors = Array.from({ length: 48 }, (_, h) => h)
      .filter(observedAhead)
      .map((h) => Math.abs(result.quantiles[1]![h]! - truth(WEEKS + h)));
    expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThan(3);
    expect(result.trainedOn.missing).toBe(Array.from({ length: WEEKS }, (_, t) => t).filter(missing).length);
  });

  test("nothing observed is a fault that says so", () => {
    expect(() =>
      forecast(
        seriesOf(500, () => Number.NaN),
        OPTIONS,
      ),
    ).toThrow(expect.objectContaining({ code: "forecast.failed", message: expect.stringContaining("500 windows") }));
  });

  test("an excluded incident is not learned", () => {
    const incident = gap(WEEKS - 60, WEEKS - 36);
    const broken = seriesOf(WEEKS, (t) => (incident(t) ? 0 : value(t)));
    const exclude = [{ from: START + (WEEKS - 60) * HOUR, to: START + (WEEKS - 36) * HOUR }];
    const without = forecast(broken, { ...OPTIONS, exclude });
    expect(without.trainedOn.missing).toBe(24);
    expect(without).toEqual(
      forecast(
        seriesOf(WEEKS, (t) => (incident(t) ? Number.NaN : value(t))),
        OPTIONS,
      ),
    );
  });
});

describe("unusual series", () => {
  test("zeros at night stay near zero, and a count's quantiles are whole and never negative", () => {
    const random = randomFrom(5);
    const values = Array.from({ length: WEEKS }, (_, t) =>
      t % 24 < 6 ? 0 : Math.max(0, Math.round(30 + 10 * Math.sin((2 * Math.PI * t) / 24) + 4 * gauss(random))),
    );
    const result = forecast(
      seriesOf(WEEKS, (t) => values[t]!),
      { ...OPTIONS, kind: "count" },
    );
    expect(flaws(result, 0)).toEqual([]);
    expect(result.quantiles.every((q) => q.every((v) => Number.isInteger(v)))).toBe(true);
    for (const h of [1, 3, 26, 28]) {
      expect(result.quantiles[1]![h]).toBe(0);
      expect(result.quantiles[2]![h]).toBeLessThanOrEqual(4);
    }
    expect(result.quantiles[0]![12]).toBeGreaterThan(5);
  });

  test.each([
    { kind: "count" as const, value: 7, band: [6, 7, 8] },
    { kind: "count" as const, value: 0, band: [0, 0, 1] },
    { kind: "real" as const, value: -2.5, band: [-2.5, -2.5, -2.5] },
    { kind: "real" as const, value: 3, resolution: 0.5, band: [2.5, 3, 3.5] },
  ])("a constant $value ($kind) has a band as wide as the resolution", ({ value, band, ...options }) => {
    const result = forecast(
      seriesOf(WEEKS, () => value),
      { ...OPTIONS, ...options },
    );
    expect(result.method).toBe("constant");
    expect(result.quantiles.map((q) => q[17])).toEqual(band);
  });

  test("negative values are forecast on their own scale", () => {
    const value = (t: number) => usual(t) - 100;
    const truth = (t: number) => ordinary(WEEKS, 1, 24, 0)(t) - 100;
    const series = seriesOf(WEEKS, value);
    const result = forecast(series, { ...OPTIONS, kind: "real" });
    expect(meanError(result, (h) => truth(WEEKS + h))).toBeLessThan(2);
    expect(result.quantiles[0]!.some((v) => v < 0)).toBe(true);
  });

  test.each([1e-9, 1e-3, 1e6, 1e15, 1e200, 1e-200, 5e305])("scaled by %d, the forecast is scaled alike", (factor) => {
    const plain = middle(seriesOf(WEEKS, ordinary(WEEKS)));
    const scaled = middle(seriesOf(WEEKS, (t) => factor * usual(t)));
    scaled.forEach((v, h) => {
      expect(Math.abs(v / factor - plain[h]!)).toBeLessThan(0.5);
    });
  });

  test("a level shift is followed within days", () => {
    const shifted = seriesOf(WEEKS, (t) => usual(t) + (t >= WEEKS - 96 ? 60 : 0));
    const truth = (h: number) => ordinary(WEEKS, 1, 24, 0)(WEEKS + h) + 60;
    expect(meanError(forecast(shifted, OPTIONS), truth)).toBeLessThan(15);
  });

  test("single outliers barely move the forecast", () => {
    const random = randomFrom(11);
    const struck = new Set(Array.from({ length: 12 }, () => Math.floor(random() * (WEEKS - 24))));
    const series = seriesOf(WEEKS, (t) => usual(t) * (struck.has(t) ? 8 : 1));
    const truth = ordinary(WEEKS, 1, 24, 0);
    expect(meanError(forecast(series, OPTIONS), (h) => truth(WEEKS + h))).toBeLessThan(8);
  });

  test("a pattern that moves by an hour, as daylight saving does, is followed after a week and more", () => {
    const change = WEEKS - 240;
    const noise = ordinary(WEEKS);
    const plain = ordinary(WEEKS, 1, 24, 0);
    const local = (t: number) => (t >= change ? t + 1 : t);
    const series = seriesOf(WEEKS, (t) => plain(local(t)) + noise(t) - plain(t));
    const result = forecast(series, OPTIONS);
    const after = meanError(result, (h) => plain(WEEKS + h + 1));
    const before = meanError(result, (h) => plain(WEEKS + h));
    expect(after).toBeLessThan(before);
    expect(after).toBeLessThan(6);
  });

  test("explosive growth is held within reason", () => {
    const result = forecast(
      seriesOf(400, (t) => 1.05 ** t),
      { horizon: 200, seasons: [24] },
    );
    expect(flaws(result, 0)).toEqual([]);
    expect(Math.max(...result.quantiles[1]!)).toBeLessThanOrEqual(2 * 1.05 ** 399);
  });
});

describe("short histories name their fallback", () => {
  const value = ordinary(WEEKS);
  test.each([
    { windows: 1, method: "constant", seasons: [] },
    { windows: 5, method: "robust-mean", seasons: [] },
    { windows: 30, method: "robust-mean", seasons: [] },
    { windows: 60, method: "seasonal-naive", seasons: [24] },
    { windows: 480, method: "ensemble", seasons: [24] },
    { windows: 700, method: "ensemble", seasons: [24, 168] },
  ])("$windows windows: $method", ({ windows, method, seasons }) => {
    const result = forecast(seriesOf(windows, value), OPTIONS);
    expect(result).toMatchObject({ method, seasons });
    expect(result.reason === undefined).toBe(method === "ensemble" && seasons.length === 2);
    expect(flaws(result)).toEqual([]);
  });

  test("an ensemble that does worse on the held-out windows is not put to use", () => {
    // Five days to learn from and a week's pattern that they do not show: repeating the last day errs less.
    const result = forecast(seriesOf(240, value), OPTIONS);
    expect(result).toMatchObject({ method: "seasonal-naive", seasons: [24] });
    expect(result.reason).toContain("held-out windows");
    expect(result.holdout!.mase).toBeGreaterThan(result.holdout!.baseline);
    const last = Array.from({ length: 24 }, (_, h) => value(216 + h));
    expect(Array.from(result.quantiles[1]!.slice(0, 24))).toEqual(last);
  });

  test("the seasonal naive forecast repeats the last day", () => {
    const result = forecast(seriesOf(60, value), OPTIONS);
    expect([...result.quantiles[1]!.subarray(0, 24)]).toEqual(Array.from({ length: 24 }, (_, h) => value(36 + h)));
  });
});

describe("impossible options are refused in words", () => {
  const series = seriesOf(500, ordinary(500));
  test.each<{ name: string; options?: Partial<ForecastOptions>; grid?: Partial<TimeSeries> }>([
    { name: "horizon 0", options: { horizon: 0 } },
    { name: "a broken horizon", options: { horizon: 1.5 } },
    { name: "no level", options: { levels: [] } },
    { name: "a level of 1", options: { levels: [0.5, 1] } },
    { name: "levels out of order", options: { levels: [0.9, 0.1] } },
    { name: "three seasons", options: { seasons: [2, 3, 4] } },
    { name: "a season of one window", options: { seasons: [1] } },
    { name: "seasons out of order", options: { seasons: [168, 24] } },
    { name: "a negative resolution", options: { resolution: -1 } },
    { name: "a span that ends before it starts", options: { exclude: [{ from: 2, to: 1 }] } },
    { name: "no calibration", options: { calibration: 0 } },
    { name: "windows of a second", grid: { every: 1000 } },
    { name: "windows of a week", grid: { every: 7 * DAY } },
    { name: "no start", grid: { start: Number.NaN } },
  ])("$name", ({ options, grid }) => {
    const attempt = () => forecast({ ...series, ...grid }, { ...OPTIONS, ...options });
    expect(attempt).toThrow(Fault);
    expect(attempt).toThrow(expect.objectContaining({ code: "forecast.invalid", next: expect.any(String) }));
  });
});

describe("seasons are found", () => {
  const random = randomFrom(21);
  const noise = Float64Array.from({ length: 5000 }, () => gauss(random));
  const wave = (t: number, m: number) => 10 * Math.sin((2 * Math.PI * t) / m) + 6 * Math.cos((4 * Math.PI * t) / m);
  test.each<{ name: string; windows: number; every?: number; value: (t: number) => number; seasons: number[] }>([
    { name: "day and week", windows: WEEKS, value: ordinary(WEEKS), seasons: [24, 168] },
    { name: "day alone", windows: 1000, value: (t) => wave(t, 24) + noise[t]!, seasons: [24] },
    { name: "none in noise", windows: 1000, value: (t) => noise[t]!, seasons: [] },
    { name: "none in a constant", windows: 1000, value: () => 4, seasons: [] },
    { name: "none in a random walk's gap", windows: 3, value: (t) => t, seasons: [] },
    { name: "no calendar length", windows: 1000, value: (t) => wave(t, 37) + noise[t]!, seasons: [37] },
    { name: "week of days", windows: 200, every: DAY, value: (t) => wave(t, 7) + noise[t]!, seasons: [7] },
    {
      name: "day and week of 5 minutes",
      windows: 4 * 2016,
      every: 300_000,
      value: ordinary(4 * 2016, 2, 288),
      seasons: [288, 2016],
    },
    {
      name: "day with gaps",
      windows: 1000,
      value: (t) => (t % 11 === 0 || (t > 300 && t < 400) ? Number.NaN : wave(t, 24) + noise[t]!),
      seasons: [24],
    },
  ])("$name", ({ windows, every = HOUR, value, seasons }) => {
    expect(findSeasons(seriesOf(windows, value, every))).toEqual(seasons);
  });
});

describe("whatever comes in", () => {
  const anyValue = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -1000, max: 1000, noNaN: true }) },
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.constant(Number.NaN) },
    { weight: 1, arbitrary: fc.double() },
  );
  const seriesArbitrary = fc
    .record({
      motif: fc.array(anyValue, { minLength: 1, maxLength: 60 }),
      tail: fc.array(anyValue, { maxLength: 60 }),
      repeats: fc.integer({ min: 1, max: 12 }),
      every: fc.constantFrom(60_000, 300_000, HOUR, DAY),
    })
    .map(({ motif, tail, repeats, every }) => {
      const values = [...Array.from({ length: repeats }, () => motif).flat(), ...tail];
      return { start: START, every, values: Float64Array.from(values) };
    });
  const optionsArbitrary = fc.record({
    horizon: fc.integer({ min: 1, max: 60 }),
    seasons: fc.constantFrom<readonly number[] | "auto">("auto", [], [7], [24], [5, 13], [24, 168]),
    kind: fc.constantFrom("count" as const, "sum" as const, "real" as const),
    levels: fc.constantFrom([0.01, 0.5, 0.99], [0.5], [0.1, 0.2, 0.3], [0.05, 0.25, 0.5, 0.75, 0.95]),
    resolution: fc.constantFrom(0, 1, 25),
  });

  test("the quantiles are finite, ordered, and not below a count's zero", () => {
    fc.assert(
      fc.property(seriesArbitrary, optionsArbitrary, (series, options) => {
        fc.pre(series.values.some((v) => Number.isFinite(v)));
        expect(flaws(forecast(series, options), options.kind === "count" ? 0 : undefined)).toEqual([]);
      }),
      { numRuns: 150, seed: 42 },
    );
  });

  test("windows before the first observed one make no difference", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (lead) => {
        const value = ordinary(400);
        const plain = middle(seriesOf(400, value), { horizon: 24, seasons: [24] });
        const led = seriesOf(400 + lead, (t) => (t < lead ? Number.NaN : value(t - lead)));
        expect(middle(led, { horizon: 24, seasons: [24] })).toEqual(plain);
      }),
      { numRuns: 5, seed: 1 },
    );
  });
});
