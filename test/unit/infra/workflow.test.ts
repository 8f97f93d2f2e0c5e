import validate from "asl-validator";
import fc from "fast-check";
import jsonata from "jsonata";
import { describe, expect, test } from "vitest";
import { deeparImage, jobPrefix } from "../../../infra/template/forecast.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { hyperparameters, timeFrequency } from "../../../infra/workflow/deepar.ts";
import { LAKE_DELAY, scheduleEvery, stepsToReach } from "../../../infra/workflow/times.ts";
import { rate, SUBSTITUTIONS, trainingWorkflow } from "../../../infra/workflow/training.ts";
import { unloadSql } from "../../../infra/workflow/unload.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const HOUR = 3_600_000;
interface State {
  Type: string;
  Next?: string;
  Default?: string;
  Arguments?: Record<string, unknown>;
  Catch?: { Next: string }[];
  Choices?: { Next: string }[];
  Assign?: Record<string, string>;
  ItemProcessor?: Machine;
}
interface Machine {
  StartAt: string;
  States: Record<string, State>;
}
const definition = (spec = FLIGHTS) =>
  trainingWorkflow(spec, {
    trainingInstance: "ml.c5.2xlarge",
    transformInstance: "ml.c5.xlarge",
    tags: { "forewatch:pipeline": "p" },
    partition: "aws",
    jobPrefix: jobPrefix(spec.name),
    prefixes: { training: "training/", models: "models/" },
  }) as unknown as Machine;
const inner = (machine: Machine) => machine.States.Families!.ItemProcessor!;
/** A JSONata expression of the definition, on its variables. */
const evaluate = (text: string, variables: Record<string, unknown>) =>
  jsonata(text.replace(/^\{%|%\}$/g, "")).evaluate({}, variables) as Promise<unknown>;

describe.each(Object.entries(PIPELINES))("%s", (_, spec) => {
  test("is a definition that the Amazon States Language knows", () => {
    const { isValid, errorsText } = validate(definition(spec) as object, {
      checkPaths: true,
      checkArn: true,
    });
    expect(errorsText()).toBe("");
    expect(isValid).toBe(true);
  });
  test("goes only to states that exist, and reaches them all", () => {
    for (const machine of [definition(spec), inner(definition(spec))]) {
      const targets = Object.values(machine.States).flatMap((s) => [
        s.Next,
        s.Default,
        ...(s.Catch ?? []).map((c) => c.Next),
        ...(s.Choices ?? []).map((c) => c.Next),
      ]);
      expect(new Set([machine.StartAt, ...targets.filter((t) => t !== undefined)])).toEqual(
        new Set(Object.keys(machine.States)),
      );
    }
  });
  test("puts the span and the run into the statement that people can run too", async () => {
    const origin = Math.floor(Date.UTC(2026, 10, 22, 9) / spec.series.every) * spec.series.every;
    const prepare = definition(spec).States.Prepare!.Arguments!.QueryString as string;
    const query = await evaluate(prepare, { origin, runId: "20261122093000-0a1b2c" });
    const span = { from: origin - spec.forecast.history, until: origin };
    expect(query).toBe(unloadSql(spec, span, "s3://${Bucket}/training/20261122093000-0a1b2c/rows/"));
  });
  test("names jobs as SageMaker takes them", async () => {
    for (const family of ["counts", "reals"]) {
      const name = await evaluate(inner(definition(spec)).States.Train!.Arguments!.TrainingJobName as string, {
        runId: "20261122093000-0a1b2c",
        family,
      });
      expect(name).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
    }
  });
  test("is given everything it asks CloudFormation for", () => {
    const { template } = synthesize(spec, options());
    const machine = template.Resources.Training!.Properties;
    const asked = new Set([...JSON.stringify(machine.Definition).matchAll(/\$\{(\w+)\}/g)].map(([, n]) => n!));
    expect(asked).toEqual(new Set<string>(SUBSTITUTIONS));
    expect(Object.keys(machine.DefinitionSubstitutions as object).sort()).toEqual([...SUBSTITUTIONS].sort());
  });
});

test("begins at the newest window whose events are in the lake, or where a person says", async () => {
  const begin = definition().States.Begin!.Assign!;
  const started = (input: object) => ({
    states: { context: { Execution: { StartTime: "2026-11-22T09:15:00.000Z" } }, input },
  });
  expect(await evaluate(begin.origin!, started({}))).toBe(Date.UTC(2026, 10, 22, 8));
  expect(await evaluate(begin.origin!, started({ origin: 12 * HOUR }))).toBe(12 * HOUR);
  expect(await evaluate(begin.requestedBy!, started({}))).toBe("schedule");
  expect(await evaluate(begin.runId!.replace("$uuid()", "'0a1b2c3d-aaaa'"), started({}))).toBe("20261122091500-0a1b2c");
});

test("counts and real values are learned apart, and a person's hyperparameters go before", async () => {
  const choose = inner(definition()).States.Choose!.Assign!.hyperparameters!;
  const states = (family: string) => ({ states: { input: { family } }, overrides: { epochs: "5" } });
  expect(await evaluate(choose, states("counts"))).toMatchObject({
    likelihood: "negative-binomial",
    epochs: "5",
    time_freq: "1H",
    prediction_length: "48",
  });
  expect(await evaluate(choose, states("reals"))).toMatchObject({ likelihood: "student-T", cardinality: "auto" });
  for (const value of Object.values(hyperparameters(FLIGHTS, "counts"))) expect(typeof value).toBe("string");
});

test("a line is let into the transform however long its history", () => {
  const predict = (history: string, every: string) => {
    const spec = requireSpec(
      JSON.stringify({
        name: "long",
        source: { time: "t", fields: { t: "timestamp", x: "double" } },
        series: { every, measures: { x: { avg: "x" } } },
        forecast: { history, horizon: "1d" },
      }),
    );
    return inner(definition(spec)).States.Predict!.Arguments as Record<string, number>;
  };
  expect(predict("8w", "1h")).not.toHaveProperty("MaxPayloadInMB");
  const { MaxPayloadInMB, MaxConcurrentTransforms } = predict("52w", "1m");
  expect(MaxPayloadInMB! * 2 ** 20).toBeGreaterThan(52 * 7 * 1_440 * 20);
  expect(MaxPayloadInMB! * MaxConcurrentTransforms!).toBeLessThanOrEqual(100);
});

test("no window lacks a forecast between two trainings, however often they are", () => {
  const minutes = (n: number) => n * 60_000;
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 15, 60, 1_440),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 0, max: 119 }),
      (every, horizon, retrain, lateness, taken) => {
        const spec: PipelineSpec = {
          ...FLIGHTS,
          source: { ...FLIGHTS.source, lateness: minutes(lateness) },
          series: { ...FLIGHTS.series, every: minutes(every) },
          forecast: { ...FLIGHTS.forecast, horizon: minutes(every * horizon), retrain: minutes(every * retrain) },
        };
        const start = (k: number) => Date.UTC(2026, 10, 22) + k * scheduleEvery(spec);
        const origin = (k: number) =>
          Math.floor((start(k) - spec.source.lateness - LAKE_DELAY) / spec.series.every) * spec.series.every;
        const covered = origin(0) + stepsToReach(spec) * spec.series.every;
        // What begins before the next forecast is in use, the first has.
        expect(covered).toBeGreaterThanOrEqual(start(1) + minutes(taken));
        expect(covered - origin(0)).toBeGreaterThanOrEqual(spec.forecast.horizon);
      },
    ),
  );
});

test("DeepAR's limits are kept", () => {
  expect(hyperparameters(CLICKS, "reals").prediction_length).toBe("400");
  expect([60_000, 5 * 60_000, HOUR, 6 * HOUR, 24 * HOUR].map(timeFrequency)).toEqual([
    "1min",
    "5min",
    "1H",
    "6H",
    "1D",
  ]);
});

test("a failed family ends the run as failed, with what failed", async () => {
  const machine = definition();
  const cause = (machine.States.TrainingFailed as unknown as { Cause: string }).Cause;
  const families = [{ family: "counts" }, { family: "reals", failed: true, cause: "no capacity" }];
  expect(await evaluate(cause, { families, unread: [] })).toBe(
    "DeepAR failed and the ensemble stands in: reals: no capacity",
  );
  const condition = (machine.States.AllTrained as unknown as { Choices: { Condition: string }[] }).Choices[0]!
    .Condition;
  const unread = [{ family: "counts", cause: "part 3 is missing" }];
  expect(await evaluate(condition, { families, unread: [] })).toBe(true);
  expect(await evaluate(condition, { families: families.slice(0, 1), unread })).toBe(true);
  expect(await evaluate(condition, { families: families.slice(0, 1), unread: [] })).toBe(false);
  expect(await evaluate(condition, { families: [], unread: [] })).toBe(false);
});

test("the image table names an account for each of its regions", () => {
  expect(deeparImage("eu-west-1")).toEqual({ account: "224300973850", repository: "forecasting-deepar", tag: "1" });
  expect(() => deeparImage("eu-nowhere-1")).toThrow(/not to be had in eu-nowhere-1/);
});

test.each([
  [60_000, "rate(1 minute)"],
  [90 * 60_000, "rate(90 minutes)"],
  [12 * HOUR, "rate(12 hours)"],
  [24 * HOUR, "rate(1 day)"],
  [7 * 24 * HOUR, "rate(7 days)"],
])("%i ms is %s", (millis, text) => {
  expect(rate(millis)).toBe(text);
});

test.each([
  ["eu-west-1", "aws"],
  ["cn-north-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
])("in %s, what the workflow calls is of the partition %s, and nothing in the stack of another", (region, partition) => {
  const { body } = synthesize(FLIGHTS, options({ region }));
  const partitions = [...body.matchAll(/"arn:(\$\{[^}]+\}|[^:]+):/g)].map(([, p]) => p);
  expect(new Set(partitions)).toEqual(new Set([partition, "${AWS::Partition}"]));
});
