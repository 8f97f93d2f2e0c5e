/**
 * Regular expressions: Trino takes Java's syntax, DuckDB Google's RE2 (https://github.com/google/re2/wiki/Syntax). What RE2 lacks, or
 * reads differently, is refused; what it only writes differently is rewritten.
 */

export interface Pattern {
  /** The pattern for RE2. */
  readonly pattern: string;
  /** Why the pattern cannot be used, if it cannot. */
  readonly refusal?: string;
  /** Whether `$` stands in it, which in Java also matches before a final line break. */
  readonly end: boolean;
  /** Whether some group may stay out of a match. */
  readonly optionalGroups: boolean;
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^\(\?(?:=|!|<=|<!)/, "a look-ahead or look-behind"],
  [/^\(\?>/, "an atomic group"],
  [/^\\[1-9]/, "a back-reference"],
  [/^\\k</, "a back-reference"],
  [/^\\[GXRhHVZ]/, "an escape that RE2 lacks"],
  [/^\\p\{(?!(?:L|Lu|Ll|Lt|N|Nd|P|S|Z)\})/, "a property of characters that RE2 names otherwise"],
  [/^\\P\{(?!(?:L|Lu|Ll|Lt|N|Nd|P|S|Z)\})/, "a property of characters that RE2 names otherwise"],
  [/^(?:[*+?]|\{\d+(?:,\d*)?\})\+/, "a possessive quantifier"],
];

/** Translates a Java regular expression. */
export function javaPattern(source: string): Pattern {
  let out = "";
  let end = false;
  let rest = source;
  let inClass = 0;
  while (rest !== "") {
    const refused = REFUSED.find(([test]) => (inClass > 0 ? test.source.startsWith("^\\\\") : true) && test.test(rest));
    if (refused !== undefined) return { pattern: "", refusal: refused[1], end, optionalGroups: false };
    const [from, to] = inClass > 0 ? classPart(rest) : part(rest);
    if (inClass > 0 && (rest.startsWith("&&") || rest.startsWith("[")) && !rest.startsWith("[:"))
      return { pattern: "", refusal: "a set operation between classes of characters", end, optionalGroups: false };
    if (inClass === 0 && from === "$") end = true;
    if (from === "[" || from === "[^" || from === "[]" || from === "[^]") inClass = 1;
    else if (inClass > 0 && from === "]") inClass = 0;
    out += to;
    rest = rest.slice(from.length);
  }
  return { pattern: out, end, optionalGroups: /\)[?*]|\)\{0|\|/.test(source) };
}

function part(rest: string): readonly [from: string, to: string] {
  const named = /^\(\?<([A-Za-z][A-Za-z0-9]*)>/.exec(rest);
  if (named !== null) return [named[0], `(?P<${named[1]}>`];
  const unicode = /^\\u([0-9A-Fa-f]{4})/.exec(rest);
  if (unicode !== null) return [unicode[0], `\\x{${unicode[1]}}`];
  if (rest.startsWith("\\s")) return ["\\s", "[\\s\\x0B]"];
  if (rest.startsWith("\\S")) return ["\\S", "[^\\s\\x0B]"];
  if (rest.startsWith("\\")) return [rest.slice(0, 2), rest.slice(0, 2)];
  const open = /^\[\^?\]?/.exec(rest);
  if (open !== null) return [open[0], open[0]];
  if (rest.startsWith("$")) return ["$", "\\z"];
  return [rest[0] as string, rest[0] as string];
}

function classPart(rest: string): readonly [from: string, to: string] {
  const unicode = /^\\u([0-9A-Fa-f]{4})/.exec(rest);
  if (unicode !== null) return [unicode[0], `\\x{${unicode[1]}}`];
  if (rest.startsWith("\\s")) return ["\\s", "\\s\\x0B"];
  if (rest.startsWith("\\")) return [rest.slice(0, 2), rest.slice(0, 2)];
  return [rest[0] as string, rest[0] as string];
}

/** Java's replacement (`$1`, `${name}`, `\$`) as RE2's (`\1`); undefined where it names a group, which RE2 does not take. */
export function javaReplacement(source: string): string | undefined {
  let out = "";
  for (let i = 0; i < source.length; i++) {
    const c = source[i] as string;
    if (c === "\\") out += source[++i] === "\\" ? "\\\\" : (source[i] ?? "");
    else if (c === "$") {
      const digit = source[++i];
      if (digit === undefined || !/\d/.test(digit)) return undefined;
      out += `\\${digit}`;
    } else out += c;
  }
  return out;
}
