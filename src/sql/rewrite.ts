/**
 * Athena's SQL (Trino 414 to 450) as DuckDB's, with the same result, or a refusal with its reason and place. The parser's tree is
 * walked once; types decide what an expression means; text that needs no change stays as it is. The rewritten SQL needs the macros
 * of `MACROS` and the settings of `SESSION`.
 */
import type { ParserRuleContext } from "antlr4ng";
import { Fault } from "../core/fault.ts";
import { expression } from "./expression.ts";
import { hiveStatement } from "./hive.ts";
import { quoteIdentifiers } from "./names.ts";
import { parse } from "./parser.ts";
import type { Column, Pass, Typed } from "./pass.ts";
import { placeAt } from "./place.ts";
import { query } from "./query.ts";
import type { RewriteContext } from "./rewrite-context.ts";
import { EMPTY } from "./scope.ts";
import { type Output, type StatementKind, statement } from "./statement.ts";
import { sourceMap, textOf } from "./text.ts";
import { duckType, hasUnnamedField, typeName } from "./types.ts";

export type { RewriteContext } from "./rewrite-context.ts";
export type { StatementKind } from "./statement.ts";

/** A column of the result, with its type in Athena's words. */
export interface ResultColumn {
  readonly name: string;
  readonly type: string;
  /** The zone in which a timestamp with time zone is shown. */
  readonly zone?: string;
  /** DuckDB's type to cast it to before it is stored in a table, which takes no row without field names. */
  readonly stored?: string;
}

export interface Rewritten {
  /** DuckDB's SQL: one statement, or several parted by semicolons. */
  readonly sql: string;
  readonly kind: StatementKind;
  /** The columns of the result, where they are known before it runs. */
  readonly columns?: readonly ResultColumn[];
  /** The table that the statement makes or changes. */
  readonly table?: string;
  /** The folder that the statement writes; it must exist. */
  readonly writes?: string;
  /** The folder that the statement reads; there must be files in it. */
  readonly reads?: string;
  /** For PREPARE: what to remember, without running anything. */
  readonly prepare?: { readonly name: string; readonly text: string };
  /** For DEALLOCATE PREPARE: what to forget, without running anything. */
  readonly deallocate?: string;
  /** The place in the source that a place in `sql` comes from. */
  map(offsetInRewritten: number): number;
}

/**
 * Rewrites one statement without its semicolon and with its named parameters bound.
 * @throws Fault "query.refused" with a place, for syntax errors and for what cannot run with the same result
 */
export function rewriteForDuckDB(text: string, context: RewriteContext): Rewritten {
  const hive = hiveStatement(text, context, (inner, base) => rewriteQuery(inner, context, text, base));
  const output = hive ?? rewriteParsed(text, context);
  const { columns, pieces, ...rest } = output;
  return {
    ...rest,
    sql: textOf(pieces),
    map: sourceMap(pieces),
    ...(columns !== undefined && { columns: columns.map(resultColumn) }),
  };
}

function resultColumn(column: Column, index: number): ResultColumn {
  const zone = column.type.kind === "timestamptz" ? column.type.zone : undefined;
  return {
    name: column.name ?? `_col${index}`,
    type: typeName(column.type),
    ...(zone !== undefined && { zone }),
    ...(hasUnnamedField(column.type) && { stored: duckType(column.type) }),
  };
}

function rewriteParsed(text: string, context: RewriteContext): Output {
  const { tree, errors } = parse(text);
  const [error] = errors;
  if (error !== undefined)
    throw new Fault("query.refused", error.message, { at: placeAt(text, error.offset, error.length) });
  const statements = tree.statements();
  const only = statements[0]?.singleStatement().statement();
  if (only === undefined || statements.length !== 1)
    throw new Fault("query.refused", "One statement is expected here.", { at: placeAt(text, 0, text.length) });
  const pass = newPass(text, context);
  quoteIdentifiers(pass, tree);
  return statement(pass, only, context, (inner) => rewriteParsed(inner, context));
}

/** The query inside a statement that the grammar does not know; its places are those of the whole text. */
function rewriteQuery(inner: string, context: RewriteContext, whole: string, base: number): Output {
  try {
    const output = rewriteParsed(inner, context);
    return {
      ...output,
      pieces: output.pieces.map((piece) => (piece.at === undefined ? piece : { ...piece, at: piece.at + base })),
    };
  } catch (error) {
    if (!(error instanceof Fault) || error.at === undefined) throw error;
    throw new Fault(error.code, error.message, {
      ...(error.next !== undefined && { next: error.next }),
      at: placeAt(whole, error.at.offset + base, error.at.length),
    });
  }
}

/** A pass over a statement: expressions are rewritten once and remembered. */
export function newPass(source: string, context: RewriteContext): Pass {
  const known = new Map<ParserRuleContext, Typed>();
  const pass: Pass = {
    source,
    catalogue: context.catalogue,
    scope: EMPTY,
    done: new Map(),
    typed(at) {
      const before = known.get(at);
      if (before !== undefined) return before;
      const result = expression(pass, at);
      known.set(at, result);
      pass.done.set(at, result.sql);
      return result;
    },
    query(at, outermost = false) {
      return query(pass, at, outermost);
    },
    // The depth of lambdas, not a counter: the same expression in SELECT and GROUP BY must give the same text.
    fresh(stem) {
      let depth = 0;
      for (let scope: Pass["scope"] | undefined = pass.scope; scope !== undefined; scope = scope.outer)
        if (scope.lambda !== undefined) depth++;
      return `_${stem}${depth}`;
    },
  };
  return pass;
}
