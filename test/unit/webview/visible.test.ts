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
  type Range,
  valueRange,
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

/** Room for so many columns, and for lines when there are few windows to each. */
const room = (columns: number) => ({ columns, lines: columns / 3 });
const numbers = (values: Iterable<number>) => [...values].filter((value) => !Number.isNaN(value));

describe("what of a series is drawn", () => {
  it("is every window when there is room for lines, and one beyond each end", () => {
    const part = visible(packChart(chart([1, 2, 3, 4, 5, 6])), { from: 2 * EVERY, until: 4 * EVERY }, room(100));
    expect(part.bucket).toBeNull();
    expect([...part.low]).toEqual([2, 3, 4, 5]);
    expect(part.values).toEqual([3, 120]);
  });

  /** Windows with holes, and a range that begins and ends anywhere among them. */
  const anywhere = fc.record({
    values: fc.array(fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: null }), {
      minLength: 100,
      maxLength: 2_000,
    }),
    from: fc.double({ min: 0, max: 0.6, noNaN: true }),
    width: fc.double({ min: 0.05, max: 0.4, noNaN: true }),
    columns: fc.integer({ min: 20, max: 400 }),
  });
  const rangeIn = (values: readonly unknown[], from: number, width: number): Range => ({
    from: values.length * EVERY * from,
    until: values.length * EVERY * (from + width),
  });

  it("reaches every peak of the range at whatever zoom and pan", () => {
    fc.assert(
      fc.property(anywhere, ({ values, from, width, columns }) => {
        const range = rangeIn(values, from, width);
        const packed = packChart(chart(values));
        const part = visible(packed, range, room(columns));
        const there = values.filter(
          (v, i): v is number => v !== null && i * EVERY >= range.from && i * EVERY < range.until,
        );
        if (there.length === 0) return;
        const begins = (i: number) =>
          part.bucket === null ? part.at[i]! >= range.from : part.at[i]! + part.bucket > range.from;
        const inside = (i: number) => begins(i) && part.at[i]! < range.until;
        const drawn = (column: Float64Array) => numbers(column.filter((_, i) => inside(i)));
        expect(Math.max(...drawn(part.high))).toBeGreaterThanOrEqual(Math.max(...there));
        expect(Math.min(...drawn(part.low))).toBeLessThanOrEqual(Math.min(...there));
        // The scale is made for what is in the range.
        expect(part.values).toEqual([Math.min(...there, 90), Math.max(...there, 120)]);
        expect(numbers(part.at)).toEqual(numbers(part.at).toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it("has each window's value within its own column, and no column higher than its windows", () => {
    fc.assert(
      fc.property(anywhere, ({ values, from, width, columns }) => {
        const range = rangeIn(values, from, width);
        const packed = packChart(chart(values));
        const part = visible(packed, range, { columns, lines: 0 });
        const bucket = part.bucket!;
        const windows = values.flatMap((v, i) =>
          v !== null && i * EVERY >= range.from && i * EVERY < range.until ? [{ v, at: i * EVERY }] : [],
        );
        for (const { v, at } of windows) {
          const k = part.at.findLastIndex((begin) => begin <= at);
          expect(at - part.at[k]!).toBeLessThan(bucket * 1.000001);
          expect(part.low[k]).toBeLessThanOrEqual(v);
          expect(part.high[k]).toBeGreaterThanOrEqual(v);
        }
        if (windows.length > columns) {
          expect(Math.max(...numbers(part.high))).toBe(Math.max(...windows.map(({ v }) => v)));
          expect(part.at.length).toBeLessThanOrEqual(columns + 2);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("has a column for every pixel between two windows that are wider than pixels, on the line between them", () => {
    const part = visible(packChart(chart([0, 10, 20, 30])), { from: 0, until: 4 * EVERY }, { columns: 20, lines: 0 });
    expect([...part.at].map((at) => Math.round(at / part.bucket!))).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(part.low[5]).toBe(10);
    expect(part.low[7]).toBeCloseTo(14);
    expect(part.median[7]).toBe(100);
  });

  it("leaves a hole where windows are missing, not only their values", () => {
    const whole = chart([1, 1, 1, 1, 1, 1]);
    const packed = packChart({ ...whole, points: whole.points.filter((_, i) => i < 2 || i > 3) });
    const part = visible(packed, { from: 0, until: 6 * EVERY }, { columns: 60, lines: 0 });
    const inHole = part.at.filter((at) => at > 1.2 * EVERY && at < 3.8 * EVERY);
    expect(inHole.length).toBe(0);
  });

  it("merges the same windows whatever the pan, so that the picture does not shimmer", () => {
    const values = Array.from({ length: 5_000 }, (_, i) => Math.sin(i / 7) * 50 + (i % 13));
    const columns = packChart(chart(values));
    const width = 2_000 * EVERY;
    const at = (shift: number) => {
      const from = 500 * EVERY + shift;
      const part = visible(columns, { from, until: from + width }, room(100));
      const inside = (i: number) => part.at[i]! > 600 * EVERY && part.at[i]! < 2_400 * EVERY;
      return [part.at, part.low, part.high].map((column) => [...column.filter((_, i) => inside(i))]);
    };
    expect(at(7.3 * EVERY)).toEqual(at(0));
  });

  it("leaves a gap where windows have no value", () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i >= 400 && i < 600 ? null : 5));
    const part = visible(packChart(chart(values)), { from: 0, until: 1_000 * EVERY }, room(50));
    const gap = [...part.at].filter((_, i) => Number.isNaN(part.high[i])).map((at) => at / EVERY);
    expect(gap.length).toBe(10);
    expect(gap[0]).toBeCloseTo(400);
    expect(gap.at(-1)).toBeCloseTo(580);
  });

  it("keeps the worst breaching window of a bucket, and one for which events came late", () => {
    const whole = chart(Array.from({ length: 1_000 }, (_, i) => (i === 444 ? 500 : i === 443 ? 300 : 100)));
    const points = whole.points.map((p, i) => (i === 700 ? { ...p, late: 2 } : p));
    const part = visible(packChart({ ...whole, points }), { from: 0, until: 1_000 * EVERY }, room(50));
    expect(part.breaching).toEqual([{ x: 444 * EVERY, y: 500 }]);
    expect(part.late).toEqual([{ x: 700 * EVERY, y: 100 }]);
  });

  it.each([
    { values: [10, 20], range: [9.4, 20.6], band: false },
    { values: [7, 7], range: [6.58, 7.42], band: false },
    { values: [null, null], range: [0, 1], band: false },
    { values: [10, 20], range: [3.4, 126.6], band: true },
  ])("gives the picture a little room about $values", ({ values, range, band }) => {
    const whole = chart(values);
    const bare = whole.points.map((p) => ({ ...p, lower: null, median: null, upper: null }));
    const packed = packChart(band ? whole : { ...whole, points: bare });
    const [low, high] = valueRange(visible(packed, { from: 0, until: 2 * EVERY }, room(100)));
    expect(low).toBeCloseTo(range[0]!);
    expect(high).toBeCloseTo(range[1]!);
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
    const part = visible(packChart(chart([100, 100], { rules })), { from: 0, until: 2 * EVERY }, room(100));
    expect(part.edges.map((line) => line[0])).toEqual(drawn);
  });

  it.each([
    { name: "near", rules: [rule("above", 1.5)], low: 90, high: 130 },
    { name: "far", rules: [rule("both", 9)], low: 79.5, high: 130.5 },
    { name: "within", rules: [rule("both", 0.5)], low: 90, high: 120 },
  ])("are in the picture, but do not flatten the values: $name", ({ rules, low, high }) => {
    const part = visible(packChart(chart([100, 100], { rules })), { from: 0, until: 2 * EVERY }, room(100));
    const edge = (high - low) * 0.06;
    expect(valueRange(part)[0]).toBeCloseTo(low - edge);
    expect(valueRange(part)[1]).toBeCloseTo(high + edge);
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
