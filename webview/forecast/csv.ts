/** The windows of a range as CSV: what the chart shows, for a spreadsheet. */
import { formatInstant } from "../../src/core/time.ts";
import type { ChartColumns } from "../../src/rpc/page.ts";
import { indexAt, type Range } from "../parts/chart/visible.ts";

const FIELDS = ["actual", "lower", "median", "upper", "deviation", "late"] as const;

/** A header line and a line a window of each series; times as ISO 8601 in UTC, nothing where there is no value. */
export function chartCsv(charts: readonly ChartColumns[], range: Range): string {
  const lines = [["series", "window_start", ...FIELDS].join(","), ...charts.flatMap((chart) => windows(chart, range))];
  return `${lines.join("\r\n")}\r\n`;
}

function windows(columns: ChartColumns, range: Range): string[] {
  const lines: string[] = [];
  const name = `"${columns.series.replaceAll('"', '""')}"`;
  const end = indexAt(columns.start, range.until);
  for (let i = indexAt(columns.start, range.from); i < end; i++) {
    const values = FIELDS.map((field) => {
      const value = columns[field][i] ?? Number.NaN;
      return Number.isNaN(value) ? "" : String(value);
    });
    lines.push([name, formatInstant(columns.start[i] ?? 0), ...values].join(","));
  }
  return lines;
}
