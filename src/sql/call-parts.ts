/** Parts that calls share: the body of a lambda, and the clauses of an aggregate. */
import type { FunctionCallContext, LambdaContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { type Pass, type Typed, weave } from "./pass.ts";
import { join, raw, type Sql, sql } from "./text.ts";
import type { SqlType } from "./types.ts";

/** The body of a lambda with its parameters bound to the given SQL. */
export function lambdaBody(
  pass: Pass,
  node: LambdaContext,
  params: readonly { name: string; type: SqlType; sql: Sql }[],
): Typed {
  const outer = pass.scope;
  pass.scope = {
    columns: [],
    open: false,
    outer,
    lambda: new Map(params.map(({ name, type, sql: value }) => [name.toLowerCase(), { sql: value, type }])),
  };
  try {
    return pass.typed(node.expression());
  } finally {
    pass.scope = outer;
  }
}

/** DISTINCT, ORDER BY, IGNORE NULLS, and FILTER with OVER, as they are written. */
export function clauses(pass: Pass, node: FunctionCallContext): Record<string, Sql> {
  for (const item of node.sortItem()) pass.typed(item);
  const items = node.sortItem().map((item) => weave(pass, item));
  const nulls = node.nullTreatment();
  const [filter, over] = [node.filter(), node.over()];
  if (filter !== null) pass.typed(filter);
  if (over !== null) pass.typed(over);
  return {
    D: node.setQuantifier()?.KW_DISTINCT() ? raw("DISTINCT ") : raw(""),
    O: items.length > 0 ? sql` ORDER BY ${join(items, ", ")}` : raw(""),
    N: nulls === null ? raw("") : sql` ${weave(pass, nulls)}`,
    F: sql`${filter === null ? "" : sql` ${weave(pass, filter)}`}${over === null ? "" : sql` ${weave(pass, over)}`}`,
  };
}
