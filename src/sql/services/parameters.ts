/** Named parameters (`:since`): what they become before a statement runs, on either target. */
import { quote, tokenize } from "../lexer.ts";
import { paste } from "../paste.ts";
import { type Sql, sourceMap, textOf } from "../text.ts";

/** A text with values for its parameters, and the place in the source that a place in it comes from. */
export interface Bound {
  readonly text: string;
  map(offsetInBound: number): number;
}

/**
 * The text with its parameters replaced by literals. A value that reads as a number, a date, a timestamp, true, false or null
 * becomes such a literal, anything else a text; a value in single quotes is always a text. Literals of several parts are bracketed.
 * Parameters without a value stay as they are.
 */
export function bindParameters(text: string, values: Readonly<Record<string, string>>): string {
  return bindWithMap(text, values).text;
}

/** `bindParameters`, with the way back: what is wrong in the bound text is shown in the source. */
export function bindWithMap(text: string, values: Readonly<Record<string, string>>): Bound {
  const tokens = tokenize(text);
  const parts = paste(
    tokens,
    tokens.map((token) => {
      const value = token.kind === "parameter" ? values[token.text.slice(1)] : undefined;
      return value === undefined ? undefined : parameterLiteral(value);
    }),
  );
  const map = sourceMap(parts.flat());
  return {
    text: textOf(parts.flat()),
    // A literal may be longer than its parameter: no place in it lies beyond the parameter's end.
    map: (offset) => Math.min(map(offset), tokens[partAt(parts, offset) + 1]?.offset ?? text.length),
  };
}

/** The index of the part that holds a place in the text of all. */
function partAt(parts: readonly Sql[], offset: number): number {
  let end = 0;
  const index = parts.findIndex((part) => {
    end += textOf(part).length;
    return offset < end;
  });
  return index < 0 ? parts.length : index;
}

/** The SQL literal of what a person entered. */
export function parameterLiteral(value: string): string {
  const text = value.trim();
  if (/^'(?:[^']|'')*'$/.test(text)) return text;
  if (/^[+-]?(?:0|[1-9]\d{0,17})(?:\.\d+)?$/.test(text) || /^(?:true|false|null)$/i.test(text)) return text;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return `DATE '${text}'`;
  const moment = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (moment === null) return quote(value);
  const [, date, minutes, seconds = ":00", zone] = moment;
  return `TIMESTAMP '${date} ${minutes}${seconds}${zone === undefined ? "" : ` ${zone === "Z" ? "UTC" : zone}`}'`;
}

/** The text with each parameter as a question mark and spaces, so that offsets stay and the grammar takes it. */
export function blankParameters(text: string): string {
  return tokenize(text)
    .map((token) => (token.kind === "parameter" ? "?".padEnd(token.text.length) : token.text))
    .join("");
}
