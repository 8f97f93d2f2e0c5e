/** Named parameters (`:since`): what they become before a statement runs, on either target. */
import { quote, tokenize } from "../lexer.ts";
import { type Sql, sourceMap, textOf } from "../text.ts";

/** A text with values for its parameters, and the place in the source that a place in it comes from. */
export interface Bound {
  readonly text: string;
  map(offsetInBound: number): number;
}

/**
 * The text with its parameters replaced by literals. A value that reads as a number, a date, a timestamp, true, false or null
 * becomes such a literal, anything else a text; a value in single quotes is always a text.
 * Parameters without a value stay as they are.
 */
export function bindParameters(text: string, values: Readonly<Record<string, string>>): string {
  return bindWithMap(text, values).text;
}

/** `bindParameters`, with the way back: what is wrong in the bound text is shown in the source. */
export function bindWithMap(text: string, values: Readonly<Record<string, string>>): Bound {
  const pieces: Sql = tokenize(text).map((token) => {
    const value = token.kind === "parameter" ? values[token.text.slice(1)] : undefined;
    return { text: value === undefined ? token.text : parameterLiteral(value), at: token.offset };
  });
  const ends = pieces.map((_, i) => pieces[i + 1]?.at ?? text.length);
  const map = sourceMap(pieces);
  return {
    text: textOf(pieces),
    // A literal may be longer than its parameter: no place in it lies beyond the parameter's end.
    map: (offset) => Math.min(map(offset), endAt(pieces, ends, offset)),
  };
}

function endAt(pieces: Sql, ends: readonly number[], offset: number): number {
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    at += piece.text.length;
    if (offset < at) return ends[i] as number;
  }
  return ends.at(-1) ?? 0;
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
