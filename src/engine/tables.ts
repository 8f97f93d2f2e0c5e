/** What a pipeline's tables are called, hold and mean: the catalogue for completion, and the view `incident`. */
import type { TableInfo } from "../backend.ts";
import { byFields, type FieldType, type PipelineSpec } from "../core/spec.ts";
import { athenaType } from "./query-results.ts";
import { type Store, tableName } from "./store.ts";

const ATHENA_TYPES: Readonly<Record<FieldType, string>> = {
  string: "varchar",
  double: "double",
  integer: "bigint",
  boolean: "boolean",
  timestamp: "timestamp(3)",
};

/** A column as its name, its type and what it means. */
type ColumnLine = readonly [name: string, type: string, comment: string];

const WINDOW: ColumnLine = ["window_start", "timestamp(3)", "Start of the window, UTC"];
const BAND: readonly ColumnLine[] = [
  ["lower", "double", "Lower edge of the band"],
  ["median", "double", "Median forecast"],
  ["upper", "double", "Upper edge of the band"],
];

/** The tables of a pipeline as SQL sees them, with what each column means. */
export function tablesOf(spec: PipelineSpec): TableInfo[] {
  const { source, series } = spec;
  const fields = Object.entries(source.fields).map(
    ([name, type]): ColumnLine => [
      name,
      ATHENA_TYPES[type],
      name === source.time ? "Event time, UTC" : "Field of the event",
    ],
  );
  const splitBy = (type: (field: string) => string) =>
    byFields(spec).map((field): ColumnLine => [field, type(field), "What the series are split by"]);
  const identity: readonly ColumnLine[] = [
    ["series", "varchar", "Id of the series"],
    ["measure", "varchar", "Name of the measure"],
    // An id is made of texts, whatever the fields hold.
    ...splitBy(() => "varchar"),
    WINDOW,
  ];
  return [
    table("raw", "Every event that was taken, as delivered to the lake", [
      ...fields,
      ["_sequence", "bigint", "Place in the stream"],
      ["_arrival", "timestamp(3)", "When the stream took it"],
      ["_late", "boolean", "Its window had closed before it came"],
      ["dt", "varchar", "Partition: day of the event, yyyy-MM-dd"],
    ]),
    table("rejected", "Records that could not be taken, with the reason and their bytes", [
      ["reason", "varchar", "Why, as a word"],
      ["detail", "varchar", "What exactly"],
      ["arrival", "timestamp(3)", "When the stream took it"],
      ["sequence", "bigint", "Place in the stream"],
      ["data", "varbinary", "The bytes as they came"],
      ["dt", "varchar", "Partition: day of arrival, yyyy-MM-dd"],
    ]),
    table("prepared", "The series the newest training learned from", [
      WINDOW,
      ...splitBy((field) => ATHENA_TYPES[source.fields[field]!]),
      ...series.measures.map(
        ({ name, statistic, field }): ColumnLine => [
          name,
          statistic === "count" ? "bigint" : "double",
          field === "*" ? "Number of events" : `${statistic} of ${field}`,
        ],
      ),
    ]),
    table("forecast", "Every forecast made", [
      ...identity,
      ...BAND,
      ["version", "varchar", "The training that made it"],
      ["method", "varchar", "How it was made"],
    ]),
    table("comparison", "Every closed window beside its forecast", [
      ...identity,
      ["window_end", "timestamp(3)", "End of the window, UTC"],
      ["actual", "double", "What came"],
      ...BAND,
      ["deviation", "double", "Distance from the median in half widths of the band; beyond 1 is outside"],
      ["version", "varchar", "The forecast it was compared with"],
      ["events", "bigint", "Events in the window"],
    ]),
    table("incident", "Every incident", [
      ["id", "varchar", "Id"],
      ["title", "varchar", "What broke"],
      ["status", "varchar", "open or resolved"],
      ["severity", "bigint", "1 critical to 5 no impact"],
      ["rule", "varchar", "The alarm rule that opened it"],
      ["first_window", "timestamp(3)", "Start of the first breaching window"],
      ["opened_at", "timestamp(3)", "When it opened, event time"],
      ["resolved_at", "timestamp(3)", "When it was resolved"],
    ]),
  ];
}

function table(name: string, comment: string, lines: readonly ColumnLine[]): TableInfo {
  return { name, comment, columns: lines.map(([column, type, about]) => ({ name: column, type, comment: about })) };
}

/** The tables and views that statements made in a pipeline's schema, beside its own. */
export async function madeTables(store: Store, spec: PipelineSpec): Promise<TableInfo[]> {
  const own = new Set(tablesOf(spec).map((table) => table.name));
  const rows = await store.read(
    `SELECT table_name, column_name, data_type FROM duckdb_columns()
     WHERE database_name = current_database() AND schema_name = $1 ORDER BY table_name, column_index`,
    [spec.name],
  );
  const tables = new Map<string, TableInfo["columns"]>();
  for (const { table_name, column_name, data_type } of rows) {
    const name = String(table_name);
    if (own.has(name)) continue;
    const column = { name: String(column_name), type: athenaType(String(data_type)), comment: "" };
    tables.set(name, [...(tables.get(name) ?? []), column]);
  }
  return [...tables].map(([name, columns]) => ({ name, comment: "Made by a statement", columns }));
}

/** The view `incident` of a pipeline, over its records. */
export function incidentView(pipeline: string): string {
  const text = (path: string) => `json_extract_string(record, '$.${path}')`;
  const time = (path: string) => `make_timestamp(CAST(${text(path)} AS BIGINT) * 1000)`;
  return `CREATE OR REPLACE VIEW ${tableName(pipeline, "incident")} AS SELECT id, ${text("title")} AS title, status,
    CAST(${text("severity")} AS BIGINT) AS severity, ${text("rule")} AS rule, ${time("from")} AS first_window,
    ${time("openedAt")} AS opened_at, ${time("resolvedAt")} AS resolved_at FROM ${tableName(pipeline, "incident_record")}`;
}
