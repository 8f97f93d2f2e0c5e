/** What a training is billed for, held against the workflow that runs it. */
import { expect, test } from "vitest";
import { estimateCost } from "../../../infra/cost/estimate.ts";
import { trainingUse } from "../../../infra/cost/training.ts";
import { judgingSeconds, partSize } from "../../../infra/workflow/capacity.ts";
import { MemoryObjects } from "./memory.ts";
import { FLIGHTS } from "./pipelines.ts";
import { ORIGIN, predict, publisherOf, publishParts, RUN, SHOP, unload } from "./shop.ts";

test("the function runs for each part, and to lay out and publish; its time is the series'", () => {
  for (const series of [1, 24, 1_000, 10_000]) {
    const { invocations, lambdaGbSeconds } = trainingUse(FLIGHTS, series);
    expect(invocations).toBe(Math.ceil(series / partSize(FLIGHTS)) + 2);
    const judging = series * judgingSeconds(FLIGHTS) * (3_008 / 1_024);
    expect(lambdaGbSeconds).toBeGreaterThan(judging);
    expect(lambdaGbSeconds - judging).toBeLessThan(60 + judging);
  }
});

test("a part's files are those that a training writes", async () => {
  const objects = new MemoryObjects();
  await unload(objects, `training/${RUN}/rows/`);
  const publisher = publisherOf(objects);
  const { families, parts } = await publisher.stage({ action: "stage", runId: RUN, origin: ORIGIN });
  for (const { family } of families) await predict(objects, `training/${RUN}/${family}/`, () => true);
  await publishParts(publisher, parts, { families });
  const files = (await objects.list(`training/${RUN}/`)).filter((key) => !key.includes("/rows/"));
  expect(trainingUse(SHOP, 6).puts).toBe(files.length);
});

test("ten thousand series take more of each service than ten, and no training is billed beyond its limit", () => {
  const wide = trainingUse(FLIGHTS, 10_000);
  const narrow = trainingUse(FLIGHTS, 10);
  for (const key of Object.keys(narrow) as (keyof typeof narrow)[]) expect(wide[key], key).toBeGreaterThan(narrow[key]);
  // Two families, each of which is stopped after two hours.
  expect(wide.trainingHours).toBe(4);
});

test("the estimate has the training's part of Lambda, which a rarer training saves", () => {
  const spec = { ...FLIGHTS, series: { ...FLIGHTS.series, by: [{ field: "origin" }] } };
  const lambda = (retrain: number) => {
    const load = { recordsPerSecond: 1, recordBytes: 300, groups: 3_333 };
    const { services } = estimateCost({ ...spec, forecast: { ...FLIGHTS.forecast, retrain } }, load);
    return services.find((s) => s.service === "Lambda")!.cost;
  };
  const day = 86_400_000;
  // A month has 730 hours; half of its trainings are left out.
  const saved = (730 / 24 / 2) * trainingUse(spec, 9_999).lambdaGbSeconds * 0.0000133334;
  expect(lambda(day) - lambda(2 * day)).toBeCloseTo(saved, 1);
});
