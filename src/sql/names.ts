/** Identifiers: what Trino takes as a name and DuckDB as a keyword gets quotes. */
import type { ParserRuleContext, ParseTree } from "antlr4ng";
import {
  BackQuotedIdentifierContext,
  DigitIdentifierContext,
  IdentifierContext,
  QuotedIdentifierContext,
} from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { unquote } from "./lexer.ts";
import { type Pass, sourceOf } from "./pass.ts";
import { identifier } from "./types.ts";

/** Words that DuckDB reserves, or takes for a function without brackets, and Trino does not. */
const RESERVED = new Set(
  `all analyse analyze any array asc asymmetric at both check collate column constraint current_catalog current_role default
   deferrable desc describe do end fetch for foreign initially into lambda lateral leading limit localtime localtimestamp offset
   only pivot pivot_longer pivot_wider placing primary qualify references returning session_user show some summarize symmetric
   table to trailing unique unpivot user variadic window`.split(/\s+/),
);

/** The name that an identifier stands for, without quotes. */
export function nameOf(pass: Pass, context: IdentifierContext): string {
  const text = sourceOf(pass, context);
  return context instanceof QuotedIdentifierContext || context instanceof BackQuotedIdentifierContext
    ? unquote(text)
    : text;
}

/** Remembers quotes for every identifier below `tree` that needs them. */
export function quoteIdentifiers(pass: Pass, tree: ParseTree): void {
  if (tree instanceof IdentifierContext) {
    const name = nameOf(pass, tree);
    const foreign = tree instanceof BackQuotedIdentifierContext || tree instanceof DigitIdentifierContext;
    if (foreign || (!(tree instanceof QuotedIdentifierContext) && RESERVED.has(name.toLowerCase())))
      pass.done.set(tree, [{ text: identifier(name), ...(tree.start && { at: tree.start.start }) }]);
    return;
  }
  for (const child of (tree as ParserRuleContext).children ?? []) quoteIdentifiers(pass, child);
}
