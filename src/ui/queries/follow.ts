/** Follows a statement through the edits of its file. Pure. */
import type { Statement } from "../../sql/split.ts";

/** An edit as editors report it. */
export interface Edit {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/**
 * Where the statement `text`, which stood at `offset`, stands after the edits: its own text may not have changed. Undefined when
 * it has. Edits are given as VS Code gives them: each in the text before all of them.
 */
export function follow(
  { text, offset }: { readonly text: string; readonly offset: number },
  edits: readonly Edit[],
  statements: readonly Pick<Statement, "text" | "offset">[],
): number | undefined {
  let moved = offset;
  for (const { rangeOffset, rangeLength, text: inserted } of edits)
    if (rangeOffset + rangeLength <= offset) moved += inserted.length - rangeLength;
  return statements.find((s) => s.offset === moved && s.text === text)?.offset;
}
