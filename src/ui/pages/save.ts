/** Asks the user where to save, and saves. */
import { join } from "node:path";
import * as vscode from "vscode";
import { workspaceFolder } from "../session.ts";

/** Where the user wants a file of this name; undefined: the user turned away. */
export async function askWhere(name: string): Promise<vscode.Uri | undefined> {
  const folder = workspaceFolder();
  const safe = name.replace(/[\\/:*?"<>|]/g, "-");
  const extension = /\.([a-z]+)$/.exec(safe)?.[1];
  return vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(folder === undefined ? safe : join(folder, safe)),
    ...(extension !== undefined && { filters: { [extension.toUpperCase()]: [extension] } }),
  });
}

/** Saves where the user says; the place, or undefined when the user turned away. */
export async function saveAs(name: string, content: Uint8Array): Promise<vscode.Uri | undefined> {
  const uri = await askWhere(name);
  if (uri) await vscode.workspace.fs.writeFile(uri, content);
  return uri;
}
