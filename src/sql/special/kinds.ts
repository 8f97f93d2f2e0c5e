import type { ParserRuleContext } from "antlr4ng";
import type { FunctionCallContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { type Pass, refuse, type Typed } from "../pass.ts";
import { literalText } from "../unwrap.ts";

/** Writes a call that a template cannot; undefined leaves it to the overloads. */
export type Special = (pass: Pass, call: SpecialCall) => Typed | undefined;

export interface SpecialCall {
  readonly at: ParserRuleContext;
  readonly name: string;
  readonly args: readonly ParserRuleContext[];
  readonly node?: FunctionCallContext;
}

/** The text of an argument that must be a literal. */
export function literal(pass: Pass, call: SpecialCall, index: number, what: string): string {
  const arg = call.args[index];
  const text = arg === undefined ? undefined : literalText(pass.source, arg);
  return (
    text ??
    refuse(
      pass,
      arg ?? call.at,
      `${call.name} needs ${what} as a literal to run here.`,
      "Write it as a text in quotes.",
    )
  );
}

/** Refuses a call with another number of arguments. */
export function arity(pass: Pass, call: SpecialCall, ...counts: readonly number[]): void {
  if (!counts.includes(call.args.length))
    refuse(pass, call.at, `${call.name} takes ${counts.join(" or ")} arguments; ${call.args.length} are given.`);
}
