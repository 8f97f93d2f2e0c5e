import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  combinations,
  groupKey,
  labelOf,
  parseGroupKey,
  parseSeriesId,
  seriesId,
  windowStart,
} from "../../../src/core/series.ts";
import { HOUR } from "../../../src/core/time.ts";

/** Values rich in the characters that have a meaning in keys and ids. */
const value = fc.string({ unit: fc.constantFrom("a", "B", "|", "\\", "{", "}", "=", ",", " ", "é", "\n") });
const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/).filter((n) => !(n in {}));

test("a group key gives its group back, and no two groups share one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), (size) =>
      fc.assert(
        fc.property(
          fc.array(value, { minLength: size, maxLength: size }),
          fc.array(value, { minLength: size, maxLength: size }),
          (a, b) => {
            expect(parseGroupKey(groupKey(a), size)).toEqual(a);
            expect(groupKey(a) === groupKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
          },
        ),
        { numRuns: 50 },
      ),
    ),
    { numRuns: 10 },
  );
});

test("a series id gives its parts back", () => {
  fc.assert(
    fc.property(name, fc.uniqueArray(fc.tuple(name, value), { selector: ([n]) => n, maxLength: 4 }), (measure, by) => {
      const id = seriesId(
        measure,
        by.map(([n]) => n),
        by.map(([, v]) => v),
      );
      expect(parseSeriesId(id)).toEqual({ measure, by: Object.fromEntries(by) });
    }),
  );
});

describe("ids", () => {
  test("are readable", () => {
    expect(seriesId("departures", ["origin"], ["BOS"])).toBe("departures{origin=BOS}");
    expect(seriesId("departures", [], [])).toBe("departures");
    expect(labelOf("departures{origin=BOS,carrier=AA}")).toBe("departures BOS AA");
    expect(labelOf("}")).toBe("}");
  });

  test.each(["", "{a=b}", "m{", "m{}", "m{a}", "m{a=b\\}", "m{a=b,}"])("%j is none", (id) =>
    expect(parseSeriesId(id)).toBeUndefined());
});

test("windows are aligned to the epoch, before it too", () => {
  expect(windowStart(2 * HOUR, HOUR)).toBe(2 * HOUR);
  expect(windowStart(3 * HOUR - 1, HOUR)).toBe(2 * HOUR);
  expect(windowStart(-1, HOUR)).toBe(-HOUR);
});

test("combinations come in the order of the lists; of no list there is one", () => {
  expect([
    ...combinations([
      ["a", "b"],
      ["x", "y"],
    ]),
  ]).toEqual([
    ["a", "x"],
    ["a", "y"],
    ["b", "x"],
    ["b", "y"],
  ]);
  expect([...combinations([])]).toEqual([[]]);
});
