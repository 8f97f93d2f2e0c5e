/** What an editor asks on each keystroke. Nothing here needs the grammar: it loads fast, and answers in a few milliseconds. */
export type { Catalogue } from "./catalogue.ts";
export { type CompletionItem, complete } from "./services/complete.ts";
export { type Hover, hover } from "./services/hover.ts";
export { type DocumentSymbol, type FoldingRange, folding, symbols } from "./services/outline.ts";
export { type SignatureHelp, signature } from "./services/signature.ts";
