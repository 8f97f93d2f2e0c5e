/** What UNLOAD and CREATE TABLE AS write: Athena's properties as DuckDB's COPY. */
import { Fault } from "../core/fault.ts";
import { quote } from "./lexer.ts";
import { nearest } from "./nearest.ts";
import { join, raw, type Sql, sql } from "./text.ts";
import { identifier, type SqlType, typeName } from "./types.ts";

/** Properties by their names in lower case. */
export type Properties = ReadonlyMap<string, string | readonly string[]>;

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

/** Throws for a property that Athena does not know. */
export function checkProperties(properties: Properties): void {
  for (const name of properties.keys()) {
    if (KNOWN.includes(name)) continue;
    const near = nearest(name, KNOWN);
    throw new Fault(
      "query.refused",
      `Unknown property '${name}'${near === undefined ? "" : `; did you mean '${near}'?`}`,
      {
        next: `Properties: ${KNOWN.join(", ")}.`,
      },
    );
  }
}

const FORMATS: Record<string, string> = { PARQUET: "PARQUET", TEXTFILE: "CSV", CSV: "CSV", JSON: "JSON" };

/** Types whose texts are the same from both engines. */
const PLAIN: readonly string[] = ["varchar", "boolean", "tinyint", "smallint", "integer", "bigint", "date"];

/**
 * The first column whose values Athena writes to text files in a way of its own, with the reason: Parquet has types, TEXTFILE and
 * JSON have texts. Undefined where the format or every column is the same.
 */
export function ownTexts(
  columns: readonly { readonly name?: string | undefined; readonly type: SqlType }[],
  properties: Properties,
): { readonly message: string; readonly next: string } | undefined {
  const asked = properties.get("format");
  const format = (typeof asked === "string" ? asked : "PARQUET").toUpperCase();
  if (FORMATS[format] === "PARQUET") return undefined;
  const at = columns.findIndex(({ type }) => !PLAIN.includes(type.kind));
  const column = columns[at];
  if (column === undefined) return undefined;
  return {
    message: `Column '${column.name ?? `_col${at}`}' is a ${typeName(column.type)}, whose text in ${format} files is Athena's own.`,
    next: "Write PARQUET, or format the column as varchar.",
  };
}

/** `COPY (query) TO folder` with the properties of UNLOAD or CREATE TABLE AS. */
export function copyTo(query: Sql, properties: Properties, folder: string): Sql {
  checkProperties(properties);
  const text = (name: string): string | undefined => {
    const value = properties.get(name);
    return typeof value === "string" ? value : undefined;
  };
  const asked = (text("format") ?? "PARQUET").toUpperCase();
  const format = FORMATS[asked];
  if (format === undefined)
    throw new Fault("query.refused", `Format ${asked} cannot be written here.`, {
      next: "Use PARQUET, JSON or TEXTFILE.",
    });
  const options = [raw(`FORMAT ${format}`)];
  const compression = (
    text("compression") ??
    text("write_compression") ??
    text("parquet_compression") ??
    ""
  ).toUpperCase();
  if (compression !== "" && compression !== "NONE")
    options.push(raw(`COMPRESSION ${checkedCompression(compression, format)}`));
  if (format === "CSV")
    options.push(
      sql`DELIMITER ${quote(text("field_delimiter") ?? "\u0001")}`,
      raw("HEADER false"),
      raw("QUOTE ''"),
      raw("NULLSTR '\\N'"),
    );
  const partitions = properties.get("partitioned_by");
  if (partitions !== undefined && partitions.length > 0)
    options.push(
      sql`PARTITION_BY (${(typeof partitions === "string" ? [partitions] : partitions).map(identifier).join(", ")})`,
    );
  else options.push(raw("PER_THREAD_OUTPUT true"));
  return sql`COPY (${query}) TO ${quote(folder)} (${join(options, ", ")})`;
}

function checkedCompression(name: string, format: string): string {
  const allowed = format === "PARQUET" ? ["SNAPPY", "GZIP", "ZSTD", "LZ4"] : ["GZIP", "ZSTD"];
  if (!allowed.includes(name))
    throw new Fault("query.refused", `Compression ${name} of ${format} cannot be written here.`, {
      next: `Use ${allowed.join(", ")}.`,
    });
  return name;
}

/** DuckDB's read of what `copyTo` wrote. */
export function readFrom(properties: Properties, folder: string): Sql {
  const asked = properties.get("format");
  const format = FORMATS[(typeof asked === "string" ? asked : "PARQUET").toUpperCase()] ?? "PARQUET";
  const hive = String(properties.has("partitioned_by"));
  const read = format === "PARQUET" ? "read_parquet" : format === "JSON" ? "read_json_auto" : "read_csv_auto";
  return sql`SELECT * FROM ${read}(${quote(`${folder}/**/*.${format.toLowerCase()}`)}, hive_partitioning = ${hive})`;
}

/** The folder of a location: as the caller says, else below `lake/`. */
export function folderOf(location: string, locate: ((location: string) => string) | undefined): string {
  const folder = locate === undefined ? location.replace(/^s3a?:\/\//, "lake/") : locate(location);
  return folder.replace(/\/+$/, "");
}
