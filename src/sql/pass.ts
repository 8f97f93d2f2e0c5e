/** What one rewriting of one statement shares: the source, the scope of names, and how to refuse at a place. */
import type { ParserRuleContext, ParseTree, TerminalNode } from "antlr4ng";
import { Fault } from "../core/fault.ts";
import type { Catalogue } from "./catalogue.ts";
import { span } from "./parser.ts";
import { placeAt } from "./place.ts";
import type { Scope } from "./scope.ts";
import { type Piece, raw, type Sql } from "./text.ts";
import type { SqlType } from "./types.ts";

/** An expression as DuckDB's SQL, with what is known of it. */
export interface Typed {
  readonly sql: Sql;
  readonly type: SqlType;
  /** The wall-clock time of a timestamp whose zone comes with each value. */
  readonly wall?: Sql;
  /** The value of a literal. */
  readonly literal?: string | number | boolean;
}

/** An output column of a query. */
export interface Column {
  /** Undefined for an expression without an alias. */
  readonly name: string | undefined;
  readonly type: SqlType;
  /** The relation's name or alias. */
  readonly relation?: string | undefined;
}

export interface Pass {
  readonly source: string;
  readonly catalogue: Catalogue | undefined;
  scope: Scope;
  /** Rewritten parts of the tree; parts that are not in it stay as they are. */
  readonly done: Map<ParseTree, Sql>;
  /** The rewriting of an expression, in the current scope; remembered. */
  typed(context: ParserRuleContext): Typed;
  /** The columns of a query; its rewriting is remembered in `done`. */
  query(context: ParserRuleContext, outermost?: boolean): readonly Column[];
  /** A name that no part of the statement has. */
  fresh(stem: string): string;
}

/** Throws the refusal of what stands at `context`. */
export function refuse(pass: Pass, context: ParserRuleContext, message: string, next?: string): never {
  const { offset, length } = span(context);
  throw new Fault("query.refused", message, {
    at: placeAt(pass.source, offset, length),
    ...(next !== undefined && { next }),
  });
}

/** A refusal for want of a type: with the catalogue complete, or a parameter bound, it may go away. */
export class UnknownTypeFault extends Fault {}

/** Throws the refusal of what depends on a type that is not known. */
export function refuseUnknown(pass: Pass, context: ParserRuleContext, message: string, next?: string): never {
  const { offset, length } = span(context);
  throw new UnknownTypeFault("query.refused", message, {
    at: placeAt(pass.source, offset, length),
    next: next ?? "Refresh the catalogue, or cast the value.",
  });
}

const isTerminal = (node: ParseTree): node is TerminalNode => "symbol" in node;

/** The source text of a part of the tree. */
export function sourceOf(pass: Pass, context: ParserRuleContext): string {
  const { offset, length } = span(context);
  return pass.source.slice(offset, offset + length);
}

/** A part of the tree as it stands in the source, with the parts that were rewritten put in their places. */
export function weave(pass: Pass, context: ParserRuleContext): Sql {
  const done = pass.done.get(context);
  if (done !== undefined) return done;
  const pieces: Piece[] = [];
  let position = context.start?.start ?? 0;
  for (const child of context.children ?? []) {
    const token = isTerminal(child) ? child.symbol : (child as ParserRuleContext).start;
    if (token === null || token.type === -1) continue;
    const stop = isTerminal(child) ? child.symbol.stop : ((child as ParserRuleContext).stop?.stop ?? -1);
    if (stop < token.start) continue;
    if (token.start > position) pieces.push({ text: pass.source.slice(position, token.start), at: position });
    if (isTerminal(child)) pieces.push({ text: pass.source.slice(token.start, stop + 1), at: token.start });
    else pieces.push(...weave(pass, child as ParserRuleContext));
    position = stop + 1;
  }
  return pieces;
}

/** The source text of a token or a part, as a piece that remembers its place. */
export function original(pass: Pass, context: ParserRuleContext): Sql {
  const { offset, length } = span(context);
  return length === 0 ? raw("") : [{ text: pass.source.slice(offset, offset + length), at: offset }];
}
