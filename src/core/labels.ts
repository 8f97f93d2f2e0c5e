/** The labels file of a pipeline (`forecast.exclude`): spans of event time that training treats as missing. */
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { Fault } from "./fault.ts";
import { parseInstant } from "./time.ts";

/** A span of event time [from, to), epoch ms, that training treats as missing, of one series or of all. */
export interface Exclusion {
  readonly from: number;
  readonly to: number;
  /** A series id; unset: every series. */
  readonly series?: string;
}

/**
 * The spans of a labels file: a JSON list (comments allowed) of `{ from, to, series?, note? }`, times in ISO 8601.
 * @param file the file's name, for the words of a failure.
 * @throws Fault `input.invalid` when the text is no such list.
 */
export function parseLabels(text: string, file: string): Exclusion[] {
  const bad = (why: string) =>
    new Fault("input.invalid", `${file}: ${why}.`, {
      next: 'Write a list of { "from": "2001-01-01", "to": "2001-01-02" }.',
    });
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) throw bad(`it is no JSON (${printParseErrorCode(error.error)} at character ${error.offset + 1})`);
  if (!Array.isArray(value)) throw bad("it must be a list");
  return value.map((label: unknown, i) => {
    const { from, to, series } = (label ?? {}) as Record<string, unknown>;
    const span = { from: parseInstant(from), to: parseInstant(to) };
    if (!(span.from < span.to)) throw bad(`entry ${i + 1} needs "from" before "to", as ISO 8601 times`);
    return { ...span, ...(typeof series === "string" && { series }) };
  });
}
