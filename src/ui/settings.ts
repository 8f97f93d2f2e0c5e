/** The extension's settings, typed by the table in ids.ts. */
import { userInfo } from "node:os";
import * as vscode from "vscode";
import type { Settings } from "./ids.ts";

/** The value of `forewatch.<name>`; the manifest gives the default. */
export function setting<K extends keyof Settings & string>(name: K): Settings[K] {
  return vscode.workspace.getConfiguration("forewatch").get<Settings[K]>(name) as Settings[K];
}

/** How the user's entries on a timeline are signed: the setting, or else the name of the account on this machine. */
export function author(): string {
  return setting("author").trim() || userInfo().username;
}

export function onDidChangeSettings(listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("forewatch")) listener();
  });
}
