/** Names and what they stand for: columns of the relations in FROM, parameters of lambdas, queries of WITH. */
import type { Sql } from "./text.ts";
import type { SqlType } from "./types.ts";

export interface ScopeColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly relation: string | undefined;
}

/** A chain of scopes from the inside out. */
export interface Scope {
  readonly columns: readonly ScopeColumn[];
  /** Relations whose columns are not known: any name may be one of theirs. */
  readonly open: boolean;
  readonly lambda?: ReadonlyMap<string, { readonly sql: Sql; readonly type: SqlType }>;
  readonly queries?: ReadonlyMap<string, readonly ScopeColumn[]>;
  readonly outer?: Scope;
}

export const EMPTY: Scope = { columns: [], open: false };

export type Found =
  | { readonly kind: "column"; readonly type: SqlType }
  | { readonly kind: "lambda"; readonly sql: Sql; readonly type: SqlType }
  | { readonly kind: "ambiguous"; readonly relations: readonly string[] }
  | { readonly kind: "unknown" }
  | { readonly kind: "missing" };

/** What `name`, or `relation.name`, stands for. Names do not differ by case. */
export function resolve(scope: Scope, name: string, relation?: string): Found {
  const wanted = name.toLowerCase();
  const from = relation?.toLowerCase();
  let open = false;
  for (let s: Scope | undefined = scope; s !== undefined; s = s.outer) {
    const bound = from === undefined ? s.lambda?.get(wanted) : undefined;
    if (bound !== undefined) return { kind: "lambda", ...bound };
    const found = s.columns.filter(
      (column) =>
        column.name.toLowerCase() === wanted && (from === undefined || column.relation?.toLowerCase() === from),
    );
    if (found.length > 1) return { kind: "ambiguous", relations: found.map((column) => column.relation ?? "") };
    if (found[0] !== undefined) return { kind: "column", type: found[0].type };
    open ||= s.open;
  }
  return { kind: open ? "unknown" : "missing" };
}

/** The columns of a query named by WITH, or undefined. */
export function namedQuery(scope: Scope, name: string): readonly ScopeColumn[] | undefined {
  for (let s: Scope | undefined = scope; s !== undefined; s = s.outer) {
    const columns = s.queries?.get(name.toLowerCase());
    if (columns !== undefined) return columns;
  }
  return undefined;
}

/** Whether `name` is a relation of some scope. */
export function hasRelation(scope: Scope, name: string): boolean {
  for (let s: Scope | undefined = scope; s !== undefined; s = s.outer) {
    if (s.columns.some((column) => column.relation?.toLowerCase() === name.toLowerCase())) return true;
  }
  return false;
}

/** Every name that stands for something here, for hints. */
export function visibleNames(scope: Scope): string[] {
  const names: string[] = [];
  for (let s: Scope | undefined = scope; s !== undefined; s = s.outer)
    names.push(...s.columns.map((column) => column.name));
  return names;
}
