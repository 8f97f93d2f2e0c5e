/** What a result's columns are, as the grid and the chart need to know it: numbers, times, widths. */
import { _adapters } from "chart.js";
import "chartjs-adapter-luxon";
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

/** A date, a clock, and a zone: `Z`, `UTC`, an offset, or a name such as `Asia/Tokyo`. */
const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|UTC|[+-]\d\d:?\d\d|[A-Za-z][\w+/-]*)?$/;

/** The instant of a date or timestamp as results carry it; without a zone it is UTC. NaN when it is none. */
export function instantOf(cell: Cell): number {
  const parts = typeof cell === "string" ? INSTANT.exec(cell.trim()) : null;
  if (!parts) return Number.NaN;
  const [, date, clock = "00:00", zone = "Z"] = parts;
  const text = `${date}T${clock}`;
  if (zone === "Z" || zone === "UTC") return Date.parse(`${text}Z`);
  if (/^[+-]/.test(zone)) return Date.parse(text + zone);
  // The charts' own calendar, luxon, knows when a zone changed its clocks.
  return new _adapters._date({ zone }).parse(text) ?? Number.NaN;
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
