/**
 * The pipeline file: its schema, its defaults, and errors at their positions.
 * `parseSpec` reads the text (JSON with comments); what it returns is complete, durations in milliseconds, and the only
 * form that the rest of Forewatch knows.
 */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import * as v from "valibot";
import { Fault, type Place } from "./fault.ts";
import { DAY, HOUR, MINUTE, parseDuration, WEEK } from "./time.ts";

export const FIELD_TYPES = ["string", "double", "integer", "boolean", "timestamp"] as const;
/** The type of a field: text, 64-bit float, whole number, truth value, instant. */
export type FieldType = (typeof FIELD_TYPES)[number];

export const STATISTICS = ["count", "sum", "avg", "min", "max", "stddev"] as const;
/** What a measure computes over a window; stddev is the sample standard deviation. */
export type Statistic = (typeof STATISTICS)[number];

/** A statistic of a field; `count` of `*` counts events, of a field its non-null values. */
export interface Measure {
  readonly name: string;
  readonly statistic: Statistic;
  /** The field, or `*` for `count`. */
  readonly field: string;
  /** The smallest half width of a band, in the measure's unit: 1 for a count unless given. */
  readonly resolution: number;
}

/** A field to split by; without `values` its values are discovered in the data. */
export interface ByField {
  readonly field: string;
  readonly values?: readonly string[];
}

export const DIRECTIONS = ["below", "above", "both"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const MISSING = ["breaching", "notBreaching", "ignore", "missing"] as const;
/** How a window without a deviation counts; the names and the meaning are CloudWatch's TreatMissingData. */
export type MissingData = (typeof MISSING)[number];

/** Severity as Incident Manager's impact: 1 critical to 5 no impact. */
export type Severity = 1 | 2 | 3 | 4 | 5;

export interface AlarmRule {
  readonly name: string;
  readonly measure: string;
  readonly direction: Direction;
  /** Deviation beyond which a window is breaching: 1 is the edge of the band. */
  readonly threshold: number;
  /** A series contributes when `datapoints` of the last `periods` windows breach. */
  readonly datapoints: number;
  readonly periods: number;
  readonly missing: MissingData;
  readonly severity: Severity;
  /** Path of a Markdown file, relative to the pipeline file. */
  readonly runbook?: string;
  /** The incident is resolved by itself after the alarm has been OK this long, ms; 0: only a person resolves it. */
  readonly resolveAfter: number;
}

export interface AwsTarget {
  readonly account: string;
  readonly region: string;
  readonly profile?: string;
  readonly incidents: "auto" | "incident-manager" | "ops-center";
}

/** A complete pipeline: every default filled in, durations in ms. */
export interface PipelineSpec {
  readonly name: string;
  readonly source: {
    readonly time: string;
    readonly fields: Readonly<Record<string, FieldType>>;
    readonly lateness: number;
    readonly idle: number;
    /** An event further than this ahead of the stream's clock is rejected. */
    readonly ahead: number;
    /** An event further than this behind the stream's clock is rejected. */
    readonly behind: number;
    readonly shards: number;
  };
  readonly enrich?: string;
  readonly series: {
    readonly every: number;
    readonly by: readonly ByField[];
    readonly measures: readonly Measure[];
  };
  readonly forecast: {
    readonly history: number;
    readonly horizon: number;
    readonly band: number;
    /** Season lengths in ms, ascending; or found in the data. */
    readonly seasons: readonly number[] | "auto";
    readonly retrain: number;
    readonly exclude?: string;
  };
  readonly alarms: readonly AlarmRule[];
  readonly sql?: string;
  readonly retention: { readonly stream: number; readonly lake: number };
  readonly targets: Readonly<Record<string, AwsTarget>>;
}

/** One thing wrong in a pipeline file, with its place and, where there is one, the nearest right word. */
export interface SpecProblem {
  readonly message: string;
  readonly at: Place;
  readonly severity: "error" | "warning";
  /** JSON path of the value, such as `alarms.0.measure`. */
  readonly path: string;
  /** A word to put in place of what stands there. */
  readonly suggestion?: string;
}

/** Either the pipeline or what is wrong with it; warnings may come with a pipeline. */
export interface ParsedSpec {
  readonly spec?: PipelineSpec;
  readonly problems: readonly SpecProblem[];
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const NAME = /^[a-z][a-z0-9-]{0,47}$/;

const identifier = v.pipe(
  v.string(),
  v.regex(IDENTIFIER, "must be letters, digits and _, not starting with a digit, at most 63 long"),
);
const duration = v.pipe(
  v.string('must be a duration such as "10m", "1h" or "8w"'),
  v.check((text) => parseDuration(text) !== undefined, 'must be a duration such as "10m", "1h" or "8w"'),
  v.transform((text) => parseDuration(text)!),
);
const relativePath = v.pipe(
  v.string(),
  v.check(
    (p) => p.length > 0 && !p.startsWith("/") && !/^[A-Za-z]:|\\/.test(p) && !p.split("/").includes(".."),
    "must be a path relative to the pipeline file, with / and inside its folder",
  ),
);
const measureSchema = v.pipe(
  v.strictObject({
    ...(Object.fromEntries(STATISTICS.map((s) => [s, v.optional(v.string())])) as Record<
      Statistic,
      v.OptionalSchema<v.StringSchema<undefined>, undefined>
    >),
    resolution: v.optional(v.pipe(v.number(), v.minValue(0))),
  }),
  v.check(
    (m) => STATISTICS.filter((s) => m[s] !== undefined).length === 1,
    `must name exactly one of ${STATISTICS.join(", ")}`,
  ),
);
const DATAPOINTS = /^\s*(\d+)\s+of\s+(\d+)\s*$/;

/** The file's schema as users write it; also the source of the editor's JSON schema. */
export const FILE_SCHEMA = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.pipe(
    v.string(),
    v.regex(NAME, "must be lower-case letters, digits and -, starting with a letter, at most 48 long"),
  ),
  source: v.strictObject({
    time: identifier,
    fields: v.pipe(
      v.record(identifier, v.picklist(FIELD_TYPES)),
      v.check((f) => Object.keys(f).length > 0, "needs at least the time field"),
    ),
    lateness: v.optional(duration, "1m"),
    idle: v.optional(duration, "2m"),
    ahead: v.optional(duration, "7d"),
    behind: v.optional(duration, "400d"),
    shards: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)), 1),
  }),
  enrich: v.optional(relativePath),
  series: v.strictObject({
    every: duration,
    by: v.optional(
      v.union([v.array(identifier), v.record(identifier, v.pipe(v.array(v.string()), v.minLength(1)))]),
      [],
    ),
    measures: v.pipe(
      v.record(identifier, measureSchema),
      v.check((m) => Object.keys(m).length > 0, "needs at least one measure"),
    ),
  }),
  forecast: v.optional(
    v.strictObject({
      history: v.optional(duration, "8w"),
      horizon: v.optional(duration, "48h"),
      band: v.optional(
        v.pipe(v.number(), v.gtValue(0, "must lie between 0 and 1"), v.ltValue(1, "must lie between 0 and 1")),
        0.98,
      ),
      seasons: v.optional(
        v.union([v.literal("auto"), v.pipe(v.array(duration), v.maxLength(2, "at most two seasons"))]),
        "auto",
      ),
      retrain: v.optional(duration, "1d"),
      exclude: v.optional(relativePath),
    }),
    {},
  ),
  alarms: v.optional(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(NAME, "must be lower-case letters, digits and -")),
        measure: identifier,
        direction: v.optional(v.picklist(DIRECTIONS), "both"),
        threshold: v.optional(v.pipe(v.number(), v.gtValue(0, "must be above 0")), 1),
        datapoints: v.optional(v.pipe(v.string(), v.regex(DATAPOINTS, 'must read like "3 of 4"')), "3 of 4"),
        missing: v.optional(v.picklist(MISSING), "missing"),
        severity: v.optional(v.picklist([1, 2, 3, 4, 5]), 3),
        runbook: v.optional(relativePath),
        resolveAfter: v.optional(v.union([v.literal("never"), duration])),
      }),
    ),
    [],
  ),
  sql: v.optional(relativePath),
  retention: v.optional(v.strictObject({ stream: v.optional(duration, "1d"), lake: v.optional(duration, "400d") }), {}),
  targets: v.optional(
    v.record(
      v.string(),
      v.strictObject({
        account: v.pipe(v.string(), v.regex(/^\d{12}$/, "must be the account's 12 digits")),
        region: v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as "eu-west-1"')),
        profile: v.optional(v.string()),
        incidents: v.optional(v.picklist(["auto", "incident-manager", "ops-center"]), "auto"),
      }),
    ),
    {},
  ),
});

type FileSpec = v.InferOutput<typeof FILE_SCHEMA>;
type Path = readonly (string | number)[];

/**
 * Reads a pipeline file.
 * @param text JSON with comments, as in the editor, possibly broken.
 * @param file its path, for messages.
 */
export function parseSpec(text: string, file?: string): ParsedSpec {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const lines = lineStarts(text);
  const place = (offset: number, length: number): Place => {
    const line = lines.findLastIndex((start) => start <= offset);
    return { ...(file !== undefined && { file }), offset, length, line: line + 1, column: offset - lines[line]! + 1 };
  };
  if (!tree || errors.length > 0) {
    const list = errors.length > 0 ? errors : [{ error: 4, offset: 0, length: 0 } as ParseError];
    return {
      problems: list.map((e) => ({
        message: SYNTAX[printParseErrorCode(e.error)] ?? "This is not valid JSON.",
        at: place(e.offset, e.length),
        severity: "error",
        path: "",
      })),
    };
  }
  const problems: SpecProblem[] = [];
  const report: Report = (path, message, extra = {}) => {
    const node = nearestNode(tree, path, extra.key === true);
    problems.push({
      message,
      at: place(node.offset, node.length),
      severity: extra.severity ?? "error",
      path: path.join("."),
      ...(extra.suggestion !== undefined && { suggestion: extra.suggestion }),
    });
  };
  for (const [path, key] of duplicateKeys(tree)) report([...path, key], `"${key}" stands here twice.`, { key: true });
  const result = v.safeParse(FILE_SCHEMA, getNodeValue(tree));
  if (!result.success) {
    for (const issue of result.issues) reportIssue(issue, report);
    return { problems };
  }
  const spec = complete(result.output);
  checkMeaning(spec, result.output, report);
  return problems.some((p) => p.severity === "error") ? { problems } : { spec, problems };
}

/** The pipeline in `text`, or a Fault that names every error with its line and column. */
export function requireSpec(text: string, file?: string): PipelineSpec {
  const { spec, problems } = parseSpec(text, file);
  if (spec) return spec;
  const errors = problems.filter((p) => p.severity === "error");
  const first = errors[0]!;
  const rest = errors.slice(1, 6).map((p) => `line ${p.at.line}: ${p.message}`);
  throw new Fault("spec.invalid", `${first.path ? `${first.path}: ` : ""}${first.message}`, {
    at: first.at,
    next: rest.length > 0 ? `Also: ${rest.join(" ")}` : "Correct the pipeline file and try again.",
  });
}

/** The words within two edits of `word`, nearest first: what a misspelt name was meant to be. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(word.length / 2) + 1);
  for (const w of words) {
    const d = editDistance(word.toLowerCase(), w.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [w, d];
  }
  return best;
}

/** The fields a series is split by, in order. */
export function byFields(spec: PipelineSpec): readonly string[] {
  return spec.series.by.map((b) => b.field);
}

type Report = (
  path: Path,
  message: string,
  extra?: { suggestion?: string; severity?: "warning"; key?: boolean },
) => void;

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: "This word means nothing in JSON: put text in double quotes.",
  InvalidNumberFormat: "This is not a number.",
  PropertyNameExpected: "A property name in double quotes is expected here.",
  ValueExpected: "A value is expected here.",
  ColonExpected: "A colon is expected here.",
  CommaExpected: "A comma is expected here.",
  CloseBraceExpected: "A closing } is missing.",
  CloseBracketExpected: "A closing ] is missing.",
  EndOfFileExpected: "The file should end here.",
  UnexpectedEndOfComment: "This comment is not closed.",
  UnexpectedEndOfString: "This text is not closed by a double quote.",
  InvalidEscapeCharacter: "This escape is not known in JSON.",
};

function reportIssue(issue: v.BaseIssue<unknown>, report: Report): void {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const last = issue.path?.at(-1);
  const inner = issue.issues?.[0];
  if (issue.type === "strict_object" && issue.expected === "never") {
    const known =
      Object.keys((last as { input?: object } | undefined)?.input ?? {}).length > 0 ? knownKeys(path.slice(0, -1)) : [];
    const suggestion = nearest(String(path.at(-1)), known);
    const hint = suggestion
      ? ` Did you mean "${suggestion}"?`
      : known.length > 0
        ? ` Known here: ${known.join(", ")}.`
        : "";
    report(path, `"${String(path.at(-1))}" is not known here.${hint}`, {
      key: true,
      ...(suggestion && { suggestion }),
    });
    return;
  }
  if (issue.type === "strict_object" && issue.received === "undefined") {
    report(path.slice(0, -1), `"${String(path.at(-1))}" is missing.`);
    return;
  }
  if (issue.type === "picklist") {
    const words = (issue.expected ?? "").split("|").map((w) => w.trim().replace(/[()"]/g, ""));
    const suggestion = nearest(String(issue.input), words);
    report(path, `${JSON.stringify(issue.input)} is not one of ${words.join(", ")}.`, suggestion ? { suggestion } : {});
    return;
  }
  const own = /^(must|needs|at most)/.test(issue.message);
  const text = own
    ? issue.message
    : inner && /^(must|needs)/.test(inner.message)
      ? inner.message
      : `must be ${plainType(issue.expected)}, not ${plainType(issue.received)}`;
  const name = path.at(-1);
  report(
    path,
    `${name === undefined ? "The file" : typeof name === "number" ? `Entry ${name + 1}` : `"${name}"`} ${text}.`,
  );
}

function plainType(expected: string | null | undefined): string {
  const words: Record<string, string> = {
    Object: "an object",
    Array: "a list",
    string: "text",
    number: "a number",
    boolean: "true or false",
    undefined: "nothing",
  };
  if (!expected) return "something else";
  return words[expected] ?? expected.replaceAll("|", "or").replace(/[()]/g, "");
}

/** The keys the schema knows at a path, for "did you mean". */
function knownKeys(path: Path): string[] {
  let schema: unknown = FILE_SCHEMA;
  for (const step of path) {
    schema = unwrap(schema);
    const s = schema as { entries?: Record<string, unknown>; item?: unknown; value?: unknown };
    schema = s.entries?.[String(step)] ?? s.item ?? s.value;
  }
  return Object.keys((unwrap(schema) as { entries?: object } | undefined)?.entries ?? {});
}

function unwrap(schema: unknown): unknown {
  let s = schema as { wrapped?: unknown; pipe?: unknown[] } | undefined;
  while (s?.wrapped || s?.pipe) s = (s.wrapped ?? (s.pipe as unknown[])[0]) as typeof s;
  return s;
}

function complete(file: FileSpec): PipelineSpec {
  const { series, source, forecast } = file;
  const by: ByField[] = Array.isArray(series.by)
    ? series.by.map((field) => ({ field }))
    : Object.entries(series.by).map(([field, values]) => ({ field, values }));
  const measures = Object.entries(series.measures).map(([name, m]): Measure => {
    const statistic = STATISTICS.find((s) => m[s] !== undefined)!;
    return { name, statistic, field: m[statistic]!, resolution: m.resolution ?? (statistic === "count" ? 1 : 0) };
  });
  const every = series.every;
  const seasons = forecast.seasons === "auto" ? "auto" : [...forecast.seasons].sort((a, b) => a - b);
  return {
    name: file.name,
    source,
    ...(file.enrich !== undefined && { enrich: file.enrich }),
    series: { every, by, measures },
    forecast: {
      history: forecast.history,
      horizon: forecast.horizon,
      band: forecast.band,
      seasons,
      retrain: forecast.retrain,
      ...(forecast.exclude !== undefined && { exclude: forecast.exclude }),
    },
    alarms: file.alarms.map((a): AlarmRule => {
      const [, m, n] = DATAPOINTS.exec(a.datapoints)!;
      return {
        name: a.name,
        measure: a.measure,
        direction: a.direction,
        threshold: a.threshold,
        datapoints: Number(m),
        periods: Number(n),
        missing: a.missing,
        severity: a.severity as Severity,
        ...(a.runbook !== undefined && { runbook: a.runbook }),
        resolveAfter: a.resolveAfter === "never" ? 0 : (a.resolveAfter ?? Math.min(WEEK, Math.max(HOUR, 24 * every))),
      };
    }),
    ...(file.sql !== undefined && { sql: file.sql }),
    retention: file.retention,
    targets: file.targets as Readonly<Record<string, AwsTarget>>,
  };
}

/** What the schema cannot say: names that must exist, numbers that must fit each other. */
function checkMeaning(spec: PipelineSpec, file: FileSpec, report: Report): void {
  const { fields, time } = spec.source;
  const names = Object.keys(fields);
  const lower = new Set<string>();
  for (const name of names) {
    if (lower.has(name.toLowerCase()))
      report(["source", "fields", name], `"${name}" differs from another field only in case; SQL takes them for one.`, {
        key: true,
      });
    if (RESERVED.has(name.toLowerCase()))
      report(["source", "fields", name], `"${name}" is a column that Forewatch adds itself: choose another name.`, {
        key: true,
      });
    lower.add(name.toLowerCase());
  }
  const unknown = (path: Path, field: string) => {
    const suggestion = nearest(field, names);
    report(
      path,
      `There is no field "${field}".${suggestion ? ` Did you mean "${suggestion}"?` : ` Fields: ${names.join(", ")}.`}`,
      suggestion ? { suggestion } : {},
    );
  };
  if (!(time in fields)) unknown(["source", "time"], time);
  else if (fields[time] !== "timestamp")
    report(
      ["source", "fields", time],
      `"${time}" is the event time, so its type must be "timestamp", not "${fields[time]}".`,
      { suggestion: "timestamp" },
    );

  const { every, by, measures } = spec.series;
  if (every < MINUTE || every > DAY || DAY % every !== 0 || every % MINUTE !== 0)
    report(
      ["series", "every"],
      "A window lasts between one minute and one day, in whole minutes, and fits evenly into a day, such as 5m, 15m, 1h or 1d.",
    );
  by.forEach(({ field, values }, i) => {
    const path = Array.isArray(file.series.by) ? ["series", "by", i] : ["series", "by", field];
    if (!(field in fields)) unknown(path, field);
    else if (fields[field] === "timestamp" || fields[field] === "double")
      report(path, `"${field}" is a ${fields[field]}: split by text, whole numbers or truth values.`);
    if (values && new Set(values).size !== values.length) report(path, `A value of "${field}" stands here twice.`);
  });
  if (new Set(by.map((b) => b.field)).size !== by.length) report(["series", "by"], "A field stands here twice.");
  for (const m of measures) {
    const path = ["series", "measures", m.name, m.statistic];
    if (m.field === "*") {
      if (m.statistic !== "count") report(path, `Only count takes "*"; name the field whose ${m.statistic} you want.`);
    } else if (!(m.field in fields)) unknown(path, m.field);
    else if (m.statistic !== "count" && fields[m.field] !== "double" && fields[m.field] !== "integer")
      report(path, `"${m.field}" is a ${fields[m.field]}: ${m.statistic} needs a number.`);
  }
  checkForecast(spec, report);
  checkAlarms(spec, report);
}

function checkForecast(spec: PipelineSpec, report: Report): void {
  const { every } = spec.series;
  const { history, horizon, seasons, retrain } = spec.forecast;
  if (horizon < every || horizon % every !== 0)
    report(["forecast", "horizon"], "The horizon is a whole number of windows, at least one.");
  if (horizon / every > 2_016) report(["forecast", "horizon"], "The horizon may not exceed 2,016 windows.");
  if (retrain < every || retrain % every !== 0)
    report(["forecast", "retrain"], "Retraining happens every whole number of windows.");
  if (retrain > horizon)
    report(
      ["forecast", "retrain"],
      "The forecast would run out before the next training: retrain at least once a horizon.",
    );
  if (history < 2 * every) report(["forecast", "history"], "The history holds at least two windows.");
  if (seasons !== "auto") {
    seasons.forEach((season, i) => {
      const path: Path = ["forecast", "seasons", i];
      if (season % every !== 0 || season < 2 * every)
        report(path, "A season is a whole number of windows, at least two.");
      else if (season * 2 > history) report(path, "The history must hold at least two of this season.");
    });
    if (seasons.length === 2 && seasons[1]! % seasons[0]! !== 0)
      report(["forecast", "seasons"], "The longer season must be a whole multiple of the shorter.");
    if (seasons.length === 2 && seasons[0] === seasons[1])
      report(["forecast", "seasons"], "A season stands here twice.");
  }
}

function checkAlarms(spec: PipelineSpec, report: Report): void {
  const measureNames = spec.series.measures.map((m) => m.name);
  const seen = new Set<string>();
  spec.alarms.forEach((a, i) => {
    if (seen.has(a.name)) report(["alarms", i, "name"], `There is another alarm named "${a.name}".`);
    if (a.name === FORECAST_MISSING)
      report(["alarms", i, "name"], `"${FORECAST_MISSING}" is the pipeline's own alarm: choose another name.`);
    seen.add(a.name);
    if (!measureNames.includes(a.measure)) {
      const suggestion = nearest(a.measure, measureNames);
      report(
        ["alarms", i, "measure"],
        `There is no measure "${a.measure}".${suggestion ? ` Did you mean "${suggestion}"?` : ` Measures: ${measureNames.join(", ")}.`}`,
        suggestion ? { suggestion } : {},
      );
    }
    if (a.datapoints < 1 || a.periods < a.datapoints)
      report(["alarms", i, "datapoints"], `"m of n" needs 1 <= m <= n, not ${a.datapoints} of ${a.periods}.`);
    // CloudWatch's limit: evaluation periods x period within a day for periods below an hour, within seven days from there.
    const limit = spec.series.every < HOUR ? DAY : WEEK;
    if (a.periods * spec.series.every > limit)
      report(["alarms", i, "datapoints"], `n windows may span at most ${limit === DAY ? "one day" : "seven days"}.`);
  });
}

/** The pipeline's own alarm, raised when a window closes that has no forecast. */
export const FORECAST_MISSING = "forecast-missing";

/** Columns that the lake's tables have besides the fields. */
const RESERVED = new Set(["dt", "_sequence", "_arrival", "_late"]);

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return starts;
}

function nearestNode(tree: Node, path: Path, key: boolean): Node {
  for (let n = path.length; n >= 0; n--) {
    const node = findNodeAtLocation(tree, path.slice(0, n) as (string | number)[]);
    if (!node) continue;
    if (n === path.length && !key) return node.type === "object" && n > 0 ? (node.parent?.children?.[0] ?? node) : node;
    if (n === path.length) return node.parent?.children?.[0] ?? node;
    return n === 0
      ? { ...node, length: 1 }
      : node.parent?.type === "property"
        ? (node.parent.children?.[0] ?? node)
        : node;
  }
  return tree;
}

function* duplicateKeys(node: Node, path: Path = []): Generator<[Path, string]> {
  if (node.type === "array")
    for (const [i, child] of (node.children ?? []).entries()) yield* duplicateKeys(child, [...path, i]);
  if (node.type !== "object") return;
  const seen = new Set<string>();
  for (const property of node.children ?? []) {
    const key = String(property.children?.[0]?.value);
    if (seen.has(key)) yield [path, key];
    seen.add(key);
    if (property.children?.[1]) yield* duplicateKeys(property.children[1], [...path, key]);
  }
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
