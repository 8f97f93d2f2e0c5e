import { describe, expect, it } from "vitest";
import type { Cell } from "../../../src/rpc/page.ts";
import { fittingWidth, instantOf, isNumeric, isTemporal } from "../../../webview/results/columns.ts";
import { chartData, chartPlan, leftOut, whyEmpty } from "../../../webview/results/lines.ts";
import { Rows } from "../../../webview/results/rows.ts";

const column = (name: string, type: string) => ({ name, type });
const row = (i: number): Cell[] => [i];

interface Asked {
  offset: number;
  limit: number;
  signal: AbortSignal;
  answer(rows: Cell[][]): void;
  fail(error: Error): void;
}

/** Rows over a source that answers when told to. */
function held(rowCount: number, most = 4) {
  const asked: Asked[] = [];
  const failures: unknown[] = [];
  let changes = 0;
  const rows = new Rows({
    rowCount,
    first: [],
    pageSize: 10,
    most,
    fetch: (offset, limit, signal) =>
      new Promise((resolve, reject) => asked.push({ offset, limit, signal, answer: resolve, fail: reject })),
    onChange: (failure) => {
      changes++;
      if (failure) failures.push(failure);
    },
  });
  const answerAll = async () => {
    for (const each of asked.splice(0)) {
      each.answer(Array.from({ length: Math.min(each.limit, rowCount - each.offset) }, (_, i) => row(each.offset + i)));
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { rows, asked, failures, answerAll, changes: () => changes };
}

describe("the rows that the page holds", () => {
  it("are fetched by pages when they come into view, once", async () => {
    const { rows, asked, answerAll, changes } = held(1_000);
    rows.need(12, 25);
    rows.need(13, 26);
    expect(asked.map((a) => a.offset)).toEqual([10, 20]);
    expect(rows.row(12)).toBeUndefined();
    await answerAll();
    expect(rows.row(12)).toEqual([12]);
    expect(changes()).toBe(2);
    rows.need(10, 29);
    expect(asked).toEqual([]);
  });

  it("never are more than the bound, however far it is scrolled; those in use stay", async () => {
    const { rows, answerAll } = held(100_000);
    for (let at = 0; at < 100_000; at += 977) {
      rows.need(at, at + 15);
      await answerAll();
      expect(rows.row(at)).toEqual([at]);
      expect(rows.held).toBeLessThanOrEqual(40);
    }
  });

  it("are not waited for any more once they are out of view", async () => {
    const { rows, asked } = held(100_000);
    rows.need(0, 10);
    rows.need(50_000, 50_010);
    expect(asked.map((a) => a.signal.aborted)).toEqual([true, false]);
  });

  it("are asked for again after a failure, which is told", async () => {
    const { rows, asked, failures, answerAll } = held(100);
    rows.need(0, 10);
    asked.splice(0)[0]!.fail(new Error("gone"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toHaveLength(1);
    rows.need(0, 10);
    await answerAll();
    expect(rows.row(3)).toEqual([3]);
  });

  it("can be read through, held or not", async () => {
    const { rows, asked, answerAll } = held(45);
    rows.need(10, 19);
    await answerAll();
    const reading = rows.read(5, 99, new AbortController().signal);
    await answerAll();
    await answerAll();
    expect((await reading).map((r) => r[0])).toEqual(Array.from({ length: 40 }, (_, i) => 5 + i));
    expect(asked).toEqual([]);
  });

  it("begin with those that came with the result", () => {
    const first = Array.from({ length: 25 }, (_, i) => row(i));
    const make = (rowCount: number) =>
      new Rows({ rowCount, first, pageSize: 10, fetch: () => Promise.reject(new Error("asked")), onChange: () => {} });
    expect(make(25).row(24)).toEqual([24]);
    // An incomplete page of a longer result is asked for as a whole.
    expect(make(1_000).row(24)).toBeUndefined();
    expect(make(1_000).row(19)).toEqual([19]);
  });
});

describe("a result's columns", () => {
  it.each([
    ["bigint", true, false],
    ["decimal(10,2)", true, false],
    ["double", true, false],
    ["timestamp(3) with time zone", false, true],
    ["date", false, true],
    ["varchar", false, false],
    ["array(bigint)", false, false],
    ["interval day to second", false, false],
  ])("of type %s: numeric %s, temporal %s", (type, numeric, temporal) => {
    expect([isNumeric(column("c", type)), isTemporal(column("c", type))]).toEqual([numeric, temporal]);
  });

  it.each([
    ["2001-03-05", Date.UTC(2001, 2, 5)],
    ["2001-03-05 06:00:00", Date.UTC(2001, 2, 5, 6)],
    ["2001-03-05 06:00:00.250 UTC", Date.UTC(2001, 2, 5, 6, 0, 0, 250)],
    ["2001-03-05T06:00:00+02:00", Date.UTC(2001, 2, 5, 4)],
    ["2001-03-05 06:00:00.000 +09:00", Date.UTC(2001, 2, 4, 21)],
    ["2001-03-05 06:00:00.000 Asia/Tokyo", Date.UTC(2001, 2, 4, 21)],
    ["2001-03-05 06:00:00.123456 America/New_York", Date.UTC(2001, 2, 5, 11, 0, 0, 123)],
    ["2001-07-05 06:00:00 America/New_York", Date.UTC(2001, 6, 5, 10)],
    ["2001-07-05 06:00 Etc/GMT+5", Date.UTC(2001, 6, 5, 11)],
    ["2001-03-05 06:00:00.000 Middle/Earth", Number.NaN],
    ["noon", Number.NaN],
    [null, Number.NaN],
  ])("the instant of %j", (cell, instant) => {
    expect(instantOf(cell)).toBe(instant);
  });

  it("are as wide as what stands in them, within bounds", () => {
    expect(fittingWidth(column("n", "int"), 0, [[1]])).toBe(72);
    expect(fittingWidth(column("n", "int"), 0, [["x".repeat(400)]])).toBe(420);
  });
});

describe("a result as a chart", () => {
  const time = column("hour", "timestamp");
  const name = column("origin", "varchar");
  const number = column("n", "bigint");
  const other = column("m", "double");
  it.each([
    ["time and numbers", [time, number, other], { x: { column: 0, kind: "time" }, values: [1, 2], split: null }],
    ["time anywhere, a name splits", [number, name, time], { x: { column: 2, kind: "time" }, values: [0], split: 1 }],
    ["time, names and numbers", [time, name, number, other], { x: { column: 0, kind: "time" }, values: [2], split: 1 }],
    ["names", [name, number], { x: { column: 0, kind: "name" }, values: [1], split: null }],
    ["numbers alone", [number, other], { x: { column: 0, kind: "name" }, values: [1], split: null }],
    ["one number", [number], null],
    ["no number", [time, name], null],
  ])("of %s", (_, columns, plan) => {
    expect(chartPlan(columns)).toEqual(plan);
  });

  it("has a line for each name, in order of time, with gaps for NULL", () => {
    const columns = [time, name, number];
    const rows = [
      ["2001-01-01 01:00:00", "BOS", 2],
      ["2001-01-01 00:00:00", "BOS", 1],
      ["2001-01-01 00:00:00", "JFK", null],
    ];
    const start = Date.UTC(2001, 0, 1);
    expect(chartData(chartPlan(columns)!, columns, rows).lines).toEqual([
      {
        label: "BOS",
        points: [
          { x: start, y: 1 },
          { x: start + 3_600_000, y: 2 },
        ],
      },
      { label: "JFK", points: [{ x: start, y: Number.NaN }] },
    ]);
  });

  it("draws the first dozen of more series, and says so", () => {
    const columns = [time, name, number];
    const rows = Array.from({ length: 60 }, (_, i): Cell[] => [`2001-01-0${1 + (i % 2)}`, `series ${i >> 1}`, i]);
    const data = chartData(chartPlan(columns)!, columns, rows);
    expect(data.lines.map(({ label }) => label)).toEqual(Array.from({ length: 12 }, (_, i) => `series ${i}`));
    expect(leftOut(data, { read: 60, all: 60 })).toBe("The first 12 of 30 series are drawn.");
    expect(leftOut(data, { read: 60, all: 1_000 })).toBe(
      "Drawn from the first 60 rows of 1,000. The first 12 of 30 series are drawn.",
    );
  });

  it.each<[string, Cell[][], string | null, string]>([
    ["no rows", [], "There are no rows.", ""],
    [
      "times that are none",
      [
        [null, 1],
        ["noon", 2],
      ],
      "“hour” holds no time that can be read, such as “noon”.",
      "2 rows without a time are left out.",
    ],
    [
      "no times",
      [[null, 1]],
      "“hour” is NULL in every row: there is no time to put the values by.",
      "1 row without a time is left out.",
    ],
    ["no values", [["2001-01-01", null]], "“n” is NULL in every row that would be drawn.", ""],
    [
      "a time that is missing",
      [
        ["2001-01-01", 1],
        [null, 2],
      ],
      null,
      "1 row without a time is left out.",
    ],
    ["all there is", [["2001-01-01 06:00:00.000 Asia/Tokyo", 1]], null, ""],
  ])("of %s says what is not drawn", (_, rows, why, missing) => {
    const columns = [time, number];
    const plan = chartPlan(columns)!;
    const data = chartData(plan, columns, rows);
    expect(whyEmpty(plan, columns, rows, data)).toBe(why);
    expect(leftOut(data, { read: rows.length, all: rows.length })).toBe(missing);
  });
});
