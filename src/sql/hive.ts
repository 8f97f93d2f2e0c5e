/**
 * Athena's own statements, which Trino's grammar has no rule for: UNLOAD and Hive's DDL. They are read by tokens; the query inside
 * UNLOAD goes through the grammar. https://docs.aws.amazon.com/athena/latest/ug/unload.html
 */
import { Fault } from "../core/fault.ts";
import { hiveFault as fault, hiveTable } from "./hive-table.ts";
import { closing, significant, type Token, unquote } from "./lexer.ts";
import { checkedRows, copyTo, folderOf, ownTexts, type Properties } from "./output.ts";
import type { RewriteContext } from "./rewrite-context.ts";
import { showList } from "./show.ts";
import type { Output } from "./statement.ts";
import { sql } from "./text.ts";

/** The rewriting of a statement that begins as one of Athena's own; undefined leaves it to the grammar. */
export function hiveStatement(
  text: string,
  context: RewriteContext,
  query: (inner: string, base: number) => Output,
): Output | undefined {
  const tokens = significant(text);
  const is = (...words: readonly string[]): boolean => words.every((word, i) => tokens[i]?.text.toUpperCase() === word);
  if (is("UNLOAD")) return unload(text, tokens, context, query);
  if (is("CREATE", "EXTERNAL", "TABLE")) return hiveTable(text, tokens, 3, context);
  if (is("CREATE", "TABLE") && isHiveTable(tokens)) return hiveTable(text, tokens, 2, context);
  const list = showList(text, tokens);
  if (list !== undefined) return list;
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
  const columns = inner.columns ?? [];
  const own = ownTexts(columns, properties);
  if (own !== undefined) throw fault(text, tokens[close + 3], own.message, own.next);
  const folder = folderOf(unquote(location.text), context.locate);
  try {
    const rows = checkedRows(inner.pieces, columns, properties);
    return { pieces: copyTo(sql`(${rows})`, properties, folder), kind: "unload", writes: folder };
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
