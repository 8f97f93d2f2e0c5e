/** The visible windows as a table: the chart's data for screen readers and for exact reading. */
import { useMemo, useState } from "preact/hooks";
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { formatDeviation, formatNumber, formatTime, type Zone, zoneName } from "../format.ts";
import { Grid, type GridCell } from "../grid/grid.tsx";
import { nextSorting, type Sorting } from "../grid/sorting.ts";
import { alarmEdges, indexAt, isBreaching, type Range } from "./visible.ts";

interface Props {
  readonly columns: ChartColumns;
  readonly range: Range;
  readonly zone: Zone;
  readonly label: string;
}

const FIELDS = ["start", "actual", "median", "deviation", "lower", "upper", "late"] as const;
const WIDTHS = [108, 72, 88, 92, 72, 72, 52];

export function WindowTable({ columns, range, zone, label }: Props) {
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const order = useMemo(() => orderWindows(columns, range, sorting), [columns, range, sorting]);
  const edges = alarmEdges(columns.rules);

  const cell = (row: number, column: number): GridCell => {
    const i = order[row] ?? 0;
    const field = FIELDS[column] ?? "start";
    const value = columns[field][i] ?? Number.NaN;
    if (field === "start") return { text: formatTime(value, zone) };
    if (Number.isNaN(value)) return { text: "–", tone: "muted" };
    if (field === "late") return { text: value === 0 ? "" : formatNumber(value) };
    if (field !== "deviation") return { text: formatNumber(value) };
    return isBreaching(value, edges) ? { text: formatDeviation(value), tone: "bad" } : { text: formatDeviation(value) };
  };

  const heads = [`Time (${zoneName(range.from, zone)})`, "Actual", "Expected", "Deviation", "Lower", "Upper", "Late"];
  return (
    <Grid
      label={label}
      columns={heads.map((name, i) => ({ name, numeric: i > 0, width: WIDTHS[i] ?? 64 }))}
      rowCount={order.length}
      cell={cell}
      sorting={sorting}
      onSort={(column) => setSorting((old) => nextSorting(old, column))}
    />
  );
}

/** The indexes of the visible windows in the asked order: newest first by default; missing values last. */
function orderWindows(columns: ChartColumns, range: Range, sorting: Sorting | null): number[] {
  const first = indexAt(columns.start, range.from);
  const end = indexAt(columns.start, range.until);
  const indexes = Array.from({ length: end - first }, (_, i) => end - 1 - i);
  if (!sorting) return indexes;
  const values = columns[FIELDS[sorting.column] ?? "start"];
  const sign = sorting.descending ? -1 : 1;
  return indexes.sort((a, b) => {
    const x = values[a]!;
    const y = values[b]!;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
}
