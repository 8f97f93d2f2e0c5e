/** `New Pipeline`: guided from a sample file or a live stream to a commented pipeline file. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { DAY, formatDuration, HOUR, MINUTE, parseInstant } from "../../core/time.ts";
import { pick } from "../choose.ts";
import { type Handlers, run } from "../commands.ts";
import type { Context } from "../context.ts";
import { plural } from "../format.ts";
import { workspaceFolder } from "../session.ts";
import {
  type Guess,
  inferFields,
  type MeasureGuess,
  proposeMeasures,
  proposeWindow,
  type Row,
} from "../wizard/infer.ts";
import { type Draft, freeName, pipelineName, writePipelineFile } from "../wizard/write.ts";
import { eventsFile } from "./streams.ts";

const PEEKED = 500;
const NAME = /^[a-z][a-z0-9-]{0,47}$/;

export function createCommands(context: Context): Handlers<"newPipeline"> {
  return {
    async newPipeline(args) {
      const folder = workspaceFolder();
      if (folder === undefined)
        throw new Fault("workspace.none", "A pipeline file needs a folder to live in, and none is open.", {
          next: "Open a folder first.",
        });
      const sample = await askRows(context, args.sample ?? eventsFile(args.file));
      if (!sample) return;
      const guess = inferFields(sample.rows);
      if (guess.times.length === 0)
        throw new Fault("input.invalid", `No field of ${sample.name} reads like a time, and every event needs one.`, {
          next: "Use events with an ISO 8601 time, or epoch seconds or milliseconds.",
        });
      const fileOf = (name: string) => join(folder, `${name}.pipeline.json`);
      const isFree = (name: string) => !existsSync(fileOf(name));
      const draft = await askDraft(guess, sample.rows, freeName(pipelineName(sample.name), isFree), isFree);
      if (!draft) return;
      const uri = vscode.Uri.file(fileOf(draft.name));
      const edit = new vscode.WorkspaceEdit();
      edit.createFile(uri, { contents: new TextEncoder().encode(writePipelineFile(draft)) });
      if (!(await vscode.workspace.applyEdit(edit)))
        throw new Fault("workspace.read-only", `${uri.fsPath} could not be written, or exists already.`, {
          next: "Choose another name, or a folder that you can write to.",
        });
      await vscode.window.showTextDocument(uri, { preview: false });
      void offerDeploy(draft.name, uri.fsPath, guess.left);
    },
  };
}

interface Sample {
  readonly name: string;
  readonly rows: readonly Row[];
}

async function askRows(context: Context, given: string | undefined): Promise<Sample | undefined> {
  const { parseSample, readSample } = await import("../wizard/sample.ts");
  if (given !== undefined) return { name: basename(given), rows: await readSample(given) };
  const streams = context.live.snapshot.streams.filter((s) => s.records > 0);
  const file = { label: "$(file) A sample file…", detail: "CSV, JSON, JSON lines or Parquet", value: "file" };
  const live = streams.map((s) => ({
    label: `$(broadcast) The stream ${s.name}`,
    detail: plural(s.records, "record"),
    value: s.name,
  }));
  const from = live.length === 0 ? "file" : await pick([file, ...live], "New Pipeline: from what?");
  if (from === undefined) return undefined;
  if (from !== "file") {
    const records = await (await context.session.backend()).streams.peek(from, { limit: PEEKED });
    const text = records.filter((r) => r.encoding === "utf8").map((r) => r.data.trim());
    return { name: from, rows: parseSample({ text: text.join("\n"), cut: false }) };
  }
  const chosen = await vscode.window.showOpenDialog({
    title: "New Pipeline: a file with some of the events",
    openLabel: "Use as Sample",
    filters: { Events: ["csv", "json", "jsonl", "ndjson", "parquet"] },
  });
  const path = chosen?.[0]?.fsPath;
  return path === undefined ? undefined : { name: basename(path), rows: await readSample(path) };
}

/** The guided steps; each begins with what the sample suggests. Undefined: the user turned away. */
async function askDraft(
  guess: Guess,
  rows: readonly Row[],
  name: string,
  isFree: (name: string) => boolean,
): Promise<Draft | undefined> {
  const example = (field: string) => guess.fields.find((f) => f.name === field)?.examples.join(", ") ?? "";
  const time = await pick(
    guess.times.map((field, i) => ({
      label: field,
      description: example(field),
      ...(i === 0 && { detail: "Proposed" }),
      value: field,
    })),
    "New Pipeline (1 of 5): when did an event happen?",
    true,
  );
  if (time === undefined) return undefined;

  const by = await pickMany(
    guess.splits.map((field) => ({
      label: field,
      description: `${guess.fields.find((f) => f.name === field)?.distinct} values: ${example(field)}`,
      picked: field === guess.splits[0],
      value: field,
    })),
    "New Pipeline (2 of 5): split into series by which fields?",
  );
  if (!by) return undefined;

  const measures = await pickMany(
    proposeMeasures(guess).map((measure, i) => ({
      label: measure.name,
      description: `${measure.statistic} of ${measure.field === "*" ? "events" : measure.field}`,
      picked: i < 2,
      value: measure,
    })),
    "New Pipeline (3 of 5): which measures are forecast?",
  );
  if (!measures) return undefined;
  const chosen: readonly MeasureGuess[] =
    measures.length > 0 ? measures : [{ name: "events", statistic: "count", field: "*" }];

  const every = await askWindow(proposeWindow(rows.map((row) => parseInstant(normal(row[time])))));
  if (every === undefined) return undefined;

  const chosenName = await vscode.window.showInputBox({
    title: "New Pipeline (5 of 5): its name",
    ignoreFocusOut: true,
    prompt: "Lower-case letters, digits and -; also the stream's name",
    value: name,
    validateInput: (text) => {
      if (!NAME.test(text)) return "Lower-case letters, digits and -, starting with a letter.";
      return isFree(text) ? undefined : `There is a file ${text}.pipeline.json already.`;
    },
  });
  if (chosenName === undefined) return undefined;
  const fields = guess.fields.map(({ name: field, type }) => ({ name: field, type }));
  return { name: chosenName, time, fields, by, measures: chosen, every };
}

async function askWindow(proposed: number): Promise<number | undefined> {
  return pick(
    [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, DAY]
      .sort((a, b) => Number(b === proposed) - Number(a === proposed))
      .map((value) => ({
        label: formatDuration(value),
        ...(value === proposed && { description: "proposed: some tens of events each" }),
        value,
      })),
    "New Pipeline (4 of 5): how long is a window?",
    true,
  );
}

/** Several of the items; an empty list is skipped, since there is nothing to ask. */
async function pickMany<T>(
  items: readonly (vscode.QuickPickItem & { readonly value: T })[],
  title: string,
): Promise<readonly T[] | undefined> {
  if (items.length === 0) return [];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    canPickMany: true,
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  return chosen?.map((item) => item.value);
}

/** CSV has numbers as text: an epoch is one all the same. */
function normal(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

async function offerDeploy(name: string, file: string, left: readonly string[]): Promise<void> {
  const note = left.length === 0 ? "" : ` Left out, since they cannot be fields: ${left.join(", ")}.`;
  const chosen = await vscode.window.showInformationMessage(`${name}.pipeline.json was written.${note}`, "Deploy");
  if (chosen) await run("deploy", { file });
}
