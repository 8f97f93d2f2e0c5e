/** A sorted or filtered view of a statement's result, as SQL around it. */
import { Fault } from "../../core/fault.ts";
import type { ViewRequest } from "../../rpc/page.ts";

/**
 * A statement that gives the rows of `sql` in the wanted order, and only those in which a column's text contains `filter`.
 * Rejects a filter over columns that share a name, since SQL cannot tell them apart.
 */
export function viewSql(
  sql: string,
  columns: readonly { readonly name: string }[],
  order: ViewRequest["order"],
  filter: string,
): string {
  const where = filter === "" ? "" : `\nWHERE ${contains(columns, filter)}`;
  const by = order ? `\nORDER BY ${order.column + 1} ${order.descending ? "DESC" : "ASC"} NULLS LAST` : "";
  return `SELECT * FROM (\n${sql}\n) AS result${where}${by}`;
}

function contains(columns: readonly { readonly name: string }[], filter: string): string {
  const names = columns.map((c) => c.name.toLowerCase());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Fault("query.refused", `Two columns are named ${twice}, so the rows cannot be filtered.`, {
      next: "Give the columns different names with AS.",
    });
  const pattern = `'%${filter
    .toLowerCase()
    .replaceAll("'", "''")
    .replace(/[\\%_]/g, "\\$&")}%'`;
  const texts = columns.map((c) => `lower(CAST("${c.name.replaceAll('"', '""')}" AS varchar))`);
  return texts.map((text) => `${text} LIKE ${pattern} ESCAPE '\\'`).join(" OR ");
}
