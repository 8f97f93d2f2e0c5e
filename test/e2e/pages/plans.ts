/** A host for the preview page: a first deployment to AWS, or one to the local target. */
import type { StackPlan } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import type { PageHandlers, PreviewInfo } from "../../../src/rpc/page.ts";
import { type Log, type Mood, moody, SETTINGS } from "./hosts.ts";

export const AWS_PLAN: StackPlan = {
  pipeline: "flights",
  lacks: [],
  changes: [
    { action: "add", step: "collect", what: "Kinesis stream flights", detail: "2 shards, 24 hours" },
    { action: "add", step: "deliver", what: "Firehose delivery to s3://flights-lake", detail: "Parquet, every 60 s" },
    { action: "add", step: "deliver", what: "Lambda enrich", detail: "Node 20, 256 MB" },
    { action: "change", step: "prepare", what: "Glue table raw", detail: "gains column distance" },
    { action: "keep", step: "prepare", what: "Athena workgroup flights" },
    { action: "add", step: "forecast", what: "SageMaker training", detail: "DeepAR, ml.m5.xlarge, daily" },
    {
      action: "replace",
      step: "analyze",
      what: "Flink application flights",
      detail: "windows of 1 h; starts from its newest snapshot",
    },
    { action: "keep", step: "compare", what: "Lambda compare" },
    { action: "add", step: "alert", what: "CloudWatch alarm departures-low", detail: "3 of 4" },
    { action: "remove", step: "alert", what: "CloudWatch alarm arrivals-low" },
  ],
  monthlyCost: {
    total: 231.4,
    pricesOf: "November 2026",
    services: [
      {
        service: "Managed Service for Apache Flink",
        cost: 158.4,
        lever: "One KPU is the least; pause it outside working hours",
      },
      { service: "Kinesis Data Streams", cost: 31.54, lever: "One shard is enough below 1,000 records/s" },
      { service: "SageMaker", cost: 26.1, lever: "Retrain weekly instead of daily: −$22" },
      { service: "CloudWatch", cost: 9.6 },
      { service: "S3, Glue, Athena", cost: 4.2 },
      { service: "Lambda, Firehose", cost: 1.56 },
    ],
    warnings: ["This load needs 2 shards and the pipeline file has 1: records will be refused."],
  },
};

export const LACKS = [
  new Fault("stack.failed", "The profile “analytics” belongs to account 210987654321, not to 123456789012.", {
    next: "Choose another profile, or correct the target's account.",
    at: { offset: 10, length: 5, line: 31, column: 9 },
  }).toData(),
  new Fault("stack.failed", "The account allows no ml.m5.xlarge for training jobs.", {
    next: "Ask for a quota of 1 in Service Quotas, or name another instance.",
  }).toData(),
];

export function previewHost({
  mood = "full",
  plan = AWS_PLAN,
  log = [],
}: {
  mood?: Mood;
  plan?: StackPlan;
  log?: Log;
} = {}): PageHandlers<"preview"> {
  const note = (method: string) => (params: unknown) => {
    log.push({ method, params });
    return null;
  };
  const nothing = { ...plan, changes: plan.changes.map((c) => ({ ...c, action: "keep" as const })), monthlyCost: null };
  return {
    "page.open": () => ({
      subject: { file: "/w/flights.pipeline.json", pipeline: "flights" },
      state: null,
      settings: SETTINGS,
    }),
    "clipboard.write": note("clipboard.write"),
    "files.save": () => ({ saved: true }),
    "stack.preview": () =>
      moody<PreviewInfo>(mood, () => ({ plan, target: "123456789012 in eu-west-1", identity: "analytics/ada" }), {
        plan: nothing,
        target: "local",
      }),
    "stack.deploy": note("stack.deploy"),
    "stack.cancel": note("stack.cancel"),
    "page.close": note("page.close"),
    "files.reveal": note("files.reveal"),
  };
}
