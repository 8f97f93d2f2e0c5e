/**
 * Hive's CREATE [EXTERNAL] TABLE, read by tokens. A table with a location gets the rows of the files there; one without is empty.
 * https://docs.aws.amazon.com/athena/latest/ug/create-table.html
 */
import { Fault } from "../core/fault.ts";
import { type FileFormat, type LocatedColumn, rowsAt } from "./files.ts";
import { closing, type Token, unquote } from "./lexer.ts";
import { folderOf } from "./output.ts";
import { placeAt } from "./place.ts";
import type { RewriteContext } from "./rewrite-context.ts";
import type { Output } from "./statement.ts";
import { raw, sql } from "./text.ts";
import { duckType, identifier, parseType } from "./types.ts";

/** The refusal of a token, or of what should stand at the end. */
export function hiveFault(text: string, token: Token | undefined, message: string, next?: string): Fault {
  const at = token === undefined ? placeAt(text, text.length, 0) : placeAt(text, token.offset, token.text.length);
  return new Fault("query.refused", message, { at, ...(next !== undefined && { next }) });
}

/** A clause behind the columns: the token that it begins with, and what it says. */
interface Clauses {
  location?: { readonly at: Token; readonly folder: string };
  partitions: readonly LocatedColumn[];
  format?: FileFormat | undefined;
  /** Why the files cannot be read here. */
  unread?: { readonly at: Token; readonly why: string } | undefined;
  iceberg: boolean;
}

/** The statement with its name at token `from`, or behind IF NOT EXISTS. */
export function hiveTable(text: string, tokens: readonly Token[], from: number, context: RewriteContext): Output {
  let i = from;
  const condition = tokens[i]?.text.toUpperCase() === "IF";
  if (condition) i += 3;
  while (tokens[i + 1]?.text === ".") i += 2;
  const nameToken = tokens[i];
  if (nameToken === undefined || (nameToken.kind !== "word" && nameToken.kind !== "quoted"))
    throw hiveFault(text, nameToken, "A table's name is expected here.");
  const name = plain(nameToken);
  if (tokens[i + 1]?.text !== "(") throw hiveFault(text, tokens[i + 1], "The columns in brackets are expected here.");
  const close = closing(tokens, i + 1);
  if (close < 0) throw hiveFault(text, tokens[i + 1], "This bracket is not closed.");
  const columns = readColumns(text, tokens.slice(i + 2, close));
  const clauses = readClauses(text, tokens, close + 1, context);
  const exists = context.catalogue?.tables.some((table) => table.name.toLowerCase() === name.toLowerCase()) === true;
  if (exists && condition) return { pieces: raw("SELECT 1 WHERE false"), kind: "ddl" };
  if (exists) throw hiveFault(text, nameToken, `Table '${name}' already exists.`, "Drop it, or use another name.");
  const begin = `CREATE TABLE ${condition ? "IF NOT EXISTS " : ""}${identifier(name)}`;
  const made = { kind: "ddl", table: name } as const;
  const { location, partitions, unread, format } = clauses;
  if (location === undefined || clauses.iceberg) {
    // Iceberg's PARTITIONED BY names columns that are there, or transforms of them; Hive's brings further columns.
    const all = clauses.iceberg ? columns : [...columns, ...partitions];
    return {
      ...made,
      pieces: raw(`${begin} (${all.map((c) => `${identifier(c.name)} ${duckType(c.type)}`).join(", ")})`),
    };
  }
  if (unread !== undefined) throw hiveFault(text, unread.at, unread.why, "Use PARQUET, TEXTFILE or JSON.");
  const read = rowsAt(location.folder, format ?? { kind: "text", delimiter: "\u0001" }, columns, partitions);
  if ("refused" in read) throw hiveFault(text, read.refused.at ?? location.at, read.refused.why, read.refused.next);
  return { ...made, pieces: sql`${begin} AS ${read.rows}`, reads: location.folder };
}

const plain = (token: Token): string => (token.kind === "quoted" ? unquote(token.text) : token.text);

function readClauses(text: string, tokens: readonly Token[], from: number, context: RewriteContext): Clauses {
  const found: Clauses = { partitions: [], iceberg: false };
  const is = (at: number, ...words: readonly string[]) =>
    words.every((word, j) => tokens[at + j]?.text.toUpperCase() === word);
  const value = (at: number): string => {
    const token = tokens[at];
    if (token?.kind !== "string") throw hiveFault(text, token, "A text in single quotes is expected here.");
    return unquote(token.text);
  };
  const bracket = (at: number): number => {
    const end = tokens[at]?.text === "(" ? closing(tokens, at) : -1;
    if (end < 0) throw hiveFault(text, tokens[at], "Brackets that open and close are expected here.");
    return end;
  };
  let i = from;
  while (i < tokens.length) {
    const at = tokens[i] as Token;
    if (is(i, "COMMENT")) i += 2;
    else if (is(i, "PARTITIONED", "BY")) {
      const end = bracket(i + 2);
      // Iceberg's transforms have no types: what its brackets hold is not read.
      found.iceberg = tokens.some((token) => /^'iceberg'$/i.test(token.text));
      if (!found.iceberg) found.partitions = readColumns(text, tokens.slice(i + 3, end));
      i = end + 1;
    } else if (is(i, "CLUSTERED", "BY")) {
      while (i < tokens.length && !is(i, "BUCKETS")) i++;
      i++;
    } else if (is(i, "ROW", "FORMAT", "SERDE")) {
      read(found, at, serde(value(i + 3)));
      i += 4;
      if (is(i, "WITH", "SERDEPROPERTIES")) {
        const end = bracket(i + 2);
        for (const [key, word, token] of pairs(tokens.slice(i + 3, end)))
          if (key === "field.delim" && found.format?.kind === "text") found.format = { kind: "text", delimiter: word };
          else if (key !== "serialization.format") found.unread ??= { at: token, why: `'${key}' is not done here.` };
        i = end + 1;
      }
    } else if (is(i, "ROW", "FORMAT", "DELIMITED")) {
      read(found, at, { kind: "text", delimiter: "\u0001" });
      i += 3;
    } else if (is(i, "FIELDS", "TERMINATED", "BY")) {
      read(found, at, { kind: "text", delimiter: unescaped(value(i + 3)) });
      i += 4;
    } else if (is(i, "LINES", "TERMINATED", "BY") && unescaped(value(i + 3)) === "\n") i += 4;
    else if (is(i, "COLLECTION") || is(i, "MAP", "KEYS")) i += 5;
    else if (is(i, "STORED", "AS", "INPUTFORMAT")) {
      if (!/TextInputFormat|parquet/i.test(value(i + 3))) read(found, at, undefined);
      i += 6;
    } else if (is(i, "STORED", "AS")) {
      const stored = (tokens[i + 2]?.text ?? "").toUpperCase();
      if (stored === "PARQUET") found.format = { kind: "parquet" };
      else if (stored === "JSONFILE") found.format = { kind: "json" };
      else if (stored !== "TEXTFILE") read(found, tokens[i + 2] ?? at, undefined);
      i += 3;
    } else if (is(i, "LOCATION")) {
      found.location = { at: tokens[i + 1] as Token, folder: folderOf(value(i + 1), context.locate) };
      i += 2;
    } else if (is(i, "TBLPROPERTIES")) {
      const end = bracket(i + 1);
      for (const [key, word, token] of pairs(tokens.slice(i + 2, end))) {
        if (key === "table_type" && word.toUpperCase() === "ICEBERG") found.iceberg = true;
        else if (!HARMLESS.test(key)) found.unread ??= { at: token, why: `The property '${key}' is not done here.` };
      }
      i = end + 1;
    } else throw hiveFault(text, at, `'${at.text}' is not done in CREATE TABLE here.`);
  }
  return found;
}

/** Properties that do not change what is read. */
const HARMLESS =
  /^(classification|compressiontype|typeofdata|external|comment|has_encrypted_data|(parquet|write)?\.?compress(ion)?)$/;

function read(found: Clauses, at: Token, format: FileFormat | undefined): void {
  if (format === undefined) found.unread ??= { at, why: "Files of this format cannot be read here." };
  else found.format = format;
}

function serde(name: string): FileFormat | undefined {
  if (/\bParquetHiveSerDe$/.test(name)) return { kind: "parquet" };
  if (/\bJsonSerDe$/.test(name)) return { kind: "json" };
  return /\bLazySimpleSerDe$/.test(name) ? { kind: "text", delimiter: "\u0001" } : undefined;
}

/** Hive's escapes in a text: `\t`, `\001`. */
const unescaped = (text: string): string =>
  text
    .replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
    .replace(/\\([tn\\])/g, (_, c: string) => ({ t: "\t", n: "\n" })[c] ?? c);

/** `'key' = 'value', ...` */
function pairs(tokens: readonly Token[]): (readonly [key: string, value: string, at: Token])[] {
  return tokens.flatMap((token, i) => {
    const [equals, value] = [tokens[i + 1], tokens[i + 2]];
    if (equals?.text !== "=" || value === undefined) return [];
    const text = (one: Token) => (one.kind === "string" ? unquote(one.text) : one.text);
    return [[text(token).toLowerCase(), text(value), token] as const];
  });
}

function readColumns(text: string, tokens: readonly Token[]): LocatedColumn[] {
  const columns: LocatedColumn[] = [];
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
    if (type === undefined) throw hiveFault(text, first ?? name, `Type '${written}' is not known.`);
    columns.push({ name: plain(name), type, at: first ?? name });
    while (end < tokens.length && (tokens[end] as Token).text !== ",") end++;
    i = end + 1;
  }
  return columns;
}
