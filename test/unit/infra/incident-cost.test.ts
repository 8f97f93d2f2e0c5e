/** What the incident manager adds to the estimate, and whose prices it says they are. */
import { expect, test } from "vitest";
import { estimateCost } from "../../../infra/cost/estimate.ts";
import { PRICES } from "../../../infra/cost/prices.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const LOAD = { recordsPerSecond: 10, recordBytes: 300 };
const managing = (spec = FLIGHTS, more: object = {}) =>
  estimateCost(spec, { ...LOAD, ...more }).services.find((s) => s.service === "Systems Manager")!;

test.each(Object.entries(PIPELINES))("each response plan that the template of %s makes is billed", (_, spec) => {
  const { Resources } = synthesize(spec, options({ incidents: { kind: "incident-manager" } })).template;
  const plans = Object.values(Resources).filter(({ Type }) => Type === "AWS::SSMIncidents::ResponsePlan").length;
  expect(managing(spec, { incidents: "incident-manager" }).cost).toBeCloseTo(
    plans * PRICES.responsePlan + managing(spec).cost,
    2,
  );
});

test("OpsItems cost cents: ten a month of each rule, and none where there is no rule", () => {
  expect(managing().cost).toBe(Math.round(FLIGHTS.alarms.length * 10 * PRICES.opsItem * 100) / 100);
  expect(managing().cost).toBeGreaterThan(0);
  expect(managing({ ...FLIGHTS, alarms: [] }).cost).toBe(0);
});

test("in another region the estimate says that its prices are not that region's", () => {
  expect(estimateCost(FLIGHTS, LOAD).pricesOf).toBe(PRICES.of);
  expect(estimateCost(FLIGHTS, { ...LOAD, region: "us-east-1" }).pricesOf).toBe(PRICES.of);
  expect(estimateCost(FLIGHTS, { ...LOAD, region: "ap-south-1" }).pricesOf).toBe(
    `${PRICES.of}; those of ap-south-1 differ`,
  );
  // Prices that a caller has of that region are that region's.
  const own = { ...PRICES, of: "ap-south-1 list prices", region: "ap-south-1" };
  expect(estimateCost(FLIGHTS, { ...LOAD, region: "ap-south-1" }, own).pricesOf).toBe(own.of);
});
