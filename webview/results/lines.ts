/** How a result is drawn: which of its columns, its rows as lines, and what of them is not in the picture. */
import type { Cell } from "../../src/rpc/page.ts";
import { count, list } from "../parts/format.ts";
import { cellText } from "../parts/grid/copy.ts";
import { instantOf, isNumeric, isTemporal, type ResultColumn } from "./columns.ts";

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
  /** How many series the rows have: beyond the first dozen they are not among the lines. */
  readonly series: number;
  /** Rows that have no place on x: their time is NULL, or is none. */
  readonly placeless: number;
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
  let placeless = 0;
  rows.forEach((row, i) => {
    const x = plan.x.kind === "time" ? instantOf(row[plan.x.column] ?? null) : i;
    if (plan.x.kind === "name") names.push(cellText(row[plan.x.column] ?? null));
    if (Number.isNaN(x)) {
      placeless++;
      return;
    }
    for (const column of plan.values) {
      const label = plan.split === null ? (columns[column]?.name ?? "") : cellText(row[plan.split] ?? null);
      const line = lines.get(label) ?? [];
      lines.set(label, line);
      const cell = row[column] ?? null;
      line.push({ x, y: cell === null ? Number.NaN : Number(cell) });
    }
  });
  const shown = [...lines].slice(0, MOST_LINES).map(([label, points]) => ({
    label,
    points: plan.x.kind === "time" ? points.sort((a, b) => a.x - b.x) : points,
  }));
  return { lines: shown, names, series: lines.size, placeless };
}

/** Why there is nothing to see in a chart of these rows; null when there is. */
export function whyEmpty(
  plan: ChartPlan,
  columns: readonly ResultColumn[],
  rows: readonly (readonly Cell[])[],
  { lines, placeless }: ChartData,
): string | null {
  const named = (column: number) => `“${columns[column]?.name ?? ""}”`;
  if (rows.length === 0) return "There are no rows.";
  if (placeless === rows.length) {
    const example = rows.find((row) => row[plan.x.column] !== null)?.[plan.x.column];
    return example === undefined
      ? `${named(plan.x.column)} is NULL in every row: there is no time to put the values by.`
      : `${named(plan.x.column)} holds no time that can be read, such as “${cellText(example)}”.`;
  }
  if (lines.some(({ points }) => points.some(({ y }) => !Number.isNaN(y)))) return null;
  return `${list(plan.values.map(named))} ${plan.values.length === 1 ? "is" : "are"} NULL in every row that would be drawn.`;
}

/** What of the rows is not in the chart, as sentences; empty when all is. */
export function leftOut(
  { lines, series, placeless }: ChartData,
  { read, all }: { readonly read: number; readonly all: number },
): string {
  const whole = (n: number) => n.toLocaleString("en-US");
  return [
    ...(all > read ? [`Drawn from the first ${count(read, "row")} of ${whole(all)}.`] : []),
    ...(series > lines.length ? [`The first ${lines.length} of ${whole(series)} series are drawn.`] : []),
    ...(placeless > 0 ? [`${count(placeless, "row")} without a time ${placeless === 1 ? "is" : "are"} left out.`] : []),
  ].join(" ");
}
