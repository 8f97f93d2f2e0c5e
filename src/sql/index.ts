/** Athena's SQL. `split.ts` may be imported alone and is light; everything else here loads the grammar (about 1 MB). */
export type { Catalogue, CatalogueColumn, CatalogueTable } from "./catalogue.ts";
export { DIFFERENCES, type Difference, REFUSED, REFUSED_FUNCTIONS, type Refusal } from "./differences.ts";
export { engineMessage } from "./engine-message.ts";
export { MACROS } from "./macros.ts";
export { placeAt } from "./place.ts";
export {
  type ResultColumn,
  type RewriteContext,
  type Rewritten,
  rewriteForDuckDB,
  type StatementKind,
} from "./rewrite.ts";
export { type CompletionItem, complete } from "./services/complete.ts";
export {
  createDiagnoser,
  type DiagnoseOptions,
  type Diagnosis,
  type Diagnostic,
  diagnose,
} from "./services/diagnose.ts";
export { format } from "./services/format.ts";
export { type Hover, hover } from "./services/hover.ts";
export { type DocumentSymbol, type FoldingRange, folding, symbols } from "./services/outline.ts";
export { type Bound, bindParameters, bindWithMap, blankParameters, parameterLiteral } from "./services/parameters.ts";
export { type SignatureHelp, signature } from "./services/signature.ts";
export { SESSION } from "./session.ts";
export { type Parameter, type Statement, splitStatements } from "./split.ts";
