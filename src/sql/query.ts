/** Queries: WITH, SELECT, set operations, ORDER BY and LIMIT. https://trino.io/docs/current/sql/select.html */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { condition, unify } from "./expression.ts";
import { nameOf } from "./names.ts";
import { refuseNaNFirst } from "./nan.ts";
import { type Column, type Pass, refuse, weave } from "./pass.ts";
import { relation } from "./relation.ts";
import { EMPTY, hasRelation, type Scope, type ScopeColumn } from "./scope.ts";
import { join, raw, type Sql, sql } from "./text.ts";
import { commonType, identifier, type SqlType, typeName, UNKNOWN } from "./types.ts";
import { unwrap } from "./unwrap.ts";

/** The columns of a query; rewrites it on the way. `outermost` names columns without an alias as Athena does: `_col0`. */
export function query(pass: Pass, at: ParserRuleContext, outermost = false): readonly Column[] {
  if (at instanceof G.RootQueryContext) {
    if (at.withFunction() !== null)
      refuse(pass, at.withFunction() as ParserRuleContext, "Inline functions run on Athena only.");
    return query(pass, at.query(), outermost);
  }
  if (at instanceof G.QueryStatementContext) return withQueries(pass, at, outermost);
  if (at instanceof G.QueryNoWithContext) return sorted(pass, at, outermost);
  if (at instanceof G.QueryTermDefaultContext || at instanceof G.QueryPrimaryDefaultContext)
    return query(pass, at.getChild(0) as ParserRuleContext, outermost);
  if (at instanceof G.SubqueryContext) return query(pass, at.queryNoWith(), outermost);
  if (at instanceof G.SetOperationContext) return setOperation(pass, at, outermost);
  if (at instanceof G.InlineTableContext) return values(pass, at);
  if (at instanceof G.TableContext) return relation(pass, at.tableRef(), pass.scope, []).columns;
  if (at instanceof G.QuerySpecificationContext) return select(pass, at, outermost).columns;
  return refuse(pass, at, "This kind of query is not done here.");
}

function withQueries(pass: Pass, at: G.QueryStatementContext, outermost: boolean): readonly Column[] {
  const clause = at.with();
  if (clause === null) return query(pass, at.queryNoWith(), outermost);
  const outer = pass.scope;
  const known = new Map<string, readonly ScopeColumn[]>();
  for (const named of clause.namedQuery()) {
    const name = nameOf(pass, named._name as G.IdentifierContext);
    const aliases = named
      .columnAliases()
      ?.identifier()
      .map((alias) => nameOf(pass, alias));
    pass.scope = { ...EMPTY, queries: known, outer };
    if (clause.KW_RECURSIVE() !== null) {
      const anchor = anchorOf(named.query());
      if (anchor !== undefined) known.set(name.toLowerCase(), aliased(pass, named, query(pass, anchor), aliases, name));
    }
    known.set(name.toLowerCase(), aliased(pass, named, query(pass, named.query()), aliases, name));
  }
  pass.scope = { ...EMPTY, queries: known, outer };
  const columns = query(pass, at.queryNoWith(), outermost);
  pass.scope = outer;
  return columns;
}

/** The first part of a recursive query, which gives the types. */
function anchorOf(at: G.QueryContext): ParserRuleContext | undefined {
  const node = unwrap(at);
  return node instanceof G.SetOperationContext ? (node._left as ParserRuleContext) : undefined;
}

/** The columns of a relation under its alias, with other names where given. */
export function aliased(
  pass: Pass,
  at: ParserRuleContext,
  columns: readonly Column[],
  names: readonly string[] | undefined,
  name: string | undefined,
): ScopeColumn[] {
  if (names !== undefined && names.length !== columns.length)
    refuse(pass, at, `The column aliases count ${names.length}, the columns ${columns.length}.`);
  return columns.flatMap((column, i): ScopeColumn[] => {
    const known = names?.[i] ?? column.name;
    return known === undefined ? [] : [{ name: known, type: column.type, relation: name ?? column.relation }];
  });
}

function sorted(pass: Pass, at: G.QueryNoWithContext, outermost: boolean): readonly Column[] {
  const term = unwrapTerm(at.queryTerm());
  const single = term instanceof G.QuerySpecificationContext ? select(pass, term, outermost) : undefined;
  const columns = single?.columns ?? query(pass, at.queryTerm(), outermost);
  const outer = pass.scope;
  const output = columns.flatMap((column): ScopeColumn[] =>
    column.name === undefined ? [] : [{ name: column.name, type: column.type, relation: undefined }],
  );
  const source = single?.scope ?? { ...EMPTY, outer };
  for (const item of at.sortItem()) {
    const bare =
      item.columnRef() !== null || unwrap(item.expression() as ParserRuleContext) instanceof G.IdentifierContext;
    if (!bare) checkShadowed(pass, item, columns, source);
    pass.scope = { columns: dedupe(output), open: false, outer: source };
    pass.typed(item);
    const ordinal = columns[Number(item.getChild(0)?.getText()) - 1];
    if (ordinal !== undefined && item.KW_FIRST() !== null) refuseNaNFirst(pass, item, ordinal.type);
  }
  pass.scope = outer;
  limits(pass, at);
  return columns;
}

/** Two output columns of one name are ambiguous only where they are asked for; the first stands for both when they are the same. */
const dedupe = (columns: readonly ScopeColumn[]): ScopeColumn[] =>
  columns.filter(
    (column, i) => columns.findIndex((other) => other.name.toLowerCase() === column.name.toLowerCase()) === i,
  );

/** In an expression of ORDER BY a name that is both an alias and a column means the alias in Trino and the column in DuckDB. */
function checkShadowed(pass: Pass, item: ParserRuleContext, columns: readonly Column[], source: Scope): void {
  const aliases = new Set(
    columns.flatMap((column) =>
      column.name === undefined || column.relation !== undefined ? [] : [column.name.toLowerCase()],
    ),
  );
  const walk = (node: ParserRuleContext): void => {
    if (node instanceof G.ColumnReferenceContext || node instanceof G.ColumnRefContext) {
      const name = node.getText().toLowerCase();
      if (aliases.has(name) && source.columns.some((column) => column.name.toLowerCase() === name))
        refuse(pass, node, `'${name}' is both a column and an alias of SELECT here.`, "Give the alias another name.");
    }
    for (const child of node.children ?? []) if (!("symbol" in child)) walk(child as ParserRuleContext);
  };
  walk(item);
}

function unwrapTerm(at: ParserRuleContext): ParserRuleContext {
  let node = at;
  while (node instanceof G.QueryTermDefaultContext || node instanceof G.QueryPrimaryDefaultContext)
    node = node.getChild(0) as ParserRuleContext;
  return node;
}

function limits(pass: Pass, at: G.QueryNoWithContext): void {
  if (at.KW_TIES() !== null) refuse(pass, at, "FETCH FIRST ... WITH TIES is not done here.", "Use rank() and filter.");
  if (at.KW_FETCH() === null && at.KW_OFFSET() === null) return;
  const parts: Sql[] = [weave(pass, at.queryTerm())];
  if (at.sortItem().length > 0)
    parts.push(
      sql`ORDER BY ${join(
        at.sortItem().map((item) => weave(pass, item)),
        ", ",
      )}`,
    );
  const limit = at._limit ?? at._fetchFirst;
  const rows = limit?.getText() ?? (at.KW_FETCH() === null ? undefined : "1");
  if (rows !== undefined && rows.toUpperCase() !== "ALL") parts.push(raw(`LIMIT ${rows}`));
  if (at._offset) parts.push(raw(`OFFSET ${at._offset.getText()}`));
  pass.done.set(at, join(parts, "\n"));
}

function setOperation(pass: Pass, at: G.SetOperationContext, outermost: boolean): readonly Column[] {
  const [left, right] = [
    query(pass, at._left as ParserRuleContext, outermost),
    query(pass, at._right as ParserRuleContext),
  ];
  if (left.length !== right.length)
    refuse(pass, at, `Both sides must have the same number of columns: ${left.length} and ${right.length}.`);
  return left.map((column, i) => {
    const other = right[i]?.type ?? UNKNOWN;
    const type = commonType(column.type, other);
    if (type === undefined)
      return refuse(
        pass,
        at,
        `Column ${i + 1} is ${typeName(column.type)} on one side and ${typeName(other)} on the other.`,
        "Cast one of them.",
      );
    if (type.kind === "timestamptz" && type.zone === undefined)
      return refuse(
        pass,
        at,
        "The sides have timestamps of different zones, which are not kept apart here.",
        "Use AT TIME ZONE on one side.",
      );
    return { name: column.name, type };
  });
}

function values(pass: Pass, at: G.InlineTableContext): readonly Column[] {
  const rows = at.expression().map((row) => {
    const node = unwrap(row);
    if (node instanceof G.RowConstructorContext) {
      const cells = node.expression().map((cell) => ({ ...pass.typed(cell), at: cell }));
      return { cells, node };
    }
    return { cells: [{ ...pass.typed(row), at: row }], node };
  });
  const width = rows[0]?.cells.length ?? 0;
  const uneven = rows.find((row) => row.cells.length !== width);
  if (uneven !== undefined) refuse(pass, uneven.node, `All rows of VALUES must have ${width} columns.`);
  pass.done.set(
    at,
    sql`VALUES ${join(
      rows.map(
        (row) =>
          sql`(${join(
            row.cells.map((cell) => cell.sql),
            ", ",
          )})`,
      ),
      ", ",
    )}`,
  );
  return Array.from({ length: width }, (_, i) => ({
    name: undefined,
    type: unify(
      pass,
      rows.map((row) => ({ type: row.cells[i]?.type as SqlType, at: row.cells[i]?.at as ParserRuleContext })),
    ),
  }));
}

/** One SELECT: its output, and the scope of its FROM for ORDER BY. */
function select(
  pass: Pass,
  at: G.QuerySpecificationContext,
  outermost: boolean,
): { columns: readonly Column[]; scope: Scope } {
  const outer = pass.scope;
  let columns: readonly ScopeColumn[] = [];
  let open = false;
  let starReordered = false;
  for (const from of at.relation()) {
    const found = relation(pass, from, outer, columns);
    columns = [...columns, ...found.columns];
    open ||= found.open;
    starReordered ||= found.reordered === true;
  }
  const scope: Scope = { columns, open, outer };
  pass.scope = scope;
  const [where, having] = [at.whereClause()?.booleanExpression(), at.havingClause()?.booleanExpression()];
  if (where !== undefined) condition(pass, where);
  const output = at
    .selectList()
    .selectItem()
    .flatMap((item, i): readonly Column[] => selectItem(pass, item, i, { scope, outermost, starReordered }));
  if (at.setQuantifier()?.KW_DISTINCT()) for (const column of output) groupable(pass, at, column.type);
  if (at.groupBy() !== null) groupBy(pass, at.groupBy() as G.GroupByContext, output);
  if (having !== undefined) condition(pass, having);
  for (const definition of at.windowDefinition()) pass.typed(definition.windowSpecification());
  pass.scope = outer;
  return { columns: output, scope };
}

interface SelectContext {
  readonly scope: Scope;
  readonly outermost: boolean;
  readonly starReordered: boolean;
}

function selectItem(
  pass: Pass,
  item: G.SelectItemContext,
  index: number,
  { scope, outermost, starReordered }: SelectContext,
): readonly Column[] {
  if (item.selectAllWithoutTable() !== null) {
    if (starReordered)
      pass.done.set(
        item,
        join(
          scope.columns.map((column) => raw(identifier(column.name))),
          ", ",
        ),
      );
    return scope.columns;
  }
  const all = item.tableAllColumns();
  if (all !== null) return allOf(pass, all, scope);
  const child = item.getChild(0) as ParserRuleContext;
  const node = child.getChild(0) as ParserRuleContext;
  const value = pass.typed(node);
  const alias = item.identifier();
  const name = alias === null ? columnName(pass, node) : nameOf(pass, alias);
  if (value.type.kind === "timestamptz" && value.type.zone === undefined)
    refuse(
      pass,
      node,
      "The zone of this timestamp comes with each value, which a result cannot keep here.",
      "Choose one: AT TIME ZONE 'UTC'; or CAST it AS timestamp.",
    );
  if (outermost && name === undefined) {
    pass.done.set(item, sql`${weave(pass, item)} AS "_col${String(index)}"`);
    return [{ name: `_col${index}`, type: value.type }];
  }
  // Without an alias DuckDB would take the name from the rewritten expression.
  if (alias === null && name !== undefined && value.sql.length > 0 && !isPlain(value.sql, name))
    pass.done.set(item, sql`${weave(pass, item)} AS ${identifier(name)}`);
  return [{ name, type: value.type }];
}

const isPlain = (text: Sql, name: string): boolean =>
  text
    .map((piece) => piece.text)
    .join("")
    .replaceAll('"', "")
    .toLowerCase()
    .endsWith(name.toLowerCase());

/** The name that Trino gives to a column without alias: that of the column or the field. */
function columnName(pass: Pass, at: ParserRuleContext): string | undefined {
  const node = unwrap(at);
  if (node instanceof G.DereferenceContext) return nameOf(pass, node._fieldName as G.IdentifierContext);
  if (node instanceof G.IdentifierContext) return nameOf(pass, node);
  if (node instanceof G.QualifiedNameContext) return nameOf(pass, node.identifier().at(-1) as G.IdentifierContext);
  return undefined;
}

function allOf(pass: Pass, at: G.TableAllColumnsContext, scope: Scope): readonly Column[] {
  const text =
    at
      .getText()
      .replace(/\.\*.*$/s, "")
      .replaceAll('"', "")
      .split(".")
      .at(-1) ?? "";
  if (
    /AS\s*\(/i.test(
      weave(pass, at)
        .map((piece) => piece.text)
        .join(""),
    )
  )
    refuse(pass, at, "Column aliases of a .* are not done here.", "List the columns.");
  if (!hasRelation({ columns: scope.columns, open: scope.open }, text) && !scope.open)
    refuse(pass, at, `'${text}' is no relation of FROM.`, "Fields of a row are listed one by one here.");
  return scope.columns.filter((column) => column.relation?.toLowerCase() === text.toLowerCase());
}

function groupable(pass: Pass, at: ParserRuleContext, type: SqlType): void {
  if (type.kind === "map" || type.kind === "json")
    refuse(pass, at, `Grouping by ${typeName(type)} compares its text here.`, "Cast it first.");
}

function groupBy(pass: Pass, at: G.GroupByContext, output: readonly Column[]): void {
  if (at.setQuantifier() !== null)
    refuse(pass, at, "GROUP BY DISTINCT and GROUP BY ALL are not done here.", "List the grouping sets.");
  const terms = (node: ParserRuleContext): void => {
    if (node instanceof G.GroupingTermContext) {
      const value = pass.typed(node.getChild(0) as ParserRuleContext);
      if (typeof value.literal === "number") {
        const column = output[value.literal - 1];
        if (column === undefined) refuse(pass, node, `GROUP BY position ${value.literal} is not in the select list.`);
        groupable(pass, node, column?.type ?? UNKNOWN);
      } else groupable(pass, node, value.type);
      return;
    }
    for (const child of node.children ?? []) if (!("symbol" in child)) terms(child as ParserRuleContext);
  };
  terms(at);
}
