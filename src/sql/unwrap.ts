/** Looks through the grammar's layers of single children, from a whole expression down to what it is. */
import type { ParserRuleContext, ParseTree } from "antlr4ng";
import {
  BasicStringLiteralContext,
  IdentifierContext,
  LambdaContext,
  ParenthesizedExpressionContext,
} from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { unquote } from "./lexer.ts";
import { span } from "./parser.ts";

/** The innermost part that spans the same text; brackets are looked through, and a name is a name whatever word it is. */
export function unwrap(context: ParserRuleContext): ParserRuleContext {
  let node: ParserRuleContext = context;
  for (;;) {
    const children: readonly ParseTree[] = node.children ?? [];
    if (node instanceof IdentifierContext) return node;
    if (node instanceof ParenthesizedExpressionContext) node = node.expression();
    else if (children.length === 1 && !("symbol" in (children[0] as ParseTree)))
      node = children[0] as ParserRuleContext;
    else return node;
  }
}

/** The text of a string literal, or undefined for anything else. */
export function literalText(source: string, context: ParserRuleContext): string | undefined {
  const node = unwrap(context);
  if (!(node instanceof BasicStringLiteralContext)) return undefined;
  const { offset, length } = span(node);
  return unquote(source.slice(offset, offset + length));
}

/** The lambda that an argument is, or undefined. */
export function lambdaOf(context: ParserRuleContext): LambdaContext | undefined {
  const node = unwrap(context);
  return node instanceof LambdaContext ? node : undefined;
}
