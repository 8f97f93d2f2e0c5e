import type { Place } from "../core/fault.ts";

/** The place of an offset in a text, with line and column for people. */
export function placeAt(text: string, offset: number, length: number): Place {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { offset, length, line, column: offset - before.lastIndexOf("\n") };
}
