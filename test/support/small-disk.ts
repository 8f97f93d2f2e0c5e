/**
 * Disks that run full for an engine under test, and get room again. As root a file system of its own, filled to its last
 * page; elsewhere a limit on how long any file may become, which the shell sets at the engine's start. Both refuse a write
 * in its middle, as a full disk does.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SpawnOptions, startTestEngine, type TestEngine } from "./engine-process.ts";

/** A folder for an engine, on a disk that can be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills the disk; answers the engine to go on with. */
  fill(engine: TestEngine): Promise<TestEngine>;
  /** How an engine must be started to meet the full disk. */
  readonly full: () => SpawnOptions;
  /** Makes room; answers the engine to go on with. */
  makeRoom(engine: TestEngine): Promise<TestEngine>;
  remove(): void;
}

/** The kinds there are on this machine, by what they are. */
export function smallDisks(): { readonly kind: string; readonly make: () => SmallDisk }[] {
  const kinds: { kind: string; make: () => SmallDisk }[] = [];
  if (canMount()) kinds.push({ kind: "a file system without space", make: smallFileSystem });
  if (process.platform !== "win32" && spawnSync("sh", ["-c", "ulimit -f 1000"]).status === 0)
    kinds.push({ kind: "a limit on files", make: limitedFiles });
  return kinds;
}

const MEGABYTE = 1024 * 1024;

function smallFileSystem(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-disk-"));
  mount(folder, 64);
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: async (engine) => {
      const file = openSync(ballast, "a");
      for (let size = MEGABYTE; size >= 1; size = Math.floor(size / 2)) {
        const piece = Buffer.alloc(size, 1);
        while (writes(file, piece)) {}
      }
      closeSync(file);
      return engine;
    },
    full: () => ({}),
    makeRoom: async (engine) => {
      rmSync(ballast, { force: true });
      return engine;
    },
    remove: () => {
      // Lazily: an engine that was killed may be on its way out.
      spawnSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The limit cannot change while the engine runs: it ends, and goes on under another. */
function limitedFiles(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-disk-"));
  let blocks = 0;
  const limited = () => ({ under: ["sh", "-c", `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, "sh"] });
  return {
    folder,
    fill: async (engine) => {
      await engine.end();
      // Blocks of 512 bytes; a little more than the longest file has now.
      blocks = Math.ceil((longest(folder) + 16_384) / 512);
      return startTestEngine(folder, limited());
    },
    full: limited,
    makeRoom: async (engine) => {
      await engine.end();
      return startTestEngine(folder);
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "forewatch-disk-"));
  try {
    mount(folder, 1);
    spawnSync("umount", [folder]);
    return true;
  } catch {
    // Root in a container that may not mount.
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mount(folder: string, megabytes: number): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
  if (status !== 0) throw new Error(`mount: ${String(stderr)}`);
}

function writes(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

function longest(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, String(name))).size);
  return Math.max(0, ...sizes);
}
