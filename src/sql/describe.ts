/** DESCRIBE, SHOW COLUMNS and SHOW CREATE TABLE from the catalogue, so that types and comments are Athena's. */
import type { Catalogue, CatalogueTable } from "./catalogue.ts";
import { quote } from "./lexer.ts";
import { raw, type Sql } from "./text.ts";

const find = (name: string, catalogue: Catalogue | undefined): CatalogueTable | undefined =>
  catalogue?.tables.find((table) => table.name.toLowerCase() === name.toLowerCase());

/** The columns with type and comment, or their names alone; undefined where the table is not in the catalogue. */
export function describeTable(name: string, catalogue: Catalogue | undefined, full: boolean): Sql | undefined {
  const table = find(name, catalogue);
  if (table === undefined) return undefined;
  const rows = table.columns.map((column) =>
    full ? `(${[column.name, column.type, column.comment ?? ""].map(quote).join(", ")})` : `(${quote(column.name)})`,
  );
  return raw(
    `SELECT * FROM (VALUES ${rows.join(", ")}) AS described(${full ? "col_name, data_type, comment" : "field"})`,
  );
}

/** The statement that would make the table. */
export function showCreate(name: string, catalogue: Catalogue | undefined): Sql | undefined {
  const table = find(name, catalogue);
  if (table === undefined) return undefined;
  const columns = table.columns.map(
    (column) =>
      `  \`${column.name}\` ${column.type}${column.comment === undefined ? "" : ` COMMENT ${quote(column.comment)}`}`,
  );
  const comment = table.comment === undefined ? "" : `\nCOMMENT ${quote(table.comment)}`;
  return raw(
    `SELECT ${quote(`CREATE EXTERNAL TABLE \`${table.name}\`(\n${columns.join(",\n")})${comment}`)} AS createtab_stmt`,
  );
}
