/** The function whose arguments are being typed: its signatures, and which argument it is. */
import { FUNCTIONS } from "../functions/index.ts";
import { significant } from "../lexer.ts";
import { type Statement, splitStatements } from "../split.ts";
import { statementAt, tokenAt } from "./at.ts";
import { wordOf } from "./relations.ts";

export interface SignatureHelp {
  /** The overloads as Trino writes them: `date_diff(varchar, moment, moment)`. */
  readonly signatures: readonly { readonly label: string; readonly documentation: string }[];
  /** The argument at the cursor, from 0. */
  readonly argument: number;
}

/**
 * The call that surrounds `offset` of the file, or undefined outside of one.
 * @param statements those of `text`, where they are known already
 */
export function signature(
  text: string,
  offset: number,
  statements: readonly Statement[] = splitStatements(text),
): SignatureHelp | undefined {
  const within = tokenAt(statements, text, offset);
  if (within && ["string", "comment"].includes(within.kind) && offset < within.offset + within.text.length)
    return undefined;
  const statement = statementAt(statements, text, offset);
  if (statement === undefined) return undefined;
  const tokens = significant(text.slice(statement.offset, offset));
  let depth = 0;
  let argument = 0;
  for (let i = tokens.length - 1; i >= 0; i--) {
    const { kind, text: symbol } = tokens[i]!;
    if (kind !== "symbol") continue;
    if (symbol === ")" || symbol === "]") depth++;
    else if (symbol === "," && depth === 0) argument++;
    else if (symbol === "(" || symbol === "[") {
      if (depth > 0) depth--;
      else return symbol === "(" ? helpOf(wordOf(tokens[i - 1]), argument) : undefined;
    }
  }
  return undefined;
}

function helpOf(name: string, argument: number): SignatureHelp | undefined {
  const overloads = FUNCTIONS.get(name);
  if (overloads === undefined) return undefined;
  return { signatures: overloads.map((o) => ({ label: o.signature, documentation: o.doc })), argument };
}
