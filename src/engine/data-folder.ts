/** The engine's data folder, `.forewatch/`: made when it is not there, kept out of version control by its own .gitignore. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { Fault } from "../core/fault.ts";

/** Creates the data folder of a workspace folder; answers its path. @throws Fault engine.folder where nothing can be written */
export async function ensureDataFolder(workspace: string): Promise<string> {
  const folder = join(workspace, ".forewatch");
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, ".gitignore"), "*\n");
    return folder;
  } catch (error) {
    throw await folderFault(folder, error);
  }
}

/** A file as the store keeps it: what lies in the workspace folder is found again when that is moved or renamed. */
export function toKept(workspace: string, file: string): string {
  const inside = relative(workspace, file);
  return inside.startsWith("..") || isAbsolute(inside) ? file : inside.replaceAll("\\", "/");
}

/** The path of a file that the store keeps. */
export function fromKept(workspace: string, kept: string): string {
  return resolve(workspace, kept);
}

async function folderFault(folder: string, cause: unknown): Promise<unknown> {
  const { code } = cause as NodeJS.ErrnoException;
  const there = await stat(folder).catch(() => undefined);
  if (there && !there.isDirectory())
    return new Fault("engine.folder", `${folder} is no folder, and the engine keeps its data there.`, {
      cause,
      next: "Rename or remove that file.",
    });
  // A full disk has words of its own.
  if (code === "ENOSPC" || code === "EDQUOT") return cause;
  return new Fault("engine.folder", `The engine cannot write its data to ${folder}.`, {
    cause,
    next: "Check that the folder exists and that you may write to it, or open another one.",
  });
}
