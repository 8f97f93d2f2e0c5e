/** What a result's columns are, as the grid and the chart need to know it: numbers, times, widths. */
import type { Cell } from "../../src/rpc/page.ts";
import { cellText } from "../parts/grid/copy.ts";

export interface ResultColumn {
  readonly name: string;
  /** Athena's type name. */
  readonly type: string;
}

/** Does the type hold numbers? */
export function isNumeric({ type }: ResultColumn): boolean {
  return /^(tinyint|smallint|int|integer|bigint|real|float|double|decimal|hugeint|ubigint|uinteger)\b/i.test(type);
}

/** Does the type hold dates or instants? */
export function isTemporal({ type }: ResultColumn): boolean {
  return /^(date|timestamp|datetime)\b/i.test(type);
}

/** The instant of a date or timestamp as results carry it; without a zone it is UTC. NaN when it is none. */
export function instantOf(cell: Cell): number {
  if (typeof cell !== "string") return Number.NaN;
  const text = cell
    .trim()
    .replace(" ", "T")
    .replace(/ ?UTC$/, "Z");
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return Date.parse(`${text}T00:00:00Z`);
  return Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`);
}

const LETTER = 7.4;
const LEAST = 72;
const MOST = 420;

/** A column's width for its name and the values of the first rows, CSS px. */
export function fittingWidth(column: ResultColumn, index: number, rows: readonly (readonly Cell[])[]): number {
  let letters = Math.max(column.name.length + 2, column.type.length);
  for (const row of rows.slice(0, 100)) letters = Math.max(letters, Math.min(80, cellText(row[index] ?? null).length));
  return Math.round(Math.min(MOST, Math.max(LEAST, letters * LETTER + 24)));
}

export interface ChartPlan {
  /** The column on x, and whether it holds times or names. */
  readonly x: { readonly column: number; readonly kind: "time" | "name" };
  /** The columns drawn. */
  readonly values: readonly number[];
  /** A column of names whose values become a line each, of the first number; only with a time on x. */
  readonly split: number | null;
}

/** How a result is drawn: the first time on x if there is one, else the first names; null when it has no numbers. */
export function chartPlan(columns: readonly ResultColumn[]): ChartPlan | null {
  const numbers = columns.flatMap((column, i) => (isNumeric(column) ? [i] : []));
  const time = columns.findIndex(isTemporal);
  const name = columns.findIndex((column) => !isNumeric(column) && !isTemporal(column));
  if (time >= 0) {
    if (numbers.length === 0) return null;
    // With names beside it a time comes more than once: lines through all of them would only go up and down.
    return name >= 0
      ? { x: { column: time, kind: "time" }, values: numbers.slice(0, 1), split: name }
      : { x: { column: time, kind: "time" }, values: numbers, split: null };
  }
  if (name >= 0) return numbers.length > 0 ? { x: { column: name, kind: "name" }, values: numbers, split: null } : null;
  // Numbers only: the first one names the rows.
  return numbers.length > 1
    ? { x: { column: numbers[0]!, kind: "name" }, values: numbers.slice(1), split: null }
    : null;
}

export interface ChartLine {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface ChartData {
  readonly lines: readonly ChartLine[];
  /** The names on x, in order; empty with a time on x. */
  readonly names: readonly string[];
}

/** Lines that a chart can tell apart. */
const MOST_LINES = 12;

/** The rows as lines: x is an instant, or the place in `names`. */
export function chartData(
  plan: ChartPlan,
  columns: readonly ResultColumn[],
  rows: readonly (readonly Cell[])[],
): ChartData {
  const lines = new Map<string, { x: number; y: number }[]>();
  const names: string[] = [];
  rows.forEach((row, i) => {
    const x = plan.x.kind === "time" ? instantOf(row[plan.x.column] ?? null) : i;
    if (plan.x.kind === "name") names.push(cellText(row[plan.x.column] ?? null));
    if (Number.isNaN(x)) return;
    for (const column of plan.values) {
      const label = plan.split === null ? (columns[column]?.name ?? "") : cellText(row[plan.split] ?? null);
      const line = lines.get(label) ?? [];
      if (!lines.has(label)) {
        if (lines.size >= MOST_LINES) continue;
        lines.set(label, line);
      }
      const cell = row[column] ?? null;
      line.push({ x, y: cell === null ? Number.NaN : Number(cell) });
    }
  });
  const sorted = [...lines].map(([label, points]) => ({
    label,
    points: plan.x.kind === "time" ? points.sort((a, b) => a.x - b.x) : points,
  }));
  return { lines: sorted, names };
}
