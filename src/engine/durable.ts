/**
 * Files that are still there after a loss of power. A file is durable when its bytes are and its name is: the name lies in
 * the folder, which is a file of its own. Whoever enters a file's name in the store makes both durable before.
 */
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "./log/segment.ts";

/**
 * Gives a file that was written beside its place that place: a crash leaves the whole old file or the whole new one.
 * Answers its bytes.
 */
export async function putInPlace(written: string, path: string): Promise<number> {
  const bytes = await syncFile(written);
  await rename(written, path);
  await syncFolder(dirname(path));
  return bytes;
}

/** Writes a text file whole or not at all. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const written = `${path}.tmp`;
  await writeFile(written, text);
  await putInPlace(written, path);
}

/** Creates a folder, and those above it, where they are missing. */
export async function ensureFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === top || parent === dirname(parent)) return;
  }
}

async function syncFile(path: string): Promise<number> {
  const file = await open(path, "r+");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
