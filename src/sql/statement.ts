/** Statements: what is not a query alone. https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { Fault } from "../core/fault.ts";
import { describeTable, showCreate } from "./describe.ts";
import { condition, typeAt } from "./expression.ts";
import { tokenize } from "./lexer.ts";
import { nameOf } from "./names.ts";
import { checkedRows, checkProperties, copyTo, folderOf, ownTexts, type Properties } from "./output.ts";
import { type Column, type Pass, refuse, sourceOf, weave } from "./pass.ts";
import { paste } from "./paste.ts";
import { placeAt } from "./place.ts";
import { relation } from "./relation.ts";
import type { RewriteContext } from "./rewrite-context.ts";
import { EMPTY } from "./scope.ts";
import { join, raw, type Sql, sql, textOf } from "./text.ts";
import { coerces, duckType, identifier, type SqlType, typeName } from "./types.ts";
import { literalText, unwrap } from "./unwrap.ts";

export type StatementKind =
  | "query"
  | "unload"
  | "ctas"
  | "insert"
  | "ddl"
  | "prepare"
  | "execute"
  | "show"
  | "describe";

/** A rewritten statement before its pieces are joined. */
export interface Output {
  readonly pieces: Sql;
  readonly kind: StatementKind;
  readonly columns?: readonly Column[];
  readonly table?: string;
  readonly writes?: string;
  readonly reads?: string;
  readonly prepare?: { readonly name: string; readonly text: string };
  readonly deallocate?: string;
}

/** Rewrites one statement; `again` rewrites the text of a prepared one. */
export function statement(
  pass: Pass,
  at: G.StatementContext,
  context: RewriteContext,
  again: (text: string) => Output,
): Output {
  if (at instanceof G.StatementDefaultContext) {
    const columns = pass.query(at.rootQuery(), true);
    return { pieces: weave(pass, at), kind: "query", columns };
  }
  if (at instanceof G.ExplainContext || at instanceof G.ExplainAnalyzeContext) {
    const inner = statement(pass, at.statement(), context, again);
    return {
      pieces: sql`${at instanceof G.ExplainAnalyzeContext ? "EXPLAIN ANALYZE" : "EXPLAIN"} ${inner.pieces}`,
      kind: "query",
    };
  }
  if (at instanceof G.CreateTableAsSelectContext) return tableOfQuery(pass, at, context);
  if (at instanceof G.InsertIntoContext) return insert(pass, at);
  if (at instanceof G.CreateViewContext) {
    const name = tableName(pass, at.viewNameCreate());
    const columns = pass.query(at.rootQuery(), true);
    storable(pass, at, columns);
    return {
      pieces: sql`CREATE ${at.KW_REPLACE() === null ? "" : "OR REPLACE "}VIEW ${identifier(name)} AS ${weave(pass, at.rootQuery())}`,
      kind: "ddl",
      table: name,
    };
  }
  if (at instanceof G.CreateTableContext) return createTable(pass, at);
  if (at instanceof G.DropTableContext || at instanceof G.DropViewContext) {
    const name = tableName(pass, at instanceof G.DropTableContext ? at.tableRef() : at.viewRef());
    return {
      pieces: sql`DROP ${at instanceof G.DropTableContext ? "TABLE" : "VIEW"} ${at.KW_EXISTS() === null ? "" : "IF EXISTS "}${identifier(name)}`,
      kind: "ddl",
      table: name,
    };
  }
  if (at instanceof G.DeleteContext || at instanceof G.UpdateContext || at instanceof G.MergeContext)
    return change(pass, at);
  return (
    shown(pass, at, context) ??
    prepared(pass, at, context, again) ??
    refuse(pass, at, `${words(pass, at)} is not done here.`, "It runs on Athena.")
  );
}

/** The first words of a statement, for messages. */
const words = (pass: Pass, at: ParserRuleContext): string =>
  sourceOf(pass, at).trim().split(/\s+/).slice(0, 2).join(" ").toUpperCase();

/** The last part of a table's name: schemas and catalogues are left out here. */
function tableName(pass: Pass, at: ParserRuleContext): string {
  const last = at.children?.findLast((child): child is G.IdentifierContext => child instanceof G.IdentifierContext);
  const nested = last ?? (at.getChild(0) as ParserRuleContext);
  return nested instanceof G.IdentifierContext ? nameOf(pass, nested) : tableName(pass, nested);
}

function storable(pass: Pass, at: ParserRuleContext, columns: readonly Column[]): void {
  const unnamed = columns.findIndex((column) => column.name === undefined);
  if (unnamed >= 0) refuse(pass, at, `Column ${unnamed + 1} has no name.`, "Give it an alias.");
  const zoned = columns.find((column) => column.type.kind === "timestamptz");
  if (zoned !== undefined)
    refuse(
      pass,
      at,
      `Column '${zoned.name}' is a timestamp with time zone, which Athena's tables cannot hold.`,
      "CAST it AS timestamp.",
    );
  const strange = columns.find(({ type }) => ["json", "null", "time", "uuid"].includes(type.kind));
  if (strange !== undefined)
    refuse(
      pass,
      at,
      `Column '${strange.name}' is of the type ${typeName(strange.type)}, which Athena's tables cannot hold.`,
      "CAST it.",
    );
  const step = columns.find((column) => column.type.kind.startsWith("interval"));
  if (step !== undefined)
    refuse(
      pass,
      at,
      `Column '${step.name}' is an interval, which Athena's tables cannot hold.`,
      "Use a number of seconds.",
    );
}

/** Properties as `name = 'text'`, `name = ARRAY['a', 'b']`, numbers and booleans as texts. */
function propertiesAt(pass: Pass, at: G.PropertiesContext | null): Properties {
  const found = new Map<string, string | readonly string[]>();
  for (const property of at?.propertyAssignments().property() ?? []) {
    const value = unwrap(property.propertyValue());
    const name = nameOf(pass, property.identifier()).toLowerCase();
    if (value instanceof G.ArrayConstructorContext)
      found.set(
        name,
        value.expression().map((item) => literalText(pass.source, item) ?? sourceOf(pass, item)),
      );
    else found.set(name, literalText(pass.source, value) ?? sourceOf(pass, value));
  }
  return found;
}

function tableOfQuery(pass: Pass, at: G.CreateTableAsSelectContext, context: RewriteContext): Output {
  const name = tableName(pass, at.tableNameCreate());
  const root = at.rootQuery() ?? refuse(pass, at, "CREATE TABLE AS needs a query.");
  const columns = pass.query(root, true);
  storable(pass, at, columns);
  const clause = at.properties();
  const properties = propertiesAt(pass, clause);
  placedAt(pass, clause ?? at, () => checkProperties(properties));
  const exists = context.catalogue?.tables.some((table) => table.name.toLowerCase() === name.toLowerCase()) === true;
  if (exists && at.KW_EXISTS() !== null) return { pieces: NOTHING, kind: "ctas" };
  if (exists) refuse(pass, at.tableNameCreate(), `Table '${name}' already exists.`, "Drop it, or use another name.");
  const names = at.columnListCreate();
  const list = names === null ? raw("") : sql` ${weave(pass, names)}`;
  const condition = at.KW_EXISTS() === null ? "" : "IF NOT EXISTS ";
  const empty = at.KW_NO() === null ? "" : " WITH NO DATA";
  const location = properties.get("external_location");
  const table = (body: Sql) => sql`CREATE TABLE ${condition}${identifier(name)}${list} AS (${body})${empty}`;
  if (typeof location !== "string") return { pieces: table(weave(pass, root)), kind: "ctas", table: name };
  if (names !== null) refuse(pass, names, "Column names before AS are not done with a location.", "Use aliases.");
  const own = ownTexts(columns, properties);
  if (own !== undefined) refuse(pass, root, own.message, own.next);
  const folder = folderOf(location, context.locate);
  return placedAt(pass, clause ?? at, () => ({
    // The table keeps what the files hold; both are there or neither is.
    pieces: sql`BEGIN TRANSACTION;\n${table(checkedRows(weave(pass, root), columns, properties))};\n${copyTo(raw(identifier(name)), properties, folder)};\nCOMMIT`,
    kind: "ctas",
    table: name,
    writes: folder,
  }));
}

/** Does `work`; what it refuses without a place stands at `at`. */
function placedAt<T>(pass: Pass, at: ParserRuleContext, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.at !== undefined || fault.code !== "query.refused") throw fault;
    return refuse(pass, at, fault.message, fault.next);
  }
}

function insert(pass: Pass, at: G.InsertIntoContext): Output {
  const name = tableName(pass, at.tableRef());
  const target = relation(pass, at.tableRef(), pass.scope, []);
  const columns = pass.query(at.rootQuery());
  const names = at
    .columnList()
    ?.columnRef()
    .map((column) => column.getText().replaceAll('"', "").toLowerCase());
  if (!target.open) {
    const wanted =
      names?.map(
        (column) =>
          target.columns.find((known) => known.name.toLowerCase() === column) ??
          refuse(pass, at.columnList() as ParserRuleContext, `Column '${column}' does not exist in '${name}'.`),
      ) ?? target.columns;
    const given = columns.map((column) => typeName(column.type)).join(", ");
    const mismatch =
      wanted.length !== columns.length ||
      wanted.some((column, i) => !storesAs(columns[i]?.type as SqlType, column.type));
    if (mismatch)
      refuse(
        pass,
        at.rootQuery(),
        `Insert query has mismatched column types: Table: [${wanted.map((column) => typeName(column.type)).join(", ")}], Query: [${given}]`,
        "Cast the columns.",
      );
  }
  const list = at.columnList();
  return {
    pieces: sql`INSERT INTO ${identifier(name)}${list === null ? "" : sql` ${weave(pass, list)}`} ${weave(pass, at.rootQuery())}`,
    kind: "insert",
    table: name,
  };
}

const storesAs = (from: SqlType, to: SqlType): boolean =>
  coerces(from, to) || (from.kind === "decimal" && to.kind === "double");

function createTable(pass: Pass, at: G.CreateTableContext): Output {
  const name = tableName(pass, at.tableNameCreate());
  placedAt(pass, at.properties() ?? at, () => checkProperties(propertiesAt(pass, at.properties())));
  const columns = at.tableElement().map((node) => {
    const definition = node.columnDefinition();
    if (definition === null) return refuse(pass, node, "LIKE in CREATE TABLE is not done here.");
    const column = nameOf(pass, definition.columnNameCreate().identifier());
    return sql`${identifier(column)} ${duckType(typeAt(pass, definition.type()))}${definition.KW_NULL() === null ? "" : " NOT NULL"}`;
  });
  const condition = at.KW_EXISTS() === null ? "" : "IF NOT EXISTS ";
  return {
    pieces: sql`CREATE TABLE ${condition}${identifier(name)} (${join(columns, ", ")})`,
    kind: "ddl",
    table: name,
  };
}

/** DELETE, UPDATE and MERGE of Iceberg tables. */
function change(pass: Pass, at: G.DeleteContext | G.UpdateContext | G.MergeContext): Output {
  const name = tableName(pass, at.tableRef());
  const target = relation(pass, at.tableRef(), EMPTY, []);
  let { columns, open } = target;
  if (at instanceof G.MergeContext) {
    const alias = at.identifier();
    columns = columns.map((column) => ({ ...column, relation: alias === null ? name : nameOf(pass, alias) }));
    const source = relation(pass, at.relation(), EMPTY, columns);
    columns = [...columns, ...source.columns];
    open ||= source.open;
  }
  pass.scope = { columns, open };
  /** Trino casts what is set as little as what is inserted. */
  const set = (name: G.IdentifierContext, value: G.ExpressionContext): void => {
    const [column] = target.columns.filter((known) => known.name.toLowerCase() === nameOf(pass, name).toLowerCase());
    if (column === undefined && !target.open) refuse(pass, name, `Column '${nameOf(pass, name)}' does not exist.`);
    const { type } = pass.typed(value);
    if (column !== undefined && !storesAs(type, column.type))
      refuse(
        pass,
        value,
        `Column '${column.name}' is ${typeName(column.type)}, not ${typeName(type)}.`,
        "Cast the value.",
      );
  };
  const walk = (node: ParserRuleContext): void => {
    if (node instanceof G.UpdateAssignmentContext) set(node.identifier(), node.expression());
    if (node instanceof G.MergeUpdateContext || node instanceof G.MergeInsertContext)
      for (const [i, name] of node._targets.entries()) set(name, node._values[i] as G.ExpressionContext);
    for (const child of node.children ?? []) {
      if (child instanceof G.ExpressionContext) pass.typed(child);
      else if (child instanceof G.BooleanExpressionContext) condition(pass, child);
      else if (!("symbol" in child) && !(child instanceof G.RelationContext)) walk(child as ParserRuleContext);
    }
  };
  walk(at);
  return { pieces: weave(pass, at), kind: "insert", table: name };
}

function shown(pass: Pass, at: G.StatementContext, context: RewriteContext): Output | undefined {
  if (at instanceof G.ShowColumnsContext) {
    const node = at.tableOrViewName();
    const describes = at.KW_SHOW() === null;
    if (at.KW_LIKE() !== null)
      refuse(pass, at._pattern as ParserRuleContext, "SHOW COLUMNS takes no pattern in Athena.");
    const output =
      describeTable(tableName(pass, node), context.catalogue, describes) ??
      refuse(pass, node, `Table '${tableName(pass, node)}' does not exist.`, "SHOW TABLES lists the tables.");
    return { pieces: output, kind: describes ? "describe" : "show" };
  }
  if (at instanceof G.ShowCreateTableContext || at instanceof G.ShowCreateViewContext) {
    if (at instanceof G.ShowCreateViewContext) refuse(pass, at, "The text of a view is not kept here.", "DESCRIBE it.");
    const node = (at as G.ShowCreateTableContext).tableRef();
    const name = tableName(pass, node);
    const output =
      showCreate(name, context.catalogue) ??
      refuse(pass, node, `Table '${name}' does not exist.`, "SHOW TABLES lists the tables.");
    return { pieces: output, kind: "show" };
  }
  return undefined;
}

const NOTHING: Sql = raw("SELECT 1 WHERE false");

function prepared(
  pass: Pass,
  at: G.StatementContext,
  context: RewriteContext,
  again: (text: string) => Output,
): Output | undefined {
  if (at instanceof G.PrepareContext)
    return {
      pieces: NOTHING,
      kind: "prepare",
      prepare: { name: nameOf(pass, at.identifier()), text: sourceOf(pass, at.statement()) },
    };
  if (at instanceof G.DeallocateContext) {
    const name = nameOf(pass, at.identifier());
    known(pass, at.identifier(), name, context);
    return { pieces: NOTHING, kind: "prepare", deallocate: name };
  }
  if (!(at instanceof G.ExecuteContext) && !(at instanceof G.ExecuteImmediateContext)) return undefined;
  const text =
    at instanceof G.ExecuteContext
      ? known(pass, at.identifier(), nameOf(pass, at.identifier()), context)
      : (literalText(pass.source, at.string()) ?? "");
  const filled = fillParameters(
    pass,
    at,
    text,
    at.expression().map((value) => sourceOf(pass, value)),
  );
  try {
    const output = again(filled);
    // Its places are those of the prepared text; here the whole EXECUTE stands for them.
    return { ...output, kind: "execute", pieces: output.pieces.map((piece) => ({ text: piece.text })) };
  } catch (error) {
    const fault = Fault.from(error);
    throw new Fault(fault.code, `In the prepared statement: ${fault.message}`, {
      ...(fault.next !== undefined && { next: fault.next }),
      at: placeAt(pass.source, at.start?.start ?? 0, sourceOf(pass, at).length),
    });
  }
}

function known(pass: Pass, at: ParserRuleContext, name: string, context: RewriteContext): string {
  for (const [other, text] of context.prepared ?? []) if (other.toLowerCase() === name.toLowerCase()) return text;
  return refuse(pass, at, `There is no prepared statement '${name}'.`, "Run its PREPARE first.");
}

/** The text of a prepared statement with its question marks replaced. */
function fillParameters(pass: Pass, at: ParserRuleContext, text: string, values: readonly string[]): string {
  const tokens = tokenize(text);
  let used = 0;
  const pasted = tokens.map(({ kind, text: mark }) => (kind === "symbol" && mark === "?" ? values[used++] : undefined));
  if (used !== values.length)
    refuse(
      pass,
      at,
      `Incorrect number of parameters: expected ${used} but found ${values.length}.`,
      "Give a value for each ? after USING.",
    );
  return textOf(paste(tokens, pasted).flat());
}
