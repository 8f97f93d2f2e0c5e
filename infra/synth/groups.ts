/** Groups of fields that the pipeline file lists no values of, as a file: what was found in the data, or is expected there. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { Fault } from "../../src/core/fault.ts";
import { type Group, groupKey, mostGroups, parseGroupKey } from "../../src/core/series.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";

/** A group, and the line that it begins in. */
interface Entry {
  readonly line: number;
  readonly group: Group;
}

/**
 * The groups of a file: a JSON list with a list of values each (of one field, the value alone), or a line each with `|` between the
 * values (`\|` for one within a value); the values in the order of the pipeline file's `by`.
 * @param file the file's name, for the words of a failure.
 * @throws Fault `input.invalid` with the line that is wrong.
 */
export function parseGroups(text: string, file: string, spec: PipelineSpec): Group[] {
  const bad = (line: number, why: string) =>
    new Fault("input.invalid", `${file}, line ${line}: ${why}.`, {
      next: `Write a group a line, such as "${byFields(spec)
        .map((field) => `<${field}>`)
        .join("|")}", or a JSON list.`,
    });
  const { by, measures } = spec.series;
  if (by.every(({ values }) => values)) {
    throw new Fault("input.invalid", `${file} is not needed: the pipeline file lists the groups.`, {
      next: "Leave --groups out.",
    });
  }
  const entries = /^\s*\[/.test(text) ? jsonEntries(text, by.length, bad) : lineEntries(text, by.length);
  const lines = new Map<string, number>();
  for (const { line, group } of entries) {
    if (group.length !== by.length) throw bad(line, `${group.length} values where "by" has ${by.length}`);
    for (const [i, value] of group.entries()) {
      const { field, values } = by[i]!;
      if (value === "") throw bad(line, `the value of "${field}" is empty`);
      if (values && !values.includes(value)) throw bad(line, `"${value}" is none of the values listed for "${field}"`);
    }
    const before = lines.get(groupKey(group));
    if (before !== undefined) throw bad(line, `the same group as in line ${before}`);
    lines.set(groupKey(group), line);
  }
  if (entries.length === 0) throw bad(1, "there is no group");
  const most = mostGroups(measures.length);
  if (entries.length > most)
    throw bad(entries[most]!.line, `a pipeline watches ${most} groups of ${measures.length} measures`);
  return entries.map(({ group }) => group);
}

function lineEntries(text: string, size: number): Entry[] {
  return text
    .split(/\r?\n/)
    .flatMap((content, i) => (content === "" ? [] : [{ line: i + 1, group: parseGroupKey(content, size) }]));
}

/** Of a text that begins with a bracket, which the first value of lines may do as well. */
function jsonEntries(text: string, size: number, bad: (line: number, why: string) => Fault): Entry[] {
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  const errors: ParseError[] = [];
  const list = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error && !isMeantAsJson(text, errors)) return lineEntries(text, size);
  if (error) throw bad(lineOf(error.offset), `it is no JSON (${printParseErrorCode(error.error)})`);
  return (list?.children ?? []).map((node) => {
    const line = lineOf(node.offset);
    const parts: readonly Node[] = node.type === "array" ? (node.children ?? []) : [node];
    return {
      line,
      group: parts.map((part) => {
        if (part.type === "string" || part.type === "number" || part.type === "boolean") return String(part.value);
        throw bad(line, "a group is a list of texts");
      }),
    };
  });
}

/** Whether a text that is no JSON was to be: a list of texts or lists, or brackets around all of it. */
function isMeantAsJson(text: string, errors: readonly ParseError[]): boolean {
  const closesEarly = errors.some(({ error }) => printParseErrorCode(error) === "EndOfFileExpected");
  return /^\s*\[\s*["[]/.test(text) || (/\]\s*$/.test(text) && !closesEarly);
}
