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

// Spaces, comments, strings, quoted names, words, numbers, parameters, symbols; letters beyond ASCII count as parts of words.
// `:name` is a parameter unless a colon stands before it (`::`), which the alternative for symbols takes first.
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|[A-Za-z_\u0080-\uFFFF][\w$@\u0080-\uFFFF]*|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|::|:[A-Za-z_]\w*|->|=>|<>|!=|<=|>=|\|\||[\s\S]/g;

/** The tokens of `text`, spaces and comments included. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text))
    tokens.push({ kind: kindOf(match[0]), offset: match.index, text: match[0] });
  return tokens;
}

function kindOf(text: string): TokenKind {
  const c = text.charCodeAt(0);
  if (c >= 0x80) return /^\s/.test(text) ? "space" : "word";
  if ((c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x5f) return "word";
  if (c <= 0x20) return "space";
  if (c >= 0x30 && c <= 0x39) return "number";
  if (c === 0x27) return "string";
  if (c === 0x22 || c === 0x60) return "quoted";
  if (text.length === 1) return "symbol";
  if (text.startsWith("--") || text.startsWith("/*")) return "comment";
  if (c === 0x2e) return "number";
  return c === 0x3a && text !== "::" ? "parameter" : "symbol";
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
