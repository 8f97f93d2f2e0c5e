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

/** Words that DuckDB reserves, keeps for types and joins, or takes for a function without brackets, and Trino does not. */
const RESERVED = new Set(
  `all analyse analyze anti any array asc asof asymmetric at authorization binary both check collate collation column columns
   concurrently constraint current_catalog current_role default deferrable desc describe do end fetch for foreign freeze
   generated glob ilike initially into isnull lambda lateral leading limit localtime localtimestamp map notnull offset only
   overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning semi session_user show
   similar some struct summarize symmetric table tablesample to trailing try_cast unique unpack unpivot user variadic verbose
   window`.split(/\s+/),
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
