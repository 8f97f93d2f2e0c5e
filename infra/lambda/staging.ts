/**
 * Training's first half: the rows that Athena wrote become DeepAR's files, a JSON object a line. Pure.
 * Format: SageMaker Developer Guide, "DeepAR Forecasting Algorithm", input and output; "DeepAR Inference Formats".
 */

import type { Exclusion } from "../../src/core/labels.ts";
import { type PreparedRow, type PreparedSeries, type Span, toSeries } from "../../src/core/prepare.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { type Family, familiesOf, familyOf, predictionLength } from "../workflow/deepar.ts";

/** A series that DeepAR learns, with its place in the prediction file. */
export interface StagedSeries {
  readonly id: string;
  readonly family: Family;
}

/** One family's files. */
export interface StagedFamily {
  readonly family: Family;
  /** Ids in the order of the lines: each has two in `predict`, first without the test window, then whole. */
  readonly ids: readonly string[];
  readonly train: string;
  readonly test: string;
  readonly predict: string;
}

/** What the service asks for at least: 300 observations over all series of a training. */
export const LEAST_OBSERVATIONS = 300;

/** Rows of the preparation query from the JSON lines that UNLOAD wrote. */
export function parseRows(spec: PipelineSpec, text: string): PreparedRow[] {
  const fields = byFields(spec);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
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
    });
}

/** The span of a training: history up to its origin, on window borders. */
export function trainingSpan(spec: PipelineSpec, origin: number): Span {
  const { every } = spec.series;
  return { from: Math.floor((origin - spec.forecast.history) / every) * every, until: origin };
}

/** The series of a training, with the excluded windows taken out. */
export function trainingSeries(
  spec: PipelineSpec,
  rows: readonly PreparedRow[],
  origin: number,
  exclusions: readonly Exclusion[],
): PreparedSeries[] {
  return toSeries(spec, rows, trainingSpan(spec, origin)).map((series) => {
    const values = series.values.slice();
    for (const { from, to, series: only } of exclusions) {
      if (only !== undefined && only !== series.id) continue;
      const first = Math.max(0, Math.floor((from - series.start) / series.every));
      const end = Math.min(values.length, Math.ceil((to - series.start) / series.every));
      if (first < end) values.fill(Number.NaN, first, end);
    }
    return { ...series, values };
  });
}

/** The files of each family that has enough to learn from. */
export function stage(spec: PipelineSpec, series: readonly PreparedSeries[]): StagedFamily[] {
  const steps = predictionLength(spec);
  const staged: StagedFamily[] = [];
  for (const family of familiesOf(spec)) {
    // Shorter ones have nothing left to learn from once the test window is taken off; the ensemble serves them.
    const own = series.filter(
      (s) => familyOf(s.measure) === family && s.values.length > 2 * steps && observed(s, steps) > steps,
    );
    // Categories count from 0 without a gap, over what is learned: a measure that has no such series is none of them.
    const measures = [...new Set(own.map((s) => s.measure.name))];
    const category = (s: PreparedSeries) => (measures.length > 1 ? [measures.indexOf(s.measure.name)] : undefined);
    if (own.reduce((sum, s) => sum + observed(s, steps), 0) < LEAST_OBSERVATIONS) continue;
    const whole = own.map((s) => line(s, s.values.length, category(s)));
    const shortened = own.map((s) => line(s, s.values.length - steps, category(s)));
    staged.push({
      family,
      ids: own.map((s) => s.id),
      train: shortened.join(""),
      test: whole.join(""),
      predict: own.map((_, i) => shortened[i]! + whole[i]!).join(""),
    });
  }
  return staged;
}

function observed(series: PreparedSeries, held: number): number {
  return series.values
    .subarray(0, Math.max(0, series.values.length - held))
    .reduce((n, v) => n + (Number.isNaN(v) ? 0 : 1), 0);
}

/** One series as DeepAR reads it. Times have no zone; missing values are null. */
function line(series: PreparedSeries, length: number, cat: readonly number[] | undefined): string {
  const target = Array.from(series.values.subarray(0, length), (v) => (Number.isNaN(v) ? null : v));
  const start = new Date(series.start).toISOString().slice(0, 19).replace("T", " ");
  return `${JSON.stringify({ start, target, ...(cat !== undefined && { cat }) })}\n`;
}
