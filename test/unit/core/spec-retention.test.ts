import { describe, expect, test } from "vitest";
import { parseSpec } from "../../../src/core/spec.ts";

/** A pipeline file of these two parts. */
const file = (forecast: object | undefined, retention: object | undefined) =>
  JSON.stringify(
    {
      name: "orders",
      source: { time: "at", fields: { at: "timestamp", amount: "double" } },
      series: { every: "1h", measures: { orders: { count: "*" } } },
      forecast,
      retention,
    },
    undefined,
    2,
  );

describe("the lake keeps what the forecast learns from", () => {
  test.each([
    { history: undefined, lake: undefined },
    { history: "4w", lake: "28d" },
    { history: undefined, lake: "56d" },
    { history: "400d", lake: undefined },
    { history: "52w", lake: "104w" },
  ])("$lake are enough for a history of $history", ({ history, lake }) => {
    expect(parseSpec(file({ history }, { lake })).problems).toEqual([]);
  });

  test.each([
    { history: "4w", lake: "27d", at: '"27d"', kept: "27d", learns: "4w" },
    { history: undefined, lake: "30d", at: '"30d"', kept: "30d", learns: "8w" },
    { history: "104w", lake: "52w", at: '"52w"', kept: "52w", learns: "104w" },
    // Only what stands in the file can be marked.
    { history: "58w", lake: undefined, at: '"58w"', kept: "400d", learns: "58w" },
  ])("$lake are too short for a history of $history", ({ history, lake, at, kept, learns }) => {
    const text = file({ history }, lake === undefined ? undefined : { lake });
    const { spec, problems } = parseSpec(text);
    expect(spec).toBeUndefined();
    expect(problems.map((p) => p.message)).toEqual([
      `The forecast learns from ${learns} and the lake keeps ${kept}: let retention.lake be as long as forecast.history, or longer.`,
    ]);
    const { offset, length } = problems[0]!.at;
    expect(text.slice(offset, offset! + length!)).toBe(at);
  });
});
