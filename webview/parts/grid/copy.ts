/** Cells as text: in the grid, and for the clipboard as CSV, JSON or Markdown. */
import type { Cell } from "../../../src/rpc/page.ts";

export type CopyFormat = "csv" | "json" | "markdown";

/** A cell as the grid shows it; structures as JSON. */
export function cellText(cell: Cell): string {
  if (cell === null) return "NULL";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** The rows in a format. CSV after RFC 4180, with a header line, NULL as nothing and an empty text as `""`. */
export function copyRows(names: readonly string[], rows: readonly (readonly Cell[])[], format: CopyFormat): string {
  switch (format) {
    case "csv":
      return [names.map((name) => csvField(name)), ...rows.map((row) => row.map(csvField))]
        .map((fields) => fields.join(","))
        .join("\r\n");
    case "json":
      return JSON.stringify(
        rows.map((row) => Object.fromEntries(uniqueNames(names).map((name, i) => [name, row[i] ?? null]))),
        undefined,
        2,
      );
    case "markdown": {
      const line = (fields: readonly string[]) => `| ${fields.join(" | ")} |`;
      return [
        line(names.map(markdownField)),
        line(names.map(() => "---")),
        ...rows.map((row) => line(row.map((cell) => markdownField(cellText(cell))))),
      ].join("\n");
    }
  }
}

function csvField(cell: Cell): string {
  if (cell === null) return "";
  const text = cellText(cell);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function markdownField(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll(/\r?\n/g, "<br>");
}

/** SQL allows columns of the same name, objects do not: later ones get a number. */
function uniqueNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return n === 1 ? name : `${name}_${n}`;
  });
}
