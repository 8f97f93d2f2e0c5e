/**
 * Executions of the training workflow, from its start to its end: the states as Step Functions goes through them, our function
 * doing its tasks in them, and Athena and SageMaker answering as they document.
 */
import { describe, expect, test } from "vitest";
import { CurrentForecast } from "../../../infra/lambda/forecasts.ts";
import type { JudgeRequest, PublishRequest, StageRequest } from "../../../infra/lambda/publishing.ts";
import { jobPrefix } from "../../../infra/template/forecast.ts";
import { trainingWorkflow } from "../../../infra/workflow/training.ts";
import { MemoryObjects } from "./memory.ts";
import { ORIGIN, predict, publisherOf, SHOP, textOf, unload } from "./shop.ts";
import { execute, type Machine, StateError } from "./states.ts";

/** At midnight the newest window in the lake is that before: the lake trails by lateness and delivery. */
const STARTED = new Date(ORIGIN + 3_600_000).toISOString();
const FILLED_IN: Readonly<Record<string, string>> = {
  Bucket: "bucket",
  Database: "forewatch_shop",
  WorkGroup: "fw-shop",
  Image: "224300973850.dkr.ecr.eu-west-1.amazonaws.com/forecasting-deepar:1",
  SageMakerRole: "arn:aws:iam::123456789012:role/SageMakerRole",
  KeyArn: "arn:aws:kms:eu-west-1:123456789012:key/k",
  PublishFunction: "arn:aws:lambda:eu-west-1:123456789012:function:fw-shop-publish",
};
const definition = JSON.stringify(
  trainingWorkflow(SHOP, {
    trainingInstance: "ml.c5.2xlarge",
    transformInstance: "ml.c5.xlarge",
    tags: { "forewatch:pipeline": "p" },
    partition: "aws",
    jobPrefix: jobPrefix(SHOP.name),
    prefixes: { training: "training/", models: "models/" },
  }),
);
const MACHINE = JSON.parse(definition.replace(/\$\{(\w+)\}/g, (_, name: string) => FILLED_IN[name]!)) as Machine;

type Request = StageRequest | JudgeRequest | PublishRequest;

/** The account's services, and the calls they got. `fails` may throw before a call is carried out. */
class Account {
  readonly objects = new MemoryObjects();
  readonly calls: { readonly resource: string; readonly args: Record<string, unknown> }[] = [];
  readonly models = new Set<string>();
  readonly #publisher = publisherOf(this.objects, 2);
  readonly #fails: (resource: string, args: Record<string, unknown>) => void;
  readonly #rows: boolean;

  constructor(fails: (resource: string, args: Record<string, unknown>) => void = () => {}, rows = true) {
    this.#fails = fails;
    this.#rows = rows;
  }

  readonly tasks = async (arn: string, args: Record<string, unknown>): Promise<unknown> => {
    const resource = arn.slice("arn:aws:states:::".length);
    this.calls.push({ resource, args });
    this.#fails(resource, args);
    const place = (uri: unknown) => /^s3:\/\/bucket\/(.*)$/.exec(String(uri))![1]!;
    switch (resource) {
      case "athena:startQueryExecution.sync": {
        const to = /TO '(s3:[^']+)'/.exec(String(args.QueryString))![1];
        if (this.#rows) await unload(this.objects, place(to));
        return { QueryExecution: { Status: { State: "SUCCEEDED" } } };
      }
      case "lambda:invoke":
        return { StatusCode: 200, Payload: await this.#invoke(args.Payload as Request) };
      case "sagemaker:createTrainingJob.sync": {
        const S3ModelArtifacts = `s3://bucket/models/${String(args.TrainingJobName)}/output/model.tar.gz`;
        return { TrainingJobStatus: "Completed", ModelArtifacts: { S3ModelArtifacts } };
      }
      case "sagemaker:createModel":
        this.models.add(String(args.ModelName));
        return { ModelArn: "arn" };
      case "sagemaker:createTransformJob.sync": {
        const input = (args.TransformInput as { DataSource: { S3DataSource: { S3Uri: string } } }).DataSource;
        await predict(this.objects, place(input.S3DataSource.S3Uri).replace(/predict\/$/, ""), () => true);
        return { TransformJobStatus: "Completed" };
      }
      case "aws-sdk:sagemaker:listModels": {
        const Models = [...this.models].filter((m) => m.includes(String(args.NameContains)));
        return { Models: Models.map((ModelName) => ({ ModelName, ModelArn: `arn/${ModelName}` })) };
      }
      case "aws-sdk:sagemaker:deleteModel":
        this.models.delete(String(args.ModelName));
        return {};
      default:
        throw new Error(`Nothing answers ${resource}.`);
    }
  };

  async #invoke(request: Request): Promise<object> {
    try {
      if (request.action === "stage") return await this.#publisher.stage(request);
      if (request.action === "judge") return await this.#publisher.judge(request);
      return await this.#publisher.publish(request);
    } catch (error) {
      // As Lambda reports what a handler throws.
      throw new StateError("Error", JSON.stringify({ errorMessage: (error as Error).message }));
    }
  }

  times(resource: string): number {
    return this.calls.filter((c) => c.resource.startsWith(resource)).length;
  }
}

const run = (account: Account, input: object = {}) => execute(MACHINE, input, STARTED, account.tasks);
const failure = (account: Account, input?: object) =>
  run(account, input).then(
    () => undefined,
    (error: StateError) => error,
  );

test("a training goes through, its forecast is in use, and no model is left", async () => {
  const account = new Account();
  expect(await run(account)).toMatchObject({ version: "2026-11-22T00:00:00Z", series: 6, byMethod: { deepar: 6 } });
  expect(account.objects.content.has("forecasts/current.json")).toBe(true);
  expect(account.times("sagemaker:createTrainingJob")).toBe(2);
  expect(account.models.size).toBe(0);
  const names = account.calls.flatMap((c) => c.args.TrainingJobName ?? []);
  expect(names).toEqual(["fw-shop-20261122010000-0a1b2c-counts", "fw-shop-20261122010000-0a1b2c-reals"]);
});

test("a person's origin and hyperparameters are what is trained with", async () => {
  const account = new Account();
  const input = {
    origin: ORIGIN - 86_400_000,
    requestedBy: "person",
    hyperparameters: { epochs: 3, learning_rate: "0.01" },
  };
  expect(await run(account, input)).toMatchObject({ version: "2026-11-21T00:00:00Z" });
  const trainings = account.calls.filter((c) => c.resource.startsWith("sagemaker:createTrainingJob"));
  for (const { args } of trainings)
    expect(args.HyperParameters).toMatchObject({ epochs: "3", learning_rate: "0.01", num_layers: "2" });
  const report = JSON.parse(textOf(account.objects, "forecasts/reports/2026-11-21T00-00-00Z.json")) as object;
  expect(report).toMatchObject({ requestedBy: "person" });
});

test("an origin between two windows' starts is that of the window it lies in", async () => {
  const account = new Account();
  const version = await run(account, { origin: ORIGIN - 86_400_000 + 1_234_567, requestedBy: "person" });
  expect(version).toMatchObject({ version: "2026-11-21T00:00:00Z" });
  const table = await new CurrentForecast(account.objects, "forecasts/current.json", SHOP).table(0);
  expect(table.newest?.origin).toBe(ORIGIN - 86_400_000);
});

test("an empty lake, as the first scheduled run finds it, is no failure: there is nothing to learn yet", async () => {
  const account = new Account(undefined, false);
  expect(await run(account)).toEqual({ outcome: "nothing to learn yet", origin: ORIGIN });
  expect(account.times("sagemaker:create")).toBe(0);
  expect(await account.objects.list("forecasts/")).toEqual([]);
});

describe("what fails ends in a state that says so", () => {
  test("the query", async () => {
    const account = new Account((resource) => {
      if (resource.startsWith("athena")) throw new StateError("States.TaskFailed", "TABLE_NOT_FOUND");
    });
    const { error, reason } = (await failure(account))!;
    expect({ error, reason }).toEqual({
      error: "PrepareFailed",
      reason: "The series could not be read from the lake: TABLE_NOT_FOUND",
    });
  });

  test("a training: the ensemble's forecast is published first", async () => {
    const account = new Account((resource, args) => {
      if (resource.startsWith("sagemaker:createTrainingJob") && String(args.TrainingJobName).endsWith("reals"))
        throw new StateError("States.TaskFailed", "CapacityError");
    });
    const { error, reason } = (await failure(account))!;
    expect(error).toBe("TrainingFailed");
    expect(reason).toBe("DeepAR failed and the ensemble stands in: reals: CapacityError");
    const report = JSON.parse(textOf(account.objects, "forecasts/reports/2026-11-22T00-00-00Z.json")) as {
      choices: { series: string; chosen: string }[];
    };
    expect(report.choices.filter((c) => c.chosen === "deepar").map((c) => c.series)).toEqual([
      "sales{store=north}",
      "sales{store=south}",
    ]);
  });

  test("a prediction that runs out of time, which has no cause: its model is deleted", async () => {
    const account = new Account((resource) => {
      if (resource.startsWith("sagemaker:createTransformJob")) throw new StateError("States.Timeout");
    });
    const { error, reason } = (await failure(account))!;
    expect(error).toBe("TrainingFailed");
    expect(reason).toContain("counts: States.Timeout; reals: States.Timeout");
    expect(account.models.size).toBe(0);
  });

  test.each([
    ["publishing", "publish", undefined],
    ["one part's judgement", "judge", 2],
  ])("%s: the last forecast stays in use", async (_, action, part) => {
    const account = new Account((resource, args) => {
      const payload = args.Payload as Partial<JudgeRequest> | undefined;
      if (resource === "lambda:invoke" && payload!.action === action && payload!.part === part)
        throw new StateError("Lambda.Unknown", "out of memory");
    });
    const { error, reason } = (await failure(account))!;
    expect(error).toBe("PublishFailed");
    expect(reason).toBe("The new forecast could not be published; the last one stays in use: out of memory");
    expect(await account.objects.list("forecasts/")).toEqual([]);
  });

  test("predictions that one part lacks: the ensemble stands in there, and DeepAR's others are published", async () => {
    const account = new Account((resource) => {
      if (resource !== "aws-sdk:sagemaker:deleteModel") return;
      for (const key of account.objects.content.keys())
        if (key.endsWith("reals/predicted/part-00003.jsonl.out")) account.objects.content.delete(key);
    });
    const { error, reason } = (await failure(account))!;
    expect(error).toBe("TrainingFailed");
    expect(reason).toMatch(/ensemble stands in: reals: .*reals\/predicted\/part-00003\.jsonl\.out is missing/);
    const report = JSON.parse(textOf(account.objects, "forecasts/reports/2026-11-22T00-00-00Z.json")) as {
      choices: { chosen: string }[];
      unread: unknown[];
    };
    expect(report.choices).toHaveLength(6);
    expect(report.choices.some((c) => c.chosen === "deepar")).toBe(true);
    expect(report.unread).toHaveLength(1);
  });

  test("hyperparameters that follow from the pipeline file: nothing is trained", async () => {
    const account = new Account();
    const { error, reason } = (await failure(account, { hyperparameters: { epochs: 5, prediction_length: 12 } }))!;
    expect({ error, reason }).toEqual({
      error: "HyperparametersRefused",
      reason: "These follow from the pipeline file and cannot be chosen: prediction_length",
    });
    expect(account.calls).toEqual([]);
  });
});

test("models that a stopped execution left are deleted, and no other pipeline's", async () => {
  const account = new Account();
  const left = [
    `${jobPrefix(SHOP.name)}-20261120000000-0a1b2c-counts`,
    `${jobPrefix(SHOP.name)}-20261119000000-ffffff-reals`,
  ];
  const others = [`${jobPrefix(SHOP.name)}-2-20261120000000-0a1b2c-counts`, `${jobPrefix(SHOP.name)}-by-hand`];
  for (const model of [...left, ...others]) account.models.add(model);
  await run(account);
  expect([...account.models]).toEqual(others);
  const [list] = account.calls.filter((c) => c.resource.endsWith("listModels"));
  // Those of an execution that still runs are younger than this.
  expect(Date.parse(String(list!.args.CreationTimeBefore))).toBe(Date.parse(STARTED) - 86_400_000);
});

test("each part is judged once, and what goes from state to state stays small", async () => {
  const account = new Account();
  await run(account);
  const payloads = account.calls.flatMap((c) => (c.args.Payload as Request | undefined) ?? []);
  expect(payloads.map((p) => [p.action, ...("part" in p ? [p.part] : [])])).toEqual([
    ["stage"],
    ["judge", 1],
    ["judge", 2],
    ["judge", 3],
    ["publish"],
  ]);
  for (const payload of payloads) expect(JSON.stringify(payload).length).toBeLessThan(2_000);
});

test("what passes is tried again, and a model that cannot be deleted harms no forecast", async () => {
  let throttled = 0;
  const account = new Account((resource) => {
    if (resource.startsWith("sagemaker:createTrainingJob") && throttled++ < 3) {
      throw new StateError("SageMaker.AmazonSageMakerException", "Rate exceeded");
    }
    if (/(delete|list)Models?$/.test(resource)) throw new StateError("SageMaker.SageMakerException", "gone already");
  });
  expect(await run(account)).toMatchObject({ byMethod: { deepar: 6 } });
  expect(account.times("sagemaker:createTrainingJob")).toBe(5);
});
