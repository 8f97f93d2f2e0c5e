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

/** The series of rows, in whatever order they are; see `SeriesGrid`. */
export function toSeries(spec: PipelineSpec, rows: readonly PreparedRow[], span: Span): PreparedSeries[] {
  const grid = new SeriesGrid(spec, span, listedGroups(spec) ?? firstGroups(spec, span, rows));
  for (const row of rows) grid.add(row);
  return grid.take();
}

/** The groups that the pipeline file lists; one of no values where nothing is split; undefined when the data tell them. */
export function listedGroups({ series: { by } }: PipelineSpec): Group[] | undefined {
  return by.every((b) => b.values) ? [...combinations(by.map((b) => b.values ?? []))] : undefined;
}

function firstGroups(spec: PipelineSpec, span: Span, rows: Iterable<PreparedRow>): Group[] {
  const appearances = new Appearances(spec, span);
  for (const row of rows) appearances.add(row);
  return appearances.first();
}

/** When each group first appears in a span; of too many groups those that appeared first are watched. */
export class Appearances {
  readonly #span: Span;
  readonly #most: number;
  readonly #groups = new Map<string, { readonly group: Group; start: number }>();

  constructor(spec: PipelineSpec, span: Span) {
    this.#span = span;
    this.#most = mostGroups(spec.series.measures.length);
  }

  add({ start, group }: Pick<PreparedRow, "start" | "group">): void {
    if (start < this.#span.from || start >= this.#span.until) return;
    const key = groupKey(group);
    const known = this.#groups.get(key);
    if (!known) this.#groups.set(key, { group, start });
    else if (start < known.start) known.start = start;
  }

  /** The groups that are watched. */
  first(): Group[] {
    const byTime = [...this.#groups.values()].sort((a, b) => a.start - b.start);
    return byTime.slice(0, this.#most).map(({ group }) => group);
  }
}

/** A group's values as they are gathered, a column a measure over the whole span. */
interface Gathered {
  readonly group: Group;
  readonly columns: readonly Float64Array[];
  /** Start of its first row. */
  first: number;
}

/**
 * The series of `groups` on a regular grid over `span`, gathered row by row: eight bytes a window, however many rows there are.
 * Counts and sums of windows without a row are 0, everything else of them is NaN. A listed group's series covers the span from the
 * first row of all, before which the pipeline did not exist; a discovered group's begins at its own first row.
 */
export class SeriesGrid {
  readonly #spec: PipelineSpec;
  readonly #span: Span;
  readonly #groups: Map<string, Gathered>;

  constructor(spec: PipelineSpec, span: Span, groups: readonly Group[]) {
    this.#spec = spec;
    this.#span = span;
    const column = (measure: Measure) => new Float64Array(this.#at(span.until)).fill(valueOfNothing(measure));
    this.#groups = new Map(
      groups.map((group) => {
        const columns = spec.series.measures.map(column);
        return [groupKey(group), { group, columns, first: Number.POSITIVE_INFINITY }];
      }),
    );
  }

  /** Takes a row; one outside the span, or of another group, is passed over. */
  add({ start, group, values }: PreparedRow): void {
    if (start < this.#span.from || start >= this.#span.until) return;
    const gathered = this.#groups.get(groupKey(group));
    if (!gathered) return;
    if (start < gathered.first) gathered.first = start;
    const at = this.#at(start);
    this.#spec.series.measures.forEach((measure, m) => {
      gathered.columns[m]![at] = values[m] ?? valueOfNothing(measure);
    });
  }

  /** The series by id; none when no row came. They take the columns with them: the grid is empty afterwards. */
  take(): PreparedSeries[] {
    const { every, measures } = this.#spec.series;
    const fields = byFields(this.#spec);
    const listed = listedGroups(this.#spec) !== undefined;
    let firstOfAll = Number.POSITIVE_INFINITY;
    for (const { first } of this.#groups.values()) firstOfAll = Math.min(firstOfAll, first);
    const series: PreparedSeries[] = [];
    for (const [key, { group, columns, first }] of this.#groups) {
      this.#groups.delete(key);
      const start = listed ? windowStart(firstOfAll, every) : first;
      if (start === Number.POSITIVE_INFINITY) continue;
      const at = this.#at(start);
      measures.forEach((measure, m) => {
        const values = at === 0 ? columns[m]! : columns[m]!.slice(at);
        series.push({ id: seriesId(measure.name, fields, group), measure, start, every, values });
      });
    }
    return series.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  /** The place of a window that starts at `time`. */
  #at(time: number): number {
    return Math.round((time - this.#span.from) / this.#spec.series.every);
  }
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
