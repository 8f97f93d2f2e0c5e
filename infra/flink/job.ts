/**
 * The Flink job as SQL, from the pipeline file: checked events in, closed windows out. `main.py` runs these statements as they
 * stand; only the ARNs and the region are filled in from the application's properties.
 *
 * Events come from the relay, a JSON object a line: `{"time": epoch ms, "key": group key or null, "fields": {...}}`. `key` is
 * null for events that no series counts (a value that is not listed) and for heartbeats: they move the clock all the same.
 *
 * What comes out, a JSON object a record:
 * - `{"kind": "window", "start", "end", "key", "events", "measures": {...}}`: a window of one group that had events.
 * - `{"kind": "closed", "start", "end", "events"}`: this window is closed for every group; who is not there had nothing.
 */
import type { Measure, PipelineSpec } from "../../src/core/spec.ts";

/** A connector's options; values may hold `${stream}` (the ARN) and `${region}`. */
export type Connector = Readonly<Record<string, string>>;

export interface FlinkJob {
  /** Settings of the table environment, all of them among those that the service lets code change. */
  readonly settings: Readonly<Record<string, string>>;
  /** DDL, to be executed one by one. */
  readonly tables: readonly string[];
  /** The one INSERT that is the job. */
  readonly insert: string;
}

export interface FlinkConnectors {
  readonly source: Connector;
  readonly sink: Connector;
}

/**
 * The deployed connectors. Polling, because enhanced fan-out has open faults in this connector; from the horizon, because the
 * stream is made with the job and must lose nothing before its first start.
 */
export const KINESIS: FlinkConnectors = {
  source: {
    connector: "kinesis",
    "stream.arn": "${events.stream.arn}",
    "aws.region": "${aws.region}",
    "source.init.position": "TRIM_HORIZON",
    "source.reader.type": "POLLING",
    format: "json",
    "json.ignore-parse-errors": "true",
  },
  sink: {
    connector: "kinesis",
    "stream.arn": "${windows.stream.arn}",
    "aws.region": "${aws.region}",
    "sink.flush-buffer.timeout": "1000",
    format: "json",
    "json.timestamp-format.standard": "ISO-8601",
  },
};

export function flinkJob(spec: PipelineSpec, connectors: FlinkConnectors = KINESIS): FlinkJob {
  const fields = measuredFields(spec);
  const measures = spec.series.measures;
  // The watermark is t - lateness - 1 ms: Flink closes a window when the watermark reaches its last millisecond (end - 1),
  // Forewatch when it reaches the end. The millisecond makes the two the same, for closing and for what is late.
  const delay = spec.source.lateness + 1;
  return {
    settings: {
      "table.local-time-zone": "UTC",
      // A subtask whose shards are silent must not hold the others' clock up.
      "table.exec.source.idle-timeout": `${Math.max(1, Math.round(spec.source.idle / 1_000))} s`,
      // A watermark with every event that advances it, not every 200 ms: what is late depends on the data alone.
      "pipeline.auto-watermark-interval": "0 ms",
    },
    tables: [
      create(
        "events",
        [
          "`time` BIGINT",
          "`key` STRING",
          `\`fields\` ROW<${fields.map((f) => `${name(f)} DOUBLE`).join(", ") || "`none` DOUBLE"}>`,
          "`rowtime` AS TO_TIMESTAMP_LTZ(COALESCE(`time`, CAST(0 AS BIGINT)), 3)",
          `WATERMARK FOR \`rowtime\` AS TO_TIMESTAMP_LTZ(COALESCE(\`time\`, CAST(0 AS BIGINT)) - ${delay}, 3)`,
        ],
        connectors.source,
      ),
      create(
        "windows",
        [
          "`kind` STRING",
          "`start` TIMESTAMP_LTZ(3)",
          "`end` TIMESTAMP_LTZ(3)",
          "`key` STRING",
          "`events` BIGINT",
          `\`measures\` ${measuresType(measures)}`,
        ],
        connectors.sink,
      ),
      [
        "CREATE TEMPORARY VIEW `closed` AS",
        "SELECT `window_start`, `window_end`, `key`, COUNT(*) AS `events`,",
        // By number: a measure may be called `events` or `key` too.
        `  ${measures.map((m, i) => `${aggregate(m)} AS \`m${i}\``).join(",\n  ")}`,
        `FROM TABLE(TUMBLE(TABLE \`events\`, DESCRIPTOR(\`rowtime\`), INTERVAL '${spec.series.every / 60_000}' MINUTE(4)))`,
        "GROUP BY `window_start`, `window_end`, `key`",
      ].join("\n"),
    ],
    insert: [
      "INSERT INTO `windows`",
      "SELECT 'window', CAST(`window_start` AS TIMESTAMP_LTZ(3)), CAST(`window_end` AS TIMESTAMP_LTZ(3)), `key`, `events`,",
      `  CAST(ROW(${measures.map((_, i) => `\`m${i}\``).join(", ")}) AS ${measuresType(measures)})`,
      "FROM `closed` WHERE `key` IS NOT NULL",
      "UNION ALL",
      "SELECT 'closed', CAST(`window_start` AS TIMESTAMP_LTZ(3)), CAST(`window_end` AS TIMESTAMP_LTZ(3)), CAST(NULL AS STRING),",
      `  SUM(\`events\`), CAST(NULL AS ${measuresType(measures)})`,
      "FROM `closed` GROUP BY `window_start`, `window_end`",
    ].join("\n"),
  };
}

/** The fields that measures are made of, each once, in the order of the pipeline file. */
export function measuredFields(spec: PipelineSpec): string[] {
  const used = new Set(spec.series.measures.map((m) => m.field));
  return Object.keys(spec.source.fields).filter((f) => used.has(f));
}

function aggregate(m: Measure): string {
  if (m.field === "*") return "CAST(COUNT(*) AS DOUBLE)";
  const field = `\`fields\`.${name(m.field)}`;
  switch (m.statistic) {
    case "count":
      return `CAST(COUNT(${field}) AS DOUBLE)`;
    case "sum":
      return `COALESCE(SUM(${field}), 0)`;
    case "stddev":
      // Flink takes the variance from sums of squares, of which rounding leaves a trace where all values are equal, sometimes
      // below zero: what is smaller than doubles can tell beside the mean is none.
      return `SQRT(CASE WHEN VAR_SAMP(${field}) <= 1E-13 * AVG(${field}) * AVG(${field}) THEN 0E0 ELSE VAR_SAMP(${field}) END)`;
    default:
      return `${m.statistic.toUpperCase()}(${field})`;
  }
}

function measuresType(measures: readonly Measure[]): string {
  return `ROW<${measures.map((m) => `${name(m.name)} DOUBLE`).join(", ")}>`;
}

function create(table: string, columns: readonly string[], connector: Connector): string {
  const options = Object.entries(connector).map(([key, value]) => `  '${key}' = '${value.replaceAll("'", "''")}'`);
  return `CREATE TABLE \`${table}\` (\n  ${columns.join(",\n  ")}\n) WITH (\n${options.join(",\n")}\n)`;
}

function name(identifier: string): string {
  return `\`${identifier.replaceAll("`", "``")}\``;
}
