/** SQL under construction: pieces that remember where in the source they come from, so that DuckDB's error positions map back. */

export interface Piece {
  readonly text: string;
  /** Offset in the source; undefined for text that the rewriter added. */
  readonly at?: number;
}

export type Sql = readonly Piece[];

/** Builds SQL from a template; strings are taken as they are, pieces keep their origin. */
export function sql(strings: TemplateStringsArray, ...values: readonly (Sql | string)[]): Sql {
  const pieces: Piece[] = [];
  for (const [i, text] of strings.entries()) {
    if (text !== "") pieces.push({ text });
    const value = values[i];
    if (typeof value === "string") pieces.push({ text: value });
    else if (value !== undefined) pieces.push(...value);
  }
  return pieces;
}

export const raw = (text: string): Sql => [{ text }];

export function join(parts: readonly Sql[], separator: string): Sql {
  return parts.flatMap((part, i) => (i === 0 ? part : [{ text: separator }, ...part]));
}

/**
 * Fills a template: `$1`, `$2`, ... take the arguments, `$*` all of them with commas, and a `$` with letters (`$F`, `$L1`) what
 * `extra` has under that name.
 */
export function fill(template: string, args: readonly Sql[], extra: Readonly<Record<string, Sql>> = {}): Sql {
  return template.split(/(\$(?:[A-Z]?\d|\*|[A-Z]))/).flatMap((part): Sql => {
    if (!/^\$(?:[A-Z]?\d|\*|[A-Z])$/.test(part)) return part === "" ? [] : [{ text: part }];
    if (part === "$*") return join(args, ", ");
    const name = part.slice(1);
    return /^\d$/.test(name) ? (args[Number(name) - 1] ?? []) : (extra[name] ?? []);
  });
}

export function textOf(pieces: Sql): string {
  return pieces.map((piece) => piece.text).join("");
}

/** A function from offsets in the written text to offsets in the source: added text maps to the source that follows it. */
export function sourceMap(pieces: Sql): (offset: number) => number {
  const starts: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    starts.push(length);
    length += piece.text.length;
  }
  return (offset) => {
    let i = starts.findLastIndex((start) => start <= offset);
    if (i < 0) return 0;
    const inside = offset - (starts[i] as number);
    const own = pieces[i] as Piece;
    if (own.at !== undefined) return own.at + Math.min(inside, own.text.length);
    while (++i < pieces.length) {
      const next = (pieces[i] as Piece).at;
      if (next !== undefined) return next;
    }
    const last = pieces.findLast((piece) => piece.at !== undefined);
    return last?.at === undefined ? 0 : last.at + last.text.length;
  };
}
