/**
 * Values that may be NaN. In DuckDB NaN equals itself and is the largest number; in Trino it equals nothing, and neither the
 * largest nor the smallest value is NaN unless all are (trinodb/trino#5851). What DuckDB answers otherwise is rewritten or refused.
 */
import type { ParserRuleContext } from "antlr4ng";
import { type Pass, refuse, type Typed } from "./pass.ts";
import type { SqlType } from "./types.ts";

/** What a call is written as when an argument may be NaN, by its name and the number of its arguments. */
const TEMPLATES: Readonly<Record<string, string>> = {
  "max 1": "coalesce(max(trino.real_number($1))$F, max($1)$F)",
  "max_by 2":
    "CASE WHEN count(trino.real_number($2))$F > 0 THEN arg_max_null($1, trino.real_number($2))$F ELSE arg_max_null($1, $2)$F END",
  "array_max 1": "trino.largest_number($1)",
};

/** Calls that compare with `=`, or sort with NaN elsewhere than DuckDB does. */
const REFUSED = new Set(["max 2", "max_by 3", "contains 2", "array_position 2", "array_remove 2", "arrays_overlap 2"]);

/** The template for a call some of whose arguments may be NaN; `template` where DuckDB's answer is Trino's. */
export function nanTemplate(
  pass: Pass,
  at: ParserRuleContext,
  name: string,
  args: readonly Typed[],
  template: string,
): string {
  // Of max_by(x, y) only y is compared.
  const compared = name.endsWith("_by") ? args.slice(1) : args;
  if (!compared.some((arg) => mayBeNaN(arg.type))) return template;
  const call = `${name} ${args.length}`;
  if (REFUSED.has(call))
    refuse(pass, at, `${name} of values that may be NaN is not done here.`, "Test with is_nan first.");
  return TEMPLATES[call] ?? template;
}

/** NULLS FIRST brings NaN to the other end too, which DuckDB does not do. */
export function refuseNaNFirst(pass: Pass, at: ParserRuleContext, type: SqlType): void {
  if (mayBeNaN(type))
    refuse(
      pass,
      at,
      "NULLS FIRST over values that may be NaN is not done here.",
      "Order by is_nan first, or leave NULLs last.",
    );
}

function mayBeNaN({ nan, of = [] }: SqlType): boolean {
  return nan === true || of.some(mayBeNaN);
}
