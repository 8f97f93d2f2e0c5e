/** References to columns, to fields of rows and to parameters of lambdas. */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { quote } from "./lexer.ts";
import { nameOf } from "./names.ts";
import { nearest } from "./nearest.ts";
import { type Pass, refuse, type Typed, weave } from "./pass.ts";
import { hasRelation, resolve, visibleNames } from "./scope.ts";
import { sql } from "./text.ts";
import { type SqlType, typeName, UNKNOWN } from "./types.ts";

/** `column`, `relation.column`, `schema.relation.column`, each with fields of rows behind it; or a field of any row. */
export function reference(pass: Pass, at: ParserRuleContext): Typed {
  const path = pathOf(at);
  if (path !== undefined) return named(pass, at, path);
  const node = at as G.DereferenceContext;
  const base = pass.typed(node._base as G.PrimaryExpressionContext);
  return field(pass, node, base, nameOf(pass, node._fieldName as G.IdentifierContext));
}

/** The identifiers of a reference that is made of nothing else. */
function pathOf(at: ParserRuleContext): readonly G.IdentifierContext[] | undefined {
  if (at instanceof G.DereferenceContext) {
    const base = pathOf(at._base as ParserRuleContext);
    return base === undefined ? undefined : [...base, at._fieldName as G.IdentifierContext];
  }
  if (at instanceof G.IdentifierContext) return [at];
  if (at instanceof G.QualifiedNameContext) return at.identifier();
  if (at instanceof G.JoinColumnReferenceContext)
    return (at.children ?? []).flatMap((child) =>
      "symbol" in child ? [] : (pathOf(child as ParserRuleContext) ?? []),
    );
  if (at instanceof G.ColumnReferenceContext || at instanceof G.ColumnRefContext || at instanceof G.ColumnNameContext) {
    const child = at.getChild(0);
    return child === null ? undefined : pathOf(child as ParserRuleContext);
  }
  return undefined;
}

function named(pass: Pass, at: ParserRuleContext, path: readonly G.IdentifierContext[]): Typed {
  const names = path.map((part) => nameOf(pass, part));
  // As a column with fields behind it, as relation.column, as schema.relation.column, as catalogue.schema.relation.column.
  for (const skip of qualified(pass, names) ? [1] : [0, 1, 2, 3].slice(0, names.length)) {
    const relation = skip === 0 ? undefined : names[skip - 1];
    if (relation !== undefined && !hasRelation(pass.scope, relation) && skip > 1) continue;
    const found = resolve(pass.scope, names[skip] as string, relation);
    if (found.kind === "ambiguous")
      return refuse(
        pass,
        at,
        `Column '${names[skip]}' is ambiguous: it is in ${found.relations.filter((r) => r !== "").join(" and ")}.`,
        "Put the relation's name before it.",
      );
    if (found.kind === "missing") continue;
    if (found.kind === "unknown" && skip === 0 && names.length > 1) continue;
    const rest = names.slice(skip + 1);
    if (found.kind === "lambda")
      return rest.reduce((base, name) => field(pass, at, base, name), { sql: found.sql, type: found.type } as Typed);
    const type = found.kind === "column" ? found.type : UNKNOWN;
    const fields = rest.reduce((inner, name) => fieldType(pass, at, inner, name), type);
    if (skip <= 1) return { sql: weave(pass, at), type: fields };
    return {
      sql: path.slice(skip - 1).flatMap((part, i) => (i === 0 ? weave(pass, part) : sql`.${weave(pass, part)}`)),
      type: fields,
    };
  }
  return missing(pass, at, names);
}

/** Whether a relation of the name before it has the column: it comes before a field of a column of that name. */
function qualified(pass: Pass, [relation, column]: readonly string[]): boolean {
  if (relation === undefined || column === undefined) return false;
  return resolve(pass.scope, relation).kind !== "lambda" && resolve(pass.scope, column, relation).kind === "column";
}

function missing(pass: Pass, at: ParserRuleContext, names: readonly string[]): never {
  const near = nearest(names.at(-1) as string, visibleNames(pass.scope));
  return refuse(
    pass,
    at,
    `Column '${names.join(".")}' cannot be resolved${near === undefined ? "" : `; did you mean '${near}'?`}`,
    "Aliases of SELECT are known in ORDER BY only.",
  );
}

function fieldType(pass: Pass, at: ParserRuleContext, row: SqlType, name: string): SqlType {
  if (row.kind === "unknown") return UNKNOWN;
  const index =
    row.kind === "row" ? (row.names ?? []).findIndex((known) => known?.toLowerCase() === name.toLowerCase()) : -1;
  if (index < 0) return refuse(pass, at, `${typeName(row)} has no field '${name}'.`);
  return row.of?.[index] as SqlType;
}

function field(pass: Pass, at: ParserRuleContext, base: Typed, name: string): Typed {
  const type = fieldType(pass, at, base.type, name);
  return { sql: sql`struct_extract(${base.sql}, ${quote(name)})`, type };
}
