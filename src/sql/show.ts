/**
 * SHOW TABLES, VIEWS and DATABASES, which are Hive's in Athena: `*` stands for any characters in a pattern, `|` parts choices.
 * https://docs.aws.amazon.com/athena/latest/ug/show-tables.html
 */
import { hiveFault } from "./hive-table.ts";
import { quote, type Token, unquote } from "./lexer.ts";
import type { Output } from "./statement.ts";
import { raw } from "./text.ts";

/** The one database that the tables are in. */
const DATABASE = "default";

const LISTS: Readonly<Record<string, { readonly rows: string; readonly name: string; readonly inside: boolean }>> = {
  TABLES: {
    rows: "SELECT table_name AS tab_name FROM information_schema.tables WHERE table_schema = current_schema()",
    name: "table_name",
    inside: true,
  },
  VIEWS: {
    rows: "SELECT table_name AS views FROM information_schema.tables WHERE table_type = 'VIEW' AND table_schema = current_schema()",
    name: "table_name",
    inside: true,
  },
  DATABASES: { rows: `SELECT '${DATABASE}' AS database_name WHERE true`, name: `'${DATABASE}'`, inside: false },
  SCHEMAS: { rows: `SELECT '${DATABASE}' AS database_name WHERE true`, name: `'${DATABASE}'`, inside: false },
};

/** The rewriting of SHOW with one of the lists; undefined for any other statement. */
export function showList(text: string, tokens: readonly Token[]): Output | undefined {
  const word = (at: number): string => tokens[at]?.text.toUpperCase() ?? "";
  const list = word(0) === "SHOW" ? LISTS[word(1)] : undefined;
  if (list === undefined) return undefined;
  let i = 2;
  if (list.inside && (word(i) === "IN" || word(i) === "FROM")) {
    const database = tokens[i + 1];
    const name = database?.kind === "quoted" ? unquote(database.text) : database?.text;
    if (name?.toLowerCase() !== DATABASE)
      throw hiveFault(
        text,
        database,
        `There is one database here, ${DATABASE}.`,
        `Write IN ${DATABASE}, or leave it out.`,
      );
    i += 2;
  }
  if (word(i) === "LIKE") i++;
  const pattern = tokens[i];
  if (pattern !== undefined && (pattern.kind !== "string" || tokens[i + 1] !== undefined))
    throw hiveFault(
      text,
      tokens[i + 1] ?? pattern,
      "A pattern in single quotes is expected here, and nothing behind it.",
    );
  if (pattern !== undefined && /[^\w*|]/.test(unquote(pattern.text)))
    throw hiveFault(
      text,
      pattern,
      "A pattern is made of names, * and |.",
      "% and regular expressions are not Athena's.",
    );
  const match =
    pattern === undefined ? "" : ` AND regexp_full_match(${list.name}, ${quote(regexpOf(unquote(pattern.text)))})`;
  return { pieces: raw(`${list.rows}${match} ORDER BY 1`), kind: "show" };
}

const regexpOf = (pattern: string): string => `(?i)(${pattern.replaceAll("*", ".*")})`;
