/**
 * The relations of a statement by its tokens alone, for a text that is being typed and that no grammar takes: what FROM and JOIN
 * name, under which alias, and the queries of WITH with the names of their columns.
 */
import type { Catalogue, CatalogueColumn } from "../catalogue.ts";
import { closing, type Token, unquote } from "../lexer.ts";

export interface NamedRelation {
  /** The alias, or the name where it has none. */
  readonly name: string;
  /** The table in the catalogue, or the query of WITH. */
  readonly table: string;
  readonly comment?: string;
  readonly columns: readonly CatalogueColumn[];
}

const NO_ALIAS = new Set(
  "on using where group having order limit offset fetch union intersect except join inner left right full cross natural tablesample window as with and select from lateral unnest set values when".split(
    " ",
  ),
);

export const wordOf = (token: Token | undefined): string =>
  token === undefined ? "" : token.kind === "quoted" ? unquote(token.text).toLowerCase() : token.text.toLowerCase();

const isName = (token: Token | undefined): token is Token =>
  token !== undefined && (token.kind === "word" || token.kind === "quoted");

/** The queries of WITH, as relations. */
export function withQueries(tokens: readonly Token[]): NamedRelation[] {
  const found: NamedRelation[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!isName(tokens[i]) || !["with", ",", "recursive"].includes(wordOf(tokens[i - 1]))) continue;
    let at = i + 1;
    let names: string[] | undefined;
    if (tokens[at]?.text === "(") {
      const end = closing(tokens, at);
      if (end < 0) continue;
      names = tokens
        .slice(at + 1, end)
        .filter(isName)
        .map(wordOf);
      at = end + 1;
    }
    if (wordOf(tokens[at]) !== "as" || tokens[at + 1]?.text !== "(") continue;
    const end = closing(tokens, at + 1);
    const body = tokens.slice(at + 2, end < 0 ? undefined : end);
    const name = wordOf(tokens[i]);
    found.push({
      name,
      table: name,
      columns: (names ?? selectedNames(body)).map((column) => ({ name: column, type: "" })),
    });
  }
  return found;
}

/** The names of the columns of a SELECT: aliases, else the last name of a reference. */
function selectedNames(body: readonly Token[]): string[] {
  if (wordOf(body[0]) !== "select") return [];
  const names: string[] = [];
  let depth = 0;
  let last: Token | undefined;
  for (const token of body.slice(1)) {
    if (token.text === "(" || token.text === "[") depth++;
    if (token.text === ")" || token.text === "]") depth--;
    const end = depth === 0 && (token.text === "," || wordOf(token) === "from");
    if (end && isName(last)) names.push(wordOf(last));
    if (depth === 0 && wordOf(token) === "from") return names;
    last = token;
  }
  if (isName(last)) names.push(wordOf(last));
  return names;
}

/** The relations that FROM, JOIN, INTO and UPDATE name anywhere in the statement. */
export function relationsOf(tokens: readonly Token[], catalogue: Catalogue | undefined): NamedRelation[] {
  const queries = withQueries(tokens);
  const found: NamedRelation[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const starts = ["from", "join", "into", "update", "describe", "desc"].includes(wordOf(tokens[i]));
    const listed = tokens[i]?.text === "," && inFrom(tokens, i);
    if ((!starts && !listed) || !isName(tokens[i + 1])) continue;
    let at = i + 1;
    while (tokens[at + 1]?.text === "." && isName(tokens[at + 2])) at += 2;
    const name = wordOf(tokens[at]);
    if (NO_ALIAS.has(name) && tokens[at]?.kind === "word") continue;
    let alias = tokens[at + 1];
    if (wordOf(alias) === "as") alias = tokens[at + 2];
    const named = isName(alias) && !(alias.kind === "word" && NO_ALIAS.has(wordOf(alias))) ? wordOf(alias) : name;
    const query = queries.find((one) => one.table === name);
    const table = catalogue?.tables.find((one) => one.name.toLowerCase() === name);
    found.push({
      name: named,
      table: table?.name ?? name,
      columns: query?.columns ?? table?.columns ?? [],
      ...(query === undefined && table?.comment !== undefined && { comment: table.comment }),
    });
  }
  return found;
}

/** Whether the comma at `index` parts relations: going back, FROM comes before any other clause. */
function inFrom(tokens: readonly Token[], index: number): boolean {
  let depth = 0;
  for (let i = index - 1; i >= 0; i--) {
    const text = tokens[i]?.text;
    if (text === ")") depth++;
    if (text === "(" && --depth < 0) return false;
    if (depth > 0) continue;
    const word = wordOf(tokens[i]);
    if (word === "from") return true;
    if (["select", "where", "group", "order", "having", "by", "on", "set", "values"].includes(word)) return false;
  }
  return false;
}
