import { describe, expect, test } from "vitest";
import { type Resource, TAGGABLE, type Template, type Value } from "../../../infra/template/cfn.ts";
import { artifactsTemplate, type Incidents, synthesize } from "../../../infra/template/synthesize.ts";
import { parseDuration } from "../../../src/core/time.ts";
import { FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const INCIDENTS: readonly Incidents[] = [{ kind: "ops-center" }, { kind: "incident-manager" }];
const STACKS = Object.entries(PIPELINES).flatMap(([name, spec]) =>
  INCIDENTS.map((incidents) => ({
    name: `${name}, ${incidents.kind}`,
    template: synthesize(spec, options({ incidents, email: "on-call@example.org", tags: { team: "operations" } }))
      .template,
  })),
);
const ALL = [...STACKS, { name: "artifacts", template: artifactsTemplate() }];

/** Resources of a type, with their logical ids. */
function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, r]) => r.Type === type);
}

function* walk(value: unknown): Generator<Record<string, unknown>> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item);
  else if (typeof value === "object" && value !== null) {
    yield value as Record<string, unknown>;
    for (const item of Object.values(value)) yield* walk(item);
  }
}

/** Logical ids that a template refers to, in Ref, Fn::GetAtt and Fn::Sub. */
function references(template: Template): string[] {
  const found: string[] = [];
  for (const object of walk(template)) {
    if (typeof object.Ref === "string") found.push(object.Ref);
    if (Array.isArray(object["Fn::GetAtt"])) found.push(object["Fn::GetAtt"][0] as string);
    const sub = object["Fn::Sub"];
    if (sub !== undefined) {
      const [text, own] = Array.isArray(sub) ? (sub as [string, object]) : [sub as string, {}];
      for (const [, name] of text.matchAll(/\$\{([^!}][^}.]*)(?:\.[^}]*)?\}/g)) if (!(name! in own)) found.push(name!);
    }
  }
  return found.filter((id) => !id.startsWith("AWS::"));
}

/** Types whose schemas know no tags. */
const UNTAGGABLE = new Set([
  "AWS::Athena::NamedQuery",
  "AWS::CloudWatch::Dashboard",
  "AWS::Glue::Database",
  "AWS::Glue::Table",
  "AWS::KMS::Alias",
  "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Logs::LogStream",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::TopicPolicy",
  "AWS::Scheduler::Schedule",
]);

test("the same pipeline and choices give the same bytes", () => {
  for (const spec of Object.values(PIPELINES)) {
    expect(synthesize(structuredClone(spec), options()).body).toBe(synthesize(spec, options()).body);
  }
});

const KEPT = { DeletionPolicy: "RetainExceptOnCreate", UpdateReplacePolicy: "Retain" };

test("data that is not to be kept goes with the stack", () => {
  const { template } = synthesize(FLIGHTS, options({ keepData: false }));
  const policies = Object.values(template.Resources).map((r) => r.DeletionPolicy);
  expect(policies.filter((p) => p !== undefined && p !== "Delete")).toEqual([]);
});

describe.each(ALL)("$name", ({ template }) => {
  test("refers only to what it defines", () => {
    const unknown = references(template).filter((id) => !(id in template.Resources));
    expect(unknown).toEqual([]);
  });

  test("says of every stateful resource what its removal does", () => {
    const stateful = [
      ...["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Kinesis::Stream", "AWS::SQS::Queue", "AWS::Logs::LogGroup"],
    ];
    for (const [id, resource] of Object.entries(template.Resources)) {
      if (stateful.includes(resource.Type)) {
        expect(resource.DeletionPolicy, id).toBeDefined();
        expect(resource.UpdateReplacePolicy, id).toBeDefined();
      }
    }
    // Data outlives the stack, but not a deployment that never came to be.
    for (const type of ["AWS::S3::Bucket", "AWS::KMS::Key"])
      for (const [id, resource] of ofType(template, type)) expect(resource, id).toMatchObject(KEPT);
  });

  test("leaves nothing behind under a name that the next deployment needs", () => {
    for (const [id, { Type, DeletionPolicy, Properties }] of Object.entries(template.Resources)) {
      const kept = DeletionPolicy !== undefined && DeletionPolicy !== "Delete";
      if (kept)
        expect({ ...Properties, Type }, id).not.toHaveProperty(Type === "AWS::S3::Bucket" ? "BucketName" : "Name");
    }
  });

  test("closes its buckets", () => {
    const buckets = ofType(template, "AWS::S3::Bucket");
    expect(buckets.length).toBeGreaterThan(0);
    for (const [id, { Properties }] of buckets) {
      expect(Properties.PublicAccessBlockConfiguration, id).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(JSON.stringify(Properties.OwnershipControls), id).toContain("BucketOwnerEnforced");
      expect(Properties.BucketEncryption, id).toBeDefined();
      const policy = ofType(template, "AWS::S3::BucketPolicy").find(([, p]) => same(p.Properties.Bucket, { Ref: id }));
      expect(JSON.stringify(policy), id).toContain('"aws:SecureTransport":"false"');
    }
  });
});

describe.each(STACKS)("$name", ({ template }) => {
  const resources = Object.entries(template.Resources);

  test("encrypts keys, streams, logs, queues and topics", () => {
    for (const [id, { Properties }] of ofType(template, "AWS::KMS::Key")) {
      expect(Properties.EnableKeyRotation, id).toBe(true);
    }
    for (const [id, { Properties }] of ofType(template, "AWS::Kinesis::Stream")) {
      expect(Properties.StreamEncryption, id).toEqual({ EncryptionType: "KMS", KeyId: { Ref: "DataKey" } });
    }
    for (const [id, { Properties }] of ofType(template, "AWS::Logs::LogGroup")) {
      expect(Properties.KmsKeyId, id).toBeDefined();
      expect(Properties.RetentionInDays, id).toBe(30);
    }
    for (const [id, { Properties }] of ofType(template, "AWS::SQS::Queue")) {
      expect(Properties.SqsManagedSseEnabled, id).toBe(true);
    }
    for (const [id, { Properties }] of ofType(template, "AWS::SNS::Topic")) {
      expect(Properties.KmsMasterKeyId, id).toEqual({ Ref: "DataKey" });
    }
  });

  test("gives every function its log group, arm64, Node 22 and a name that fits", () => {
    const functions = ofType(template, "AWS::Lambda::Function");
    expect(functions).toHaveLength(5);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({ Runtime: "nodejs22.x", Architectures: ["arm64"] });
      expect(String(Properties.FunctionName).length, id).toBeLessThanOrEqual(64);
      const group = (Properties.LoggingConfig as { LogGroup: { Ref: string } }).LogGroup.Ref;
      expect(template.Resources[group]?.Properties.LogGroupName, id).toBe(
        `/aws/lambda/${String(Properties.FunctionName)}`,
      );
    }
  });

  test("passes over no record that its stream still keeps", () => {
    const mappings = ofType(template, "AWS::Lambda::EventSourceMapping");
    expect(mappings.map(([id]) => id)).toEqual(["RelayMapping", "CompareMapping"]);
    for (const [id, { Properties }] of mappings) {
      expect(Properties, id).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        MaximumRetryAttempts: -1,
      });
      const { "Fn::GetAtt": source } = Properties.EventSourceArn as { "Fn::GetAtt": [string, string] };
      const keeps = Number(template.Resources[source[0]]!.Properties.RetentionPeriodHours) * 3_600;
      const age = Number(Properties.MaximumRecordAgeInSeconds);
      // -1 is for ever; a week is the longest there is besides.
      if (age !== -1) expect(age, id).toBeGreaterThanOrEqual(Math.min(keeps, 604_800));
      // Only what Lambda can give up is told of in a queue.
      expect(Properties.DestinationConfig !== undefined, id).toBe(age !== -1);
    }
    for (const name of ["RelayBehind", "CompareBehind"]) {
      const { MetricName, AlarmActions } = template.Resources[`Health${name}`]!.Properties;
      expect({ MetricName, AlarmActions }).toEqual({
        MetricName: "IteratorAge",
        AlarmActions: [{ Ref: "AlarmTopic" }],
      });
    }
  });

  test("runs queries and jobs within bounds", () => {
    const groups = ofType(template, "AWS::Athena::WorkGroup");
    for (const [id, { Properties }] of groups) {
      expect(Properties.WorkGroupConfiguration, id).toMatchObject({
        EnforceWorkGroupConfiguration: true,
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: "SSE_KMS" } },
      });
    }
    const cutoffs = groups.map(([id, { Properties }]) => [
      id,
      (Properties.WorkGroupConfiguration as Record<string, Value>).BytesScannedCutoffPerQuery,
    ]);
    // What a training reads is no slip: it is in a group of its own.
    expect(cutoffs).toEqual([
      ["WorkGroup", 107_374_182_400],
      ["TrainingWorkGroup", undefined],
    ]);
    expect(template.Resources.Training!.Properties.DefinitionSubstitutions).toMatchObject({
      WorkGroup: { Ref: "TrainingWorkGroup" },
    });
    const workflow = JSON.stringify(ofType(template, "AWS::StepFunctions::StateMachine")[0]);
    expect(workflow.match(/"EnableNetworkIsolation":true/g)).toHaveLength(2);
    expect(workflow).toContain('"EnableInterContainerTrafficEncryption":true');
  });

  // What cfn-lint does not see, by trying it on mutants: buffers, error prefixes, formats.
  test("delivers Parquet as Firehose demands", () => {
    const [, delivery] = ofType(template, "AWS::KinesisFirehose::DeliveryStream")[0]!;
    const s3 = delivery.Properties.ExtendedS3DestinationConfiguration as Record<string, Value>;
    expect((s3.BufferingHints as { SizeInMBs: number }).SizeInMBs).toBeGreaterThanOrEqual(64);
    expect(s3.CompressionFormat).toBe("UNCOMPRESSED");
    expect(s3.Prefix).toContain("!{timestamp:");
    expect(s3.ErrorOutputPrefix).toContain("!{firehose:error-output-type}");
  });

  test("asks for alarms that CloudWatch takes", () => {
    const alarms = ofType(template, "AWS::CloudWatch::Alarm");
    expect(alarms.length).toBeGreaterThan(10);
    for (const [id, { Properties }] of alarms) {
      const p = Properties as Record<string, unknown>;
      const metrics = p.Metrics as
        | { ReturnData: boolean; Period?: number; MetricStat?: { Period: number } }[]
        | undefined;
      const period = (p.Period ?? metrics?.map((m) => m.Period ?? m.MetricStat?.Period).find((x) => x)) as number;
      const periods = p.EvaluationPeriods as number;
      expect(p.DatapointsToAlarm, id).toBeLessThanOrEqual(periods);
      expect(period % 60, id).toBe(0);
      expect(period * periods, id).toBeLessThanOrEqual(period < 3_600 ? 86_400 : 604_800);
      if (metrics) {
        expect(
          metrics.filter((m) => m.ReturnData),
          id,
        ).toHaveLength(1);
        expect(p.MetricName, id).toBeUndefined();
      }
      expect(String(p.AlarmName).length, id).toBeLessThanOrEqual(255);
      expect(String(p.AlarmName), id).toMatch(/^[\x20-\x7e]+$/);
      const actions = (p.AlarmActions ?? []) as Value[];
      expect(actions.length, id).toBeLessThanOrEqual(5);
      for (const action of actions) {
        const text = JSON.stringify(action);
        if (text.includes("opsitem"))
          expect(text, id).toMatch(/:opsitem:[1-4]#CATEGORY=(Availability|Cost|Performance|Recovery|Security)"/);
      }
    }
    const names = resources.flatMap(([, r]) =>
      r.Type.startsWith("AWS::CloudWatch::") ? [JSON.stringify(r.Properties.AlarmName ?? r)] : [],
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("writes schedules that the scheduler takes", () => {
    const schedules = ofType(template, "AWS::Scheduler::Schedule");
    expect(schedules).toHaveLength(2);
    for (const [id, { Properties }] of schedules) {
      expect(Properties.ScheduleExpression, id).toMatch(
        /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/,
      );
      expect(JSON.stringify(Properties.Target), id).toContain("DeadLetterConfig");
    }
  });

  test("lets no failed sweep run beside the next, and keeps what it failed of", () => {
    const configs = ofType(template, "AWS::Lambda::EventInvokeConfig");
    expect(configs.map(([, c]) => c.Properties.FunctionName)).toEqual([{ Ref: "SweepFunction" }]);
    for (const [, { Properties }] of configs) {
      expect(Properties).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
      expect(JSON.stringify(Properties.DestinationConfig)).toContain("SweepFailures");
    }
  });

  test("keeps property values within what Flink's service takes", () => {
    const [, app] = ofType(template, "AWS::KinesisAnalyticsV2::Application")[0]!;
    for (const object of walk(app)) {
      for (const value of Object.values((object.PropertyMap as Record<string, unknown>) ?? {})) {
        if (typeof value === "string") expect(value.length).toBeLessThanOrEqual(2_048);
      }
    }
  });

  test("hears within a quarter of an hour that Flink has stopped, however long a window is", () => {
    const { Period, EvaluationPeriods, TreatMissingData } = template.Resources.HealthFlinkStopped!.Properties;
    expect(Number(Period) * Number(EvaluationPeriods)).toBeLessThanOrEqual(900);
    expect(TreatMissingData).toBe("breaching");
  });

  test("tags everything that takes tags, once each", () => {
    for (const [id, { Type, Properties }] of resources) {
      expect(TAGGABLE.has(Type) || UNTAGGABLE.has(Type), Type).toBe(true);
      const tags = (Properties.Tags ?? []) as { Key: string }[];
      const keys = tags.map(({ Key }) => Key);
      if (TAGGABLE.has(Type)) expect(keys, id).toEqual(expect.arrayContaining(["forewatch:pipeline", "team"]));
      expect(new Set(keys).size, id).toBe(keys.length);
    }
    const machine = JSON.stringify(template.Resources.Training!.Properties.Definition);
    // Two jobs and a model.
    expect(machine.match(/"Key":"team","Value":"operations"/g)).toHaveLength(3);
  });
});

test("the lake's table has the pipeline's fields in their order, then where each row came from", () => {
  const { template } = synthesize(FLIGHTS, options());
  const input = template.Resources.RawTable!.Properties.TableInput as {
    StorageDescriptor: { Columns: { Name: string; Type: string }[] };
  };
  expect(input.StorageDescriptor.Columns.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
    "scheduled timestamp",
    "origin string",
    "destination string",
    "delay double",
    "distance double",
    "_sequence string",
    "_arrival timestamp",
  ]);
});

test.each([
  ["6h", 24],
  ["7d", 168],
  ["2w", 336],
])("every stream keeps its records for %s, at least the day that Kinesis keeps them", (keeps, hours) => {
  const stream = parseDuration(keeps)!;
  const { template } = synthesize({ ...FLIGHTS, retention: { ...FLIGHTS.retention, stream } }, options());
  const streams = ofType(template, "AWS::Kinesis::Stream").map(([id, { Properties }]) => [
    id,
    Properties.RetentionPeriodHours,
  ]);
  expect(Object.fromEntries(streams)).toEqual({ RawStream: hours, EventsStream: hours, WindowsStream: hours });
});

test("forecasts and reports go when the lake's data of their time have, the file of those in use never", () => {
  for (const [spec, days] of [
    // The lake's 90 days, a horizon of 2, and two trainings half a day apart.
    [PIPELINES["clicks-per-page-2"]!, 93],
    [{ ...FLIGHTS, retention: { ...FLIGHTS.retention, lake: 86_400_000 } }, 5],
  ] as const) {
    const { DataBucket } = synthesize(spec, options()).template.Resources;
    const { Rules } = DataBucket!.Properties.LifecycleConfiguration as unknown as {
      Rules: { Prefix?: string; ExpirationInDays?: number }[];
    };
    const expiring = (key: string) =>
      Rules.filter((r) => r.ExpirationInDays && key.startsWith(r.Prefix!)).map((r) => r.ExpirationInDays);
    expect(expiring("forecasts/versions/v1.forecast")).toEqual([days]);
    expect(expiring("forecasts/reports/v1/part-1.json")).toEqual([days]);
    expect(expiring("forecasts/current.json")).toEqual([]);
  }
});

describe("partitions", () => {
  test.each([
    { region: "us-gov-west-1", partition: "aws-us-gov", image: "226302683700" },
    { region: "cn-north-1", partition: "aws-cn", image: "390948362332" },
  ])("$region has a stack of its own partition, and a warning", ({ region, partition, image }) => {
    const { body, warnings } = synthesize(FLIGHTS, options({ region }));
    expect(body).toContain(`arn:${partition}:states:::lambda:invoke`);
    expect(body).toContain(`${image}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/`);
    // Nothing names the commercial partition, or its suffix but as services are called everywhere.
    expect(body).not.toMatch(/arn:aws:/);
    const named = [...body.matchAll(/[\w.${}:-]+\.amazonaws\.com\b/g)].map(([name]) => name);
    expect(new Set(named.filter((name) => !/^[a-z-]+\.amazonaws\.com$/.test(name)))).toEqual(new Set());
    expect(warnings).toEqual([expect.stringMatching(region)]);
  });

  test("without Incident Manager, or that nobody outside knows, are refused", () => {
    const incidents = { kind: "incident-manager" } as const;
    expect(() => synthesize(FLIGHTS, options({ region: "cn-north-1", incidents }))).toThrow(
      /Incident Manager .* cn-north-1/,
    );
    expect(() => synthesize(FLIGHTS, options({ region: "us-iso-east-1" }))).toThrow(/us-iso-east-1: its partition/);
  });
});

test("a region without DeepAR is refused with its name", () => {
  expect(() => synthesize(FLIGHTS, options({ region: "mars-north-1" }))).toThrow(/mars-north-1/);
});

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

test.each(STACKS)("the dashboard of $name is a grid of graphs that CloudWatch reads", ({ template }) => {
  const [[, dashboard]] = ofType(template, "AWS::CloudWatch::Dashboard") as [[string, Resource]];
  const { "Fn::Sub": text } = dashboard.Properties.DashboardBody as unknown as { "Fn::Sub": string };
  const { widgets } = JSON.parse(text) as {
    widgets: { type: string; x: number; y: number; width: number; height: number; properties: { title: string } }[];
  };
  // A body holds 500 widgets at most (CloudWatch API reference, dashboard body structure), on a grid of 24 columns.
  expect(widgets.length).toBeLessThanOrEqual(500);
  for (const [i, a] of widgets.entries()) {
    expect(a.x + a.width).toBeLessThanOrEqual(24);
    for (const b of widgets.slice(i + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${a.properties.title} / ${b.properties.title}`).toBe(true);
    }
  }
  // A term of a search with other than letters, digits and underscores in it is quoted.
  const searches = [...text.matchAll(/SEARCH\('((?:[^'])*)'/g)].map(([, term]) => term!.replaceAll('\\"', '"'));
  expect(searches.length).toBeGreaterThan(0);
  for (const search of searches) {
    const [, names, terms] = /^\{([^}]*)\} (.*)$/.exec(search)!;
    for (const name of [...names!.split(","), ...terms!.split(" ").map((t) => t.slice(t.indexOf("=") + 1))])
      expect(name).toMatch(/^(\w+|"[^"]+")$/);
  }
  const health = ofType(template, "AWS::CloudWatch::Alarm").filter(([, a]) =>
    String(a.Properties.AlarmName).includes("/health/"),
  );
  for (const [id] of health) expect(text).toContain(`\${${id}.Arn}`);
});
