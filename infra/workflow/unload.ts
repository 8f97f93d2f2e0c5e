/**
 * The preparation query as Athena's UNLOAD, which writes the rows of every series for a training: as a statement for a span that
 * is known, and as the JSONata expression that makes this statement when the workflow runs.
 */
import { Fault } from "../../src/core/fault.ts";
import { prepareSql, quoteIdentifier, type Span } from "../../src/core/prepare.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";

/**
 * Bytes of UTF-8 that Athena takes of a statement (Athena User Guide, "Service Quotas"), and as many as Step Functions takes of a
 * task's arguments ("Service quotas"), in which the statement stands as JSON.
 */
const STATEMENT_BYTES = 262_144;
/** What stands beside the statement: its place, the workgroup. */
const BESIDE_BYTES = 4_096;
/** Beyond it the values that the pipeline file lists are left out: they stand twice in the template, which is bounded too. */
const LISTING_BYTES = STATEMENT_BYTES / 2;

/**
 * The preparation query as Athena takes it. One that listed more values than a statement has room for lists none, and finds the
 * groups that are not listed too; whoever makes series of its rows passes over them, as over all that is no series of the pipeline.
 * @throws Fault `target.unsupported` when it is too long without lists.
 */
export function athenaSql(spec: PipelineSpec, span: Span): string {
  const listing = prepareSql(spec, span);
  if (sizeOf(listing) <= LISTING_BYTES) return listing;
  const by = spec.series.by.map(({ field }) => ({ field }));
  const sql = prepareSql({ ...spec, series: { ...spec.series, by } }, span);
  const size = sizeOf(unload(spec, sql, "")) + BESIDE_BYTES;
  if (size <= STATEMENT_BYTES) return sql;
  throw new Fault(
    "target.unsupported",
    `The query that prepares the series has ${size.toLocaleString("en")} bytes of UTF-8, and Athena takes ${STATEMENT_BYTES.toLocaleString("en")}.`,
    { next: "Have fewer measures, or shorter names of them, or make several pipelines of it." },
  );
}

/** Bytes of a text in JSON. */
function sizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** The UNLOAD statement for a span, as people can run it too. `from` and `until` are epoch ms. */
export function unloadSql(spec: PipelineSpec, span: Span, to: string): string {
  return unload(spec, athenaSql(spec, span), to);
}

function unload(spec: PipelineSpec, query: string, to: string): string {
  const columns = [
    "CAST(to_unixtime(window_start) * 1000 AS bigint) AS window_start",
    ...byFields(spec).map((f) => quoteIdentifier(f)),
    ...spec.series.measures.map((m) => quoteIdentifier(m.name)),
  ];
  return `UNLOAD (\nSELECT ${columns.join(", ")}\nFROM (\n${query}\n)\n) TO '${to}' WITH (format = 'JSON')`;
}

/** The same statement as a JSONata expression: the times of the span and the run's place are put in when it runs. */
export function unloadExpression(spec: PipelineSpec, prefix: string): string {
  // Two instants that nothing else in the statement can look like; their texts are then replaced by expressions.
  const from = Date.UTC(1971, 1, 3);
  const until = Date.UTC(1972, 3, 5);
  const sql = unloadSql(spec, { from, until }, "<place>");
  // The first partition that is read lies some days before the span: how many, the query knows.
  const firstDay = /dt >= '([0-9-]{10})'/.exec(sql)?.[1];
  if (firstDay === undefined) throw new Error("The preparation query names no first partition.");
  const instant = (expression: string) => `$fromMillis(${expression}, '[Y0001]-[M01]-[D01] [H01]:[m01]:[s01].000')`;
  const start = `($origin - ${spec.forecast.history})`;
  const replacements: readonly (readonly [text: string, expression: string])[] = [
    ["1971-02-03 00:00:00.000", instant(start)],
    ["1972-04-05 00:00:00.000", instant("$origin")],
    [firstDay, `$fromMillis(${start} - ${from - Date.parse(firstDay)}, '[Y0001]-[M01]-[D01]')`],
    ["<place>", `'s3://\${Bucket}/${prefix}' & $runId & '/rows/'`],
  ];
  let parts: readonly (string | { readonly expression: string })[] = [sql];
  for (const [text, expression] of replacements) {
    parts = parts.flatMap((part) => {
      if (typeof part !== "string") return [part];
      const pieces = part.split(text);
      return pieces.flatMap((piece, i) => (i === 0 ? [piece] : [{ expression }, piece]));
    });
  }
  return `{% ${parts.map((p) => (typeof p === "string" ? jsonataText(p) : p.expression)).join(" & ")} %}`;
}

/** Text as a JSONata literal that CloudFormation's substitution leaves alone. */
function jsonataText(text: string): string {
  return JSON.stringify(text);
}
