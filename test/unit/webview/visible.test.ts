import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChartPoint, SeriesChart } from "../../../src/backend.ts";
import { packChart } from "../../../src/rpc/page.ts";
import {
  alarmEdges,
  clampRange,
  indexAt,
  isBreaching,
  mergeTail,
  nearestIndex,
  newestActual,
  roundValues,
  visible,
} from "../../../webview/parts/chart/visible.ts";

const EVERY = 60_000;

function chart(values: readonly (number | null)[], over: Partial<SeriesChart> = {}): SeriesChart {
  const points = values.map(
    (actual, i): ChartPoint => ({
      start: i * EVERY,
      actual,
      lower: 90,
      median: 100,
      upper: 120,
      deviation: actual === null ? null : actual >= 100 ? (actual - 100) / 20 : (actual - 100) / 10,
      late: 0,
    }),
  );
  return { series: "s", every: EVERY, points, rules: [], incidents: [], ...over };
}

describe("what of a series is drawn", () => {
  it("is every window when there is room, and one beyond each end", () => {
    const part = visible(packChart(chart([1, 2, 3, 4, 5, 6])), { from: 2 * EVERY, until: 4 * EVERY }, 100);
    expect(part.thinned).toBe(false);
    expect(part.actual.map((p) => p.y)).toEqual([2, 3, 4, 5]);
  });

  it("keeps every bucket's smallest and largest value, so every peak, however many windows there are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: null }), {
          minLength: 300,
          maxLength: 3_000,
        }),
        fc.integer({ min: 20, max: 120 }),
        (values, buckets) => {
          const columns = packChart(chart(values));
          const part = visible(columns, { from: 0, until: values.length * EVERY }, buckets);
          const drawn = part.actual.map((p) => p.y).filter((y) => !Number.isNaN(y));
          const there = values.filter((v) => v !== null);
          if (there.length === 0) return drawn.length === 0;
          expect(Math.max(...drawn)).toBe(Math.max(...there));
          expect(Math.min(...drawn)).toBe(Math.min(...there));
          expect(part.actual.length).toBeLessThanOrEqual(
            Math.max(2 * (buckets + 2), values.length <= 2 * buckets ? values.length : 0),
          );
          expect(part.actual.every((p, i) => i === 0 || p.x > part.actual[i - 1]!.x)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("merges the same windows whatever the pan, so that the picture does not shimmer", () => {
    const values = Array.from({ length: 5_000 }, (_, i) => Math.sin(i / 7) * 50 + (i % 13));
    const columns = packChart(chart(values));
    const width = 2_000 * EVERY;
    const at = (shift: number) =>
      visible(columns, { from: 500 * EVERY + shift, until: 500 * EVERY + shift + width }, 100).actual;
    const inside = (points: readonly { x: number }[]) => points.filter((p) => p.x > 600 * EVERY && p.x < 2_400 * EVERY);
    expect(inside(at(7 * EVERY))).toEqual(inside(at(0)));
  });

  it("leaves a gap where windows have no value", () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i >= 400 && i < 600 ? null : 5));
    const part = visible(packChart(chart(values)), { from: 0, until: 1_000 * EVERY }, 50);
    const gap = part.actual.filter((p) => Number.isNaN(p.y)).map((p) => p.x / EVERY);
    expect(Math.min(...gap)).toBeGreaterThanOrEqual(400);
    expect(Math.max(...gap)).toBeLessThan(600);
    expect(gap.length).toBeGreaterThan(5);
  });

  it("keeps the worst breaching window of a bucket", () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i === 444 ? 500 : i === 443 ? 300 : 100));
    const part = visible(packChart(chart(values)), { from: 0, until: 1_000 * EVERY }, 50);
    expect(part.breaching).toEqual([{ x: 444 * EVERY, y: 500 }]);
  });
});

describe("alarm edges", () => {
  const rule = (direction: "below" | "above" | "both", threshold: number) => ({ name: "r", direction, threshold });
  it.each([
    { rules: [rule("below", 1)], edges: [{ side: "below", threshold: 1 }], drawn: [90] },
    { rules: [rule("above", 1.5)], edges: [{ side: "above", threshold: 1.5 }], drawn: [130] },
    {
      rules: [rule("both", 2), rule("below", 3)],
      edges: [
        { side: "below", threshold: 2 },
        { side: "above", threshold: 2 },
      ],
      drawn: [80, 140],
    },
    { rules: [], edges: [], drawn: [] },
  ])("lie at the threshold's multiple of the half band: $drawn", ({ rules, edges, drawn }) => {
    expect(alarmEdges(rules)).toEqual(edges);
    const part = visible(packChart(chart([100, 100], { rules })), { from: 0, until: 2 * EVERY }, 100);
    expect(part.edges.map((line) => line[0]?.y)).toEqual(drawn);
  });

  it.each([
    [-1.01, [rule("below", 1)], true],
    [-1, [rule("below", 1)], false],
    [5, [rule("below", 1)], false],
    [1.2, [], true],
    [0.9, [], false],
    [Number.NaN, [rule("both", 1)], false],
  ])("a deviation of %d is told from an ordinary one", (deviation, rules, expected) => {
    expect(isBreaching(deviation, alarmEdges(rules))).toBe(expected);
  });
});

describe("places on the time axis", () => {
  const start = Float64Array.from([0, 10, 20, 30]);
  it.each([
    [-5, 0, 0],
    [0, 0, 0],
    [4, 1, 0],
    [6, 1, 1],
    [30, 3, 3],
    [99, 4, 3],
  ])("at %d", (at, index, nearest) => {
    expect(indexAt(start, at)).toBe(index);
    expect(nearestIndex(start, at)).toBe(nearest);
  });
  it("there is no nearest window in an empty series", () => {
    expect(nearestIndex(new Float64Array(), 5)).toBe(-1);
  });
  it.each([
    ["inside", { from: 20, until: 40 }, { from: 20, until: 40 }],
    ["too far left", { from: -20, until: 10 }, { from: 0, until: 30 }],
    ["too far right", { from: 90, until: 120 }, { from: 70, until: 100 }],
    ["too wide", { from: -50, until: 300 }, { from: 0, until: 100 }],
    ["too narrow", { from: 50, until: 52 }, { from: 46, until: 56 }],
  ])("a range %s is put within its limits", (_, range, expected) => {
    expect(clampRange(range, { from: 0, until: 100 }, 10)).toEqual(expected);
  });
});

describe("newer windows", () => {
  it("replace those from their first start on, and extend the rest", () => {
    const old = packChart(chart([1, 2, 3, null]));
    const tail = packChart({ ...chart([1, 2, 30, 40, null]), points: chart([1, 2, 30, 40, null]).points.slice(2) });
    const merged = mergeTail(old, tail);
    expect([...merged.actual].slice(0, 4)).toEqual([1, 2, 30, 40]);
    expect(merged.start.length).toBe(5);
    expect(newestActual(merged)).toBe(4 * EVERY);
  });
  it("change nothing when there are none", () => {
    const old = packChart(chart([1, 2]));
    expect(mergeTail(old, packChart(chart([])))).toEqual(old);
  });
});

describe("round values on an axis", () => {
  it.each([
    [-4.2, 55.5, [0, 10, 20, 30, 40, 50]],
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [1_234, 1_301, [1_240, 1_260, 1_280, 1_300]],
    [-0.031, 0.012, [-0.03, -0.02, -0.01, 0, 0.01]],
  ])("from %d to %d", (low, high, values) => {
    expect(roundValues(low, high, 6)).toEqual(values);
  });
});
