import { describe, expect, test } from "vitest";
import { compare } from "../../src/core/compare.ts";
import golden from "./deviations.golden.json" with { type: "json" };

describe("comparing gives the golden deviations", () => {
  test.each(golden.cases)("$name", ({ actual, band, resolution, deviation }) => {
    const [lower, median, upper] = (band ?? []) as [number, number, number];
    const forecast = band ? { lower, median, upper, version: "v" } : undefined;
    const window = { series: "n", start: 0, end: 3_600_000 };
    const found = compare(window, actual ?? Number.NaN, forecast, resolution).deviation;
    // Six digits: what is left of sixteen where the distance is a difference of close numbers.
    if (deviation === null) expect(found).toBeNaN();
    else expect(Math.abs(found - deviation)).toBeLessThanOrEqual(1e-6 * Math.abs(deviation));
  });
});
