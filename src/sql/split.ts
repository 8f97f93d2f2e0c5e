/**
 * Splits a file of SQL into its statements. It works on tokens, so that a semicolon in a string or a comment splits nothing and a
 * statement with an error does not disturb the others. It imports no parser and is cheap to load and to call on each keystroke.
 */
import { type Token, tokenize } from "./lexer.ts";

/** A named parameter as it stands in the text: `:since`. */
export interface Parameter {
  /** The name without its colon. */
  readonly name: string;
  /** Offset of the colon in the file. */
  readonly offset: number;
  /** Length with the colon. */
  readonly length: number;
}

/** One statement of a file. Offsets are zero-based, in UTF-16 units, and count from the start of the file. */
export interface Statement {
  /** The statement from its first word to its last token, without leading comments and the closing semicolon. */
  readonly text: string;
  readonly offset: number;
  readonly length: number;
  /** The first line of the comment right above the statement. */
  readonly name?: string;
  /** The further lines of that comment. */
  readonly description?: string;
  /** Every occurrence of a named parameter, in the order of the text. */
  readonly parameters: readonly Parameter[];
}

/** The statements of `text`; empty statements (nothing but comments before a semicolon) are left out. */
export function splitStatements(text: string): Statement[] {
  return splitTokens(tokenize(text));
}

/** The statements of a text by its tokens, spaces and comments among them. */
export function splitTokens(tokens: readonly Token[]): Statement[] {
  const statements: Statement[] = [];
  let part: Token[] = [];
  for (const token of tokens) {
    if (token.kind === "symbol" && token.text === ";") {
      addStatement(statements, part);
      part = [];
    } else part.push(token);
  }
  addStatement(statements, part);
  return statements;
}

function addStatement(statements: Statement[], tokens: readonly Token[]): void {
  const isCode = (token: Token) => token.kind !== "space" && token.kind !== "comment";
  const first = tokens.findIndex(isCode);
  if (first < 0) return;
  const last = tokens.findLastIndex(isCode);
  const body = tokens.slice(first, last + 1);
  const text = body.map((token) => token.text).join("");
  const [name, ...description] = leadingComment(tokens.slice(0, first), statements.length > 0);
  statements.push({
    text,
    offset: (tokens[first] as Token).offset,
    length: text.length,
    ...(name !== undefined && { name }),
    ...(description.length > 0 && { description: description.join("\n") }),
    parameters: body
      .filter((token) => token.kind === "parameter")
      .map((token) => ({ name: token.text.slice(1), offset: token.offset, length: token.text.length })),
  });
}

/** The lines of the comment block that touches the statement: a blank line separates it from a file's header. */
function leadingComment(lead: readonly Token[], follows: boolean): string[] {
  const lines: string[] = [];
  for (let i = lead.length - 1; i >= 0; i--) {
    const { kind, text } = lead[i] as Token;
    if (kind === "space") {
      const breaks = text.split("\n").length - 1;
      if (breaks > 1 && lines.length > 0) break;
      continue;
    }
    // A comment on the line of the previous statement's semicolon belongs to that statement.
    if (follows && !lead.slice(0, i).some((t) => t.text.includes("\n"))) break;
    lines.unshift(...commentLines(text));
  }
  while (lines[0] === "") lines.shift();
  while (lines.at(-1) === "") lines.pop();
  const [first, ...rest] = lines;
  return first === undefined ? [] : [first.replace(/^name:\s*/i, ""), ...rest];
}

function commentLines(comment: string): string[] {
  if (comment.startsWith("--")) return [comment.replace(/^--+/, "").trim()];
  return comment
    .replace(/^\/\*+/, "")
    .replace(/\*+\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\*?\s?/, "").trim())
    .filter((line, i, all) => line !== "" || (i > 0 && i < all.length - 1));
}
