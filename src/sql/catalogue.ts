/** What the language services and the rewriter know of the tables: names, Athena types and comments. */

export interface CatalogueColumn {
  readonly name: string;
  /** The type as Athena writes it: `varchar`, `timestamp(3)`, `array(bigint)`, `row(x double, y double)`. Hive's `string` and `array<int>` too. */
  readonly type: string;
  readonly comment?: string;
}

export interface CatalogueTable {
  readonly name: string;
  readonly comment?: string;
  readonly columns: readonly CatalogueColumn[];
}

export interface Catalogue {
  readonly tables: readonly CatalogueTable[];
}
