/**
 * Step 3, prepare: the SQL, in Athena's dialect, that aggregates the lake to series, and the regular grid that a forecaster
 * needs, with the windows that no row stands for filled in.
 */
import { combinations, type Group, groupKey, mostGroups, seriesId, windowStart } from "./series.ts";
import { byFields, type Measure, type PipelineSpec } from "./spec.ts";
import { DAY, formatDay, HOUR, MINUTE } from "./time.ts";

/** A span of event time [from, until), epoch ms, on window borders. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** One row of the preparation query. */
export interface PreparedRow {
  readonly start: number;
  readonly group: Group;
  /** A value a measure, in the spec's order; null where SQL gives none. */
  readonly values: readonly (number | null)[];
}

/** A series on its grid: `values[i]` is the window that starts at `start + i * every`; NaN where there is none. */
export interface PreparedSeries {
  readonly id: string;
  readonly measure: Measure;
  readonly start: number;
  readonly every: number;
  readonly values: Float64Array;
}

/** An identifier, quoted so that no name can be anything else. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The preparation query: a row for each window and group that has events, columns `window_start`, the `by` fields, the
 * measures. Runs unchanged on Athena and, through the dialect, on DuckDB.
 */
export function prepareSql(spec: PipelineSpec, span: Span, table = "raw"): string {
  const time = quoteIdentifier(spec.source.time);
  const by = byFields(spec).map(quoteIdentifier);
  const measures = spec.series.measures.map((m) => `${aggregate(m)} AS ${quoteIdentifier(m.name)}`);
  const where = [
    `${time} >= ${timestampLiteral(span.from)}`,
    `${time} < ${timestampLiteral(span.until)}`,
    // Partitions are by day; on AWS by day of arrival, which precedes the event by `ahead` at most.
    `dt >= ${quoteText(formatDay(span.from - Math.max(DAY, spec.source.ahead)))}`,
    ...spec.series.by.map((b) =>
      b.values
        ? `${quoteIdentifier(b.field)} IN (${b.values.map((value) => literalOf(value, spec.source.fields[b.field]!)).join(", ")})`
        : `${quoteIdentifier(b.field)} IS NOT NULL`,
    ),
  ];
  const keys = ["1", ...by.map((_, i) => String(i + 2))].join(", ");
  return [
    `SELECT ${[`${bucket(time, spec.series.every)} AS window_start`, ...by, ...measures].join(",\n       ")}`,
    `FROM ${table}`,
    `WHERE ${where.join("\n  AND ")}`,
    `GROUP BY ${keys}`,
    `ORDER BY ${keys}`,
  ].join("\n");
}

/** The start of the window that the timestamp expression `time` falls into, aligned to UTC midnight. */
export function bucket(time: string, every: number): string {
  if (every === DAY) return `date_trunc('day', ${time})`;
  if (every === HOUR) return `date_trunc('hour', ${time})`;
  if (every === MINUTE) return `date_trunc('minute', ${time})`;
  if (every < HOUR && HOUR % every === 0) {
    const n = every / MINUTE;
    return `date_trunc('hour', ${time}) + (minute(${time}) / ${n}) * ${n} * INTERVAL '1' MINUTE`;
  }
  if (every % HOUR === 0) {
    const n = every / HOUR;
    return `date_trunc('day', ${time}) + (hour(${time}) / ${n}) * ${n} * INTERVAL '1' HOUR`;
  }
  const n = every / MINUTE;
  return `date_trunc('day', ${time}) + ((hour(${time}) * 60 + minute(${time})) / ${n}) * ${n} * INTERVAL '1' MINUTE`;
}

/**
 * The series of the rows on a regular grid over `span`. Counts and sums of windows without a row are 0, everything else
 * of them is NaN. A listed group's grid covers the whole span; a discovered group's begins at its first row. Before the
 * first row of all, no series has values: the pipeline did not exist yet.
 */
export function toSeries(spec: PipelineSpec, rows: readonly PreparedRow[], span: Span): PreparedSeries[] {
  const { every, measures, by } = spec.series;
  const fields = byFields(spec);
  const byGroup = new Map<string, { group: Group; rows: PreparedRow[] }>();
  if (by.length > 0 && by.every((b) => b.values)) {
    for (const group of combinations(by.map((b) => b.values ?? []))) byGroup.set(groupKey(group), { group, rows: [] });
  }
  let first = Number.POSITIVE_INFINITY;
  // By time: of too many groups those count that appeared first.
  for (const row of [...rows].sort((a, b) => a.start - b.start)) {
    if (row.start < span.from || row.start >= span.until) continue;
    first = Math.min(first, row.start);
    const key = groupKey(row.group);
    const entry = byGroup.get(key);
    if (entry) entry.rows.push(row);
    else if (byGroup.size < mostGroups(measures.length)) byGroup.set(key, { group: row.group, rows: [row] });
  }
  if (first === Number.POSITIVE_INFINITY) return [];
  const listed = by.length === 0 || by.every((b) => b.values);
  const series: PreparedSeries[] = [];
  for (const { group, rows: own } of byGroup.values()) {
    const start = listed
      ? windowStart(first, every)
      : own.reduce((least, r) => Math.min(least, r.start), Number.POSITIVE_INFINITY);
    const length = Math.round((span.until - start) / every);
    measures.forEach((measure, m) => {
      const values = new Float64Array(length).fill(valueOfNothing(measure));
      for (const row of own) values[Math.round((row.start - start) / every)] = row.values[m] ?? valueOfNothing(measure);
      series.push({ id: seriesId(measure.name, fields, group), measure, start, every, values });
    });
  }
  return series.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function valueOfNothing(measure: Measure): number {
  return measure.statistic === "count" || measure.statistic === "sum" ? 0 : Number.NaN;
}

function aggregate(m: Measure): string {
  if (m.field === "*") return "count(*)";
  const field = quoteIdentifier(m.field);
  switch (m.statistic) {
    case "stddev":
      return `stddev_samp(${field})`;
    case "sum":
      return `coalesce(sum(CAST(${field} AS double)), 0)`;
    case "count":
      return `count(${field})`;
    default:
      return `${m.statistic}(CAST(${field} AS double))`;
  }
}

function timestampLiteral(time: number): string {
  return `TIMESTAMP '${new Date(time).toISOString().replace("T", " ").replace("Z", "")}'`;
}

function literalOf(value: string, type: string): string {
  if (type === "integer" && /^-?\d+$/.test(value)) return value;
  if (type === "boolean" && /^(true|false)$/.test(value)) return value;
  return quoteText(value);
}
