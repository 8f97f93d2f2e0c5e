/** What a statement is called in lists and on tabs. */
import type { Statement } from "../../sql/split.ts";

const LENGTH = 60;

/** The statement's name if it has one, else its beginning on one line. */
export function statementTitle(statement: Pick<Statement, "name" | "text">): string {
  if (statement.name) return statement.name;
  const line = statement.text.replace(/\s+/g, " ").trim();
  return line.length <= LENGTH ? line : `${line.slice(0, LENGTH - 1)}…`;
}
