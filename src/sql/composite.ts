/**
 * Comparisons of arrays and rows. In Trino a NULL inside makes `=` NULL, unless another part differs, and `<` fail; DuckDB takes
 * two NULLs for equal, and a NULL for larger than any value.
 */
import type { ParserRuleContext } from "antlr4ng";
import { type Pass, refuse, type Typed } from "./pass.ts";
import { join, type Sql, sql } from "./text.ts";
import type { SqlType } from "./types.ts";

const isComposite = ({ kind }: SqlType): boolean => kind === "array" || kind === "row" || kind === "map";

/** The comparison, where `common` is an array or a row; undefined for any other type. */
export function compositeComparison(
  pass: Pass,
  at: ParserRuleContext,
  operator: string,
  [left, right]: readonly [Typed, Typed],
  common: SqlType,
): Sql | undefined {
  if (common.kind !== "array" && common.kind !== "row") return undefined;
  const parts = common.of ?? [];
  if (parts.some(isComposite))
    return refuse(pass, at, "Comparing nested arrays and rows is not done here.", "Compare their parts.");
  const negated = operator === "<>" || operator === "!=";
  if (operator !== "=" && !negated)
    return sql`trino.unless(trino.some_null(${left.sql}) OR trino.some_null(${right.sql}), 'Arrays with NULLs cannot be ordered', ${left.sql} ${operator} ${right.sql})`;
  const equal =
    common.kind === "array"
      ? sql`trino.same_elements(${left.sql}, ${right.sql})`
      : sql`(${join(
          parts.map((_, i) => {
            const field = (row: Typed) => sql`struct_extract_at(${row.sql}, ${String(i + 1)})`;
            return sql`${field(left)} = ${field(right)}`;
          }),
          " AND ",
        )})`;
  return negated ? sql`NOT ${equal}` : equal;
}

/** `NOT IN` over arrays and rows, where DuckDB takes a NULL inside for a value. */
export function refuseNotIn(pass: Pass, at: ParserRuleContext, type: SqlType): void {
  if (isComposite(type))
    refuse(pass, at, "NOT IN over rows and arrays is not done here: a NULL inside differs.", "Use NOT EXISTS.");
}
