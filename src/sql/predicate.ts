/** Predicates: comparisons, BETWEEN, IN, LIKE, IS. https://trino.io/docs/current/functions/comparison.html */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { refuseNotIn } from "./composite.ts";
import { comparable, comparison } from "./operators.ts";
import { type Pass, refuse, type Typed, weave } from "./pass.ts";
import { sql } from "./text.ts";
import { BOOLEAN, isOpen, isText, rowOf, type SqlType, typeName, UNKNOWN } from "./types.ts";

/** `value predicate` */
export function predicate(pass: Pass, at: G.PredicatedContext): Typed {
  const value = pass.typed(at.valueExpression());
  const test = at.predicate() as G.PredicateContext;
  if (test instanceof G.ComparisonContext) {
    const right = pass.typed(test._right as G.ValueExpressionContext);
    return comparison(pass, at, test.comparisonOperator().getText(), value, right, weave(pass, at));
  }
  if (test instanceof G.DistinctFromContext) {
    const right = pass.typed(test._right as G.ValueExpressionContext);
    exact(pass, at, "=", value.type, right.type);
  } else if (test instanceof G.BetweenContext) {
    for (const bound of [test._lower, test._upper])
      exact(pass, at, ">=", value.type, pass.typed(bound as G.ValueExpressionContext).type);
  } else if (test instanceof G.InListContext) {
    if (test.KW_NOT() !== null) refuseNotIn(pass, at, value.type);
    for (const item of test.expression()) exact(pass, item, "=", value.type, pass.typed(item).type);
  } else if (test instanceof G.InSubqueryContext) {
    if (test.KW_NOT() !== null) refuseNotIn(pass, at, value.type);
    inQuery(pass, test, value.type, test.query(), "=");
  } else if (test instanceof G.QuantifiedComparisonContext) {
    inQuery(pass, test, value.type, test.query(), test.comparisonOperator().getText());
    const some = test.comparisonQuantifier();
    if (some.KW_SOME() !== null) pass.done.set(some, sql`ANY`);
  } else if (test instanceof G.LikeContext) like(pass, test, value);
  return { sql: weave(pass, at), type: BOOLEAN };
}

function inQuery(pass: Pass, at: ParserRuleContext, type: SqlType, query: ParserRuleContext, operator: string): void {
  const columns = pass.query(query);
  const right = columns.length === 1 ? (columns[0]?.type ?? UNKNOWN) : rowOf(columns.map((column) => column.type));
  exact(pass, at, operator, type, right);
}

/** Compares without a way to treat NaN apart, and so refuses values that may be NaN. */
function exact(pass: Pass, at: ParserRuleContext, operator: string, a: SqlType, b: SqlType): void {
  comparable(pass, at, operator, a, b);
  if (a.nan === true || b.nan === true)
    refuse(
      pass,
      at,
      "This compares values that may be NaN, which equals itself here and not on Athena.",
      "Compare with =, < or >, or test with is_nan first.",
    );
}

function like(pass: Pass, test: G.LikeContext, value: Typed): void {
  const pattern = pass.typed(test._pattern as G.ValueExpressionContext);
  if (test._escape) pass.typed(test._escape);
  for (const { type } of [value, pattern])
    if (!isText(type) && !isOpen(type))
      refuse(pass, test, `LIKE takes texts, not ${typeName(type)}.`, "Cast to varchar.");
}
