/** What stands in FROM: tables, subqueries, joins, UNNEST. https://trino.io/docs/current/sql/select.html#from-clause */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import type { CatalogueTable } from "./catalogue.ts";
import { condition } from "./expression.ts";
import { nameOf } from "./names.ts";
import { nearest } from "./nearest.ts";
import { comparison } from "./operators.ts";
import { type Column, type Pass, refuse, refuseUnknown, type Typed, weave } from "./pass.ts";
import { namedQuery, type Scope, type ScopeColumn } from "./scope.ts";
import { join, raw, type Sql, sql } from "./text.ts";
import { BIGINT, element, identifier, isNumeric, parseType, type SqlType, typeName, UNKNOWN } from "./types.ts";

/** The columns that a relation brings. */
export interface Relation {
  readonly columns: readonly ScopeColumn[];
  /** Whether its columns are not known. */
  readonly open: boolean;
  /** Whether DuckDB's * has another order of columns than Trino's (JOIN ... USING). */
  readonly reordered?: boolean;
}

/** Rewrites a relation; `left` are the columns of what stands before it, which UNNEST and LATERAL may use. */
export function relation(pass: Pass, at: ParserRuleContext, outer: Scope, left: readonly ScopeColumn[]): Relation {
  if (at instanceof G.JoinRelationContext) return joined(pass, at, outer, left);
  if (at instanceof G.SampledRelationContext) return sampled(pass, at, outer, left);
  if (at instanceof G.PatternRecognitionContext && at.KW_MATCH_RECOGNIZE() !== null)
    return refuse(pass, at, "MATCH_RECOGNIZE runs on Athena only.", "Use lag and lead for simple patterns.");
  if (at instanceof G.AliasedRelationContext) return aliasedRelation(pass, at, outer, left);
  if (at instanceof G.TableRefContext) return tableRelation(pass, at, outer, undefined);
  if (at instanceof G.ParenthesizedRelationContext) return relation(pass, at.relation(), outer, left);
  if (at instanceof G.RelationDefaultContext || at instanceof G.PatternRecognitionContext)
    return relation(pass, at.getChild(0) as ParserRuleContext, outer, left);
  return refuse(pass, at, "This kind of relation is not done here.", "It runs on Athena.");
}

function joined(pass: Pass, at: G.JoinRelationContext, outer: Scope, before: readonly ScopeColumn[]): Relation {
  if (at.KW_NATURAL() !== null)
    return refuse(pass, at, "NATURAL JOIN is not supported by Trino.", "Use JOIN ... USING.");
  const left = relation(pass, at._left as ParserRuleContext, outer, before);
  const right = relation(pass, (at._right ?? at._rightRelation) as ParserRuleContext, outer, [
    ...before,
    ...left.columns,
  ]);
  const open = left.open || right.open;
  const reordered = left.reordered === true || right.reordered === true;
  const all = [...left.columns, ...right.columns];
  const criteria = at.joinCriteria();
  if (criteria === null) return { columns: all, open, reordered };
  const [test, equality] = [criteria.booleanExpression(), criteria.joinColumnEquality()];
  if (test !== null || equality !== null) {
    const scope = pass.scope;
    pass.scope = { columns: [...before, ...all], open, outer };
    if (test !== null) condition(pass, test);
    if (equality !== null) equal(pass, equality);
    pass.scope = scope;
    return { columns: all, open, reordered };
  }
  return using(pass, criteria, left, right, open, reordered);
}

/** `ON a.x = b.y`, which the grammar has a rule of its own for. */
function equal(pass: Pass, at: G.JoinColumnEqualityContext): void {
  const [left, right] = [pass.typed(at._left as ParserRuleContext), pass.typed(at._right as ParserRuleContext)];
  pass.done.set(at, comparison(pass, at, "=", left, right, weave(pass, at)).sql);
}

/** In Trino's * the columns of USING come first, once; in DuckDB's they stay in their place. */
function using(
  pass: Pass,
  at: G.JoinCriteriaContext,
  left: Relation,
  right: Relation,
  open: boolean,
  reordered: boolean,
): Relation {
  const names = at.identifier().map((node) => nameOf(pass, node).toLowerCase());
  const shared = names.map((name): ScopeColumn => {
    const [a, b] = [left, right].map((side) => side.columns.find((column) => column.name.toLowerCase() === name));
    if ((a === undefined && !left.open) || (b === undefined && !right.open))
      return refuse(pass, at, `Column '${name}' of USING is not on both sides of the join.`);
    return { name: a?.name ?? name, type: a?.type ?? UNKNOWN, relation: undefined };
  });
  const rest = (side: Relation): ScopeColumn[] =>
    side.columns.filter((column) => !names.includes(column.name.toLowerCase()));
  const inPlace = left.columns.slice(0, names.length).every((column, i) => column.name.toLowerCase() === names[i]);
  return { columns: [...shared, ...rest(left), ...rest(right)], open, reordered: reordered || !inPlace };
}

function identifiersIn(node: ParserRuleContext): G.IdentifierContext[] {
  if (node instanceof G.IdentifierContext) return [node];
  return (node.children ?? []).flatMap((child) => ("symbol" in child ? [] : identifiersIn(child as ParserRuleContext)));
}

function sampled(pass: Pass, at: G.SampledRelationContext, outer: Scope, left: readonly ScopeColumn[]): Relation {
  const found = relation(pass, at.patternRecognition(), outer, left);
  if (at.KW_TABLESAMPLE() === null) return found;
  const share = pass.typed(at._percentage as ParserRuleContext);
  if (typeof share.literal !== "number" || !isNumeric(share.type))
    return refuse(pass, at, "The share of TABLESAMPLE must be a number to run here.");
  if (share.literal < 0 || share.literal > 100)
    return refuse(pass, at._percentage as ParserRuleContext, "The share of TABLESAMPLE lies between 0 and 100.");
  const method = at.sampleType()?.getText().toUpperCase() ?? "BERNOULLI";
  pass.done.set(
    at,
    sql`${weave(pass, at.patternRecognition())} TABLESAMPLE ${method} (${String(share.literal)} PERCENT)`,
  );
  return found;
}

function aliasedRelation(
  pass: Pass,
  at: G.AliasedRelationContext,
  outer: Scope,
  left: readonly ScopeColumn[],
): Relation {
  const alias = at.identifier() === null ? undefined : nameOf(pass, at.identifier() as G.IdentifierContext);
  const names = at
    .columnAliases()
    ?.identifier()
    .map((name) => nameOf(pass, name));
  const primary = at.relationPrimary();
  if (primary instanceof G.TableNameContext) {
    if (primary.queryPeriod() !== null) return refuse(pass, primary, "FOR TIMESTAMP AS OF runs on Athena only.");
    return renamed(pass, at, tableRelation(pass, primary.tableOrViewName(), outer, alias), names, alias);
  }
  if (primary instanceof G.ParenthesizedRelationContext) {
    const inner = relation(pass, primary.relation(), outer, left);
    if (alias !== undefined)
      return refuse(pass, at, "An alias of a bracketed join is not done here.", "Write a subquery.");
    return inner;
  }
  const source = primary instanceof G.ExpressionSourceTableContext ? primary.relationSourceTable() : primary;
  if (source instanceof G.UnnestContext) return unnest(pass, at, source, { alias, names, outer, left });
  const lateral = source instanceof G.LateralContext;
  if (lateral || source instanceof G.SubqueryRelationContext) {
    const scope = pass.scope;
    pass.scope = lateral ? { columns: left, open: false, outer } : outer;
    const columns = pass.query(source.query());
    pass.scope = scope;
    return renamed(pass, at, { columns: keep(columns), open: false }, names, alias, columns);
  }
  return refuse(pass, primary, "This kind of relation is not done here.", "It runs on Athena.");
}

const keep = (columns: readonly Column[]): ScopeColumn[] =>
  columns.flatMap((column) =>
    column.name === undefined ? [] : [{ name: column.name, type: column.type, relation: column.relation }],
  );

function renamed(
  pass: Pass,
  at: ParserRuleContext,
  found: Relation,
  names: readonly string[] | undefined,
  alias: string | undefined,
  all: readonly Column[] = found.columns,
): Relation {
  if (names === undefined)
    return { ...found, columns: found.columns.map((column) => ({ ...column, relation: alias ?? column.relation })) };
  if (!found.open && names.length !== all.length)
    refuse(pass, at, `The column aliases count ${names.length}, the columns ${all.length}.`);
  return { ...found, columns: names.map((name, i) => ({ name, type: all[i]?.type ?? UNKNOWN, relation: alias })) };
}

function tableRelation(pass: Pass, at: ParserRuleContext, outer: Scope, alias: string | undefined): Relation {
  const parts = identifiersIn(at);
  const node = parts.at(-1) as G.IdentifierContext;
  const name = nameOf(pass, node);
  const relationName = alias ?? name;
  if (parts.length === 1) {
    const query = namedQuery(outer, name);
    if (query !== undefined)
      return { columns: query.map((column) => ({ ...column, relation: relationName })), open: false };
  }
  if (parts.length > 1 && /^information_schema$/i.test(nameOf(pass, parts.at(-2) as G.IdentifierContext)))
    return refuse(pass, at, "information_schema differs between the targets.", "Use SHOW TABLES and SHOW COLUMNS.");
  // The lake is one schema here; a schema or catalogue before the name is left out.
  pass.done.set(at, weave(pass, node));
  if (pass.catalogue === undefined) return { columns: [], open: true };
  const table = pass.catalogue.tables.find((known) => known.name.toLowerCase() === name.toLowerCase());
  if (table === undefined) {
    const near = nearest(
      name,
      pass.catalogue.tables.map((known) => known.name),
    );
    return refuse(
      pass,
      at,
      `Table '${name}' does not exist${near === undefined ? "" : `; did you mean '${near}'?`}`,
      "SHOW TABLES lists the tables.",
    );
  }
  return {
    columns: typesOf(table).map((column) => ({ ...column, relation: relationName })),
    open: false,
  };
}

/** The columns of the catalogue's tables with their types, read once a table. */
const READ = new WeakMap<CatalogueTable, readonly ScopeColumn[]>();

function typesOf(table: CatalogueTable): readonly ScopeColumn[] {
  const known = READ.get(table);
  if (known !== undefined) return known;
  const columns = table.columns.map(({ name, type }) => ({
    name,
    type: parseType(type) ?? UNKNOWN,
    relation: undefined,
  }));
  READ.set(table, columns);
  return columns;
}

interface UnnestContext {
  readonly alias: string | undefined;
  readonly names: readonly string[] | undefined;
  readonly outer: Scope;
  readonly left: readonly ScopeColumn[];
}

/** UNNEST side by side: the shorter are filled with NULL, maps give two columns, rows one for each field. */
function unnest(
  pass: Pass,
  at: G.AliasedRelationContext,
  source: G.UnnestContext,
  { alias, names, outer, left }: UnnestContext,
): Relation {
  const scope = pass.scope;
  pass.scope = { columns: left, open: left.length === 0 && pass.catalogue === undefined, outer };
  const values = source.expression().map((node) => ({ ...pass.typed(node), node }));
  pass.scope = scope;
  const outputs: Sql[] = [];
  const types: SqlType[] = [];
  const lengths: Sql[] = [];
  for (const { node, ...value } of values) addUnnested(pass, node, value, outputs, types, lengths);
  const ordinality = source.KW_ORDINALITY() !== null;
  if (ordinality) {
    const longest = lengths.length === 1 ? (lengths[0] as Sql) : sql`greatest(${join(lengths, ", ")})`;
    outputs.push(sql`unnest(range(1, 1 + ${longest}))`);
    types.push(BIGINT);
  }
  if (names !== undefined && names.length !== types.length)
    refuse(pass, at, `UNNEST gives ${types.length} columns here; ${names.length} are named.`);
  const columns = types.map((type, i): ScopeColumn => ({ name: names?.[i] ?? `field${i}`, type, relation: alias }));
  const aliases = sql`AS ${identifier(alias ?? pass.fresh("u"))}(${join(
    columns.map((column) => raw(identifier(column.name))),
    ", ",
  )})`;
  pass.done.set(at, sql`LATERAL (SELECT ${join(outputs, ", ")}) ${aliases}`);
  return { columns, open: false };
}

function addUnnested(
  pass: Pass,
  node: ParserRuleContext,
  value: Typed,
  outputs: Sql[],
  types: SqlType[],
  lengths: Sql[],
): void {
  const { type, sql: list } = value;
  if (type.kind === "map") {
    outputs.push(sql`unnest(map_keys(${list}))`, sql`unnest(map_values(${list}))`);
    types.push(element(type, 0), element(type, 1));
    lengths.push(sql`CAST(cardinality(${list}) AS BIGINT)`);
    return;
  }
  if (type.kind !== "array") {
    if (type.kind === "unknown") refuseUnknown(pass, node, "Whether UNNEST gets an array or a map is not known here.");
    refuse(pass, node, `UNNEST takes arrays and maps, not ${typeName(type)}.`);
  }
  lengths.push(sql`len(${list})`);
  const item = element(type);
  if (item.kind !== "row") {
    outputs.push(sql`unnest(${list})`);
    types.push(item);
    return;
  }
  const e = pass.fresh("e");
  for (const [i, fieldType] of (item.of ?? []).entries()) {
    const name = item.names?.[i];
    const part = name === undefined ? `[${i + 1}]` : `.${identifier(name)}`;
    outputs.push(sql`unnest(list_transform(${list}, lambda ${e}: ${e}${part}))`);
    types.push(fieldType);
  }
}
