/** Joins the engine of the workspace's folder: where a pipeline was deployed before, and when another window starts one. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Log } from "./log.ts";
import { type Session, workspaceFolder } from "./session.ts";

/** The engine's data in a workspace folder, and its note that it listens. */
const DATA = ".forewatch";
const NOTE = `${DATA}/engine.json`;

/** Opens the target if the folder has been used with it. Rejects with what stands in the way then. */
export async function joinUsedEngine(session: Session): Promise<void> {
  const folder = workspaceFolder();
  if (folder === undefined || !vscode.workspace.isTrusted) return;
  const used = await access(join(folder, DATA)).then(
    () => true,
    () => false,
  );
  if (used) await session.backend();
}

/** Joins the engine that another window, or the command line, starts on the folder while this window has none. */
export function joinLaterEngine(session: Session, log: Log): vscode.Disposable {
  const folder = workspaceFolder();
  if (folder === undefined) return vscode.Disposable.from();
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, NOTE));
  const look = async () => {
    if (session.state.kind !== "idle") return;
    try {
      await joinUsedEngine(session);
    } catch (error) {
      log.show(error);
    }
  };
  return vscode.Disposable.from(watcher, watcher.onDidCreate(look), watcher.onDidChange(look));
}
