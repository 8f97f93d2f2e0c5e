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

/** A Fault of a line, and why it is wrong; `next` where the form of the file is not what is to be corrected. */
type Bad = (line: number, why: string, next?: string) => Fault;

/**
 * The groups of a file: a JSON list with a list of values each (of one field, the value alone), or a line each with `|` between the
 * values (`\|` for one within a value); the values in the order of the pipeline file's `by`.
 * @param file the file's name, for the words of a failure.
 * @throws Fault `input.invalid` with the line that is wrong.
 */
export function parseGroups(text: string, file: string, spec: PipelineSpec): Group[] {
  const form = byFields(spec).map((field) => `<${field}>`);
  const bad: Bad = (line, why, next = `Write a group a line, such as "${form.join("|")}", or a JSON list.`) =>
    new Fault("input.invalid", `${file}, line ${line}: ${why}.`, { next });
  const { by, measures } = spec.series;
  if (by.every(({ values }) => values)) {
    throw new Fault("input.invalid", `${file} is not needed: the pipeline file lists the groups.`, {
      next: "Leave --groups out.",
    });
  }
  const entries = /^\s*[[{]/.test(text) ? jsonEntries(text, by.length, bad) : lineEntries(text, by.length, bad);
  const lines = new Map<string, number>();
  for (const { line, group } of entries) {
    checkGroup(group, spec, (why) => bad(line, why));
    const before = lines.get(groupKey(group));
    if (before !== undefined) throw bad(line, `the same group as in line ${before}`, "Leave one of them out.");
    lines.set(groupKey(group), line);
  }
  if (entries.length === 0) throw bad(1, "there is no group");
  const most = mostGroups(measures.length);
  if (entries.length > most)
    throw bad(
      entries[most]!.line,
      `a pipeline watches ${most} groups of ${measures.length} measures`,
      "Leave out the groups that need no alarm, or make several pipelines of it.",
    );
  return entries.map(({ group }) => group);
}

/** @throws Fault where no event is of that group. */
function checkGroup(
  group: Group,
  { series: { by }, source: { fields } }: PipelineSpec,
  bad: (why: string) => Fault,
): void {
  if (group.length !== by.length)
    throw bad(`${group.length} ${group.length === 1 ? "value" : "values"} where "by" has ${by.length}`);
  for (const [i, value] of group.entries()) {
    const { field, values } = by[i]!;
    const type = fields[field];
    if (value === "") throw bad(`the value of "${field}" is empty`);
    if (values && !values.includes(value)) throw bad(`"${value}" is none of the values listed for "${field}"`);
    if (type === "integer" && (!Number.isSafeInteger(Number(value)) || String(Number(value)) !== value))
      throw bad(`"${field}" is an integer, so it is never "${value}"`);
    if (type === "boolean" && value !== "true" && value !== "false")
      throw bad(`"${field}" is a boolean, so it is "true" or "false", never "${value}"`);
  }
}

function lineEntries(text: string, size: number, bad: Bad): Entry[] {
  return text.split(/\r?\n/).flatMap((content, i) => {
    if (content.trim() === "") return [];
    // In a list of texts such a character can be meant; here it is another encoding, or another table's separator.
    if (/\p{Cc}/u.test(content))
      throw bad(
        i + 1,
        "there is a control character",
        'Save the file as UTF-8, with "|" between values, or as a JSON list.',
      );
    return [{ line: i + 1, group: parseGroupKey(content, size) }];
  });
}

/** Of a text that begins with a bracket or a brace, which the first value of lines may do as well. */
function jsonEntries(text: string, size: number, bad: Bad): Entry[] {
  const lineOf = lineCounter(text);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error && !isMeantAsJson(text, errors)) return lineEntries(text, size, bad);
  if (error) throw bad(lineOf(error.offset), `it is no JSON (${printParseErrorCode(error.error)})`);
  if (tree?.type === "object") throw bad(lineOf(tree.offset), "it is a JSON object, and no list");
  return (tree?.children ?? []).map((node) => {
    const line = lineOf(node.offset);
    const parts: readonly Node[] = node.type === "array" ? (node.children ?? []) : [node];
    return { line, group: parts.map((part) => textOf(part, text, (why) => bad(line, why))) };
  });
}

function textOf({ type, value, offset, length }: Node, text: string, bad: (why: string) => Fault): string {
  if (type !== "string" && type !== "number" && type !== "boolean") throw bad("a group is a list of texts");
  const written = text.slice(offset, offset + length);
  // Events have their texts letter by letter, and whole numbers as far as they are exact.
  if (type === "number" && String(value) !== written)
    throw bad(`${written} would be read as ${value}: put it in quotes`);
  return String(value);
}

/** The line of an offset, for offsets that do not fall. */
function lineCounter(text: string): (offset: number) => number {
  let [line, counted] = [1, 0];
  return (offset) => {
    for (; counted < offset; counted++) if (text[counted] === "\n") line++;
    return line;
  };
}

/** Whether a text that is no JSON was to be: a list of texts or lists, an object with names, or brackets around all of it. */
function isMeantAsJson(text: string, errors: readonly ParseError[]): boolean {
  const closesEarly = errors.some(({ error }) => printParseErrorCode(error) === "EndOfFileExpected");
  return /^\s*(\[\s*["[]|\{\s*")/.test(text) || (/^\s*\[/.test(text) && /\]\s*$/.test(text) && !closesEarly);
}
