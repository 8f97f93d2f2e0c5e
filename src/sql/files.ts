/** The rows of files that lie at a location, by the columns that a table declares: what Athena would read otherwise is refused or fails. */
import { quote, type Token } from "./lexer.ts";
import { raw, type Sql } from "./text.ts";
import { duckType, identifier, type Kind, type SqlType, typeName } from "./types.ts";

/** How the files are written; `delimiter` parts the fields of a line. */
export type FileFormat =
  | { readonly kind: "parquet" }
  | { readonly kind: "json" }
  | { readonly kind: "text"; readonly delimiter: string };

/** A declared column, with the token that tells its type. */
export interface LocatedColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly at: Token;
}

interface Refused {
  readonly refused: { readonly at?: Token; readonly why: string; readonly next?: string };
}

/** What a value's text must look like, so that both engines read it alike. */
const TEXTS: Partial<Record<Kind, string>> = {
  varchar: "(?s).*",
  boolean: "(?i)true|false",
  tinyint: "-?[0-9]+",
  smallint: "-?[0-9]+",
  integer: "-?[0-9]+",
  bigint: "-?[0-9]+",
  real: "-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?",
  double: "-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?",
  date: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
  timestamp: "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?",
};

/** DuckDB's types of a Parquet column that Athena takes for a declared one; others must be the same. */
const TAKEN: Partial<Record<Kind, readonly string[]>> = {
  smallint: ["TINYINT", "SMALLINT"],
  integer: ["TINYINT", "SMALLINT", "INTEGER"],
  bigint: ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"],
  double: ["FLOAT", "DOUBLE"],
  real: ["FLOAT"],
  timestamp: ["TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"],
};

/**
 * A query for the rows of every file below `folder`, whose names begin with neither a dot nor an underscore (Hive hides those);
 * the values of `partitions` stand in the folders' names.
 */
export function rowsAt(
  folder: string,
  format: FileFormat,
  columns: readonly LocatedColumn[],
  partitions: readonly LocatedColumn[],
): { readonly rows: Sql } | Refused {
  const odd = [...(format.kind === "parquet" ? [] : columns), ...partitions].find(
    ({ type }) => TEXTS[type.kind] === undefined || (type.precision !== undefined && type.kind === "varchar"),
  );
  if (odd !== undefined)
    return {
      refused: {
        at: odd.at,
        why: `The text of a ${typeName(odd.type)} in files and their folders' names is not read here.`,
        next: "Use PARQUET, or declare the column as string and cast it.",
      },
    };
  if (format.kind === "text" && format.delimiter.length !== 1)
    return { refused: { why: "Fields are parted by a single character here." } };
  const unusual = columns.find(({ name }) => format.kind === "json" && !/^\w+$/.test(name));
  if (unusual !== undefined)
    return { refused: { at: unusual.at, why: "This name of a column is not read from JSON here." } };
  const list = [
    ...columns.map((column) => `${value(format, column)} AS ${identifier(column.name)}`),
    ...partitions.map((column) => `${fromText(identifier(column.name), column.type)} AS ${identifier(column.name)}`),
  ];
  return { rows: raw(`SELECT ${list.join(", ")} FROM ${source(folder, format, columns, partitions)}`) };
}

function source(
  folder: string,
  format: FileFormat,
  columns: readonly LocatedColumn[],
  partitions: readonly LocatedColumn[],
): string {
  const files = quote(`${folder.replace(/[[*?]/g, "[$&]")}/**/[!._]*`);
  const folders = partitions.map(({ name }) => `${quote(name)}: VARCHAR`).join(", ");
  const hive = folders === "" ? "hive_partitioning = false" : `hive_partitioning = true, hive_types = {${folders}}`;
  if (format.kind === "parquet") return `read_parquet(${files}, ${hive})`;
  if (format.kind === "json") return `read_ndjson_objects(${files}, ${hive})`;
  const names = columns.map(({ name }) => `${quote(name)}: 'VARCHAR'`).join(", ");
  return `read_csv(${files}, auto_detect = false, columns = {${names}}, header = false, delim = ${quote(format.delimiter)}, quote = '', escape = '', nullstr = '\\N', ${hive})`;
}

function value(format: FileFormat, { name, type }: LocatedColumn): string {
  if (format.kind === "json") return fromText(`trino.json_field(json, ${quote(name.toLowerCase())})`, type);
  if (format.kind === "text") return fromText(identifier(name), type);
  const duck = duckType(type);
  // The text of a nested type says the names of its fields, which are declared in lower case.
  if (type.of !== undefined) return `CAST(${identifier(name)} AS ${duck})`;
  const taken = TAKEN[type.kind] ?? [duck.replace(", ", ",")];
  return `CAST(trino.of_type(${identifier(name)}, [${taken.map(quote).join(", ")}]) AS ${duck})`;
}

const fromText = (text: string, type: SqlType): string =>
  type.kind === "varchar"
    ? `CAST(${text} AS VARCHAR)`
    : `CAST(trino.field_text(${text}, ${quote(TEXTS[type.kind] ?? "")}) AS ${duckType(type)})`;
