/** What UNLOAD and CREATE TABLE AS write: Athena's properties as DuckDB's COPY. */
import { Fault } from "../core/fault.ts";
import { quote } from "./lexer.ts";
import { nearest } from "./nearest.ts";
import { join, raw, type Sql, sql } from "./text.ts";
import { identifier, type SqlType, typeName } from "./types.ts";

/** Properties by their names in lower case. */
export type Properties = ReadonlyMap<string, string | readonly string[]>;

/** A column of what is written. */
export interface OutputColumn {
  readonly name?: string | undefined;
  readonly type: SqlType;
}

const KNOWN = [
  "format",
  "compression",
  "write_compression",
  "parquet_compression",
  "orc_compression",
  "compression_level",
  "field_delimiter",
  "partitioned_by",
  "partitioning",
  "bucketed_by",
  "bucket_count",
  "external_location",
  "location",
  "table_type",
  "is_external",
  "vacuum_min_snapshots_to_keep",
  "vacuum_max_snapshot_age_seconds",
  "optimize_rewrite_delete_file_threshold",
];

/** DuckDB's word for each of Athena's formats that it writes alike. */
const FORMATS: Record<string, string> = { PARQUET: "PARQUET", TEXTFILE: "CSV", JSON: "JSON" };

const textAt = (properties: Properties, name: string): string | undefined => {
  const value = properties.get(name);
  return typeof value === "string" ? value : undefined;
};

const formatOf = (properties: Properties): string => (textAt(properties, "format") ?? "PARQUET").toUpperCase();

const refusal = (message: string, next?: string): Fault =>
  new Fault("query.refused", message, { ...(next !== undefined && { next }) });

/** Throws for a property that Athena does not know, and for a format that is not written here. */
export function checkProperties(properties: Properties): void {
  for (const name of properties.keys()) {
    if (KNOWN.includes(name)) continue;
    const near = nearest(name, KNOWN);
    throw refusal(
      `Unknown property '${name}'${near === undefined ? "" : `; did you mean '${near}'?`}`,
      `Properties: ${KNOWN.join(", ")}.`,
    );
  }
  const format = formatOf(properties);
  if (FORMATS[format] === undefined)
    throw refusal(`Format ${format} cannot be written here.`, "Use PARQUET, JSON or TEXTFILE.");
}

/** Types whose texts are the same from both engines. */
const PLAIN: readonly string[] = ["varchar", "boolean", "tinyint", "smallint", "integer", "bigint", "date"];

/**
 * The first column whose values Athena writes to text files in a way of its own, with the reason: Parquet has types, TEXTFILE and
 * JSON have texts. Undefined where the format or every column is the same.
 */
export function ownTexts(
  columns: readonly OutputColumn[],
  properties: Properties,
): { readonly message: string; readonly next: string } | undefined {
  const format = formatOf(properties);
  if (format === "PARQUET") return undefined;
  const at = columns.findIndex(({ type }) => !PLAIN.includes(type.kind));
  const column = columns[at];
  if (column === undefined) return undefined;
  return {
    message: `Column '${column.name ?? `_col${at}`}' is a ${typeName(column.type)}, whose text in ${format} files is Athena's own.`,
    next: "Write PARQUET, or format the column as varchar.",
  };
}

/**
 * `COPY ... TO folder` with the properties of UNLOAD or CREATE TABLE AS.
 * @param source a table or a query in brackets
 * @throws Fault "query.refused" without a place
 */
export function copyTo(source: Sql, properties: Properties, folder: string): Sql {
  checkProperties(properties);
  const format = FORMATS[formatOf(properties)] as string;
  const options = [raw(`FORMAT ${format}`)];
  const compression = ["compression", "write_compression", "parquet_compression"]
    .map((name) => textAt(properties, name)?.toUpperCase())
    .find((name) => name !== undefined);
  if (compression !== undefined && compression !== "NONE")
    options.push(raw(`COMPRESSION ${checkedCompression(compression, format)}`));
  if (format === "CSV")
    options.push(
      sql`DELIMITER ${quote(delimiterOf(properties))}`,
      raw("HEADER false"),
      raw("QUOTE ''"),
      raw("ESCAPE ''"),
      raw("NULLSTR '\\N'"),
    );
  const partitions = partitionsOf(properties);
  if (partitions.length === 0) options.push(raw("PER_THREAD_OUTPUT true"));
  else if (format === "JSON") throw refusal("JSON is not written in partitions here.", "Use PARQUET or TEXTFILE.");
  else options.push(sql`PARTITION_BY (${partitions.map(identifier).join(", ")})`);
  return sql`COPY ${source} TO ${quote(folder)} (${join(options, ", ")})`;
}

/** The columns that the files' folders are named after. */
const partitionsOf = (properties: Properties): readonly string[] => [properties.get("partitioned_by") ?? []].flat();

function delimiterOf(properties: Properties): string {
  const delimiter = textAt(properties, "field_delimiter") ?? "\u0001";
  if (delimiter.length !== 1) throw refusal("field_delimiter is a single character.");
  return delimiter;
}

/**
 * The query with what its files could not hold turned into failures: in TEXTFILE, texts that would break a line or a field, or read
 * as NULL; in the names of partitions, texts that Athena refuses or reads as NULL.
 * @throws Fault "query.refused" without a place: partitions must be the last columns, in their order
 */
export function checkedRows(query: Sql, columns: readonly OutputColumn[], properties: Properties): Sql {
  const partitions = partitionsOf(properties).map((name) => name.toLowerCase());
  const names = columns.map((column, i) => column.name ?? `_col${i}`);
  const last = names.slice(names.length - partitions.length).map((name) => name.toLowerCase());
  if (partitions.length >= columns.length || partitions.some((name, i) => name !== last[i]))
    if (partitions.length > 0)
      throw refusal(
        `The partitions (${partitions.join(", ")}) must be the last columns, in this order, and not the only ones.`,
        "Put them last in the SELECT.",
      );
  const textfile = formatOf(properties) === "TEXTFILE";
  const cells = columns.map(({ type }, i) => {
    const cell = `c${i}`;
    if (type.kind !== "varchar") return cell;
    if (i >= columns.length - partitions.length) return `trino.partition_text(${cell})`;
    return textfile ? `trino.line_text(${cell}, ${quote(delimiterOf(properties))})` : cell;
  });
  if (cells.every((cell, i) => cell === `c${i}`)) return query;
  const list = cells.map((cell, i) => `${cell} AS ${identifier(names[i] as string)}`).join(", ");
  return sql`SELECT ${list} FROM (${query}) AS written(${columns.map((_, i) => `c${i}`).join(", ")})`;
}

function checkedCompression(name: string, format: string): string {
  const allowed = format === "PARQUET" ? ["SNAPPY", "GZIP", "ZSTD", "LZ4"] : ["GZIP", "ZSTD"];
  if (!allowed.includes(name))
    throw new Fault("query.refused", `Compression ${name} of ${format} cannot be written here.`, {
      next: `Use ${allowed.join(", ")}.`,
    });
  return name;
}

/** The folder of a location: as the caller says, else below `lake/`. */
export function folderOf(location: string, locate: ((location: string) => string) | undefined): string {
  const folder = locate === undefined ? location.replace(/^s3a?:\/\//, "lake/") : locate(location);
  return folder.replace(/\/+$/, "");
}
