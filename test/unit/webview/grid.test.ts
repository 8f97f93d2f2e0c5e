import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellText, copyRows } from "../../../webview/parts/grid/copy.ts";
import { scrollHeight, scrollTo, viewAt } from "../../../webview/parts/grid/scroll.ts";
import { moveSelection, rectangle } from "../../../webview/parts/grid/selection.ts";
import { nextSorting } from "../../../webview/parts/grid/sorting.ts";

describe("a grid's scrolling", () => {
  const rows = fc.record({
    rowCount: fc.integer({ min: 1, max: 5_000_000 }),
    rowHeight: fc.constant(24),
    viewHeight: fc.integer({ min: 24, max: 2_000 }),
  });

  it("shows the first row at the top and the last row at the bottom, however many there are", () => {
    fc.assert(
      fc.property(rows, (grid) => {
        const top = viewAt(0, grid);
        const bottom = viewAt(Math.max(0, scrollHeight(grid) - grid.viewHeight), grid);
        expect(top).toMatchObject({ first: 0, offset: 0 });
        expect(bottom.end).toBe(grid.rowCount);
        expect(scrollHeight(grid)).toBeLessThan(33_000_000);
        // The last row's lower edge is within the view.
        const edge = bottom.offset + (grid.rowCount - bottom.first) * grid.rowHeight;
        if (grid.rowCount * grid.rowHeight > grid.viewHeight) expect(edge).toBeCloseTo(grid.viewHeight, 0);
      }),
    );
  });

  it("brings any row wholly into view", () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.nat(), (grid, a, b) => {
        const row = a % grid.rowCount;
        const from = b % Math.max(1, scrollHeight(grid) - grid.viewHeight);
        const at = scrollTo(row, from, grid);
        const view = viewAt(at, grid);
        const top = view.offset + (row - view.first) * grid.rowHeight;
        expect(top).toBeGreaterThanOrEqual(-1);
        expect(top + grid.rowHeight).toBeLessThanOrEqual(grid.viewHeight + 1);
      }),
    );
  });
});

describe("a grid's selection", () => {
  const size = { rows: 100, columns: 5, page: 10 };
  const at = (row: number, column: number) => ({ anchor: { row, column }, focus: { row, column } });
  it.each([
    ["ArrowDown", false, false, [51, 2]],
    ["ArrowUp", false, false, [49, 2]],
    ["ArrowDown", false, true, [99, 2]],
    ["ArrowLeft", false, false, [50, 1]],
    ["ArrowRight", false, true, [50, 4]],
    ["PageDown", false, false, [60, 2]],
    ["PageUp", false, false, [40, 2]],
    ["Home", false, false, [50, 0]],
    ["Home", false, true, [0, 0]],
    ["End", false, true, [99, 4]],
  ] as const)("%s (shift %s, ctrl %s) moves to %j", (key, shift, ctrl, [row, column]) => {
    expect(moveSelection(at(50, 2), { key, shift, ctrl }, size)).toEqual(at(row, column));
  });
  it("extends with shift, stays inside, and takes all", () => {
    const extended = moveSelection(at(98, 3), { key: "PageDown", shift: true, ctrl: false }, size)!;
    expect(rectangle(extended)).toEqual({ top: 98, bottom: 99, left: 3, right: 3 });
    expect(rectangle(moveSelection(at(1, 1), { key: "a", shift: false, ctrl: true }, size)!)).toEqual({
      top: 0,
      bottom: 99,
      left: 0,
      right: 4,
    });
    expect(moveSelection(at(1, 1), { key: "x", shift: false, ctrl: false }, size)).toBeUndefined();
  });
});

describe("sorting by a column's head", () => {
  it("goes ascending, descending, off; another column begins anew", () => {
    const first = nextSorting(null, 2);
    const second = nextSorting(first, 2);
    expect([first, second, nextSorting(second, 2), nextSorting(second, 1)]).toEqual([
      { column: 2, descending: false },
      { column: 2, descending: true },
      null,
      { column: 1, descending: false },
    ]);
  });
});

describe("copied cells", () => {
  const names = ["a", "b", "a"];
  const rows = [
    [1, 'say "hi", you', null],
    ["", "line\nbreak", ["x", 1]],
    [true, "a|b", { k: null }],
  ];
  it("as CSV tell NULL from an empty text and quote what needs it", () => {
    expect(copyRows(names, rows, "csv")).toBe(
      'a,b,a\r\n1,"say ""hi"", you",\r\n"","line\nbreak","[""x"",1]"\r\ntrue,a|b,"{""k"":null}"',
    );
  });
  it("as JSON keep their types and every column", () => {
    expect(JSON.parse(copyRows(names, rows, "json"))).toEqual(rows.map(([a, b, c]) => ({ a, b, a_2: c })));
  });
  it("as Markdown stay one table", () => {
    expect(copyRows(names, rows, "markdown").split("\n")).toEqual([
      "| a | b | a |",
      "| --- | --- | --- |",
      '| 1 | say "hi", you | NULL |',
      '|  | line<br>break | ["x",1] |',
      '| true | a\\|b | {"k":null} |',
    ]);
  });
  it("in the grid show NULL apart from the empty text", () => {
    expect([null, "", 0, false].map(cellText)).toEqual(["NULL", "", "0", "false"]);
  });
});
