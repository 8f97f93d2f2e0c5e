export type { Catalogue, CatalogueColumn, CatalogueTable } from "./catalogue.ts";
export { MACROS } from "./macros.ts";
export { type Rewritten, rewriteForDuckDB, type StatementKind } from "./rewrite.ts";
export { SESSION } from "./session.ts";
export { type Parameter, type Statement, splitStatements } from "./split.ts";
