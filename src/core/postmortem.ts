/** An incident as a Markdown document to write a post-mortem from: facts filled in, questions left open. */
import type { IncidentRecord } from "./incident.ts";
import { parseSeriesId, seriesLabel } from "./series.ts";
import { formatInstant } from "./time.ts";

/** What the document is made of. */
export interface PostmortemSource extends Omit<IncidentRecord, "quietSince"> {
  readonly evidence: readonly {
    readonly title: string;
    readonly sql: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly unknown[])[];
  }[];
}

/** The document. Everything people or data wrote is escaped, so that tables stay tables. */
export function postmortem(incident: PostmortemSource): string {
  const { contributors, timeline, evidence } = incident;
  const lines = [
    `# Post-mortem: ${plain(incident.title)}`,
    "",
    `| | |`,
    `|---|---|`,
    `| Incident | ${incident.id} |`,
    `| Status | ${incident.status}${incident.resolvedAt === null ? "" : ` at ${formatInstant(incident.resolvedAt)}`} |`,
    `| Severity | ${incident.severity} |`,
    `| Owner | ${plain(incident.owner ?? "nobody")} |`,
    `| Alarm | ${incident.rule ?? "declared by hand"} |`,
    `| First window | ${formatInstant(incident.from)} |`,
    `| Opened | ${formatInstant(incident.openedAt)} |`,
    "",
    "## What broke",
    "",
    "| Series | Since | Worst window | Actual | Expected | Deviation | Recovered |",
    "|---|---|---|---:|---:|---:|---|",
    ...contributors.map((c) => {
      const cells = [
        plain(label(c.series)),
        formatInstant(c.from),
        formatInstant(c.worst.start),
        number(c.worst.actual),
        number(c.worst.expected),
        number(c.worst.deviation),
        c.recoveredAt === null ? "not yet" : formatInstant(c.recoveredAt),
      ];
      return `| ${cells.join(" | ")} |`;
    }),
    "",
    "## Timeline",
    "",
    ...timeline.flatMap((t) => {
      const who = t.author === null ? "" : ` (${plain(t.author)})`;
      if (t.kind !== "note") return [`- ${formatInstant(t.at)}${who} ${plain(t.text)}`];
      return [`- ${formatInstant(t.at)}${who} wrote:`, "", ...t.text.split("\n").map((l) => `  > ${l}`), ""];
    }),
    "",
    "## Evidence",
    "",
    ...(evidence.length === 0 ? ["None was pinned.", ""] : evidence.flatMap(evidenceLines)),
    "## Impact",
    "",
    "_Who was affected, and how much?_",
    "",
    "## Cause",
    "",
    "_What happened, and why was it possible?_",
    "",
    "## What we change",
    "",
    "| What | Who | By when |",
    "|---|---|---|",
    "| | | |",
    "",
  ];
  return lines.join("\n");
}

function evidenceLines(e: PostmortemSource["evidence"][number]): string[] {
  const shown = e.rows.slice(0, 20);
  return [
    `### ${plain(e.title)}`,
    "",
    "```sql",
    e.sql.replaceAll("```", "` ` `"),
    "```",
    "",
    `| ${e.columns.map(plain).join(" | ")} |`,
    `|${e.columns.map(() => "---").join("|")}|`,
    ...shown.map((row) => `| ${row.map((cell) => plain(cell === null ? "NULL" : String(cell))).join(" | ")} |`),
    ...(e.rows.length > shown.length ? ["", `${e.rows.length - shown.length} more rows`] : []),
    "",
  ];
}

function label(series: string): string {
  const key = parseSeriesId(series);
  return key ? seriesLabel(key) : series;
}

function number(value: number | null): string {
  return value === null ? "" : String(Number(value.toPrecision(4)));
}

function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, "\\$&").replaceAll("\n", " ");
}
