/**
 * The lexical layer of Athena's SQL: enough to split a file, find parameters and read what the grammar has no rule for, and light
 * enough to be loaded without the parser. It never fails: an unclosed string or comment runs to the end of the text.
 */

export type TokenKind = "space" | "comment" | "string" | "quoted" | "word" | "number" | "parameter" | "symbol";

/** A piece of the text; tokens follow each other without a gap. */
export interface Token {
  readonly kind: TokenKind;
  /** Zero-based offset in UTF-16 units. */
  readonly offset: number;
  readonly text: string;
}

// One alternative a kind, in the order of the groups below. `:name` is a parameter unless a colon stands before it (`::`).
const TOKEN = new RegExp(
  [
    "(\\s+)",
    "(--[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$))",
    "('(?:[^']|'')*(?:'|$))",
    '("(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$))',
    "([\\p{L}_][\\p{L}\\p{N}_@$]*)",
    "((?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?)",
    "((?<!:):[A-Za-z_][A-Za-z0-9_]*)",
    "(->|=>|<>|!=|<=|>=|\\|\\||::|[\\s\\S])",
  ].join("|"),
  "gu",
);
const KINDS: readonly TokenKind[] = ["space", "comment", "string", "quoted", "word", "number", "parameter", "symbol"];

/** The tokens of `text`, spaces and comments included. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)] ?? "symbol";
    tokens.push({ kind, offset: match.index, text: match[0] });
  }
  return tokens;
}

/** The tokens that carry meaning. */
export function significant(text: string): Token[] {
  return tokenize(text).filter((token) => token.kind !== "space" && token.kind !== "comment");
}

/** Index of the token that closes the bracket opened at `open`, or -1. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const { kind, text } = tokens[i] as Token;
    if (kind !== "symbol") continue;
    if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") {
      depth--;
      if (depth === 0) return i;
    }
  }
  return -1;
}

/** The value of a string literal token, quotes removed. */
export function unquote(literal: string): string {
  const quote = literal[0] as string;
  return literal.slice(1, -1).replaceAll(quote + quote, quote);
}

/** `value` as an SQL string literal. */
export function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
