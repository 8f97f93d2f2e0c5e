/**
 * Athena's own statements, which Trino's grammar has no rule for: UNLOAD and Hive's DDL. They are read by tokens; the query inside
 * UNLOAD goes through the grammar. https://docs.aws.amazon.com/athena/latest/ug/unload.html
 */
import { Fault } from "../core/fault.ts";
import { closing, significant, type Token, unquote } from "./lexer.ts";
import { copyTo, folderOf, ownTexts, type Properties } from "./output.ts";
import { placeAt } from "./place.ts";
import type { RewriteContext } from "./rewrite-context.ts";
import type { Output } from "./statement.ts";
import { raw, type Sql, sql } from "./text.ts";
import { duckType, identifier, parseType } from "./types.ts";

/** The rewriting of a statement that begins as one of Athena's own; undefined leaves it to the grammar. */
export function hiveStatement(
  text: string,
  context: RewriteContext,
  query: (inner: string, base: number) => Output,
): Output | undefined {
  const tokens = significant(text);
  const is = (...words: readonly string[]): boolean => words.every((word, i) => tokens[i]?.text.toUpperCase() === word);
  if (is("UNLOAD")) return unload(text, tokens, context, query);
  if (is("CREATE", "EXTERNAL", "TABLE")) return createTable(text, tokens, 3);
  if (is("CREATE", "TABLE") && isHiveTable(tokens)) return createTable(text, tokens, 2);
  if (is("SHOW", "DATABASES")) return { pieces: raw("SELECT 'default' AS database_name"), kind: "show" };
  if (is("SHOW", "VIEWS"))
    return {
      pieces: raw(
        "SELECT table_name AS views FROM information_schema.tables WHERE table_type = 'VIEW' AND table_schema = current_schema() ORDER BY 1",
      ),
      kind: "show",
    };
  for (const [first, second] of [
    ["MSCK", "REPAIR"],
    ["SHOW", "PARTITIONS"],
    ["SHOW", "TBLPROPERTIES"],
    ["CREATE", "DATABASE"],
    ["DROP", "DATABASE"],
    ["ALTER", "DATABASE"],
    ["VACUUM"],
    ["OPTIMIZE"],
    ["ALTER", "TABLE"],
  ] as const) {
    if (first !== undefined && (second === undefined ? is(first) : is(first, second)))
      throw fault(
        text,
        tokens[0] as Token,
        `${first}${second === undefined ? "" : ` ${second}`} concerns the tables of the account and is not done here.`,
        "Local tables need no partitions or upkeep.",
      );
  }
  return undefined;
}

function fault(text: string, token: Token | undefined, message: string, next?: string): Fault {
  const at = token === undefined ? placeAt(text, text.length, 0) : placeAt(text, token.offset, token.text.length);
  return new Fault("query.refused", message, { at, ...(next !== undefined && { next }) });
}

function isHiveTable(tokens: readonly Token[]): boolean {
  const open = tokens.findIndex((token) => token.text === "(");
  const close = open < 0 ? -1 : closing(tokens, open);
  if (close < 0) return false;
  if (tokens.some((token) => token.kind === "word" && token.text.toUpperCase() === "AS")) return false;
  const after = tokens.slice(close + 1).map((token) => token.text.toUpperCase());
  const types = tokens
    .slice(open, close)
    .some((token) => token.text === "<" || token.text.toUpperCase() === "STRING" || token.text.startsWith("`"));
  return types || ["LOCATION", "TBLPROPERTIES", "PARTITIONED", "STORED", "ROW", "COMMENT"].includes(after[0] ?? "");
}

/** `UNLOAD (query) TO 'location' WITH (properties)` */
function unload(
  text: string,
  tokens: readonly Token[],
  context: RewriteContext,
  query: (inner: string, base: number) => Output,
): Output {
  const [, open] = tokens;
  if (open?.text !== "(")
    throw fault(
      text,
      open,
      "UNLOAD takes a query in brackets.",
      "Write UNLOAD (SELECT ...) TO 's3://bucket/path/' WITH (format = 'PARQUET').",
    );
  const close = closing(tokens, 1);
  if (close < 0) throw fault(text, open, "This bracket is not closed.");
  const [to, location] = [tokens[close + 1], tokens[close + 2]];
  if (to?.text.toUpperCase() !== "TO" || location?.kind !== "string")
    throw fault(text, to, "UNLOAD needs TO and a location after its query.", "Write TO 's3://bucket/path/'.");
  const properties = readProperties(text, tokens, close + 3);
  if (!properties.has("format"))
    throw fault(text, tokens[close + 3], "UNLOAD needs a format.", "Write WITH (format = 'PARQUET').");
  const start = open.offset + 1;
  const inner = query(text.slice(start, (tokens[close] as Token).offset), start);
  const own = ownTexts(inner.columns ?? [], properties);
  if (own !== undefined) throw fault(text, tokens[close + 3], own.message, own.next);
  const folder = folderOf(unquote(location.text), context.locate);
  try {
    return { pieces: copyTo(inner.pieces, properties, folder), kind: "unload", writes: folder };
  } catch (error) {
    const failure = Fault.from(error);
    throw fault(text, tokens[close + 3] ?? location, failure.message, failure.next);
  }
}

function readProperties(text: string, tokens: readonly Token[], from: number): Properties {
  const found = new Map<string, string | readonly string[]>();
  if (tokens[from] === undefined) return found;
  if (tokens[from]?.text.toUpperCase() !== "WITH" || tokens[from + 1]?.text !== "(")
    throw fault(text, tokens[from], "WITH and properties in brackets are expected here.");
  const end = closing(tokens, from + 1);
  if (end < 0) throw fault(text, tokens[from + 1], "This bracket is not closed.");
  if (tokens[end + 1] !== undefined) throw fault(text, tokens[end + 1], "Nothing may follow the properties.");
  for (let i = from + 2; i < end; ) {
    const name = tokens[i] as Token;
    if (tokens[i + 1]?.text !== "=") throw fault(text, tokens[i + 1] ?? name, "Properties are written name = value.");
    const value = tokens[i + 2] as Token;
    const key = name.text.replaceAll('"', "").toLowerCase();
    if (value.text.toUpperCase() === "ARRAY") {
      const close = closing(tokens, i + 3);
      if (close < 0) throw fault(text, value, "This array is not closed.");
      found.set(
        key,
        tokens
          .slice(i + 4, close)
          .filter((token) => token.kind === "string")
          .map((token) => unquote(token.text)),
      );
      i = close + 1;
    } else {
      found.set(key, value.kind === "string" ? unquote(value.text) : value.text);
      i += 3;
    }
    if (tokens[i]?.text === ",") i++;
    else if (i < end) throw fault(text, tokens[i], "Properties are parted by commas.");
  }
  return found;
}

/** CREATE [EXTERNAL] TABLE with Hive's types: an empty table of the same columns; partition columns come last, as in Athena. */
function createTable(text: string, tokens: readonly Token[], from: number): Output {
  let i = from;
  const condition = tokens[i]?.text.toUpperCase() === "IF";
  if (condition) i += 3;
  while (tokens[i + 1]?.text === ".") i += 2;
  const nameToken = tokens[i];
  if (nameToken === undefined || (nameToken.kind !== "word" && nameToken.kind !== "quoted"))
    throw fault(text, nameToken, "A table's name is expected here.");
  const name = plain(nameToken);
  if (tokens[i + 1]?.text !== "(") throw fault(text, tokens[i + 1], "The columns in brackets are expected here.");
  const close = closing(tokens, i + 1);
  if (close < 0) throw fault(text, tokens[i + 1], "This bracket is not closed.");
  const columns = readColumns(text, tokens.slice(i + 2, close));
  const partitioned = tokens.findIndex((token, at) => at > close && token.text.toUpperCase() === "PARTITIONED");
  if (partitioned >= 0) {
    const end = closing(tokens, partitioned + 2);
    const inside = tokens.slice(partitioned + 3, end);
    // Iceberg's PARTITIONED BY names columns that are there, or transforms of them; Hive's brings further columns.
    const iceberg = tokens.some((token) => /^'iceberg'$/i.test(token.text));
    if (!iceberg) columns.push(...readColumns(text, inside));
  }
  return {
    pieces:
      sql`CREATE TABLE ${condition ? "IF NOT EXISTS " : ""}${identifier(name)} (${raw(columns.join(", "))})` as Sql,
    kind: "ddl",
    table: name,
  };
}

const plain = (token: Token): string => (token.kind === "quoted" ? unquote(token.text) : token.text);

function readColumns(text: string, tokens: readonly Token[]): string[] {
  const columns: string[] = [];
  for (let i = 0; i < tokens.length; ) {
    const name = tokens[i] as Token;
    let depth = 0;
    let end = i + 1;
    for (; end < tokens.length; end++) {
      const c = (tokens[end] as Token).text;
      if (c === "<" || c === "(") depth++;
      else if (c === ">" || c === ")") depth--;
      else if (depth === 0 && (c === "," || c.toUpperCase() === "COMMENT" || c.toUpperCase() === "NOT")) break;
    }
    const typeTokens = tokens.slice(i + 1, end);
    const [first, last] = [typeTokens[0], typeTokens.at(-1)];
    const written =
      first === undefined || last === undefined ? "" : text.slice(first.offset, last.offset + last.text.length);
    const type = parseType(written);
    if (type === undefined) throw fault(text, first ?? name, `Type '${written}' is not known.`);
    columns.push(`${identifier(plain(name))} ${duckType(type)}`);
    while (end < tokens.length && (tokens[end] as Token).text !== ",") end++;
    i = end + 1;
  }
  return columns;
}
