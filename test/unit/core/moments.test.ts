import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyMoments, MOMENTS, mergeMoments, observe, readStatistic } from "../../../src/core/moments.ts";
import { STATISTICS, type Statistic } from "../../../src/core/spec.ts";

function describeAll(xs: readonly number[]): Float64Array {
  const cells = new Float64Array(MOMENTS);
  emptyMoments(cells, 0);
  for (const x of xs) observe(cells, 0, x);
  return cells;
}

const read = (cells: Float64Array) =>
  Object.fromEntries(STATISTICS.map((s) => [s, readStatistic(s, cells, 0)])) as Record<Statistic, number>;

/** By the textbook, in two passes over whole numbers scaled by 2^20, which BigInt adds without any rounding. */
function exactly(xs: readonly number[]): Record<Statistic, number> {
  const n = xs.length;
  const big = xs.map((x) => BigInt(x * 2 ** 20));
  const total = big.reduce((a, b) => a + b, 0n);
  const squares = big.reduce((a, b) => a + (b * BigInt(n) - total) ** 2n, 0n);
  return {
    count: n,
    sum: Number(total) / 2 ** 20,
    avg: n === 0 ? Number.NaN : Number(total) / n / 2 ** 20,
    min: n === 0 ? Number.NaN : Math.min(...xs),
    max: n === 0 ? Number.NaN : Math.max(...xs),
    stddev: n < 2 ? Number.NaN : Math.sqrt(Number(squares) / (n - 1)) / n / 2 ** 20,
  };
}

/** Whole multiples of 2^-10 about an offset: exact in a double, so that any difference is the fold's. */
const numbers = fc
  .tuple(fc.constantFrom(0, 1e3, -1e6, 1e9), fc.array(fc.integer({ min: -1e6, max: 1e6 }), { maxLength: 60 }))
  .map(([offset, xs]) => xs.map((x) => offset + x / 1_024));

function expectClose(actual: Record<Statistic, number>, expected: Record<Statistic, number>, scale: number): void {
  for (const s of ["count", "min", "max"] as const) expect(actual[s]).toBe(expected[s]);
  for (const s of ["sum", "avg", "stddev"] as const) {
    if (Number.isNaN(expected[s])) expect(actual[s], s).toBeNaN();
    else
      expect(Math.abs(actual[s] - expected[s]), s).toBeLessThanOrEqual(1e-12 * Math.max(scale, Math.abs(expected[s])));
  }
}

test("describes any numbers as exact arithmetic does", () => {
  fc.assert(
    fc.property(numbers, (xs) => expectClose(read(describeAll(xs)), exactly(xs), Math.max(0, ...xs.map(Math.abs)))),
  );
});

test("merging descriptions describes both sets", () => {
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 5 }), (sets) => {
      const cells = describeAll([]);
      for (const set of sets) mergeMoments(cells, 0, describeAll(set), 0);
      const all = sets.flat();
      expectClose(read(cells), exactly(all), Math.max(0, ...all.map(Math.abs)));
    }),
  );
});

describe("stays exact where naive sums fail", () => {
  test("a small spread about a large mean", () => {
    // 1e9 + {4, 7, 13, 16}: variance 30 (the classic example); the sum of squares in one pass loses it.
    const cells = describeAll([4, 7, 13, 16].map((x) => 1e9 + x));
    expect(read(cells)).toMatchObject({ sum: 4_000_000_040, avg: 1e9 + 10, stddev: Math.sqrt(30) });
  });

  test("a tiny spread about a large mean", () => {
    const xs = Array.from({ length: 100_000 }, (_, i) => 1e9 + (i % 2) / 1_024);
    const cells = describeAll(xs);
    expect(readStatistic("avg", cells, 0)).toBe(1e9 + 0.5 / 1_024);
    expect(readStatistic("stddev", cells, 0)).toBeCloseTo((0.5 / 1_024) * Math.sqrt(100_000 / 99_999), 12);
  });

  test("a million tenths, and what cancels", () => {
    expect(readStatistic("sum", describeAll(new Array(1_000_000).fill(0.1)), 0)).toBe(100_000);
    expect(readStatistic("sum", describeAll([1, 1e100, 1, -1e100]), 0)).toBe(2);
  });

  test("equal numbers have no spread", () => {
    expect(readStatistic("stddev", describeAll(new Array(1_000).fill(0.1)), 0)).toBe(0);
  });
});

test.each<[Statistic, number, number]>([
  ["count", 0, 1],
  ["sum", 0, 5],
  ["avg", Number.NaN, 5],
  ["min", Number.NaN, 5],
  ["max", Number.NaN, 5],
  ["stddev", Number.NaN, Number.NaN],
])("%s of nothing is %d, of a single 5 it is %d", (statistic, ofNothing, ofOne) => {
  expect(readStatistic(statistic, undefined, 0)).toBe(ofNothing);
  expect(readStatistic(statistic, describeAll([]), 0)).toBe(ofNothing);
  expect(readStatistic(statistic, describeAll([5]), 0)).toBe(ofOne);
});

test("descriptions side by side do not touch each other", () => {
  const cells = new Float64Array(2 * MOMENTS);
  emptyMoments(cells, 0);
  emptyMoments(cells, MOMENTS);
  for (const x of [1, 2]) observe(cells, 0, x);
  for (const x of [30, 50]) observe(cells, MOMENTS, x);
  expect([readStatistic("avg", cells, 0), readStatistic("avg", cells, MOMENTS)]).toEqual([1.5, 40]);
});
