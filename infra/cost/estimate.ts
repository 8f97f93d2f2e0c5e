/**
 * What a pipeline costs on AWS in a month, by service, from its file and its rate. List prices of us-east-1; they differ a little
 * by region and change over time, so they are data that a caller may replace.
 */
import type { CostEstimate } from "../../src/backend.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { scheduleEvery } from "../workflow/times.ts";
import { createdFor } from "./created.ts";
import { ASSUMED_GROUPS, combinationsCount, eventBytes, type Load, recordsPerMonth, shardsFor } from "./load.ts";
import { PRICES, type Prices } from "./prices.ts";
import { trainingUse } from "./training.ts";
import { groupsWarning, shardsWarning, trainingWarning } from "./warnings.ts";

const HOURS = 730;
const GB = 2 ** 30;
const TB = 2 ** 40;
const SECONDS = HOURS * 3_600;
/** Firehose rounds each record up to this. */
const FIREHOSE_UNIT = 5 * 1_024;
/** A record of a group's window. */
const WINDOW_BYTES = 250;
/** A PUT payload unit. */
const PUT_UNIT = 25 * 1_024;
/** Parquet against JSON, measured on the flights of the sample. */
const PARQUET_SHARE = 0.25;
/** What a call writes into its log, as JSON: its start (150 bytes), its report (350) and its metrics (500). */
const LOGGED = 1_000;
/** What Flink logs in a month, bytes: a line a checkpoint and a minute's few. */
const FLINK_LOGGED = GB / 4;

/** Incidents that a rule has in a month, and an OpsItem for each, whoever manages them. */
const INCIDENTS = 10;

/** Metrics that the functions write about themselves. */
const HEALTH_METRICS = 16;

/** The estimate, largest service first; each with its lever where it has one. Rounded to cents. */
export function estimateCost(spec: PipelineSpec, load: Load, prices: Prices = PRICES): CostEstimate {
  const listed = combinationsCount(spec);
  const groups = listed ?? load.groups ?? load.groupsGiven ?? ASSUMED_GROUPS;
  const unlisted = load.groupsGiven === undefined ? "not" : { given: load.groupsGiven };
  const created = createdFor(spec, groups, listed === undefined ? unlisted : "listed");
  const records = recordsPerMonth(load);
  const events = records * (load.eventsPerRecord ?? 1);
  const bytes = records * load.recordBytes;
  const { shards } = spec.source;
  const windowsPerMonth = SECONDS / (spec.series.every / 1_000);
  const trainings = SECONDS / (scheduleEvery(spec) / 1_000);
  const training = trainingUse(spec, groups * spec.series.measures.length);

  const putUnits = (n: number, size: number) => n * Math.ceil(size / PUT_UNIT);
  const relayed = (events * eventBytes(spec)) / (PUT_UNIT - 1_024);
  const windowRecords = windowsPerMonth * (groups + 1);
  // A day is in the price of a shard; up to a week costs more by the hour, and what lies there longer by its size besides.
  const days = Math.min(365, spec.retention.stream / 86_400_000);
  const streamed = bytes + events * eventBytes(spec) + windowRecords * WINDOW_BYTES;
  const old = (streamed / GB) * (Math.max(0, days - 7) / (HOURS / 24));
  const kinesis =
    created.shards * (prices.shardHour + (days > 1 ? prices.shardExtendedHour : 0)) * HOURS +
    old * prices.shardOldGb +
    ((putUnits(records, load.recordBytes) + relayed + windowRecords) / 1e6) * prices.putPerMillion;

  const firehoseGb = (records * Math.ceil(load.recordBytes / FIREHOSE_UNIT) * FIREHOSE_UNIT) / GB;
  const firehose = firehoseGb * (prices.firehoseGb + prices.firehoseConversionGb);

  const parallelism = spec.source.shards;
  const kpu = 1 + Math.ceil(parallelism / Math.min(4, parallelism));
  const flink = kpu * prices.kpuHour * HOURS + (kpu - 1) * 50 * prices.kpuStorageGb;

  const lakeMonths = Math.min(24, spec.retention.lake / (HOURS * 3_600_000));
  const lakeGb = ((bytes * PARQUET_SHARE) / GB) * lakeMonths;
  const s3 =
    lakeGb * prices.s3Gb +
    ((SECONDS / 60 + trainings * training.puts) / 1_000) * prices.s3Put +
    ((windowsPerMonth + trainings * training.gets) / 1_000) * prices.s3Get;

  const historyBytes =
    ((bytes * PARQUET_SHARE) / SECONDS) * Math.min(spec.forecast.history / 1_000, lakeMonths * SECONDS);
  const scanned = trainings * Math.max(historyBytes, 10 * 2 ** 20) + (load.queriedBytes ?? 0);
  const athena = (scanned / TB) * prices.athenaTb;

  const sagemaker =
    trainings * (training.trainingHours * prices.trainingHour + training.transformHours * prices.transformHour);

  // Invocations: the transform and the relay by the megabyte and the second, compare by the window, the sweep by the minute.
  const calls = {
    enrich: Math.max(SECONDS / 60, bytes / 2 ** 20),
    // Of each shard a batch a second, and more when a second holds more than a batch's thousand records.
    relay: Math.min(records, Math.max(records / 1_000, shards * SECONDS)),
    compare: windowsPerMonth,
    sweep: SECONDS / 60,
  };
  const lambdaGbSeconds =
    0.5 * (calls.enrich * 0.2 + calls.relay * 0.05 + calls.sweep * 0.5) +
    (created.compareMemory / 1_024) * calls.compare * 0.5 +
    trainings * training.lambdaGbSeconds;
  const invocations = calls.enrich + calls.relay + calls.compare + calls.sweep + trainings * training.invocations;
  const lambda = lambdaGbSeconds * prices.lambdaGbSecond + (invocations / 1e6) * prices.lambdaMillion;

  const cloudwatch =
    (created.seriesMetrics + HEALTH_METRICS) * prices.metric +
    created.alarmMetrics * prices.alarm +
    created.composites * prices.compositeAlarm +
    created.dashboards * prices.dashboard +
    // A request takes a thousand data; the functions' own metrics go with their logs.
    windowsPerMonth * Math.ceil(created.seriesMetrics / 1_000) * (prices.metricWrite / 1_000) +
    // What the sweep reads each minute.
    (SECONDS / 60) * 5 * (prices.metricRead / 1_000);

  const logs = ((invocations * LOGGED + FLINK_LOGGED) / GB) * prices.logsGb;
  const other = prices.kmsKey + logs + ((trainings * training.stateTransitions) / 1_000) * prices.stepTransition;

  const plans = load.incidents === "incident-manager" ? spec.alarms.length : 0;
  const managing = plans * prices.responsePlan + spec.alarms.length * INCIDENTS * prices.opsItem;

  const services = [
    {
      service: "Managed Service for Apache Flink",
      cost: flink,
      lever: "two processing units at least, whatever the load; shards add more",
    },
    {
      service: "Data Firehose",
      cost: firehose,
      lever: "each record is billed as 5 KB: put several events into one record",
    },
    {
      service: "Kinesis Data Streams",
      cost: kinesis,
      lever: "shards, each 1,000 records or 1 MB a second; a deployment can at most double or halve how many there are",
    },
    { service: "SageMaker", cost: sagemaker, lever: "how often the forecast is trained (forecast.retrain)" },
    { service: "CloudWatch", cost: cloudwatch, lever: "series: groups times measures, six metrics or more each" },
    { service: "S3", cost: s3, lever: "how long the lake is kept (retention.lake)" },
    { service: "Athena", cost: athena, lever: "bytes that queries and trainings read" },
    { service: "Lambda", cost: lambda },
    { service: "Systems Manager", cost: managing, lever: "rules: Incident Manager bills a response plan for each" },
    {
      service: "KMS, logs, Step Functions",
      cost: other,
      lever: "shards: the relay is called, and logs, once a second for each",
    },
  ]
    .map((s) => ({ ...s, cost: Math.round(s.cost * 100) / 100 }))
    .sort((a, b) => b.cost - a.cost);
  const total = Math.round(services.reduce((sum, s) => sum + s.cost, 0) * 100) / 100;
  const warnings = [
    ...shardsWarning(shardsFor(spec, load), shards),
    ...(listed === undefined && load.groups === undefined && load.groupsGiven === undefined
      ? [groupsWarning(groups, eachGroup(spec, load, prices))]
      : []),
    ...trainingWarning(historyBytes, (trainings * historyBytes * prices.athenaTb) / TB),
  ];
  const elsewhere = load.region !== undefined && load.region !== prices.region;
  return {
    total,
    pricesOf: elsewhere ? `${prices.of}; those of ${load.region} differ` : prices.of,
    services,
    warnings,
  };
}

/** What a group more costs in a month, where groups are discovered: a hundredth of what a hundred do. */
function eachGroup(spec: PipelineSpec, load: Load, prices: Prices): number {
  const [some, more] = [ASSUMED_GROUPS, ASSUMED_GROUPS + 100].map(
    (groups) => estimateCost(spec, { ...load, groups }, prices).total,
  );
  return (more! - some!) / 100;
}
