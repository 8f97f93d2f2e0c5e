/** Opens the bundled sample: copies it into a folder, deploys it, and replays its flights. */
import { access, cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Backend } from "../../backend.ts";
import { Fault } from "../../core/fault.ts";
import { SAMPLE } from "../../core/sample.ts";
import { pick } from "../choose.ts";
import { type Handlers, run } from "../commands.ts";
import type { Context } from "../context.ts";
import { formatSpan, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import { workspaceFolder } from "../session.ts";
import { askSpeed } from "./streams.ts";

/** The sample that a window is to go on with after it opened the sample's folder. */
const PENDING = "forewatch.replaySample";

export function sampleCommands(context: Context): Handlers<"openSample"> {
  return {
    async openSample(args) {
      const folder = args.folder ?? (await askFolder());
      if (folder === undefined) return;
      const speed = args.speed ?? (await askSpeed());
      if (speed === undefined) return;
      await copySample(context.extension.extensionUri.fsPath, folder);
      if (folder !== workspaceFolder()) {
        // The window reloads with the folder; the replay is taken up there.
        await context.extension.globalState.update(PENDING, { folder, speed });
        await vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(folder), { forceReuseWindow: true });
        return;
      }
      await replay(context, folder, speed);
    },
  };
}

/** Goes on with a sample that was opened before the window reloaded. */
export async function resumeSample(context: Context): Promise<void> {
  const pending = context.extension.globalState.get<{ folder: string; speed: number | "max" }>(PENDING);
  if (pending === undefined || pending.folder !== workspaceFolder()) return;
  await context.extension.globalState.update(PENDING, undefined);
  await run("openSample", pending);
}

async function askFolder(): Promise<string | undefined> {
  const open = workspaceFolder();
  if (open !== undefined && (await readdir(open)).every((name) => name.startsWith(".") || name === SAMPLE.file))
    return open;
  const here = { label: "$(folder) Into the open folder", value: "here" as const };
  const other = { label: "$(folder-opened) Into another folder…", value: "other" as const };
  const where = open === undefined ? "other" : await pick([here, other], "Open Sample Pipeline");
  if (where === undefined) return undefined;
  if (where === "here") return open;
  const chosen = await vscode.window.showOpenDialog({
    title: "A folder for the sample pipeline",
    openLabel: "Put Sample Here",
    canSelectFolders: true,
    canSelectFiles: false,
  });
  return chosen?.[0]?.fsPath;
}

/** Copies the sample; a file that is there already is the user's, and stays. */
async function copySample(extension: string, folder: string): Promise<void> {
  const source = await firstThat(
    [join(extension, "dist", "sample"), join(extension, "infra", "sample")],
    "The sample is missing from this installation.",
    (path) => join(path, SAMPLE.file),
  );
  try {
    await cp(source, folder, {
      recursive: true,
      force: false,
      filter: (path) => !path.endsWith(".parquet"),
    });
  } catch (cause) {
    throw new Fault("workspace.read-only", `The sample could not be copied to ${folder}.`, {
      next: "Choose a folder that you can write to.",
      cause,
    });
  }
}

async function replay(context: Context, folder: string, speed: number | "max"): Promise<void> {
  const file = join(folder, SAMPLE.file);
  const flights = await firstThat(
    [
      join(context.extension.extensionUri.fsPath, "dist", "sample", SAMPLE.packaged),
      join(context.extension.extensionUri.fsPath, "node_modules", "vega-datasets", "data", SAMPLE.dataset),
    ],
    "The sample's flights are missing from this installation.",
  );
  await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
  if (!(await context.deployments.start(file, { liveFrom: SAMPLE.liveFrom }))) return;
  const backend = await context.session.backend();
  const newest = await newestSent(backend);
  const begin = newest === null ? 0 : newest + 1;
  if (begin >= SAMPLE.until) {
    void vscode.window.showInformationMessage("The sample is deployed and has all its records already.");
    return;
  }
  const parts = [
    { what: "history", from: begin, until: SAMPLE.liveFrom, speed: "max" as const },
    { what: "March, live", from: Math.max(begin, SAMPLE.liveFrom), until: SAMPLE.until, speed },
  ];
  let sent = 0;
  let seconds = 0;
  for (const { what, ...part } of parts.filter(({ from, until }) => from < until)) {
    const result = await send(backend, flights, part, what);
    sent += result.sent;
    seconds += result.seconds;
  }
  void vscode.window.showInformationMessage(
    `The sample was replayed: ${plural(sent, "record")} in ${formatSpan(seconds * 1_000)}.`,
  );
}

/** Where an earlier replay stopped: the newest event's time, once the engine has read all that was sent; null for a new stream. */
async function newestSent(backend: Backend): Promise<number | null> {
  for (;;) {
    const status = await backend.stack.get(SAMPLE.stream);
    if (status.state === "failed") throw Fault.from(status.fault);
    if (status.behind === 0) return status.newestEvent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function send(
  backend: Backend,
  file: string,
  part: { readonly from: number; readonly until: number; readonly speed: number | "max" },
  what: string,
) {
  return withProgress(`Replaying flights: ${what}`, new AbortController(), (options) =>
    backend.streams.send(SAMPLE.stream, { file, columns: SAMPLE.columns, time: SAMPLE.time, ...part }, options),
  );
}

async function firstThat(
  paths: readonly string[],
  missing: string,
  proof: (path: string) => string = (path) => path,
): Promise<string> {
  for (const path of paths) {
    const there = await access(proof(path)).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  throw new Fault("input.invalid", missing, { next: "Install Forewatch again." });
}
