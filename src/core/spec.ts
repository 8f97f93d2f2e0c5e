/**
 * The pipeline file: read, completed, and its errors at their positions.
 * `parseSpec` reads the text (JSON with comments); what it returns is complete, durations in milliseconds, and the only
 * form that the rest of Forewatch knows.
 */
import { getNodeValue, type ParseError, parseTree } from "jsonc-parser";
import * as v from "valibot";
import { Fault } from "./fault.ts";
import { checkMeaning } from "./spec/check.ts";
import {
  type AlarmRule,
  type AwsTarget,
  type ByField,
  forecastDefaults,
  type Measure,
  type PipelineSpec,
  type Severity,
  STATISTICS,
} from "./spec/model.ts";
import {
  badKeys,
  type Path,
  pathOf,
  placer,
  reporter,
  reportIssue,
  type SpecProblem,
  syntaxProblems,
} from "./spec/report.ts";
import { DATAPOINTS, FILE_SCHEMA, type FileSpec } from "./spec/schema.ts";
import { HOUR, WEEK } from "./time.ts";

export * from "./spec/model.ts";
export { nearest } from "./spec/nearest.ts";
export type { SpecProblem } from "./spec/report.ts";
export { FILE_SCHEMA } from "./spec/schema.ts";

/** Either the pipeline or what is wrong with it, in the order of the text. */
export interface ParsedSpec {
  readonly spec?: PipelineSpec;
  readonly problems: readonly SpecProblem[];
}

/**
 * Reads a pipeline file.
 * @param text JSON with comments, as in the editor, possibly broken.
 * @param file its path, for messages.
 */
export function parseSpec(text: string, file?: string): ParsedSpec {
  const errors: ParseError[] = [];
  // A byte order mark is no part of the text; a space in its place keeps the positions.
  const tree = parseTree(text.replace(/^\uFEFF/, " "), errors, { allowTrailingComma: true });
  const place = placer(text, file);
  if (!tree || errors.length > 0) return { problems: syntaxProblems(text, errors, place) };
  const problems: SpecProblem[] = [];
  if (tree.type !== "object") {
    const message = "A pipeline file is an object: it begins with { and ends with }.";
    return { problems: [{ message, at: place(tree.offset, 1), severity: "error", path: "" }] };
  }
  const report = reporter(problems, tree, place);
  for (const { path, node, message } of badKeys(tree))
    problems.push({ message, at: place(node.offset, node.length), severity: "error", path: path.join(".") });
  const value: unknown = getNodeValue(tree);
  const parsed = v.safeParse(FILE_SCHEMA, value);
  if (!parsed.success) for (const issue of parsed.issues) reportIssue(issue, report);
  // What does not fit the schema is left out, so that the rest of the file can still be checked for its meaning.
  const usable = parsed.success ? parsed.output : withoutFaults(value, parsed.issues.map(pathOf));
  const spec = usable && complete(usable);
  if (spec) checkMeaning(spec, usable, declaredNames(value), report);
  problems.sort((a, b) => a.at.offset - b.at.offset);
  return spec && problems.length === 0 ? { spec, problems } : { problems };
}

/** The pipeline in `text`, or a Fault that names its first errors with their lines. */
export function requireSpec(text: string, file?: string): PipelineSpec {
  const { spec, problems } = parseSpec(text, file);
  if (spec) return spec;
  const [first, ...others] = problems as [SpecProblem, ...SpecProblem[]];
  const rest = others.slice(0, 5).map((p) => `line ${p.at.line}: ${p.message}`);
  const more = others.length > rest.length ? ` And ${others.length - rest.length} more.` : "";
  throw new Fault("spec.invalid", `${first.path ? `${first.path}: ` : ""}${first.message}`, {
    at: first.at,
    next: rest.length > 0 ? `Also ${rest.join(" Also ")}${more}` : "Correct the pipeline file and try again.",
  });
}

/** The file without the values at `paths`, if it fits the schema then. */
function withoutFaults(value: unknown, paths: readonly Path[]): FileSpec | undefined {
  const pruned: unknown = structuredClone(value);
  for (const path of paths) {
    let parent = pruned as Record<string, unknown> | undefined;
    for (const step of path.slice(0, -1)) parent = parent?.[step] as typeof parent;
    // An entry of a list stays: without it, the paths of those behind it would be wrong.
    if (parent && !Array.isArray(parent)) delete parent[path.at(-1) ?? ""];
  }
  const parsed = v.safeParse(FILE_SCHEMA, pruned);
  return parsed.success ? parsed.output : undefined;
}

function declaredNames(value: unknown): { fields: string[]; measures: string[] } {
  const file = value as { source?: { fields?: object }; series?: { measures?: object } };
  return { fields: Object.keys(file.source?.fields ?? {}), measures: Object.keys(file.series?.measures ?? {}) };
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
  const defaults = forecastDefaults(every, forecast.horizon);
  const seasons = forecast.seasons === "auto" ? "auto" : [...forecast.seasons].sort((a, b) => a - b);
  return {
    name: file.name,
    source,
    ...(file.enrich !== undefined && { enrich: file.enrich }),
    series: { every, by, measures },
    forecast: {
      history: forecast.history,
      horizon: defaults.horizon,
      band: forecast.band,
      seasons,
      retrain: forecast.retrain ?? defaults.retrain,
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
