/**
 * The Kinesis connector of Flink: named and versioned in infra/flink/connector.json, fetched when an application's archive is
 * assembled, never part of this repository. Maven fetches it, so that mirrors and proxies people have set up hold here too, and
 * refuses it when it does not match the repository's checksum.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { strFromU8, unzipSync } from "fflate";
import { Fault } from "../../src/core/fault.ts";
import pinned from "../flink/connector.json" with { type: "json" };

/** What connector.json says. */
export interface Connector {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly file: string;
  /** SHA-256 of the jar in hex; bytes with another one are refused. */
  readonly sha256?: string;
}

/** Where fetched things are kept between runs, outside of the repository. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(base, "forewatch");
}

/**
 * The connector's bytes: kept from an earlier run, else fetched, which may take `patience` milliseconds.
 * @throws Fault `target.unsupported` when Maven is not there or does not find it, `input.invalid` when the bytes are not the pinned.
 */
export async function fetchConnector(
  folder: string = join(cacheFolder(), "flink"),
  connector: Connector = pinned,
  patience = 300_000,
): Promise<Uint8Array> {
  const path = join(folder, connector.file);
  const kept = await readFile(path).catch(() => undefined);
  if (kept) return checkConnector(kept, path, "Delete the file and fetch it again.", connector);
  await mkdir(folder, { recursive: true });
  // What the next run finds is whole and right, whenever this one ends, and whichever runs beside it.
  const fetching = await mkdtemp(join(folder, "fetching-"));
  try {
    await runMaven(connector, fetching, patience);
    const fetched = join(fetching, connector.file);
    const bytes = await readFile(fetched);
    checkConnector(bytes, connector.file, "Check where Maven fetches it from, and try again.", connector);
    await rename(fetched, path);
    return bytes;
  } finally {
    await rm(fetching, { recursive: true, force: true });
  }
}

/** The bytes themselves, when they are the connector's. @throws Fault `input.invalid` with `next` as its next step */
export function checkConnector(
  bytes: Uint8Array,
  path: string,
  next: string,
  connector: Connector = pinned,
): Uint8Array {
  const found = sha256(bytes);
  if (connector.sha256 === found) return bytes;
  const why = strange(bytes, connector) ?? (connector.sha256 && `its SHA-256 is ${found}, not ${connector.sha256}`);
  if (why === undefined) return bytes;
  throw new Fault("input.invalid", `${path} is not Flink's Kinesis connector ${connector.version}: ${why}.`, { next });
}

/** Why bytes are no jar of the connector, by what its manifest calls itself; undefined when they are one. */
function strange(bytes: Uint8Array, { version }: Connector): string | undefined {
  const path = "META-INF/MANIFEST.MF";
  let manifest: string;
  try {
    // Read alone: the rest are twelve megabytes of classes.
    manifest = strFromU8(unzipSync(bytes, { filter: ({ name }) => name === path })[path] ?? new Uint8Array());
  } catch {
    // A jar is a zip: what a proxy answers in words is none, nor is half of one.
    return "it is no jar";
  }
  // Its lines end at 72 bytes and go on after a space (JAR File Specification, "Notes on Manifest and Signature Files").
  const entries = manifest.replace(/\r?\n /g, "");
  const entry = (name: string) => new RegExp(`^${name}: *(.*?)\\s*$`, "m").exec(entries)?.[1];
  const title = entry("Implementation-Title");
  if (!title?.includes("Amazon Kinesis Data Streams")) return `it calls itself ${JSON.stringify(title ?? "nothing")}`;
  const its = entry("Implementation-Version");
  return its === version ? undefined : `it is of version ${its}`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const COPY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

async function runMaven({ group, artifact, version }: Connector, folder: string, timeout: number): Promise<void> {
  const args = [
    "--batch-mode",
    "--quiet",
    "--strict-checksums",
    // A miss of an earlier run is not taken for an answer.
    "--update-snapshots",
    `${COPY_PLUGIN}:copy`,
    `-Dartifact=${group}:${artifact}:${version}:jar`,
    `-DoutputDirectory=${folder}`,
  ];
  try {
    // Outside of any project, whose settings would count.
    await promisify(execFile)(process.platform === "win32" ? "mvn.cmd" : "mvn", args, {
      cwd: folder,
      timeout,
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { code, killed, stdout } = error as NodeJS.ErrnoException & { killed?: boolean; stdout?: string };
    const why =
      code === "ENOENT"
        ? "Maven is not installed, which fetches Flink's Kinesis connector."
        : `Maven ${killed ? `has not fetched ${group}:${artifact}:${version} in ${timeout / 1_000} s` : `cannot fetch ${group}:${artifact}:${version}`}.`;
    // Its first error says what; the lines after it are about how to run Maven.
    const cause = stdout?.split("\n").find((line) => line.includes("ERROR"));
    throw new Fault("target.unsupported", why, {
      cause: cause?.replace(/^.*?ERROR\S*\s*/, "") ?? error,
      next: `${code === "ENOENT" ? "Install Maven" : "Check that Maven reaches a repository that has it"}, or download the jar and name it with --jar.`,
    });
  }
}
