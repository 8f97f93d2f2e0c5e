/** The suite's workspace: files written into it, waiting for what follows from them, and the engine behind it. */
import { AssertionError } from "node:assert";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import { type LocalBackend, openLocal } from "../../../src/local/index.ts";

export const folder = vscode.workspace.workspaceFolders![0]!.uri.fsPath;
const extension = vscode.extensions.getExtension<unknown>("forewatch.forewatch")!;

export async function activate(): Promise<void> {
  await extension.activate();
}

/** The path of a file of the extension. */
export function inExtension(...path: string[]): string {
  return join(extension.extensionPath, ...path);
}

/** Writes a file into the workspace and gives its document. */
export async function write(name: string, text: string): Promise<vscode.TextDocument> {
  await writeFile(join(folder, name), text);
  return vscode.workspace.openTextDocument(join(folder, name));
}

export async function remove(...names: string[]): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
}

/** A small pipeline: orders by region, in windows of a minute. */
export const ORDERS = `{
  "name": "orders",
  "source": { "time": "at", "fields": { "at": "timestamp", "region": "string", "amount": "double" } },
  "series": {
    "every": "1m",
    "by": ["region"],
    "measures": { "orders": { "count": "*" }, "revenue": { "sum": "amount" } }
  },
  "forecast": { "horizon": "1d" },
  "alarms": [{ "name": "orders-low", "measure": "orders", "direction": "below" }],
  "sql": "sql/"
}
`;

/** Waits until `read` gives something that is there; its last answer or failure is the message when it never does. */
export async function eventually<T>(what: string, read: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 45_000;
  let failure: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await read();
      if (value !== undefined) return value;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const reason = failure instanceof Error ? `: ${failure.message}` : "";
  throw new AssertionError({ message: `waited in vain for ${what}${reason}` });
}

/** The titles of a document's lenses. */
export async function lenses(document: vscode.TextDocument): Promise<string[]> {
  const list = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    "vscode.executeCodeLensProvider",
    document.uri,
    100,
  );
  return list.flatMap((lens) => (lens.command ? [lens.command.title.replace(/\$\([\w-]+\) ?/, "")] : []));
}

/** Waits until a command's quick pick is open, and takes what it proposes. The command goes on. */
export async function acceptWhile<T>(command: Thenable<T>): Promise<T> {
  let done = false;
  const ended = command.then((value) => {
    done = true;
    return value;
  });
  while (!done) {
    await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 250))]);
  }
  return ended;
}

/** A front end of the test's own, on the engine that the extension uses. */
export async function joinEngine(): Promise<LocalBackend> {
  const { version } = extension.packageJSON as { version: string };
  return openLocal({
    folder,
    version,
    engineMain: inExtension("dist", "engine", "main.mjs"),
    onLog: () => {},
    onState: () => {},
  });
}

/** The process of the engine that serves the folder. */
export async function enginePid(): Promise<number> {
  const record = JSON.parse(await readFile(join(folder, ".forewatch", "engine.json"), "utf8")) as { pid: number };
  return record.pid;
}
