/** Settings of which each has a reason that no schema knows: with another value the stack is made, and does something else. */
import { describe, expect, test } from "vitest";
import type { Resource, Value } from "../../../infra/template/cfn.ts";
import { deeparImage } from "../../../infra/template/forecast.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { ACCOUNT, arnOf, Resolver } from "./access.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const { template } = synthesize(FLIGHTS, options({ incidents: { kind: "incident-manager" } }));
const resolver = new Resolver(template);
const ofType = (type: string): [string, Resource][] =>
  Object.entries(template.Resources).filter(([, r]) => r.Type === type);
/** Whether a text fits a pattern of IAM's, in which * stands for anything. */
const fits = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replace(/[\\^$.+?()[\]{}|]/g, "\\$&").replaceAll("*", ".*")}$`).test(text);

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal: { readonly Service?: Value } | "*";
  readonly Action: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Value>>>>;
}
const statements = (policy: Value | undefined) => (policy as unknown as { Statement: Statement[] }).Statement;

describe("the Flink application", () => {
  const settingsOf = (spec = FLIGHTS) =>
    synthesize(spec, options()).template.Resources.FlinkApplication!.Properties as {
      RunConfiguration: Value;
      ApplicationConfiguration: { readonly [key: string]: Value };
    };

  test("goes on from its last snapshot, without what no longer fits, so that a new start counts nothing twice", () => {
    expect(settingsOf().RunConfiguration).toEqual({
      ApplicationRestoreConfiguration: { ApplicationRestoreType: "RESTORE_FROM_LATEST_SNAPSHOT" },
      FlinkRunConfiguration: { AllowNonRestoredState: true },
    });
    expect(settingsOf().ApplicationConfiguration).toMatchObject({
      ApplicationSnapshotConfiguration: { SnapshotsEnabled: true },
      ApplicationSystemRollbackConfiguration: { RollbackEnabled: true },
      FlinkApplicationConfiguration: {
        CheckpointConfiguration: { ConfigurationType: "CUSTOM", CheckpointingEnabled: true },
      },
    });
  });

  test("has a task a shard, never more or fewer, and tells of the application, not of each task", () => {
    for (const spec of [FLIGHTS, CLICKS]) {
      expect(settingsOf(spec).ApplicationConfiguration.FlinkApplicationConfiguration).toMatchObject({
        MonitoringConfiguration: { ConfigurationType: "CUSTOM", LogLevel: "INFO", MetricsLevel: "APPLICATION" },
        ParallelismConfiguration: {
          ConfigurationType: "CUSTOM",
          Parallelism: spec.source.shards,
          AutoScalingEnabled: false,
        },
      });
    }
    expect(CLICKS.source.shards).toBeGreaterThan(1);
  });
});

describe("streams and schedules", () => {
  test("are read from the beginning: what came before their readers were made is the pipeline's too", () => {
    const mappings = ofType("AWS::Lambda::EventSourceMapping");
    expect(mappings.map(([id, { Properties }]) => [id, Properties.StartingPosition])).toEqual([
      ["RelayMapping", "TRIM_HORIZON"],
      ["CompareMapping", "TRIM_HORIZON"],
    ]);
  });
  test("the sweep runs once a minute, which is how late silence may be noticed", () => {
    const { ScheduleExpression, FlexibleTimeWindow, State } = template.Resources.SweepSchedule!.Properties;
    expect({ ScheduleExpression, FlexibleTimeWindow, State }).toEqual({
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      State: "ENABLED",
    });
  });
});

describe("who may", () => {
  test("use the key for logs: CloudWatch Logs of this region, for groups of this account and region", () => {
    const [logs] = statements(template.Resources.DataKey!.Properties.KeyPolicy).filter(
      ({ Sid }) => Sid === "LogGroups",
    );
    expect(logs!.Principal).toEqual({ Service: { "Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}" } });
    const pattern = resolver.text(logs!.Condition!.ArnLike!["kms:EncryptionContext:aws:logs:arn"]!);
    for (const [, { Properties }] of ofType("AWS::Logs::LogGroup"))
      expect(fits(pattern, arnOf("logs", `log-group:${Properties.LogGroupName as string}`))).toBe(true);
    for (const foreign of [
      `arn:aws:logs:eu-west-1:999999999999:log-group:/aws/lambda/x`,
      `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/lambda/x`,
    ])
      expect(fits(pattern, foreign)).toBe(false);
  });

  test("publish to the topic of alarms and use its key: the services that alarm, for this account", () => {
    for (const policy of [
      template.Resources.AlarmTopicPolicy!.Properties.PolicyDocument,
      template.Resources.DataKey!.Properties.KeyPolicy,
    ]) {
      const publishing = statements(policy).filter(({ Sid }) => /^(Alarms|Incidents)/.test(Sid));
      expect(publishing.map(({ Principal, Condition }) => ({ Principal, Condition }))).toEqual([
        {
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
        },
        {
          Principal: { Service: "ssm-incidents.amazonaws.com" },
          Condition: { StringEqualsIfExists: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
        },
      ]);
    }
  });

  test("publish to it without TLS: nobody", () => {
    const denied = statements(template.Resources.AlarmTopicPolicy!.Properties.PolicyDocument).filter(
      ({ Effect }) => Effect === "Deny",
    );
    expect(denied).toEqual([
      expect.objectContaining({
        Principal: "*",
        Action: "sns:Publish",
        Resource: { Ref: "AlarmTopic" },
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      }),
    ]);
  });

  test("take on a role: its service, for this account, and for the one resource where the service tells which", () => {
    const sources: Record<string, string | undefined> = {};
    for (const [id, { Properties }] of ofType("AWS::IAM::Role")) {
      const trust = statements(Properties.AssumeRolePolicyDocument);
      expect(trust, id).toHaveLength(1);
      expect(trust[0]!.Condition!.StringEquals, id).toEqual({ "aws:SourceAccount": { Ref: "AWS::AccountId" } });
      const source = trust[0]!.Condition!.ArnLike?.["aws:SourceArn"];
      if (source !== undefined) sources[id] = resolver.text(source);
    }
    expect(sources).toMatchObject({
      TrainingRole: arnOf(
        "states",
        `stateMachine:${template.Resources.Training!.Properties.StateMachineName as string}`,
      ),
      FlinkRole: arnOf(
        "kinesisanalytics",
        `application/${template.Resources.FlinkApplication!.Properties.ApplicationName as string}`,
      ),
    });
  });

  test("read functions' settings: who may use the pipeline's key", () => {
    const functions = ofType("AWS::Lambda::Function");
    expect(functions.map(([id]) => id).sort()).toEqual(
      ["Compare", "Enrich", "Publish", "Relay", "Sweep"].map((name) => `${name}Function`),
    );
    for (const [id, { Properties }] of functions)
      expect(Properties.KmsKeyArn, id).toEqual({ "Fn::GetAtt": ["DataKey", "Arn"] });
  });

  test("write SageMaker's logs of this pipeline's jobs, and of no other's", () => {
    const [policy] = template.Resources.SageMakerRole!.Properties.Policies as unknown as { PolicyDocument: Value }[];
    const [write] = statements(policy!.PolicyDocument).filter(({ Sid }) => Sid === "WriteLogs");
    const patterns = (write as unknown as { Resource: Value[] }).Resource.map((r) => resolver.text(r));
    const may = (stream: string) =>
      patterns.some((pattern) => fits(pattern, arnOf("logs", `log-group:/aws/sagemaker/${stream}`)));
    expect(may("TrainingJobs:log-stream:fw-flights-20261122093000-0a1b2c-counts/algo-1-1")).toBe(true);
    expect(may("TransformJobs:log-stream:fw-flights-20261122093000-0a1b2c-counts/i-1")).toBe(true);
    expect(may("TrainingJobs:log-stream:fw-orders-20261122093000-0a1b2c-counts/algo-1-1")).toBe(false);
    expect(may("Endpoints/x:log-stream:fw-flights-1")).toBe(false);
  });
});

test("a workgroup goes with its queries, of which people make some", () => {
  for (const spec of Object.values(PIPELINES)) {
    const groups = Object.values(synthesize(spec, options()).template.Resources).filter(
      ({ Type }) => Type === "AWS::Athena::WorkGroup",
    );
    expect(groups.map(({ Properties }) => Properties.RecursiveDeleteOption)).toEqual([true, true]);
  }
});

// SageMaker Developer Guide, "Docker Registry Paths and Example Code": DeepAR in the regions that most stacks are in.
test.each([
  ["us-east-1", "522234722520"],
  ["us-west-2", "156387875391"],
  ["eu-west-1", "224300973850"],
  ["eu-central-1", "495149712605"],
  ["ap-northeast-1", "633353088612"],
  ["ap-south-1", "991648021394"],
])("in %s DeepAR's image is account %s's", (region, account) => {
  expect(deeparImage(region).account).toBe(account);
});
