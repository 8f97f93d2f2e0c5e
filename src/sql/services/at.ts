/** What stands at a place of a file that has been split into statements: only what is around the place is read again. */
import { type Token, tokenize } from "../lexer.ts";
import type { Statement } from "../split.ts";

/** The statement at `offset`, or the one right before it on which more may be typed. */
export function statementAt(statements: readonly Statement[], text: string, offset: number): Statement | undefined {
  const inside = containing(statements, offset);
  if (inside !== undefined) return inside;
  const before = statements.findLast((one) => endOf(one) < offset);
  const gap = before === undefined ? "" : text.slice(endOf(before), offset);
  return before !== undefined && !gap.includes(";") ? before : undefined;
}

/** The token that `offset` is inside or right behind; its offset counts from the start of the file. */
export function tokenAt(statements: readonly Statement[], text: string, offset: number): Token | undefined {
  const inside = containing(statements, offset);
  const from = inside?.offset ?? endOf(statements.findLast((one) => endOf(one) < offset));
  const around = inside?.text ?? text.slice(from, statements.find((one) => one.offset > offset)?.offset);
  const place = offset - from;
  const token = tokenize(around).find((one) => one.offset < place && place <= one.offset + one.text.length);
  return token && { ...token, offset: token.offset + from };
}

function containing(statements: readonly Statement[], offset: number): Statement | undefined {
  return statements.find((one) => one.offset <= offset && offset <= endOf(one));
}

const endOf = (statement: Statement | undefined): number =>
  statement === undefined ? 0 : statement.offset + statement.length;
