/** Which lenses stand above a statement. Pure. */
import type { TargetInfo } from "../../backend.ts";
import type { Statement } from "../../sql/split.ts";
import type { CommandName } from "../ids.ts";

export interface Lens {
  readonly command: CommandName &
    (
      | "runStatement"
      | "explainStatement"
      | "chartStatement"
      | "estimateStatement"
      | "cancelStatement"
      | "setParameters"
    );
  readonly title: string;
  readonly tooltip?: string;
}

export interface LensCircumstances {
  readonly running: boolean;
  /** Does the target bill by the bytes that are read? */
  readonly billed: boolean;
  /** The values that the file's parameters have. */
  readonly values: Readonly<Record<string, string>>;
}

/** Does a target bill queries by the bytes that they read, so that an estimate is worth asking for? */
export function billsByBytes(target: TargetInfo): boolean {
  return target.kind === "aws" && target.billedBy === "bytes";
}

/** Statements that give rows of data. */
const QUERY = /^(SELECT|WITH|VALUES|TABLE|\(|EXECUTE)\b/i;
const EXPLAINABLE = /^(SELECT|WITH|VALUES|TABLE|\(|INSERT)\b/i;

export function lensesOf(
  statement: Pick<Statement, "text" | "parameters">,
  { running, billed, values }: LensCircumstances,
): Lens[] {
  const text = statement.text.replace(/^\(/, "SELECT ");
  const names = [...new Set(statement.parameters.map((p) => p.name))];
  const known = names.filter((name) => values[name] !== undefined);
  return [
    running
      ? { command: "cancelStatement", title: "$(debug-stop) Cancel", tooltip: "Stops the statement" }
      : { command: "runStatement", title: "$(play) Run", tooltip: "Runs the statement (Ctrl+Enter)" },
    ...when(EXPLAINABLE.test(text), { command: "explainStatement", title: "Explain", tooltip: "Shows its plan" }),
    ...when(QUERY.test(text), { command: "chartStatement", title: "Chart", tooltip: "Runs it and draws its rows" }),
    ...when(billed && QUERY.test(text), {
      command: "estimateStatement",
      title: "Estimate",
      tooltip: "Tells what it would read and cost",
    }),
    ...when(known.length > 0, {
      command: "setParameters",
      title: known.map((name) => `:${name} = ${cut(values[name] ?? "")}`).join(", "),
      tooltip: "Change the values of the parameters",
    }),
  ];
}

function when(condition: boolean, lens: Lens): Lens[] {
  return condition ? [lens] : [];
}

const cut = (text: string) => (text.length <= 24 ? text : `${text.slice(0, 23)}…`);
