/**
 * The Flink job as SQL, from the pipeline file: checked events in, closed windows out. `main.py` runs these statements as they
 * stand; only the ARNs and the region are filled in from the application's properties.
 *
 * Events come from the relay, many in a JSON array: `{"time": epoch ms, "key": group key or null, "shape", "fields": {...}}`. `key` is
 * null for events that no series counts (a value that is not listed) and for heartbeats: they move the clock all the same. Those of
 * another `shape`, whose key is of other fields or which lack a field that is measured now, move the clock and are passed over.
 *
 * What comes out, a JSON object a record, each with `shape`, which says what its numbers are of, and `since`, the start of the first
 * window that this job closed, as far as it has closed any:
 * - `{"kind": "window", "start", "end", "key", "events", "measures": {...}}`: a window of one group that had events.
 * - `{"kind": "closed", "start", "end", "events", "groups", "after"}`: this window, in which an event or a beat arrived, is closed
 *   for every group. `groups` holds the first 12 hex digits of the MD5 (of the UTF-8 text) of each key that had events, one after
 *   another in any order; who is not there had nothing. It is null when there are too many for a record. `after` is the end of the
 *   window that was closed before this one, null for the job's first: in the windows between the two nothing arrived at all.
 *
 * A new deployment of the job goes on with the state of the last one when that fits: when nothing has changed, or the clock alone
 * (`lateness`, `idle`, shards). When what is counted has changed (`every`, the measures, the fields of `by`, or this file), the
 * windows that are open hold numbers of another shape or span: they are left behind, and the job begins anew. The events that the
 * stream still holds are read again, a day of them at least, as far as they are of the shape that is asked for: when other fields
 * are measured, or `by` is another, only those that the relay wrote since. The first windows may be short of what came before the
 * first event that is read: `since` tells which, and they are compared with nothing (`firstWhole` in infra/lambda/comparing.ts).
 */
import { digest } from "../../src/core/digest.ts";
import type { Measure, PipelineSpec } from "../../src/core/spec.ts";
import { MINUTE } from "../../src/core/time.ts";
import { lineShape, windowShape } from "../lambda/shapes.ts";

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
  const columns = [
    "`time` BIGINT",
    "`key` STRING",
    "`shape` STRING",
    `\`fields\` ROW<${fields.map((f) => `${name(f)} DOUBLE`).join(", ") || "`none` DOUBLE"}>`,
    "`rowtime` AS TO_TIMESTAMP_LTZ(COALESCE(`time`, CAST(0 AS BIGINT)), 3)",
  ];
  const watermark = `WATERMARK FOR \`rowtime\` AS TO_TIMESTAMP_LTZ(COALESCE(\`time\`, CAST(0 AS BIGINT)) - ${delay}, 3)`;
  const closed = closedView(spec);
  const insert = insertion(spec);
  return {
    settings: {
      // State belongs to the operator of the same name. Ids are given out as the one statement is planned, the same in each start.
      "table.exec.uid.generation": "ALWAYS",
      "table.exec.uid.format": `${digest([...columns, closed, insert].join("\n"))}-<id>-<transformation>`,
      // Each event goes to its window as it comes. Sums that a reader keeps for itself until its clock moves would be late when it
      // turns idle and the others' clock goes on.
      "table.optimizer.agg-phase-strategy": "ONE_PHASE",
      "table.local-time-zone": "UTC",
      // A reader whose shards are silent must not hold the others' clock up for longer than a moment. It is not the stream that is
      // silent then, which `idle` is about: when all readers are, the clock stands until a beat moves it.
      "table.exec.source.idle-timeout": `${Math.max(1, Math.round(Math.min(spec.source.idle, MINUTE) / 1_000))} s`,
      // A watermark with every event that advances it, not every 200 ms: what is late depends on the data alone.
      "pipeline.auto-watermark-interval": "0 ms",
    },
    tables: [
      create("events", [...columns, watermark], connectors.source),
      create(
        "windows",
        [
          "`kind` STRING",
          "`start` TIMESTAMP_LTZ(3)",
          "`end` TIMESTAMP_LTZ(3)",
          "`key` STRING",
          "`events` BIGINT",
          `\`measures\` ${measuresType(measures)}`,
          "`groups` STRING",
          "`after` TIMESTAMP_LTZ(3)",
          "`shape` STRING",
          "`since` TIMESTAMP_LTZ(3)",
        ],
        connectors.sink,
      ),
      closed,
    ],
    insert,
  };
}

/** The windows of each group; by number, because a measure may be called `events` or `key` too. */
function closedView(spec: PipelineSpec): string {
  const { series } = spec;
  return [
    "CREATE TEMPORARY VIEW `closed` AS",
    "SELECT `window_start`, `window_end`, `key`, COUNT(*) AS `events`,",
    `  ${series.measures.map((m, i) => `${aggregate(m)} AS \`m${i}\``).join(",\n  ")}`,
    `FROM ${windows(spec)} AND \`key\` IS NOT NULL`,
    "GROUP BY `window_start`, `window_end`, `key`",
  ].join("\n");
}

function insertion(spec: PipelineSpec): string {
  const { measures } = spec.series;
  return [
    "INSERT INTO `windows`",
    `SELECT \`kind\`, ${instant("window_start")}, ${instant("window_end")}, \`key\`, \`events\`, \`measures\`, \`groups\`,`,
    `  ${instant("after")}, '${windowShape(spec)}', CAST(MIN(\`window_start\`) OVER (ORDER BY \`now\`) AS TIMESTAMP_LTZ(3))`,
    "FROM (SELECT *, PROCTIME() AS `now` FROM (",
    "SELECT 'window' AS `kind`, `window_start`, `window_end`, `key`, `events`,",
    `  CAST(ROW(${measures.map((_, i) => `\`m${i}\``).join(", ")}) AS ${measuresType(measures)}) AS \`measures\`,`,
    "  CAST(NULL AS STRING) AS `groups`, CAST(NULL AS TIMESTAMP(3)) AS `after`",
    "FROM `closed`",
    "UNION ALL",
    "SELECT 'closed', `window_start`, `window_end`, CAST(NULL AS STRING), `events`,",
    `  CAST(NULL AS ${measuresType(measures)}),`,
    `  CASE WHEN \`groups\` IS NULL THEN '' WHEN CHAR_LENGTH(\`groups\`) <= ${MOST_HASHED} THEN \`groups\` END,`,
    // Windows close in the order of their time, and of those before this one no more is kept than the last one's end.
    "  `after`",
    "FROM (",
    "  SELECT *, LAG(`window_end`) OVER (ORDER BY `window_time`) AS `after`",
    "  FROM (",
    // Of the events themselves, not of the groups' windows: those come from several tasks, of which one may have awoken from
    // idleness, and closed its windows, before another; what the other had would be late here, and be taken for silence.
    "    SELECT `window_start`, `window_end`, `window_time`, COUNT(*) AS `events`,",
    "      LISTAGG(DISTINCT SUBSTRING(MD5(`key`), 1, 12), '') AS `groups`",
    `    FROM ${windows(spec)} GROUP BY \`window_start\`, \`window_end\`, \`window_time\``,
    "  )",
    ")",
    "))",
  ].join("\n");
}

function windows(spec: PipelineSpec): string {
  const minutes = spec.series.every / MINUTE;
  const table = `TABLE(TUMBLE(TABLE \`events\`, DESCRIPTOR(\`rowtime\`), INTERVAL '${minutes}' MINUTE(4)))`;
  return `${table} WHERE \`shape\` = '${lineShape(spec)}'`;
}

/** Letters of hashes that a record has room for, which Kinesis bounds by 1 MiB: of about 87,000 groups. */
const MOST_HASHED = 2 ** 20 - 1_024;

/** A window's border, which is a wall clock's time in UTC, as an instant. */
function instant(column: string): string {
  return `CAST(\`${column}\` AS TIMESTAMP_LTZ(3))`;
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
      return spread(field);
    default:
      return `${m.statistic.toUpperCase()}(${field})`;
  }
}

/**
 * The sample standard deviation. Flink reckons variances from sums of squares, which loses a small spread about a large mean: of
 * 4, 7, 13 and 16 above a thousand million nothing is left. A spread does not change when the same number is taken from all values,
 * so what is summed is the rest that each value's rounding leaves, by the finest rounding that makes one number of the window's
 * least and greatest value, and so of all between them. Values on both sides of a rounding's border are rounded a little off it;
 * those that no rounding joins lie far enough apart for the sums of squares.
 */
function spread(field: string): string {
  const roundings = ROUNDED_BITS.flatMap((bits) => [
    (value: string) => rounded(value, bits),
    // Half a step of the rounding aside.
    (value: string) => rounded(`(${value} * ${1 + 2 ** -(bits + 1)}E0)`, bits),
  ]);
  return [
    `CASE WHEN COUNT(${field}) < 2 THEN CAST(NULL AS DOUBLE)`,
    `WHEN MIN(${field}) = MAX(${field}) THEN 0E0`,
    ...roundings.map(
      (round) =>
        `WHEN ${round(`MIN(${field})`)} = ${round(`MAX(${field})`)} THEN ${deviation(`${field} - (${round(field)})`)}`,
    ),
    `ELSE ${deviation(field)} END`,
  ].join("\n    ");
}

/**
 * Finest first. Of a spread that is the part r of the mean, n bits leave an error of (2^-n / r)^2 roundings of a double: nine digits
 * and more down to a hundred-thousandth of the mean, and four wherever values differ at all.
 */
const ROUNDED_BITS = [32, 14, 7] as const;

function deviation(value: string): string {
  return `SQRT(GREATEST(VAR_SAMP(${value}), 0E0))`;
}

/** A double rounded to so many of its 53 bits, in three exact steps (Veltkamp 1968). */
function rounded(value: string, bits: number): string {
  const factor = `${2 ** (53 - bits) + 1}E0`;
  return `${value} * ${factor} - (${value} * ${factor} - ${value})`;
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
