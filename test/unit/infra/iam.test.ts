import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FUNCTIONS, type FunctionName, synthesize } from "../../../infra/template/synthesize.ts";
import { callsOf } from "./calls.ts";
import { FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const { template } = synthesize(FLIGHTS, options());
const LAMBDA = join(import.meta.dirname, "../../../infra/lambda");

interface Statement {
  Sid: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

const roles = Object.entries(template.Resources).filter(([, r]) => r.Type === "AWS::IAM::Role");
const statementsOf = (role: string): Statement[] =>
  (
    template.Resources[role]!.Properties.Policies as unknown as { PolicyDocument: { Statement: Statement[] } }[]
  ).flatMap((p) => p.PolicyDocument.Statement);
const actionsOf = (role: string) =>
  statementsOf(role)
    .flatMap((s) => s.Action)
    .sort();

const roleOf = (handler: FunctionName) => `${handler[0]!.toUpperCase()}${handler.slice(1)}Role`;

/** What each handler calls, read out of its sources. */
const CALLS = callsOf(FUNCTIONS);
/** Commands whose action is called differently (Service Authorization Reference). */
const ACTION: Readonly<Record<string, string>> = { "s3:ListObjectsV2": "s3:ListBucket" };
/**
 * What the service does with the role on its own: logs, reading the stream for the function, the queue; the key, which decrypts a
 * function's settings before anything else.
 */
const SERVICE: Readonly<Record<FunctionName, readonly string[]>> = {
  enrich: ["logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt", "kms:GenerateDataKey"],
  relay: [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
  ],
  // Without ListBucket a forecast that is not there yet answers 403.
  compare: [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
    "kms:Decrypt",
    "s3:ListBucket",
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
  ],
  sweep: ["logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"],
  publish: ["logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt", "kms:GenerateDataKey"],
};

test("every command that aws.ts sends is some handler's, and no other module sends any", () => {
  const commands = (file: string) => [...readFileSync(file, "utf8").matchAll(/new (\w+)Command\(/g)].map(([, c]) => c!);
  const called = [...CALLS.values()].flatMap((calls) => [...calls]).map((call) => call.split(":")[1]);
  expect(new Set(commands(join(LAMBDA, "aws.ts")))).toEqual(new Set(called));
  for (const file of readdirSync(LAMBDA)) {
    if (file !== "aws.ts") expect(commands(join(LAMBDA, file)), file).toEqual([]);
  }
});

test.each(FUNCTIONS)("%s may do what it calls and what the service does for it, and nothing else", (handler) => {
  const called = [...CALLS.get(handler)!].map((call) => ACTION[call] ?? call);
  expect(called.length).toBeGreaterThan(0);
  expect(new Set(actionsOf(roleOf(handler)))).toEqual(new Set([...called, ...SERVICE[handler]]));
});

/** What services do with their roles, from their own documents; see the statements' Sids for what each is for. */
const SERVICE_ROLES: Readonly<Record<string, readonly string[]>> = {
  // Firehose Developer Guide, "Controlling access": a Kinesis source, an S3 destination, a transform, a format conversion.
  DeliveryRole: [
    ...["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
    ...[
      "s3:AbortMultipartUpload",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:PutObject",
    ],
    ...[
      "lambda:GetFunctionConfiguration",
      "lambda:InvokeFunction",
      "logs:PutLogEvents",
      "kms:Decrypt",
      "kms:GenerateDataKey",
    ],
    ...["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
  ],
  // Managed Service for Apache Flink Developer Guide, "IAM"; the connector's calls when it polls.
  FlinkRole: [
    ...[
      "s3:GetObject",
      "s3:GetObjectVersion",
      "logs:DescribeLogGroups",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
    ],
    ...[
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
      "kinesis:PutRecords",
    ],
    ...["kms:Decrypt", "kms:GenerateDataKey"],
  ],
  // SageMaker Developer Guide, "SageMaker Roles", CreateTrainingJob, CreateModel and CreateTransformJob without a VPC; the
  // stopping of multipart uploads; what SageMaker does with a key of the customer's ("Encryption at rest").
  SageMakerRole: [
    ...["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
    ...["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
    ...["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
    "cloudwatch:PutMetricData",
    ...["BatchCheckLayerAvailability", "BatchGetImage", "GetAuthorizationToken", "GetDownloadUrlForLayer"].map(
      (action) => `ecr:${action}`,
    ),
  ],
  SweepScheduleRole: ["lambda:InvokeFunction", "sqs:SendMessage"],
  TrainingScheduleRole: ["states:StartExecution", "sqs:SendMessage"],
};

test.each(Object.entries(SERVICE_ROLES))("%s may do what its service documents", (role, actions) => {
  expect(new Set(actionsOf(role))).toEqual(new Set(actions));
});

test("the workflow may do what its states call, and what .sync adds", () => {
  const definition = JSON.stringify(template.Resources.Training!.Properties.Definition);
  const called = new Set([...definition.matchAll(/"Resource":"arn:aws:states:::([^"]+)"/g)].map(([, r]) => r));
  /** Step Functions Developer Guide, the page of each integration. */
  const needs: Readonly<Record<string, readonly string[]>> = {
    "athena:startQueryExecution.sync": [
      "athena:StartQueryExecution",
      "athena:GetQueryExecution",
      "athena:StopQueryExecution",
      "athena:GetDataCatalog",
      "glue:GetDatabase",
      "glue:GetTable",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:ListMultipartUploadParts",
      "s3:AbortMultipartUpload",
      "s3:PutObject",
      "kms:Decrypt",
      "kms:GenerateDataKey",
    ],
    "sagemaker:createTrainingJob.sync": [
      "sagemaker:CreateTrainingJob",
      "sagemaker:DescribeTrainingJob",
      "sagemaker:StopTrainingJob",
      "sagemaker:ListTags",
      "sagemaker:AddTags",
      "iam:PassRole",
      "events:PutTargets",
      "events:PutRule",
      "events:DescribeRule",
    ],
    "sagemaker:createModel": ["sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"],
    "sagemaker:createTransformJob.sync": [
      "sagemaker:CreateTransformJob",
      "sagemaker:DescribeTransformJob",
      "sagemaker:StopTransformJob",
      "sagemaker:ListTags",
      "sagemaker:AddTags",
      "events:PutTargets",
      "events:PutRule",
      "events:DescribeRule",
    ],
    "aws-sdk:sagemaker:listModels": ["sagemaker:ListModels"],
    "aws-sdk:sagemaker:deleteModel": ["sagemaker:DeleteModel"],
    "lambda:invoke": ["lambda:InvokeFunction"],
  };
  expect([...called].filter((c) => !(c! in needs))).toEqual([]);
  expect(Object.keys(needs).filter((n) => !called.has(n))).toEqual([]);
  const logDelivery = [
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
  ];
  expect(new Set(actionsOf("TrainingRole"))).toEqual(
    new Set([...Object.values(needs).flat(), ...logDelivery.map((a) => `logs:${a}`)]),
  );
});

test("every role there is, is held to a table above", () => {
  const known = [...FUNCTIONS.map(roleOf), ...Object.keys(SERVICE_ROLES), "TrainingRole"];
  expect(roles.map(([id]) => id).sort()).toEqual(known.sort());
});

/** Statements on every resource: the actions know none, or the call precedes the name. */
const UNAVOIDABLE = new Set([
  "WriteMetrics",
  "ReadMetrics",
  "WriteTrainingMetrics",
  "LogInToRegistry",
  "ListJobTags",
  "ListModels",
  "DeliverLogs",
]);

describe.each(Object.entries(PIPELINES))("%s", (_, spec) => {
  const stack = synthesize(spec, options()).template;
  test("no action is a wildcard, and no resource but the unavoidable", () => {
    for (const [id, role] of Object.entries(stack.Resources).filter(([, r]) => r.Type === "AWS::IAM::Role")) {
      const documents = (role.Properties.Policies as unknown as { PolicyDocument: { Statement: Statement[] } }[]).map(
        (p) => p.PolicyDocument,
      );
      for (const s of documents.flatMap((d) => d.Statement)) {
        for (const action of [s.Action].flat()) expect(action, id).not.toContain("*");
        if (s.Resource === "*") expect(UNAVOIDABLE, `${id} ${s.Sid}`).toContain(s.Sid);
        if ([s.Action].flat().includes("cloudwatch:PutMetricData"))
          expect(JSON.stringify(s.Condition), id).toContain("cloudwatch:namespace");
        if ([s.Action].flat().includes("kms:CreateGrant"))
          expect(s.Condition, id).toEqual({ Bool: { "kms:GrantIsForAWSResource": true } });
        if ([s.Action].flat().includes("iam:PassRole"))
          expect(JSON.stringify(s.Condition), id).toContain("iam:PassedToService");
      }
      expect(JSON.stringify(role.Properties.AssumeRolePolicyDocument), id).toContain("aws:SourceAccount");
    }
  });
});
