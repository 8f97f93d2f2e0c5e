/** Functions of text whose pattern, path or format is read here: regular expressions, JSON paths, Java's format. */
import type { ParserRuleContext } from "antlr4ng";
import { quote } from "../lexer.ts";
import { concatenation } from "../operators.ts";
import { type Pass, refuse, type Typed } from "../pass.ts";
import { javaPattern, javaReplacement, type Pattern } from "../regexp.ts";
import { join, raw, type Sql, sql } from "../text.ts";
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  isFloat,
  isInteger,
  isOpen,
  isText,
  JSON_TYPE,
  typeName,
  VARCHAR,
} from "../types.ts";
import { arity, literal, type Special, type SpecialCall } from "./kinds.ts";

const argument = (call: SpecialCall, index: number): ParserRuleContext => call.args[index] as ParserRuleContext;

function text(pass: Pass, call: SpecialCall, index = 0): Typed {
  const value = pass.typed(argument(call, index));
  if (!isText(value.type) && !isOpen(value.type))
    return refuse(
      pass,
      argument(call, index),
      `${call.name} takes a text, not ${typeName(value.type)}.`,
      "Cast it to varchar.",
    );
  return value;
}

function patternOf(pass: Pass, call: SpecialCall): Pattern {
  const pattern = javaPattern(literal(pass, call, 1, "its regular expression"));
  if (pattern.refusal !== undefined)
    refuse(
      pass,
      argument(call, 1),
      `This regular expression has ${pattern.refusal}, which DuckDB's engine lacks.`,
      "It runs on Athena.",
    );
  return pattern;
}

/** The text to search: where `$` stands in the pattern, one that ends in a line break is refused while the query runs. */
const subject = (value: Typed, pattern: Pattern): Sql =>
  pattern.end ? sql`trino.no_final_break(${value.sql})` : value.sql;

function group(pass: Pass, call: SpecialCall): number {
  if (call.args.length < 3) return 0;
  const value = pass.typed(argument(call, 2));
  if (typeof value.literal !== "number")
    return refuse(pass, argument(call, 2), `${call.name} needs the group's number as a literal to run here.`);
  return value.literal;
}

const regexpLike: Special = (pass, call) => {
  arity(pass, call, 2);
  const pattern = patternOf(pass, call);
  const value = text(pass, call);
  return { sql: sql`regexp_matches(${subject(value, pattern)}, ${quote(pattern.pattern)})`, type: BOOLEAN };
};

const regexpExtract: Special = (pass, call) => {
  arity(pass, call, 2, 3);
  const pattern = patternOf(pass, call);
  const value = subject(text(pass, call), pattern);
  const number = group(pass, call);
  const found = sql`regexp_extract(${value}, ${quote(pattern.pattern)}, ${String(number)})`;
  const sure = number > 0 && pattern.optionalGroups ? sql`trino.sure_group(${found})` : found;
  return { sql: sql`CASE WHEN regexp_matches(${value}, ${quote(pattern.pattern)}) THEN ${sure} END`, type: VARCHAR };
};

const regexpExtractAll: Special = (pass, call) => {
  arity(pass, call, 2, 3);
  const pattern = patternOf(pass, call);
  const number = group(pass, call);
  if (number > 0 && pattern.optionalGroups)
    refuse(
      pass,
      argument(call, 1),
      "Whether a group of this regular expression takes part in a match cannot be told here.",
      "Extract the whole match.",
    );
  return {
    sql: sql`regexp_extract_all(${subject(text(pass, call), pattern)}, ${quote(pattern.pattern)}, ${String(number)})`,
    type: arrayOf(VARCHAR),
  };
};

const regexpReplace: Special = (pass, call) => {
  arity(pass, call, 2, 3);
  const pattern = patternOf(pass, call);
  const replacement = call.args.length === 3 ? javaReplacement(literal(pass, call, 2, "its replacement")) : "";
  if (replacement === undefined)
    return refuse(
      pass,
      argument(call, 2),
      "A replacement by a group's name is not done here.",
      "Use the group's number: $1.",
    );
  return {
    sql: sql`regexp_replace(${subject(text(pass, call), pattern)}, ${quote(pattern.pattern)}, ${quote(replacement)}, 'g')`,
    type: VARCHAR,
  };
};

const regexpSplit: Special = (pass, call) => {
  arity(pass, call, 2);
  const pattern = patternOf(pass, call);
  return {
    sql: sql`string_split_regex(${subject(text(pass, call), pattern)}, ${quote(pattern.pattern)})`,
    type: arrayOf(VARCHAR),
  };
};

const regexpCount: Special = (pass, call) => {
  arity(pass, call, 2);
  const pattern = patternOf(pass, call);
  return {
    sql: sql`len(regexp_extract_all(${subject(text(pass, call), pattern)}, ${quote(pattern.pattern)}))`,
    type: BIGINT,
  };
};

const PATH = /^\$((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\]|\["[^"\\]*"\]|\['[^'\\]*'\])*)$/;

/** A path of Trino's as one of DuckDB's. */
function pathOf(pass: Pass, call: SpecialCall): string {
  const path = literal(pass, call, 1, "its path");
  if (!PATH.test(path))
    return refuse(
      pass,
      argument(call, 1),
      `The path '${path}' is not done here: members and indices such as $.a[0]["b c"] are.`,
      "Extract the array and use UNNEST or filter.",
    );
  return path.replace(
    /\["([^"]*)"\]|\['([^']*)'\]/g,
    (_, a: string | undefined, b: string | undefined) => `."${a ?? b}"`,
  );
}

/** The JSON that an argument is, or holds as text; a text that is no JSON gives NULL, as in Trino. */
function jsonOf(pass: Pass, call: SpecialCall): Sql {
  const value = pass.typed(argument(call, 0));
  if (value.type.kind === "json") return value.sql;
  if (isText(value.type) || value.type.kind === "null") return sql`trino.json_or_null(${value.sql})`;
  if (value.type.kind === "unknown") return sql`trino.json_or_null(CAST(${value.sql} AS VARCHAR))`;
  return refuse(pass, argument(call, 0), `${call.name} takes json or a text, not ${typeName(value.type)}.`);
}

const jsonExtract: Special = (pass, call) => {
  arity(pass, call, 2);
  const path = quote(pathOf(pass, call));
  const json = jsonOf(pass, call);
  if (call.name === "json_extract") {
    // What is taken out of a text keeps the order of its keys; json_parse sorts them.
    const written = pass.typed(argument(call, 0)).type.kind !== "json";
    return { sql: sql`json_extract(${json}, ${path})`, type: written ? { ...JSON_TYPE, written } : JSON_TYPE };
  }
  if (call.name === "json_size") return { sql: sql`trino.json_count(${json}, ${path})`, type: BIGINT };
  return { sql: sql`trino.json_scalar_at(${json}, ${path})`, type: VARCHAR };
};

const jsonFormat: Special = (pass, call) => {
  arity(pass, call, 1);
  const { sql: json, type } = pass.typed(argument(call, 0));
  return type.written === true ? { sql: sql`CAST(json(${json}) AS VARCHAR)`, type: VARCHAR } : undefined;
};

const concat: Special = (pass, call) => {
  if (call.args.length < 2) return refuse(pass, call.at, "There must be two or more arguments to concat.");
  const values = call.args.map((arg) => pass.typed(arg));
  return values.reduce((left, right) => concatenation(pass, call.at, left, right));
};

/** Java's format for the specifiers that DuckDB writes alike; decimals are rounded half up on their digits, as Java does. */
const format: Special = (pass, call) => {
  const template = literal(pass, call, 0, "its format");
  let used = 0;
  const parts = template.split(/(%(?:[-,0]*\d*(?:\.\d+)?[sdfx]|%|.))/s).map((part): Sql => {
    if (part === "%%") return raw("'%'");
    const specifier = /^%([-,0]*)(\d*)(?:\.(\d+))?([sdfx])$/.exec(part);
    if (specifier === null) {
      if (part.startsWith("%"))
        return refuse(pass, argument(call, 0), `'${part}' in a format is not done here.`, "Use %s, %d, %x or %.2f.");
      return raw(quote(part));
    }
    const arg = call.args[++used];
    if (arg === undefined) return refuse(pass, argument(call, 0), "The format asks for more values than are given.");
    return formatted(pass, arg, {
      flags: specifier[1] as string,
      width: specifier[2] as string,
      decimals: specifier[3],
      letter: specifier[4] as string,
    });
  });
  return { sql: sql`(${join(parts, " || ")})`, type: VARCHAR };
};

interface Specifier {
  readonly flags: string;
  readonly width: string;
  readonly decimals: string | undefined;
  readonly letter: string;
}

function formatted(pass: Pass, arg: ParserRuleContext, { flags, width, decimals, letter }: Specifier): Sql {
  const value = pass.typed(arg);
  const { type } = value;
  let out: Sql;
  if (letter === "s" && isText(type)) out = value.sql;
  else if ((letter === "s" || letter === "d") && isInteger(type))
    out = flags.includes(",") ? sql`printf('%,d', ${value.sql})` : sql`CAST(${value.sql} AS VARCHAR)`;
  else if (letter === "x" && isInteger(type)) out = sql`printf('%x', ${value.sql})`;
  else if (letter === "f" && (isFloat(type) || type.kind === "decimal")) {
    const digits = Number(decimals ?? 6);
    const exact = sql`CAST(CAST(CAST(${value.sql} AS VARCHAR) AS DECIMAL(38, ${String(digits)})) AS VARCHAR)`;
    out = flags.includes(",")
      ? sql`regexp_replace(reverse(regexp_replace(regexp_replace(reverse(${exact}), '^([0-9]*[.])?', ''), '([0-9]{3})', '\\1,', 'g')) || regexp_extract(${exact}, '[.][0-9]*$'), '^(-?),', '\\1')`
      : exact;
  } else
    return refuse(
      pass,
      arg,
      `%${letter} of ${typeName(type)} is not done here.`,
      "Cast the value to varchar, bigint or double.",
    );
  if (width === "") return out;
  if (flags.includes("-")) return sql`rpad(${out}, CAST(greatest(${width}, length(${out})) AS INTEGER), ' ')`;
  if (flags.includes("0"))
    return sql`(CASE WHEN starts_with(${out}, '-') THEN '-' || lpad(substr(${out}, 2), CAST(greatest(${width} - 1, length(${out}) - 1) AS INTEGER), '0') ELSE lpad(${out}, CAST(greatest(${width}, length(${out})) AS INTEGER), '0') END)`;
  return sql`lpad(${out}, CAST(greatest(${width}, length(${out})) AS INTEGER), ' ')`;
}

export const TEXT_CALLS: Readonly<Record<string, Special>> = {
  regexp_like: regexpLike,
  regexp_extract: regexpExtract,
  regexp_extract_all: regexpExtractAll,
  regexp_replace: regexpReplace,
  regexp_split: regexpSplit,
  regexp_count: regexpCount,
  json_extract: jsonExtract,
  json_extract_scalar: jsonExtract,
  json_size: jsonExtract,
  json_format: jsonFormat,
  concat,
  format,
};
