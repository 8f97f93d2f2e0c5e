/**
 * Packages of the npm registry as raw material: fetched by `npm pack`, checked against a pinned hash, unpacked in part. No
 * install script of any of them ever runs.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { HostFault } from "./fault.mjs";

/** Where everything is installed: `.host/` at the root of the repository, ignored by git, safe to delete. */
export const HOST_ROOT = fileURLToPath(new URL("../../../.host", import.meta.url));

/**
 * @typedef {{ name: string, version: string, sha512: string }} Pin an exact package and the base64 sha512 of its tarball, as
 * `npm view NAME@VERSION dist.integrity` prints it after "sha512-"
 */

/**
 * Makes `.host/NAME` once and for all: `build(temp)` fills a temporary folder, which is then renamed into place, so that the
 * folder is either whole or absent, whatever interrupts it; of two builders at once the first wins and the second's work is
 * thrown away. The name carries a hash of the recipe: another recipe is another folder, and the older ones are removed.
 *
 * @param {{ name: string, recipe: unknown, build: (temp: string) => Promise<void>, root?: string }} what
 * `recipe`: everything the result depends on, as JSON-able data; it is kept inside as `stamp.json`
 * @returns {Promise<{ dir: string, fresh: boolean }>} fresh: built just now
 */
export async function installOnce({ name, recipe, build, root = HOST_ROOT }) {
  const stamp = JSON.stringify(recipe, null, 2);
  const hash = createHash("sha256").update(stamp).digest("hex").slice(0, 8);
  const dir = join(root, `${name}-${hash}`);
  if (await exists(dir)) return { dir, fresh: false };

  await mkdir(root, { recursive: true });
  await removeAbandoned(root);
  const temp = join(root, `building-${process.pid}-${randomBytes(4).toString("hex")}`);
  await mkdir(temp);
  try {
    await build(temp);
    await writeFile(join(temp, "stamp.json"), `${stamp}\n`);
    await rename(temp, dir).catch((error) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (error) {
    if (error instanceof HostFault) throw error;
    const next = "Check the disk space and the npm registry, then run the same command again.";
    throw new HostFault("host.install", `${name} could not be installed into ${root}.`, { next, cause: error });
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  const older = (await readdir(root)).filter((entry) => entry.startsWith(`${name}-`) && entry !== basename(dir));
  for (const entry of older) await rm(join(root, entry), { recursive: true, force: true });
  return { dir, fresh: true };
}

/**
 * Downloads the tarballs of `pins` into `into`, each checked against its pinned sha512.
 * @param {readonly Pin[]} pins
 * @param {string} into an existing folder
 * @returns {Promise<string[]>} the tarballs' paths, in the order of `pins`
 */
export async function downloadPackages(pins, into) {
  const specs = pins.map((pin) => `${pin.name}@${pin.version}`);
  await npm(["pack", "--silent", "--pack-destination", into, ...specs], into);
  return Promise.all(
    pins.map(async (pin) => {
      const file = join(into, `${pin.name.replace("@", "").replace("/", "-")}-${pin.version}.tgz`);
      const hash = createHash("sha512");
      await pipeline(createReadStream(file), hash);
      if (hash.digest("base64") !== pin.sha512) {
        throw new HostFault(
          "host.install",
          `The npm registry's ${pin.name}@${pin.version} is not the one pinned here.`,
          {
            next: "Do not use it: find out why the package changed, and only then change its pin.",
          },
        );
      }
      return file;
    }),
  );
}

/**
 * Unpacks the part of an npm tarball below `inside` (such as "package/lib/vscode") to `to`, that prefix taken off.
 * @param {string} tarball @param {string} inside @param {string} to
 */
export async function unpack(tarball, inside, to) {
  await mkdir(to, { recursive: true });
  const depth = inside.split("/").length;
  await run("tar", ["-xzf", tarball, "-C", to, `--strip-components=${depth}`, inside], to);
}

/** Runs npm, the one that runs us if there is one, away from this repository's own settings. */
export function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  const env = { ...process.env };
  // Set by `npm run`: they would make the inner npm work on this repository instead of `cwd`.
  for (const key of Object.keys(env))
    if (/^npm_(config_(local_)?prefix|package_|lifecycle_)/i.test(key)) delete env[key];
  return cli?.endsWith("npm-cli.js") ? run(process.execPath, [cli, ...args], cwd, env) : run("npm", args, cwd, env);
}

/** Runs a program to its end; a HostFault with the end of its output if it fails. */
export async function run(program, args, cwd, env = process.env) {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk) => {
    output = (output + chunk).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error));
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  if (ended === 0) return output;
  const cause = ended instanceof Error ? ended : output.trim().split("\n").slice(-8).join("\n");
  throw new HostFault("host.install", `\`${basename(program)} ${args.join(" ")}\` failed.`, {
    next: "Check the disk space and the npm registry, then run the same command again.",
    cause,
  });
}

/** Puts an executable shell script in place. */
export async function writeScript(file, lines) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${lines.join("\n")}\n`);
  await chmod(file, 0o755);
}

export const exists = (path) =>
  stat(path).then(
    () => true,
    (error) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return false;
      throw error;
    },
  );

/** Removes what interrupted builders left; a folder whose builder still runs is left alone. */
async function removeAbandoned(root) {
  for (const entry of await readdir(root)) {
    const pid = /^building-(\d+)-/.exec(entry)?.[1];
    if (pid && !isRunning(Number(pid))) await rm(join(root, entry), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** A text file of this folder, for recipes that depend on it. */
export const ownText = (name) => readFile(new URL(name, import.meta.url), "utf8");
