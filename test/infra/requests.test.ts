/**
 * What the training workflow asks of Athena and SageMaker, held against the services' own models: every request of executions that
 * go well and that fail on the way, with all expressions evaluated.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { synthesize } from "../../infra/template/synthesize.ts";
import { familiesOf } from "../../infra/workflow/deepar.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "../unit/infra/pipelines.ts";
import { execute, type Machine, StateError } from "../unit/infra/states.ts";
import { awsTools, runPython } from "./python.ts";

const FILLED_IN: Readonly<Record<string, string>> = {
  Bucket: "fw-data-123456789012",
  Database: "forewatch_pipeline",
  WorkGroup: "fw-pipeline-training",
  Image: "224300973850.dkr.ecr.eu-west-1.amazonaws.com/forecasting-deepar:1",
  SageMakerRole: "arn:aws:iam::123456789012:role/SageMakerRole",
  KeyArn: "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000",
  PublishFunction: "arn:aws:lambda:eu-west-1:123456789012:function:fw-pipeline-publish",
};
const HYPERPARAMETERS = { epochs: 20, learning_rate: 0.01 };

type Asked = readonly [service: "athena" | "sagemaker", operation: string, parameters: Record<string, unknown>];

/** What an execution asks of the two services; `fails` names an operation that fails. */
async function asked(name: string, fails?: string): Promise<Asked[]> {
  const spec = PIPELINES[name]!;
  const { Definition } = synthesize(spec, options({ tags: { team: "operations" } })).template.Resources.Training!
    .Properties;
  const text = JSON.stringify(Definition).replace(/\$\{(\w+)\}/g, (_, variable: string) => FILLED_IN[variable]!);
  const requests: Asked[] = [];
  const families = familiesOf(spec).map((family) => ({ family, series: 2 }));
  const tasks = async (resource: string, args: Record<string, unknown>): Promise<unknown> => {
    const [, service, action] = /:(athena|sagemaker|lambda):(\w+)(?:\.sync)?$/.exec(resource)!;
    if (service === "lambda") return { Payload: { families, series: 4, parts: 1, unread: [], name: "v1" } };
    const operation = action!.replace(/^./, (letter) => letter.toUpperCase());
    requests.push([service as Asked[0], operation, args]);
    if (operation === fails) throw new StateError("SageMaker.AmazonSageMakerException", "Rate exceeded");
    if (operation === "ListModels") {
      return { Models: [{ ModelName: `${args.NameContains as string}20261120093000-0a1b2c-counts` }] };
    }
    return { ModelArtifacts: { S3ModelArtifacts: `s3://${FILLED_IN.Bucket}/models/job/output/model.tar.gz` } };
  };
  const ends = execute(
    JSON.parse(text) as Machine,
    { hyperparameters: HYPERPARAMETERS },
    "2026-11-22T09:30:00.000Z",
    tasks,
  );
  if (fails === undefined) await ends;
  else await ends.catch(() => undefined);
  return requests;
}

const folder = mkdtempSync(join(tmpdir(), "forewatch-requests-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tools = await awsTools();
const missing = "lacking" in tools ? tools.lacking : undefined;

/** In a file of its own, because several are looked at at once. */
async function misfits(requests: readonly Asked[], name: string): Promise<string[]> {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(requests));
  const script = join(import.meta.dirname, "requests.py");
  const { stdout, stderr } = await runPython((tools as { python: string }).python, [script, file]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as string[];
}

const OPERATIONS = [
  "CreateModel",
  "CreateTrainingJob",
  "CreateTransformJob",
  "DeleteModel",
  "ListModels",
  "StartQueryExecution",
];

test("every request of every pipeline is one that its service takes", async ({ skip }) => {
  if (missing) skip(missing);
  const ways = Object.keys(PIPELINES).flatMap((name) => [asked(name), asked(name, "CreateTransformJob")]);
  const requests = (await Promise.all(ways)).flat();
  expect([...new Set(requests.map(([, operation]) => operation))].sort()).toEqual(OPERATIONS);
  expect(await misfits(requests, "all")).toEqual([]);
});

test("the models do look: they find a name, a type, a value and a number that are wrong", async ({ skip }) => {
  if (missing) skip(missing);
  const [, , training] = (await asked("flights")).find(([, operation]) => operation === "CreateTrainingJob")!;
  const wrong = (over: object): Asked => ["sagemaker", "CreateTrainingJob", { ...training, ...over }];
  const found = await Promise.all(
    [
      wrong({ Stopping: 1 }),
      wrong({ HyperParameters: { epochs: 20 } }),
      wrong({ TrainingJobName: "fw_flights" }),
      wrong({ ResourceConfig: { ...(training.ResourceConfig as object), InstanceType: "ml.c5.medium" } }),
      wrong({ StoppingCondition: { MaxRuntimeInSeconds: 0 } }),
    ].map((request, i) => misfits([request], `wrong-${i}`)),
  );
  expect(found.map((words) => words.length > 0)).toEqual([true, true, true, true, true]);
});

describe.each([
  ["flights", FLIGHTS],
  ["clicks-per-page-2", CLICKS],
])("%s", (name, spec) => {
  test("trains on encrypted disks, for two hours at most, on what was laid out as gzipped JSON lines", async () => {
    const requests = await asked(name);
    const trainings = requests.filter(([, operation]) => operation === "CreateTrainingJob").map(([, , p]) => p);
    expect(trainings).toHaveLength(familiesOf(spec).length);
    for (const { ResourceConfig, StoppingCondition, InputDataConfig, OutputDataConfig, HyperParameters } of trainings) {
      expect(ResourceConfig).toMatchObject({ InstanceCount: 1, VolumeKmsKeyId: FILLED_IN.KeyArn });
      expect(OutputDataConfig).toMatchObject({ KmsKeyId: FILLED_IN.KeyArn });
      expect(StoppingCondition).toEqual({ MaxRuntimeInSeconds: 7_200 });
      expect(InputDataConfig).toMatchObject(
        ["train", "test"].map((ChannelName) => ({ ChannelName, ContentType: "json.gz", InputMode: "File" })),
      );
      expect(HyperParameters).toMatchObject({ epochs: "20", learning_rate: "0.01" });
    }
    const transforms = requests.filter(([, operation]) => operation === "CreateTransformJob").map(([, , p]) => p);
    expect(transforms).toHaveLength(familiesOf(spec).length);
    for (const { TransformResources, TransformOutput, TransformInput } of transforms) {
      expect(TransformResources).toMatchObject({ InstanceCount: 1, VolumeKmsKeyId: FILLED_IN.KeyArn });
      expect(TransformOutput).toMatchObject({ AssembleWith: "Line", KmsKeyId: FILLED_IN.KeyArn });
      expect(TransformInput).toMatchObject({ ContentType: "application/jsonlines", SplitType: "Line" });
    }
  });
});
