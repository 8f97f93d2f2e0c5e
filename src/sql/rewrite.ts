/** Athena's SQL as DuckDB's, with the same result, or a refusal. */
import type { Catalogue } from "./catalogue.ts";
import { significant } from "./lexer.ts";

export type StatementKind =
  | "query"
  | "unload"
  | "ctas"
  | "insert"
  | "ddl"
  | "prepare"
  | "execute"
  | "show"
  | "describe";

export interface Rewritten {
  readonly sql: string;
  readonly kind: StatementKind;
  map(offsetInRewritten: number): number;
}

export function rewriteForDuckDB(
  text: string,
  _context: { readonly catalogue?: Catalogue; readonly prepared?: ReadonlyMap<string, string> },
): Rewritten {
  const first = significant(text)[0]?.text.toUpperCase() ?? "";
  const kind: StatementKind =
    first === "CREATE" || first === "DROP" ? "ddl" : first === "INSERT" ? "insert" : first === "SHOW" ? "show" : "query";
  return { sql: text, kind, map: (offset) => offset };
}
