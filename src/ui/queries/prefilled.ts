/** SQL that looks into an incident: its windows, and the events behind them. Pure. */
import type { IncidentSummary } from "../../backend.ts";
import { quoteIdentifier, quoteText } from "../../core/prepare.ts";
import { parseSeriesId } from "../../core/series.ts";
import type { PipelineSpec } from "../../core/spec.ts";
import { DAY, formatDay, HOUR } from "../../core/time.ts";

/** Statements on an incident's windows, of one contributor or of all of them, in Athena's dialect. */
export function windowSql(
  incident: Pick<IncidentSummary, "title" | "from" | "openedAt" | "contributors">,
  spec: PipelineSpec,
  only?: string,
): string {
  const all = incident.contributors.map((c) => c.series);
  const series = only === undefined ? all : [only];
  const from = incident.from;
  const until = Math.max(incident.openedAt, ...incident.contributors.map((c) => c.recoveredAt ?? 0)) + 6 * HOUR;
  const which = series.length > 0 ? `series IN (${series.map(quoteText).join(", ")})\n  AND ` : "";
  const windows = `-- Windows: ${oneLine(incident.title)}
SELECT series, window_start, actual, lower, median, upper, deviation
FROM comparison
WHERE ${which}window_start BETWEEN ${timestamp(from - 6 * HOUR)} AND ${timestamp(until)}
ORDER BY window_start, series;
`;
  const time = quoteIdentifier(spec.source.time);
  const fields = Object.keys(spec.source.fields);
  const conditions = [
    `${time} >= ${timestamp(from)}`,
    `${time} < ${timestamp(until)}`,
    // The lake is partitioned by day: naming the days keeps the rest of it unread.
    `dt BETWEEN ${quoteText(formatDay(from - DAY))} AND ${quoteText(formatDay(until + DAY))}`,
    ...groupConditions(series),
  ];
  const events = `-- Events: ${oneLine(incident.title)}
SELECT ${fields.map(quoteIdentifier).join(", ")}
FROM raw
WHERE ${conditions.join("\n  AND ")}
ORDER BY ${time}
LIMIT 1000;
`;
  return `${windows}\n${events}`;
}

/** The `by` values of the series, field by field. */
function groupConditions(series: readonly string[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const id of series)
    for (const [field, value] of Object.entries(parseSeriesId(id)?.by ?? {}))
      values.set(field, (values.get(field) ?? new Set()).add(value));
  return [...values].map(
    ([field, set]) => `CAST(${quoteIdentifier(field)} AS varchar) IN (${[...set].map(quoteText).join(", ")})`,
  );
}

function timestamp(at: number): string {
  return `TIMESTAMP '${new Date(at).toISOString().replace("T", " ").slice(0, 19)}'`;
}

function oneLine(title: string): string {
  return title.replace(/\s+/g, " ");
}
