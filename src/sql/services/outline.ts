/** Document symbols and folding ranges: one a statement, and what spans lines inside it. */
import { tokenize } from "../lexer.ts";
import { type Statement, splitTokens } from "../split.ts";

export interface DocumentSymbol {
  readonly name: string;
  /** The comment's further lines, or the statement's first words. */
  readonly detail: string;
  readonly offset: number;
  readonly length: number;
}

/** Zero-based lines, both inclusive. */
export interface FoldingRange {
  readonly start: number;
  readonly end: number;
  readonly kind: "statement" | "comment" | "brackets";
}

/** The statements, named by their leading comment or else by their first words. */
export function symbols(statements: readonly Statement[]): readonly DocumentSymbol[] {
  return statements.map((statement) => {
    const words = statement.text.replace(/\s+/g, " ").slice(0, 60);
    return {
      name: statement.name ?? words,
      detail: statement.description ?? (statement.name === undefined ? "" : words),
      offset: statement.offset,
      length: statement.length,
    };
  });
}

/** What can be folded: statements, comments and brackets of several lines. */
export function folding(text: string): readonly FoldingRange[] {
  const breaks = [...text.matchAll(/\n/g)].map((match) => match.index);
  const lineOf = (offset: number): number => {
    let [low, high] = [0, breaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const ranges: FoldingRange[] = [];
  /** The furthest end of what folds from a line. */
  const ends = new Map<number, number>();
  const add = (from: number, to: number, kind: FoldingRange["kind"]): void => {
    const [start, end] = [lineOf(from), lineOf(to)];
    if (end <= Math.max(start, ends.get(start) ?? 0)) return;
    ends.set(start, end);
    ranges.push({ start, end, kind });
  };
  const tokens = tokenize(text);
  for (const { offset, length } of splitTokens(tokens)) add(offset, offset + length - 1, "statement");
  const open: number[] = [];
  let comment: { from: number; to: number } | undefined;
  const close = (): void => {
    if (comment !== undefined) add(comment.from, comment.to, "comment");
    comment = undefined;
  };
  for (const token of tokens) {
    if (token.kind === "comment")
      comment = { from: comment?.from ?? token.offset, to: token.offset + token.text.length - 1 };
    else if (token.kind !== "space" || token.text.split("\n").length > 2) close();
    if (token.kind !== "symbol") continue;
    if (token.text === "(") open.push(token.offset);
    if (token.text === ")") {
      const from = open.pop();
      if (from !== undefined) add(from, token.offset, "brackets");
    }
  }
  close();
  return ranges.sort((a, b) => a.start - b.start);
}
