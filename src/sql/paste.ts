/** Values put into a text in place of tokens, so that each stays one value whatever stands around it. */
import { significant, type Token } from "./lexer.ts";
import type { Sql } from "./text.ts";

/** A character that joins with a literal beside it. */
const WORDY = /[\w$@.'"`\u0080-\uFFFF]/;

/**
 * The tokens as pieces: each the value of its place, or itself where that is undefined. A value of more than one token is put in
 * brackets, as `2 * 1 + 1` is not `2 * (1 + 1)` and `--7` is a comment; one that would join with its neighbour is set apart.
 */
export function paste(tokens: readonly Token[], values: readonly (string | undefined)[]): Sql[] {
  return tokens.map((token, i) => {
    const value = values[i];
    if (value === undefined) return [{ text: token.text, at: token.offset }];
    const own = { text: value, at: token.offset };
    if (significant(value).length !== 1) return [{ text: "(" }, own, { text: ")" }];
    const before = WORDY.test((values[i - 1] ?? tokens[i - 1]?.text ?? "").slice(-1));
    const after = WORDY.test((values[i + 1] === undefined ? tokens[i + 1]?.text : undefined)?.[0] ?? "");
    return [...(before ? [{ text: " " }] : []), own, ...(after ? [{ text: " " }] : [])];
  });
}
