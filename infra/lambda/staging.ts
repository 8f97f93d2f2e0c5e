/**
 * Training's first half: the rows that Athena wrote become series, and these DeepAR's files, a JSON object a line. Pure.
 * Format: SageMaker Developer Guide, "DeepAR Forecasting Algorithm", input and output; "DeepAR Inference Formats".
 */

import type { Exclusion } from "../../src/core/labels.ts";
import type { PreparedRow, PreparedSeries, Span } from "../../src/core/prepare.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { type Family, familiesOf, familyOf, predictionLength } from "../workflow/deepar.ts";

/** A family that has enough to learn from. */
export interface LearnedFamily {
  readonly family: Family;
  /** The series that DeepAR learns; the ensemble serves the others. */
  readonly ids: ReadonlySet<string>;
  /** Their measures; DeepAR's category of a series is its measure's place here. */
  readonly measures: readonly string[];
}

/** One family's files of some series. */
export interface FamilyFiles {
  /** Ids in the order of the lines: each has two in `predict`, first without the test window, then whole. */
  readonly ids: readonly string[];
  readonly train: string;
  readonly test: string;
  readonly predict: string;
}

/** What the service asks for at least: 300 observations over all series of a training. */
export const LEAST_OBSERVATIONS = 300;

/** A function from a JSON line that UNLOAD wrote to the row of the preparation query that it is. */
export function rowParser(spec: PipelineSpec): (line: string) => PreparedRow {
  const fields = byFields(spec);
  return (line) => {
    const row = JSON.parse(line) as Record<string, unknown>;
    // Athena writes its columns in lower case.
    const at = (name: string) => row[name] ?? row[name.toLowerCase()];
    return {
      start: Number(at("window_start")),
      group: fields.map((field) => String(at(field))),
      values: spec.series.measures.map((m) => {
        const value = at(m.name);
        return value === null || value === undefined ? null : Number(value);
      }),
    };
  };
}

/** The span of a training: history up to its origin, on window borders. */
export function trainingSpan(spec: PipelineSpec, origin: number): Span {
  const { every } = spec.series;
  return { from: Math.floor((origin - spec.forecast.history) / every) * every, until: origin };
}

/** Takes the windows that training leaves out from the series. */
export function leaveOut(series: readonly PreparedSeries[], exclusions: readonly Exclusion[]): void {
  for (const { from, to, series: only } of exclusions) {
    for (const { id, start, every, values } of series) {
      if (only !== undefined && only !== id) continue;
      const first = Math.max(0, Math.floor((from - start) / every));
      const end = Math.min(values.length, Math.ceil((to - start) / every));
      if (first < end) values.fill(Number.NaN, first, end);
    }
  }
}

/** The families that have enough to learn from, seen over all series of a training. */
export function familiesToLearn(spec: PipelineSpec, series: readonly PreparedSeries[]): LearnedFamily[] {
  const steps = predictionLength(spec);
  const learned: LearnedFamily[] = [];
  for (const family of familiesOf(spec)) {
    // Shorter ones have nothing left to learn from once the test window is taken off; the ensemble serves them.
    const own = series.filter(
      (s) => familyOf(s.measure) === family && s.values.length > 2 * steps && observed(s, steps) > steps,
    );
    if (own.reduce((sum, s) => sum + observed(s, steps), 0) < LEAST_OBSERVATIONS) continue;
    // Categories count from 0 without a gap, over what is learned: a measure that has no such series is none of them.
    const measures = [...new Set(own.map((s) => s.measure.name))];
    learned.push({ family, ids: new Set(own.map((s) => s.id)), measures });
  }
  return learned;
}

/** A family's files of those of `series` that it learns. */
export function familyFiles(
  spec: PipelineSpec,
  { ids, measures }: LearnedFamily,
  series: readonly PreparedSeries[],
): FamilyFiles {
  const steps = predictionLength(spec);
  const own = series.filter((s) => ids.has(s.id));
  const category = (s: PreparedSeries) => (measures.length > 1 ? [measures.indexOf(s.measure.name)] : undefined);
  const whole = own.map((s) => line(s, s.values.length, category(s)));
  const shortened = own.map((s) => line(s, s.values.length - steps, category(s)));
  return {
    ids: own.map((s) => s.id),
    train: shortened.join(""),
    test: whole.join(""),
    predict: own.map((_, i) => shortened[i]! + whole[i]!).join(""),
  };
}

/** Series as a part of a run keeps them, a JSON line each; a missing value is null. */
export function encodeSeries(series: readonly PreparedSeries[]): string {
  return series
    .map(
      ({ id, measure, start, values }) =>
        `${JSON.stringify({ id, measure: measure.name, start, values: listOf(values) })}\n`,
    )
    .join("");
}

/** The series of a line that `encodeSeries` wrote. */
export function decodeSeries(spec: PipelineSpec, text: string): PreparedSeries {
  const { id, measure, start, values } = JSON.parse(text) as {
    readonly id: string;
    readonly measure: string;
    readonly start: number;
    readonly values: readonly (number | null)[];
  };
  return {
    id,
    measure: spec.series.measures.find((m) => m.name === measure)!,
    start,
    every: spec.series.every,
    values: Float64Array.from(values, (v) => v ?? Number.NaN),
  };
}

function observed(series: PreparedSeries, held: number): number {
  return series.values
    .subarray(0, Math.max(0, series.values.length - held))
    .reduce((n, v) => n + (Number.isNaN(v) ? 0 : 1), 0);
}

/** One series as DeepAR reads it. Times have no zone; missing values are null. */
function line(series: PreparedSeries, length: number, cat: readonly number[] | undefined): string {
  const target = listOf(series.values.subarray(0, length));
  const start = new Date(series.start).toISOString().slice(0, 19).replace("T", " ");
  return `${JSON.stringify({ start, target, ...(cat !== undefined && { cat }) })}\n`;
}

function listOf(values: Float64Array): (number | null)[] {
  return Array.from(values, (v) => (Number.isNaN(v) ? null : v));
}
