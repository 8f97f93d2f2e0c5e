import type { Catalogue } from "./catalogue.ts";

/** What the rewriting may look up. */
export interface RewriteContext {
  /** The tables. Without them the types of columns are unknown, and what depends on them is refused. */
  readonly catalogue?: Catalogue;
  /** Prepared statements by name, as text. */
  readonly prepared?: ReadonlyMap<string, string>;
  /** Where a location such as `s3://bucket/path/` lies on this machine; by default below `lake/`. */
  readonly locate?: (location: string) => string;
}
