/**
 * The folder that a run writes to. `synth.json` in it lists the files with their digests: by it the next run knows what is its to
 * replace or remove, so that a folder holds one run's files beside whatever else lies there, of which nothing is touched.
 */
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { Fault } from "../../src/core/fault.ts";
import { sha256 } from "./connector.ts";

/** Contents by their paths in the folder, with `/`. */
export type Contents = ReadonlyMap<string, string | Uint8Array>;

/** SHA-256 in hex by path. */
type Digests = Readonly<Record<string, string>>;

const LIST = "synth.json";

export interface OutFolder {
  /**
   * Writes these files, and removes those of the run before that are not among them. Resolves with warnings of files that were
   * changed since, which stay.
   * @throws Fault `input.invalid` before anything is written, when a file is in the way that no run wrote, or the folder cannot
   *   be written to.
   */
  write(contents: Contents): Promise<string[]>;
}

/**
 * The folder at `path`, which need not be there yet.
 * @throws Fault `input.invalid` when it is no folder, or its list is not one of this command's.
 */
export async function openFolder(path: string): Promise<OutFolder> {
  const before = await readList(path);
  return {
    write: async (contents) => {
      await refuseStrangers(path, contents, before);
      const now = Object.fromEntries([...contents].map(([name, content]) => [name, digestOf(content)]));
      try {
        // First, so that after an end half-way the next run knows all that may be there.
        await put(path, LIST, listText({ ...before, ...now }));
        for (const [name, content] of contents) await put(path, name, content);
        const changed = await removeStale(path, before, now);
        await put(path, LIST, listText(now));
        return changed.map((name) => `${join(path, name)} is of an earlier run and was changed since: it stays there.`);
      } catch (error) {
        throw new Fault("input.invalid", `${path} (--out) cannot be written to.`, {
          cause: error,
          next: "Check its permissions and the disk's space, or give another folder as --out.",
        });
      }
    },
  };
}

async function readList(folder: string): Promise<Digests> {
  const path = join(folder, LIST);
  const text = await read(path).catch((error: unknown) => {
    throw new Fault("input.invalid", `${folder} (--out) is no folder that can be read.`, {
      cause: error,
      next: "Give another one as --out.",
    });
  });
  if (text === undefined) return {};
  try {
    const { files } = JSON.parse(text.toString()) as { files: Record<string, unknown> };
    const all = Object.entries(files);
    if (all.every(([name, digest]) => isInside(name) && /^[0-9a-f]{64}$/.test(String(digest)))) return files as Digests;
  } catch {
    // Told as the rest.
  }
  throw new Fault("input.invalid", `${path} is no list of what an earlier run wrote.`, {
    next: "Give another folder as --out.",
  });
}

/** Whether a name of a list leads to a file in the folder: lists lie where anybody may edit them. */
function isInside(name: string): boolean {
  return name !== "" && posix.normalize(name) === name && !/^(\/|\.\.?(\/|$))|\\|:|\/$/.test(name);
}

/** @throws Fault `input.invalid` when a file would be overwritten that no run wrote, unless it is the same. */
async function refuseStrangers(folder: string, contents: Contents, before: Digests): Promise<void> {
  const strangers: string[] = [];
  for (const [name, content] of contents) {
    if (Object.hasOwn(before, name)) continue;
    const there = await digestAt(join(folder, name));
    if (there !== undefined && there !== digestOf(content)) strangers.push(name);
  }
  if (strangers.length === 0) return;
  const more = strangers.length > 3 ? ` and ${strangers.length - 3} more` : "";
  throw new Fault(
    "input.invalid",
    `${folder} (--out) has files that no run of this command wrote, where it would write its own: ${strangers.slice(0, 3).join(", ")}${more}.`,
    { next: "Give another folder as --out, or move them away." },
  );
}

/** Removes what was written before and is not now; resolves with what was changed since, which stays. */
async function removeStale(folder: string, before: Digests, now: Digests): Promise<string[]> {
  const changed: string[] = [];
  for (const [name, digest] of Object.entries(before)) {
    if (Object.hasOwn(now, name)) continue;
    const there = await digestAt(join(folder, name));
    if (there === undefined) continue;
    if (there !== digest) {
      changed.push(name);
      continue;
    }
    await rm(join(folder, name));
    // The folders it leaves empty; one with more in it stays.
    for (let parent = posix.dirname(name); parent !== "."; parent = posix.dirname(parent))
      await rmdir(join(folder, parent)).catch(() => undefined);
  }
  return changed;
}

async function put(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** A file's bytes; undefined when it is not there. */
async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The digest of what is there; "unreadable", which is none, of a folder or a file that may not be read. */
async function digestAt(path: string): Promise<string | undefined> {
  const bytes = await read(path).catch(() => null);
  return bytes === null ? "unreadable" : bytes && sha256(bytes);
}

function digestOf(content: string | Uint8Array): string {
  return sha256(typeof content === "string" ? new TextEncoder().encode(content) : content);
}

function listText(digests: Digests): string {
  const files = Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ about: "What npm run synth wrote here; its next run replaces or removes it.", files }, undefined, 2)}\n`;
}
