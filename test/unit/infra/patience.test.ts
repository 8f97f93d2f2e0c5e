/** A training that hangs anywhere is given up in time for the ensemble's forecast to be judged and published. */
import { describe, expect, test } from "vitest";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { mostSeries, PART_SECONDS, partSize } from "../../../infra/workflow/capacity.ts";
import { options, PIPELINES } from "./pipelines.ts";

interface State {
  Type: string;
  Resource?: string;
  Next?: string;
  Default?: string;
  TimeoutSeconds?: number;
  MaxConcurrency?: number;
  Arguments?: { StoppingCondition?: { MaxRuntimeInSeconds: number }; MaxResults?: number };
  Retry?: {
    ErrorEquals: string[];
    IntervalSeconds: number;
    MaxAttempts: number;
    BackoffRate: number;
    MaxDelaySeconds?: number;
  }[];
  Catch?: { Next: string }[];
  Choices?: { Next: string }[];
  ItemProcessor?: Machine;
}
interface Machine {
  StartAt: string;
  TimeoutSeconds?: number;
  States: Record<string, State>;
}

const machineOf = (name: string) =>
  synthesize(PIPELINES[name]!, options()).template.Resources.Training!.Properties.Definition as unknown as Machine;
const statesOf = (machine: Machine): [string, State][] =>
  Object.entries(machine.States).flatMap(([name, state]) => [
    [name, state],
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ]);

/** Seconds that a retrier pauses in all. */
const pauses = ({ IntervalSeconds, MaxAttempts, BackoffRate, MaxDelaySeconds }: NonNullable<State["Retry"]>[number]) =>
  Array.from({ length: MaxAttempts }, (_, i) =>
    Math.min(IntervalSeconds * BackoffRate ** i, MaxDelaySeconds ?? Number.POSITIVE_INFINITY),
  ).reduce((sum, pause) => sum + pause, 0);

/** Seconds of the longest way through a machine, whatever fails on it. `rounds`: how often a Map's items follow one another. */
function longest(machine: Machine, rounds: (name: string) => number): number {
  const own = (name: string, state: State): number => {
    if (state.ItemProcessor) return rounds(name) * longest(state.ItemProcessor, rounds);
    if (state.Type !== "Task") return 0;
    return state.TimeoutSeconds! + Math.max(0, ...(state.Retry ?? []).map(pauses));
  };
  const from = (name: string): number => {
    const state = machine.States[name]!;
    const next = [state.Next, state.Default, ...(state.Catch ?? []), ...(state.Choices ?? [])].flatMap((to) =>
      to === undefined ? [] : [typeof to === "string" ? to : to.Next],
    );
    return own(name, state) + Math.max(0, ...next.map(from));
  };
  return from(machine.StartAt);
}

describe.each(Object.keys(PIPELINES))("%s", (name) => {
  const spec = PIPELINES[name]!;
  const machine = machineOf(name);

  test("waits for nothing without a bound", () => {
    const unbounded = statesOf(machine).filter(([, s]) => s.Type === "Task" && s.TimeoutSeconds === undefined);
    expect(unbounded.map(([state]) => state)).toEqual([]);
  });

  test("has time for all its steps, each as long as it may take, and for judging in twice what that should take", () => {
    const { MaxConcurrency } = machine.States.Judge!;
    const parts = Math.ceil(mostSeries(spec) / partSize(spec));
    const judged = machine.States.Judge!.ItemProcessor!.States.JudgePart!;
    judged.TimeoutSeconds = 2 * PART_SECONDS;
    const seconds = longest(machine, (map) => {
      if (map === "DeleteOldModels") return machine.States.OldModels!.Arguments!.MaxResults!;
      // Families are trained beside each other.
      return map === "Judge" ? Math.ceil(parts / MaxConcurrency!) : 1;
    });
    const waited = Math.ceil(parts / MaxConcurrency! - 1) * pauses(judged.Retry![0]!);
    expect(machine.TimeoutSeconds).toBeGreaterThanOrEqual(seconds - waited);
    expect(machine.TimeoutSeconds).toBeLessThan(12 * 3_600);
  });

  test("gives a training's instance time to come, beside what it may compute", () => {
    const { TimeoutSeconds, Arguments } = machine.States.Families!.ItemProcessor!.States.Train!;
    expect(TimeoutSeconds! - Arguments!.StoppingCondition!.MaxRuntimeInSeconds).toBeGreaterThanOrEqual(1_800);
  });
});

test("what is refused for being too often is tried again, by each name that it has", () => {
  const retried = (resource: RegExp) =>
    statesOf(machineOf("flights"))
      .filter(([, s]) => resource.test(s.Resource ?? "") && s.Retry)
      .map(([, s]) => s.Retry!.flatMap((r) => r.ErrorEquals));
  const optimized = retried(/:::sagemaker:/);
  expect(optimized).toHaveLength(3);
  for (const names of optimized) expect(names).toContain("SageMaker.AmazonSageMakerException");
  const sdk = retried(/:aws-sdk:sagemaker:/);
  expect(sdk).toHaveLength(2);
  for (const names of sdk) expect(names).toEqual(expect.arrayContaining(["SageMaker.SageMakerException"]));
  for (const names of [...optimized, ...sdk]) expect(names).toContain("SageMaker.ThrottlingException");
});

test("a function that the account has no room for is asked again for minutes, any other of Lambda's faults for one", () => {
  const functions = statesOf(machineOf("flights")).filter(([, s]) => s.Resource?.endsWith(":lambda:invoke"));
  expect(functions.map(([name]) => name)).toEqual(["Stage", "JudgePart", "Publish"]);
  for (const [, { Retry }] of functions) {
    const [busy, ...others] = Retry!;
    expect(busy).toMatchObject({
      ErrorEquals: ["Lambda.TooManyRequestsException"],
      MaxAttempts: 10,
      MaxDelaySeconds: 60,
    });
    expect(pauses(busy!)).toBeGreaterThan(300);
    expect(others.flatMap((r) => r.ErrorEquals)).not.toContain("Lambda.TooManyRequestsException");
  }
});
