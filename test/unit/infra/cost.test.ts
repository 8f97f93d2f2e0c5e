import { expect, test } from "vitest";
import { estimateCost } from "../../../infra/cost/estimate.ts";
import { PRICES } from "../../../infra/cost/prices.ts";
import { CLICKS, FLIGHTS, PIPELINES } from "./pipelines.ts";

const cost = (spec = FLIGHTS, recordsPerSecond = 100, more = {}) =>
  estimateCost(spec, { recordsPerSecond, recordBytes: 300, ...more });
const of = (estimate: ReturnType<typeof cost>, service: string) =>
  estimate.services.find((s) => s.service === service)!.cost;

test("the floor is two processing units of Flink", () => {
  // 2 x 0.11 $ x 730 h and 50 GB of running state.
  expect(of(cost(FLIGHTS, 0), "Managed Service for Apache Flink")).toBe(165.6);
});

test("Firehose bills a record as 5 KB: batching is the lever", () => {
  // 100/s x 2,628,000 s x 5,120 B = 1,253.13 GB at 0.047 $.
  expect(of(cost(FLIGHTS, 100), "Data Firehose")).toBeCloseTo(58.9, 1);
  const batched = cost(FLIGHTS, 100 / 17, { recordBytes: 5_100, eventsPerRecord: 17 });
  expect(of(batched, "Data Firehose")).toBeLessThan(of(cost(FLIGHTS, 100), "Data Firehose") / 16);
});

test("the sum is the services', dearest first, each a price of a named date", () => {
  for (const spec of Object.values(PIPELINES)) {
    const estimate = cost(spec, 1_000, { groups: 40 });
    expect(estimate.total).toBeCloseTo(
      estimate.services.reduce((sum, s) => sum + s.cost, 0),
      2,
    );
    expect(estimate.services.map((s) => s.cost)).toEqual(estimate.services.map((s) => s.cost).sort((a, b) => b - a));
    expect(estimate.pricesOf).toBe(PRICES.of);
  }
});

test("more load, more series, more training, a longer lake cost no less", () => {
  expect(cost(FLIGHTS, 1_000).total).toBeGreaterThan(cost(FLIGHTS, 100).total);
  expect(cost(CLICKS, 100, { groups: 200 }).total).toBeGreaterThan(cost(CLICKS, 100, { groups: 20 }).total);
  const hourly = { ...FLIGHTS, forecast: { ...FLIGHTS.forecast, retrain: 3_600_000 } };
  expect(of(cost(hourly), "SageMaker")).toBeCloseTo(24 * of(cost(), "SageMaker"), 0);
  const short = { ...FLIGHTS, retention: { ...FLIGHTS.retention, lake: 30 * 86_400_000 } };
  expect(of(cost(short), "S3")).toBeLessThan(of(cost(), "S3"));
});

test("prices can be replaced", () => {
  const free = Object.fromEntries(
    Object.entries(PRICES).map(([k, v]) => [k, typeof v === "number" ? 0 : v]),
  ) as unknown as typeof PRICES;
  expect(estimateCost(FLIGHTS, { recordsPerSecond: 100, recordBytes: 300 }, free).total).toBe(0);
});
