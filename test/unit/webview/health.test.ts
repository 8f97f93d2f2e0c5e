import { expect, it } from "vitest";
import { healthOf } from "../../../webview/parts/health.ts";

const window = { start: 0, actual: 4, lower: 2, median: 4, upper: 6, deviation: 0, late: 0 };

it.each([
  ["inside the band", window, "in"],
  ["inside the band", { ...window, deviation: -1 }, "in"],
  ["outside the band", { ...window, deviation: -1.01 }, "out"],
  ["outside the band", { ...window, deviation: 3 }, "out"],
  ["not compared", { ...window, lower: null, median: null, upper: null, deviation: null }, "none"],
  ["no value", { ...window, actual: null, deviation: null }, "none"],
  ["no window yet", null, "none"],
])("a newest window that is %s", (said, last, health) => {
  expect(healthOf(last)).toEqual({ said, health });
});
