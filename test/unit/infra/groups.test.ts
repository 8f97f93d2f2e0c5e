/** Discovered groups that alarms were made for, and others that come later. */
import { expect, test } from "vitest";
import { CompareBatch } from "../../../infra/lambda/compare-batch.ts";
import { CurrentForecast } from "../../../infra/lambda/forecasts.ts";
import { groupKey } from "../../../src/core/series.ts";
import { MemoryObjects } from "./memory.ts";
import { CLICKS } from "./pipelines.ts";

const START = Date.UTC(2026, 10, 22, 11, 55);
const record = (group: readonly string[]) => ({
  sequence: "1",
  data: Buffer.from(
    JSON.stringify({
      kind: "window",
      start: new Date(START).toISOString(),
      end: new Date(START + 300_000).toISOString(),
      key: groupKey(group),
      events: 5,
      measures: { views: 5 },
    }),
  ),
});

/** The groups without an alarm among those that are compared. */
async function without(withAlarms?: ReadonlySet<string>) {
  const metrics = {
    async put(data: Iterable<unknown>) {
      expect([...data].length).toBeGreaterThan(0);
    },
  };
  const forecast = new CurrentForecast(new MemoryObjects(), "current.json", CLICKS);
  const batch = new CompareBatch(CLICKS, forecast, metrics, withAlarms);
  const groups = [
    ["home", "true"],
    ["cart", "true"],
    ["a|b", "false"],
  ];
  const outcome = await batch.run([...groups, groups[1]!].map(record), START + 600_000);
  expect(outcome.failure).toBeUndefined();
  return outcome.withoutAlarm;
}

test("a group that comes after the alarms were made is told of, once a batch", async () => {
  expect(await without(new Set(["home|true"]))).toEqual(["cart|true", "a\\|b|false"]);
  expect(await without(new Set(["home|true", "cart|true", "a\\|b|false"]))).toEqual([]);
});

test("alarms that find the groups by themselves lack none", async () => {
  expect(await without()).toEqual([]);
});
