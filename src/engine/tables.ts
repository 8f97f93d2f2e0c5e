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

/** The tables of a pipeline as SQL sees them, with what each column means. */
export function tablesOf(spec: PipelineSpec): TableInfo[] {
  const fields = Object.entries(spec.source.fields).map(([name, type]) => ({
    name,
    type: ATHENA_TYPES[type],
    comment: name === spec.source.time ? "Event time, UTC" : "Field of the event",
  }));
  const column = (name: string, type: string, comment: string) => ({ name, type, comment });
  const by = byFields(spec).map((f) => column(f, ATHENA_TYPES[spec.source.fields[f]!], "What the series are split by"));
  const splitBy = byFields(spec).map((f) => column(f, "varchar", "What the series are split by"));
  const band = [
    column("lower", "double", "Lower edge of the band"),
    column("median", "double", "Median forecast"),
    column("upper", "double", "Upper edge of the band"),
  ];
  const window = column("window_start", "timestamp(3)", "Start of the window, UTC");
  const series = [
    column("series", "varchar", "Id of the series"),
    column("measure", "varchar", "Name of the measure"),
    ...splitBy,
  ];
  return [
    {
      name: "raw",
      comment: "Every event that was taken, as delivered to the lake",
      columns: [
        ...fields,
        column("_sequence", "bigint", "Place in the stream"),
        column("_arrival", "timestamp(3)", "When the stream took it"),
        column("_late", "boolean", "Its window had closed before it came"),
        column("dt", "varchar", "Partition: day of the event, yyyy-MM-dd"),
      ],
    },
    {
      name: "rejected",
      comment: "Records that could not be taken, with the reason and their bytes",
      columns: [
        column("reason", "varchar", "Why, as a word"),
        column("detail", "varchar", "What exactly"),
        column("arrival", "timestamp(3)", "When the stream took it"),
        column("sequence", "bigint", "Place in the stream"),
        column("data", "varbinary", "The bytes as they came"),
        column("dt", "varchar", "Partition: day of arrival, yyyy-MM-dd"),
      ],
    },
    {
      name: "prepared",
      comment: "The series the newest training learned from",
      columns: [
        window,
        ...by,
        ...spec.series.measures.map((m) =>
          column(m.name, m.statistic === "count" ? "bigint" : "double", `${m.statistic} of ${m.field}`),
        ),
      ],
    },
    {
      name: "forecast",
      comment: "Every forecast made",
      columns: [
        ...series,
        window,
        ...band,
        column("version", "varchar", "The training that made it"),
        column("method", "varchar", "How it was made"),
      ],
    },
    {
      name: "comparison",
      comment: "Every closed window beside its forecast",
      columns: [
        ...series,
        window,
        column("window_end", "timestamp(3)", "End of the window, UTC"),
        column("actual", "double", "What came"),
        ...band,
        column("deviation", "double", "Distance from the median in half widths of the band; beyond 1 is outside"),
        column("version", "varchar", "The forecast it was compared with"),
        column("events", "bigint", "Events in the window"),
      ],
    },
    {
      name: "incident",
      comment: "Every incident",
      columns: [
        column("id", "varchar", "Id"),
        column("title", "varchar", "What broke"),
        column("status", "varchar", "open or resolved"),
        column("severity", "bigint", "1 critical to 5 no impact"),
        column("rule", "varchar", "The alarm rule that opened it"),
        column("first_window", "timestamp(3)", "Start of the first breaching window"),
        column("opened_at", "timestamp(3)", "When it opened, event time"),
        column("resolved_at", "timestamp(3)", "When it was resolved"),
      ],
    },
  ];
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
