/** What is wrong with a pipeline file, in words, and where in the text. */
import { findNodeAtLocation, type Node, type ParseError, printParseErrorCode } from "jsonc-parser";
import type { BaseIssue } from "valibot";
import type { Place } from "../fault.ts";
import { nearest } from "./nearest.ts";
import { knownKeys } from "./schema.ts";

/** One thing wrong in a pipeline file, with its place and, where there is one, the nearest right word. */
export interface SpecProblem {
  readonly message: string;
  readonly at: Place;
  readonly severity: "error" | "warning";
  /** JSON path of the value, such as `alarms.0.measure`. */
  readonly path: string;
  /** A word to put in place of what stands there. */
  readonly suggestion?: string;
}

export type Path = readonly (string | number)[];

/** Tells of a problem at a path of the file; `key` places it at the property's name instead of its value. */
export type Report = (path: Path, message: string, extra?: { suggestion?: string; key?: boolean }) => void;

/** A Report that collects into `problems`, each at its place in the text that `tree` was parsed from. */
export function reporter(problems: SpecProblem[], tree: Node, place: Placer): Report {
  return (path, message, extra = {}) => {
    const { offset, length } = span(tree, path, extra.key === true);
    problems.push({
      message,
      at: place(offset, length),
      severity: "error",
      path: path.join("."),
      ...(extra.suggestion !== undefined && { suggestion: extra.suggestion }),
    });
  };
}

/** From an offset and a length to the place that people and editors read. */
export type Placer = (offset: number, length: number) => Place;

export function placer(text: string, file: string | undefined): Placer {
  const lines = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lines.push(i + 1);
  return (offset, length) => {
    const line = lines.findLastIndex((start) => start <= offset);
    return { ...(file !== undefined && { file }), offset, length, line: line + 1, column: offset - lines[line]! + 1 };
  };
}

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: "This word means nothing in JSON: put text in double quotes.",
  InvalidNumberFormat: "This is not a number.",
  PropertyNameExpected: "A property name in double quotes is expected here.",
  ValueExpected: "A value is expected here.",
  ColonExpected: "A colon is expected here.",
  CommaExpected: "A comma is missing before this.",
  CloseBraceExpected: "A closing } is missing.",
  CloseBracketExpected: "A closing ] is missing.",
  EndOfFileExpected: "The file should end here.",
  UnexpectedEndOfComment: "This comment is not closed.",
  UnexpectedEndOfString: "This text is not closed by a double quote.",
  UnexpectedEndOfNumber: "This number is not complete.",
  InvalidUnicode: "After \\u, four hexadecimal digits are expected.",
  InvalidEscapeCharacter: "This escape is not known in JSON.",
  InvalidCharacter: "This character may not stand in a text: write it as \\u and four hexadecimal digits.",
};

/** What the JSON parser stumbled over; what follows on the same line, or next after it, is a consequence of the first. */
export function syntaxProblems(text: string, errors: readonly ParseError[], place: Placer): SpecProblem[] {
  if (text.trim() === "") return [{ message: "The file is empty.", at: place(0, 0), severity: "error", path: "" }];
  const problems: SpecProblem[] = [];
  let end = Number.NaN;
  for (const e of errors) {
    const at = place(e.offset, e.length);
    const follows = text.slice(end, e.offset).trim() === "" && !Number.isNaN(end);
    end = e.offset + e.length;
    if (follows || problems.some((p) => p.at.line === at.line)) continue;
    const message = SYNTAX[printParseErrorCode(e.error)] ?? "This is not valid JSON.";
    problems.push({ message, at, severity: "error", path: "" });
  }
  return problems;
}

/** Reports what does not fit the schema. */
export function reportIssue(issue: BaseIssue<unknown>, report: Report): void {
  const path = pathOf(issue);
  const last = path.at(-1);
  if (issue.type === "strict_object" && issue.expected === "never") {
    const known = knownKeys(path.slice(0, -1));
    const suggestion = nearest(String(last), known);
    const hint = suggestion ? `Did you mean "${suggestion}"?` : `Known here: ${known.join(", ")}.`;
    report(path, `"${last}" is not known here. ${hint}`, { key: true, ...(suggestion && { suggestion }) });
  } else if (issue.type === "strict_object" && issue.received === "undefined") {
    report(path.slice(0, -1), `"${last}" is missing.`, { key: true });
  } else if (issue.type === "picklist") {
    const words = (issue.expected ?? "").split("|").map((w) => w.trim().replace(/[()"]/g, ""));
    // `"2"` where 2 is meant: the right word already stands there, in quotes.
    const quoted = words.includes(String(issue.input));
    const suggestion = quoted ? undefined : nearest(String(issue.input), words);
    const hint = quoted ? " Leave the quotes out." : suggestion ? ` Did you mean "${suggestion}"?` : "";
    report(path, `${show(issue.input)} is not one of ${words.join(", ")}.${hint}`, suggestion ? { suggestion } : {});
  } else {
    const subject = last === undefined ? "The file" : typeof last === "number" ? `Entry ${last + 1}` : `"${last}"`;
    const own = !issue.message.startsWith("Invalid ");
    const predicate = own ? issue.message : `must be ${TYPES[issue.expected ?? ""] ?? issue.expected}`;
    const found = own && typeof issue.input === "object" ? "" : `, not ${show(issue.input)}`;
    const key = issue.path?.at(-1)?.origin === "key";
    report(path, `${subject} ${predicate}${key ? "" : found}.`, { key });
  }
}

/** The path of a schema issue in the file. */
export function pathOf(issue: BaseIssue<unknown>): Path {
  return (issue.path ?? []).map((item) => item.key as string | number);
}

/** Every property of the tree whose name stands in the same object already, or would clash with JavaScript's own. */
export function* badKeys(node: Node, path: Path = []): Generator<{ path: Path; node: Node; message: string }> {
  const children = node.children ?? [];
  if (node.type === "array") for (const [i, child] of children.entries()) yield* badKeys(child, [...path, i]);
  if (node.type !== "object") return;
  const seen = new Set<string>();
  for (const { children: [name, value] = [] } of children) {
    if (!name) continue;
    const key = String(name.value);
    const at = [...path, key];
    if (seen.has(key)) yield { path: at, node: name, message: `"${key}" stands here twice.` };
    else if (key in {} || key === "prototype")
      yield { path: at, node: name, message: `"${key}" cannot be used as a name: JavaScript claims it.` };
    seen.add(key);
    if (value) yield* badKeys(value, at);
  }
}

const TYPES: Readonly<Record<string, string>> = {
  Object: "an object",
  Array: "a list",
  string: "text",
  number: "a number",
  boolean: "true or false",
};

function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The text that a path stands for; where the path leads nowhere, the innermost part of it that exists. */
function span(tree: Node, path: Path, key: boolean): { offset: number; length: number } {
  for (let n = path.length; n > 0; n--) {
    const node = findNodeAtLocation(tree, path.slice(0, n) as (string | number)[]);
    if (!node) continue;
    const name = node.parent?.type === "property" ? node.parent.children?.[0] : undefined;
    // Of an object or a list only the name or the opening bracket is marked: an underline over many lines helps nobody.
    const large = node.type === "object" || node.type === "array";
    if (name && (key || large || n < path.length)) return name;
    return large ? { offset: node.offset, length: 1 } : node;
  }
  return { offset: tree.offset, length: tree.type === "object" || tree.type === "array" ? 1 : tree.length };
}
