/**
 * What each role is asked for, request by request, out of what the stack is set up to do: functions' settings, mappings, targets,
 * places. All of it is allowed; nothing that is another's is; and no statement is wider than its requests are.
 */
import { describe, expect, test } from "vitest";
import type { Value } from "../../../infra/template/cfn.ts";
import { PREFIX } from "../../../infra/template/context.ts";
import { FUNCTIONS, type FunctionName, synthesize } from "../../../infra/template/synthesize.ts";
import { ACCOUNT, allows, arnOf, type Request, Resolver, type Statement, statementsOf } from "./access.ts";
import { callsOf } from "./calls.ts";
import { FLIGHTS, options } from "./pipelines.ts";

const { template } = synthesize(FLIGHTS, options());
const resolver = new Resolver(template);
const properties = <T = Readonly<Record<string, Value>>>(id: string) =>
  template.Resources[id]!.Properties as unknown as T;
const idsOf = (type: string) => Object.keys(template.Resources).filter((id) => template.Resources[id]!.Type === type);

const BUCKET = resolver.arn("DataBucket");
const object = (key: string) => `${BUCKET}/${key}`;
const on = (resource: string, ...actions: string[]): Request[] => actions.map((action) => ({ action, resource }));
/** A list of what lies under a prefix. */
const list = (prefix: string): Request => ({
  action: "s3:ListBucket",
  resource: BUCKET,
  context: { "s3:prefix": prefix },
});
const key = (...actions: string[]) => on(resolver.arn("DataKey"), ...actions.map((a) => `kms:${a}`));
const POLL = ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"].map(
  (a) => `kinesis:${a}`,
);

const idOf = (handler: string) => `${handler[0]!.toUpperCase()}${handler.slice(1)}`;
const settingsOf = (handler: FunctionName) =>
  Object.fromEntries(
    Object.entries(
      (properties(`${idOf(handler)}Function`).Environment as { Variables: Record<string, Value> }).Variables,
    ).map(([name, value]) => [name, resolver.text(value)]),
  );

/** Which setting names what a call of a handler is on; `versions/` and `reports/` the code puts below the forecasts' prefix. */
const CALLED: Readonly<
  Record<FunctionName, Readonly<Record<string, (s: Record<string, string>) => readonly Request[]>>>
> = {
  enrich: {
    "s3:PutObject": (s) => on(object(`${s.REJECTED_PREFIX}dt=2026-11-22/a.json.gz`), "s3:PutObject"),
  },
  relay: {
    "kinesis:PutRecord": (s) => on(arnOf("kinesis", `stream/${s.EVENTS_STREAM}`), "kinesis:PutRecord"),
  },
  compare: {
    "s3:GetObject": (s) => [
      ...on(object(s.FORECAST_KEY!), "s3:GetObject"),
      ...on(object(`${settingsOf("publish").FORECASTS_PREFIX}versions/v1.forecast`), "s3:GetObject"),
      // Of what is not there yet S3 says so to those alone who may list.
      list(s.FORECAST_KEY!),
    ],
    "cloudwatch:PutMetricData": (s) => [
      { action: "cloudwatch:PutMetricData", resource: "*", context: { "cloudwatch:namespace": s.METRIC_NAMESPACE! } },
    ],
  },
  sweep: {
    "kinesis:PutRecord": (s) => on(arnOf("kinesis", `stream/${s.EVENTS_STREAM}`), "kinesis:PutRecord"),
    "kinesis:ListShards": (s) => on(arnOf("kinesis", `stream/${s.EVENTS_STREAM}`), "kinesis:ListShards"),
    "cloudwatch:GetMetricData": () => on("*", "cloudwatch:GetMetricData"),
  },
  publish: {
    "s3:GetObject": (s) => [
      ...on(object(s.FORECAST_KEY!), "s3:GetObject"),
      ...on(object(`${s.FORECASTS_PREFIX}reports/v1.json`), "s3:GetObject"),
      ...on(object(`${s.TRAINING_PREFIX}run/rows/1.gz`), "s3:GetObject"),
    ],
    "s3:PutObject": (s) => [
      ...on(object(s.FORECAST_KEY!), "s3:PutObject"),
      ...["versions/v1.forecast", "reports/v1.json"].flatMap((name) =>
        on(object(`${s.FORECASTS_PREFIX}${name}`), "s3:PutObject"),
      ),
      ...on(object(`${s.TRAINING_PREFIX}run/count/train/part-1.json.gz`), "s3:PutObject"),
    ],
    "s3:ListObjectsV2": (s) => [list(`${s.TRAINING_PREFIX}run/rows/`), list(`${s.FORECASTS_PREFIX}reports/`)],
  },
};

const CALLS = callsOf(FUNCTIONS);

/** Everything that a handler's role is asked for. */
function handlerRequests(handler: FunctionName): Request[] {
  const id = idOf(handler);
  const settings = settingsOf(handler);
  const called = [...CALLS.get(handler)!].flatMap((call) => {
    const requests = CALLED[handler][call];
    if (!requests) throw new Error(`${handler} calls ${call}, and nobody says on what`);
    return requests(settings);
  });
  const mappings = idsOf("AWS::Lambda::EventSourceMapping").map(properties);
  const own = mappings.filter((m) => (m.FunctionName as { Ref: string }).Ref === `${id}Function`);
  const invocations = idsOf("AWS::Lambda::EventInvokeConfig").map(properties);
  const failing = [...own, ...invocations.filter((i) => (i.FunctionName as { Ref: string }).Ref === `${id}Function`)];
  const group = (properties(`${id}Function`).LoggingConfig as { LogGroup: { Ref: string } }).LogGroup.Ref;
  const writes = called.some(({ action }) => action === "s3:PutObject" || action === "kinesis:PutRecord");
  return [
    ...called,
    ...own.flatMap((m) => on(resolver.text(m.EventSourceArn!), ...POLL)),
    ...failing.flatMap(({ DestinationConfig: to }) =>
      to
        ? on(resolver.text((to as { OnFailure: { Destination: Value } }).OnFailure.Destination), "sqs:SendMessage")
        : [],
    ),
    ...on(
      arnOf("logs", `log-group:${resolver.name(group)}:log-stream:2026/11/22/1`),
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ),
    ...key("Decrypt", ...(writes ? ["GenerateDataKey"] : [])),
  ];
}

function deliveryRequests(): Request[] {
  const { KinesisStreamSourceConfiguration: source, ExtendedS3DestinationConfiguration: to } = properties(
    "Delivery",
  ) as unknown as {
    KinesisStreamSourceConfiguration: { KinesisStreamARN: Value };
    ExtendedS3DestinationConfiguration: {
      Prefix: string;
      ErrorOutputPrefix: string;
      ProcessingConfiguration: { Processors: { Parameters: { ParameterName: string; ParameterValue: Value }[] }[] };
      DataFormatConversionConfiguration: { SchemaConfiguration: { DatabaseName: Value; TableName: Value } };
      CloudWatchLoggingOptions: { LogGroupName: Value; LogStreamName: Value };
    };
  };
  const parameters = to.ProcessingConfiguration.Processors[0]!.Parameters;
  const transform = resolver.text(parameters.find((p) => p.ParameterName === "LambdaArn")!.ParameterValue);
  const schema = to.DataFormatConversionConfiguration.SchemaConfiguration;
  const database = resolver.text(schema.DatabaseName);
  const logs = to.CloudWatchLoggingOptions;
  // Expressions in a prefix become days and kinds of errors.
  const places = [to.Prefix, to.ErrorOutputPrefix].map((p) => object(p.replace(/!\{[^}]*\}/g, "x")));
  return [
    ...on(resolver.text(source.KinesisStreamARN), ...POLL.filter((a) => a !== "kinesis:DescribeStreamSummary")),
    ...places.flatMap((p) => on(`${p}part.parquet`, "s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")),
    ...on(BUCKET, "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
    ...[transform, `${transform}:$LATEST`].flatMap((a) =>
      on(a, "lambda:InvokeFunction", "lambda:GetFunctionConfiguration"),
    ),
    ...["catalog", `database/${database}`, `table/${database}/${resolver.text(schema.TableName)}`].flatMap((r) =>
      on(arnOf("glue", r), "glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"),
    ),
    ...on(
      arnOf(
        "logs",
        `log-group:${resolver.text(logs.LogGroupName)}:log-stream:${(properties("DeliveryLogStream") as { LogStreamName: string }).LogStreamName}`,
      ),
      "logs:PutLogEvents",
    ),
    ...key("Decrypt", "GenerateDataKey"),
  ];
}

function flinkRequests(): Request[] {
  const configuration = properties("FlinkApplication").ApplicationConfiguration as {
    ApplicationCodeConfiguration: { CodeContent: { S3ContentLocation: { BucketARN: Value; FileKey: string } } };
    EnvironmentProperties: { PropertyGroups: { PropertyMap: Record<string, Value> }[] };
  };
  const { BucketARN, FileKey } = configuration.ApplicationCodeConfiguration.CodeContent.S3ContentLocation;
  const streams = configuration.EnvironmentProperties.PropertyGroups[1]!.PropertyMap;
  const group = resolver.name("FlinkLogs");
  return [
    ...on(`${resolver.text(BucketARN)}/${FileKey}`, "s3:GetObject", "s3:GetObjectVersion"),
    ...on(resolver.text(streams["events.stream.arn"]!), ...POLL.filter((a) => a !== "kinesis:DescribeStream")),
    ...on(resolver.text(streams["windows.stream.arn"]!), "kinesis:PutRecords"),
    ...on(arnOf("logs", "log-group:*"), "logs:DescribeLogGroups"),
    ...on(arnOf("logs", `log-group:${group}:log-stream:application`), "logs:DescribeLogStreams", "logs:PutLogEvents"),
    ...key("Decrypt", "GenerateDataKey"),
  ];
}

const definition = JSON.stringify(properties("Training").Definition);
const substituted = Object.fromEntries(
  Object.entries(properties("Training").DefinitionSubstitutions as Record<string, Value>).map(([name, value]) => [
    name,
    resolver.text(value),
  ]),
);
/** Places in the bucket that the workflow names, such as `training/` and `models/`. */
const named = [...new Set([...definition.matchAll(/s3:\/\/\$\{Bucket\}\/([a-z]+\/)/g)].map(([, place]) => place!))];

/** What the names of jobs and models begin with. */
const JOB = /'(fw-[a-z0-9-]+-)' & \$runId/.exec(definition)![1]!;

function sageMakerRequests(): Request[] {
  const repository = /^(\d+)\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\/([^:]+):/.exec(substituted.Image!)!;
  const image = `arn:aws:ecr:eu-west-1:${repository[1]}:repository/${repository[2]}`;
  return [
    // It reads the channels and the model, and writes the model and the predictions.
    ...named.flatMap((place) => [
      ...on(object(`${place}run/part-1`), "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
      list(`${place}run/`),
    ]),
    ...key("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"),
    { action: "kms:CreateGrant", resource: resolver.arn("DataKey"), context: { "kms:GrantIsForAWSResource": "true" } },
    // The groups are the account's; what is written there, streams of the job.
    ...["TrainingJobs", "TransformJobs"].flatMap((group) => [
      ...on(
        arnOf("logs", `log-group:/aws/sagemaker/${group}`),
        ...["CreateLogGroup", "CreateLogStream", "DescribeLogStreams"].map((a) => `logs:${a}`),
      ),
      ...on(
        arnOf("logs", `log-group:/aws/sagemaker/${group}:log-stream:${JOB}20261122-count/algo-1`),
        "logs:PutLogEvents",
      ),
    ]),
    ...["/aws/sagemaker/TrainingJobs", "aws/sagemaker/TransformJobs"].map((namespace) => ({
      action: "cloudwatch:PutMetricData",
      resource: "*",
      context: { "cloudwatch:namespace": namespace },
    })),
    ...on("*", "ecr:GetAuthorizationToken"),
    ...on(image, "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
  ];
}

function trainingRequests(): Request[] {
  const group = arnOf("athena", `workgroup/${substituted.WorkGroup}`);
  const glue = [
    "catalog",
    `database/${substituted.Database}`,
    `table/${substituted.Database}/${resolver.name("RawTable")}`,
  ];
  const { ResultConfiguration: results } = (
    properties(idsOf("AWS::Athena::WorkGroup").find((id) => resolver.name(id) === substituted.WorkGroup)!) as {
      WorkGroupConfiguration: { ResultConfiguration: { OutputLocation: Value } };
    }
  ).WorkGroupConfiguration;
  const { TableInput: table } = properties("RawTable") as { TableInput: { StorageDescriptor: { Location: Value } } };
  const under = (location: string) => location.replace("s3://", "arn:aws:s3:::");
  const rows = object(`${named[0]}run/rows/1.gz`);
  const jobs = (kind: string, name: string) =>
    on(
      arnOf("sagemaker", `${kind}/${JOB}20261122-count`),
      ...[`Create${name}`, `Describe${name}`, `Stop${name}`, "AddTags"].map((a) => `sagemaker:${a}`),
    );
  return [
    ...on(group, "athena:StartQueryExecution", "athena:GetQueryExecution", "athena:StopQueryExecution"),
    ...on(arnOf("athena", "datacatalog/AwsDataCatalog"), "athena:GetDataCatalog"),
    ...glue.flatMap((r) => on(arnOf("glue", r), "glue:GetDatabase", "glue:GetTable")),
    ...on(BUCKET, "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
    ...on(`${under(resolver.text(table.StorageDescriptor.Location))}dt=2026-11-22/1.parquet`, "s3:GetObject"),
    ...[rows, `${under(resolver.text(results.OutputLocation))}1.csv`].flatMap((place) =>
      on(place, "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    ),
    ...key("Decrypt", "GenerateDataKey"),
    ...jobs("training-job", "TrainingJob"),
    ...jobs("transform-job", "TransformJob"),
    ...on(
      arnOf("sagemaker", `model/${JOB}20261122-count`),
      ...["CreateModel", "DeleteModel", "AddTags"].map((a) => `sagemaker:${a}`),
    ),
    ...on("*", "sagemaker:ListTags", ...(definition.includes("sagemaker:listModels") ? ["sagemaker:ListModels"] : [])),
    {
      action: "iam:PassRole",
      resource: substituted.SageMakerRole!,
      context: { "iam:PassedToService": "sagemaker.amazonaws.com" },
    },
    ...on(substituted.PublishFunction!, "lambda:InvokeFunction"),
    ...["Training", "Transform"].flatMap((kind) =>
      on(
        arnOf("events", `rule/StepFunctionsGetEventsForSageMaker${kind}JobsRule`),
        ...["DescribeRule", "PutRule", "PutTargets"].map((a) => `events:${a}`),
      ),
    ),
    ...on(
      "*",
      ...[
        ...[
          "CreateLogDelivery",
          "DeleteLogDelivery",
          "DescribeLogGroups",
          "DescribeResourcePolicies",
          "GetLogDelivery",
        ],
        ...["ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery"],
      ].map((a) => `logs:${a}`),
    ),
  ];
}

/** Of a schedule: what it starts, and where it puts what it could not. */
function scheduleRequests(id: string, action: string): Request[] {
  const { Target } = properties(id) as unknown as { Target: { Arn: Value; DeadLetterConfig: { Arn: Value } } };
  return [
    ...on(resolver.text(Target.Arn), action),
    ...on(resolver.text(Target.DeadLetterConfig.Arn), "sqs:SendMessage"),
  ];
}

const REQUESTS: Readonly<Record<string, readonly Request[]>> = {
  ...Object.fromEntries(FUNCTIONS.map((handler) => [`${idOf(handler)}Role`, handlerRequests(handler)])),
  DeliveryRole: deliveryRequests(),
  FlinkRole: flinkRequests(),
  SageMakerRole: sageMakerRequests(),
  TrainingRole: trainingRequests(),
  SweepScheduleRole: scheduleRequests("SweepSchedule", "lambda:InvokeFunction"),
  TrainingScheduleRole: scheduleRequests("TrainingSchedule", "states:StartExecution"),
};

test("every role is asked for something", () => {
  expect(Object.keys(REQUESTS).sort()).toEqual(idsOf("AWS::IAM::Role").sort());
});

/** What roles may do besides: Flink's service looks for its log group among all (its Developer Guide, "IAM"). */
const WIDER: Readonly<Record<string, RegExp>> = { FlinkRole: /^logs:DescribeLogGroups / };

/** One of everything that a request could be on. */
const UNIVERSE = [
  ...["lake/raw/x", "lake/rejected/x", "failed/x", "athena-results/x", "training/x", "models/x"].map(object),
  ...["forecasts/current.json", "forecasts/versions/x", "forecasts/reports/x", "elsewhere/x"].map(object),
  "arn:aws:s3:::forewatch-artifacts-123456789012-eu-west-1/functions/x.zip",
  ...[
    "AWS::Kinesis::Stream",
    "AWS::SQS::Queue",
    "AWS::Lambda::Function",
    "AWS::StepFunctions::StateMachine",
    "AWS::Athena::WorkGroup",
  ].flatMap((type) => idsOf(type).map((id) => resolver.arn(id))),
  ...idsOf("AWS::Logs::LogGroup").map((id) => resolver.arn(id).replace(/\*$/, "log-stream:x")),
  ...["arn:aws:iam::123456789012:role/admin", ...idsOf("AWS::IAM::Role").map((id) => resolver.arn(id))],
];
/** The kind of thing a resource is, down to the place in a bucket; two of a kind are allowed alike. */
function kindOf(resource: string): string {
  const inBucket = /^(arn:aws:s3:::[^/]+)\/(.*)$/.exec(resource);
  if (!inBucket) return resource.replace(/:log-stream:.*$/, "").replace(/(function:[^:]+):.*$/, "$1");
  const places = [...Object.values(PREFIX)].sort((a, b) => b.length - a.length);
  const own = inBucket[2] === "forecasts/current.json" ? inBucket[2] : places.find((p) => inBucket[2]!.startsWith(p));
  return `${inBucket[1]}/${own ?? inBucket[2]}`;
}

test("a statement that is pointed elsewhere is found out", () => {
  for (const [role, requests] of Object.entries(REQUESTS)) {
    const statements = statementsOf(template, role);
    for (const [i, statement] of statements.entries()) {
      if (statement.Resource === "*") continue;
      const elsewhere = statements.with(i, {
        ...statement,
        Resource: `${resolver.texts(statement.Resource)[0]!.slice(0, -2)}-other/*`,
      });
      expect(
        requests.some((request) => !allows(elsewhere, resolver, request)),
        `${role} ${statement.Sid}`,
      ).toBe(true);
    }
  }
});

describe.each(Object.entries(REQUESTS))("%s", (role, requests) => {
  const statements = statementsOf(template, role);

  test("may do what it is asked for", () => {
    const refused = requests.filter((request) => !allows(statements, resolver, request));
    expect(refused).toEqual([]);
  });

  test("may do it with nothing else", () => {
    const asked = new Set(requests.map(({ action, resource }) => `${action} ${kindOf(resource)}`));
    const actions = new Set(requests.filter(({ resource }) => resource !== "*").map(({ action }) => action));
    const context = { "s3:prefix": "elsewhere/", "iam:PassedToService": "sagemaker.amazonaws.com" };
    const stray = [...actions].flatMap((action) =>
      UNIVERSE.filter((resource) => allows(statements, resolver, { action, resource, context }))
        .map((resource) => `${action} ${kindOf(resource)}`)
        .filter((what) => !asked.has(what)),
    );
    expect(stray.filter((what) => !WIDER[role]?.test(what))).toEqual([]);
    for (const prefix of ["", "lake/raw/", "elsewhere/"]) {
      const may = allows(statements, resolver, list(prefix));
      expect(may, `lists ${prefix}`).toBe(requests.some((r) => r.action === "s3:ListBucket" && !r.context));
    }
  });

  test("has no statement, action or resource that no request needs, so that none can be another", () => {
    const spare: string[] = [];
    const needed = (changed: readonly Statement[]) => requests.some((request) => !allows(changed, resolver, request));
    for (const [i, statement] of statements.entries()) {
      for (const action of statement.Action)
        if (!needed(statements.with(i, { ...statement, Action: statement.Action.filter((a) => a !== action) })))
          spare.push(`${statement.Sid} ${action}`);
      for (const resource of [statement.Resource].flat()) {
        const others = [statement.Resource].flat().filter((r) => r !== resource);
        if (!needed(statements.with(i, { ...statement, Resource: others as Value })))
          spare.push(`${statement.Sid} ${resolver.text(resource as Value)}`);
      }
    }
    expect(spare).toEqual([]);
  });
});

test("the account is the stack's own wherever an ARN has one", () => {
  for (const [role, requests] of Object.entries(REQUESTS)) {
    for (const { resource } of requests)
      if (/^arn:aws:(kinesis|lambda|sqs|states|athena|glue|logs|events|sagemaker|kms)/.test(resource))
        expect(resource, role).toContain(ACCOUNT);
  }
});
