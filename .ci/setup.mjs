// What every command needs before its own work: the dependencies of package-lock.json, and a build. Says what it does.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const STAMP = join(root, "node_modules", ".forewatch-lock");

/** Installs the dependencies when they are missing or not those of the lock file. */
export async function ensureDependencies(say = (line) => console.error(line)) {
  requireNode();
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  say("Installing the dependencies (npm ci) ...");
  const code = await run(npm(), ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) fail("npm ci failed. Check the network and the npm registry's settings, then try again.");
  writeFileSync(STAMP, wanted);
}

/** Bundles the sources into dist/. */
export async function ensureBuild(say = (line) => console.error(line)) {
  say("Building ...");
  const code = await run(process.execPath, [join(root, "esbuild.config.mjs")]);
  if (code !== 0) fail("The build failed.");
}

/** Runs a command in the repository's root; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: "inherit",
      shell: process.platform === "win32" && command.endsWith(".cmd"),
      ...options,
    });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}

function npm() {
  return process.platform === "win32" ? "npm.cmd" : "npm";
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 12))
    fail(`Forewatch needs Node 20.12 or newer; this is ${process.versions.node}.`);
}
