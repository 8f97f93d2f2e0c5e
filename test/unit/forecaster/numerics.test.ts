import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Autoregression, LagEquations } from "../../../src/forecaster/autoregression.ts";
import { conformalQuantile } from "../../../src/forecaster/band.ts";
import { fillForward, toHistory } from "../../../src/forecaster/history.ts";
import { seasonalLags } from "../../../src/forecaster/lags.ts";
import { solveSymmetric } from "../../../src/forecaster/linear.ts";
import { logScale } from "../../../src/forecaster/scale.ts";
import { minimise } from "../../../src/forecaster/simplex.ts";
import { SeasonalSmoothing } from "../../../src/forecaster/smoothing.ts";
import { gauss, HOUR, ordinary, randomFrom, START, seriesOf } from "./support.ts";

test("a symmetric system is solved", () => {
  const gram = Float64Array.of(4, 0, 0, 2, 5, 0, 1, 3, 6);
  const x = solveSymmetric(gram, Float64Array.of(11, 21, 25), new Float64Array(3));
  // The full matrix is [[4,2,1],[2,5,3],[1,3,6]].
  expect(4 * x[0]! + 2 * x[1]! + x[2]!).toBeCloseTo(11, 10);
  expect(2 * x[0]! + 5 * x[1]! + 3 * x[2]!).toBeCloseTo(21, 10);
  expect(x[0]! + 3 * x[1]! + 6 * x[2]!).toBeCloseTo(25, 10);
});

test("a singular system gives no NaN", () => {
  const x = solveSymmetric(Float64Array.of(1, 0, 1, 1), Float64Array.of(1, 1), new Float64Array(2));
  expect([...x].every(Number.isFinite)).toBe(true);
});

test("the simplex finds the bottom of Rosenbrock's valley", () => {
  const found = minimise(
    (x) => 100 * (x[1]! - x[0]! ** 2) ** 2 + (1 - x[0]!) ** 2,
    Float64Array.of(-1.2, 1),
    Float64Array.of(0.5, 0.5),
    { steps: 500, tolerance: 1e-12 },
  );
  expect(found.at[0]).toBeCloseTo(1, 3);
  expect(found.at[1]).toBeCloseTo(1, 3);
});

test("an autoregression finds the weights that made the series", () => {
  const random = randomFrom(4);
  const values = new Float64Array(3000);
  for (let t = 3; t < values.length; t++) values[t] = 0.6 * values[t - 1]! - 0.3 * values[t - 3]! + gauss(random);
  const equations = new LagEquations(values, new Uint8Array(3000).fill(1), [1, 2, 3]);
  equations.learn(3000);
  const [one, two, three, constant] = equations.solve([1, 2, 3], 0.01);
  expect(one).toBeCloseTo(0.6, 1);
  expect(two).toBeCloseTo(0, 1);
  expect(three).toBeCloseTo(-0.3, 1);
  expect(constant).toBeCloseTo(0, 1);
});

test("learning in steps is learning at once", () => {
  const values = Float64Array.from({ length: 600 }, (_, t) => ordinary(600)(t) / 40 - 2.5);
  const seen = Uint8Array.from({ length: 600 }, (_, t) => (t % 7 === 0 ? 0 : 1));
  const lags = [1, 2, 24, 25];
  const pathAfter = (...ends: number[]) => {
    const member = new Autoregression(values, new LagEquations(values, seen, lags), lags, 1);
    for (const end of ends) member.learn(end);
    return member.forecast([580], 20)[0]!;
  };
  const whole = pathAfter(560);
  pathAfter(200, 301, 560).forEach((v, h) => {
    expect(v).toBeCloseTo(whole[h]!, 9);
  });
});

test("smoothing continues a pattern of two seasons without noise", () => {
  const pattern = ordinary(1000, 1, 24, 0);
  const values = Float64Array.from({ length: 1000 }, (_, t) => (pattern(t) - 100) / 40);
  const member = new SeasonalSmoothing(values, new Uint8Array(1000).fill(1), [24, 168], 48, "squared");
  member.learn(1000);
  const [early, late] = member.forecast([900, 1000], 48);
  early!.forEach((v, h) => {
    expect(Math.abs(v - (pattern(900 + h) - 100) / 40)).toBeLessThan(0.1);
  });
  late!.forEach((v, h) => {
    expect(Math.abs(v - (pattern(1000 + h) - 100) / 40)).toBeLessThan(0.1);
  });
});

describe("lags", () => {
  test.each([
    { seasons: [], longest: 500 },
    { seasons: [7], longest: 500 },
    { seasons: [24, 168], longest: 500 },
    { seasons: [288, 2016], longest: 5000 },
    { seasons: [1440, 10080], longest: 20000 },
    { seasons: [2], longest: 3 },
  ])("for seasons $seasons are few, ascending, positive, and include each season", ({ seasons, longest }) => {
    const lags = seasonalLags(seasons, longest);
    for (const set of [lags.wide, lags.narrow]) {
      expect(set.length).toBeGreaterThan(0);
      expect(set.length).toBeLessThanOrEqual(60);
      expect(set.every((lag, i) => lag > (set[i - 1] ?? 0) && lag <= longest)).toBe(true);
      for (const season of seasons) expect(set).toContain(season);
    }
  });
});

describe("filling", () => {
  test("keeps what was observed and needs no future", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constant(Number.NaN)), { minLength: 2 }),
        fc.nat(),
        (values, cut) => {
          const all = Float64Array.from([1, ...values]);
          const end = 1 + (cut % all.length);
          const filled = fillForward(all, [3, 6]);
          expect(filled.every(Number.isFinite)).toBe(true);
          for (const [t, v] of all.entries()) if (!Number.isNaN(v)) expect(filled[t]).toBe(v);
          expect(fillForward(all.slice(0, end), [3, 6])).toEqual(filled.slice(0, end));
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  test("follows the season through a gap", () => {
    const pattern = [0, 5, 9, 5];
    const values = Float64Array.from({ length: 60 }, (_, t) => (t > 40 && t < 52 ? Number.NaN : pattern[t % 4]!));
    fillForward(values, [4]).forEach((v, t) => {
      expect(v).toBeCloseTo(pattern[t % 4]!, 1);
    });
  });
});

test("an excluded span masks every window it touches", () => {
  const history = toHistory(
    seriesOf(10, (t) => t),
    [{ from: START + 3.5 * HOUR, to: START + 5 * HOUR }],
  );
  expect([...history.values]).toEqual([0, 1, 2, Number.NaN, Number.NaN, 5, 6, 7, 8, 9]);
});

test("the logarithmic scale leads back, and exists only without negative values", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2 }), (values) => {
      const observed = Float64Array.from(values);
      const scale = logScale(observed, 1);
      if (observed.every((v) => v === 0)) expect(scale).toBeUndefined();
      else for (const v of values) expect(Math.abs(scale!.from(scale!.to(v)) - v)).toBeLessThanOrEqual(1e-8 * (1 + v));
    }),
    { seed: 3 },
  );
  expect(logScale(Float64Array.of(1, -1), 1)).toBeUndefined();
});

test("a conformal quantile lies farther out the fewer errors are independent", () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, i) => i);
  expect(conformalQuantile(sorted, 0.9)).toBeCloseTo(900, -1);
  expect(conformalQuantile(sorted, 0.9, 50)).toBeGreaterThan(conformalQuantile(sorted, 0.9));
  expect(conformalQuantile(sorted, 0.9, 5)).toBe(999);
  expect(conformalQuantile(sorted, 0.1, 5)).toBe(0);
  expect(conformalQuantile(sorted, 0.1) + conformalQuantile(sorted, 0.9)).toBe(999);
});
