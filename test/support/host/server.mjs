/**
 * The VS Code server as a resource: started on the loopback address with data and settings of its own, stopped without a trace.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HostFault } from "./fault.mjs";
import { ensureHost } from "./install.mjs";
import { exists, run } from "./packages.mjs";

/** A workbench that asks nothing, reports nothing and moves nothing by itself. */
const QUIET = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.layoutControl.enabled": false,
  "workbench.colorTheme": "Default Light Modern",
  "window.autoDetectColorScheme": false,
  "window.commandCenter": false,
  "chat.commandCenter.enabled": false,
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "update.showReleaseNotes": false,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "git.openRepositoryInParentFolders": "never",
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
  "files.simpleDialog.enable": true,
  "security.promptForLocalFileProtocolHandling": false,
};

const READY_WITHIN = 60_000;
/** How long extensions get to deactivate after a stop; the rest of the group is killed then. */
const GRACE = 5_000;

/**
 * Starts a VS Code server and waits until it listens.
 *
 * @param {import("./index.d.mts").ServerOptions} [options]
 * @returns {Promise<import("./index.d.mts").Server>}
 * @throws {HostFault} host.platform and host.install from the installation; host.server when it does not come up
 */
export async function startServer(options = {}) {
  const { folder, extensions = [], install = [], settings = {}, port = 0, env = {}, log, logLevel = "info" } = options;
  const { dir } = await ensureHost(log ? { log } : {});
  const temp = options.dataDir ? undefined : await mkdtemp(join(tmpdir(), "forewatch-vscode-"));
  const dataDir = resolve(options.dataDir ?? temp);
  const main = join(dir, "out/server-main.js");
  const token = randomBytes(16).toString("hex");
  const trust = options.workspaceTrust ?? false;

  let current = { ...QUIET, "security.workspace.trust.enabled": trust, ...settings };
  await prepare(dataDir, current);
  const place = ["--server-data-dir", dataDir, "--extensions-dir", join(dataDir, "extensions")];
  const environment = { ...process.env, EXTENSIONS_GALLERY: "{}", VSCODE_LOGS: "", ...env };
  for (const vsix of install) {
    await run(process.execPath, [main, "--install-extension", resolve(vsix), ...place], dir, environment);
  }

  const [command, ...flags] = [...(options.under ?? []), process.execPath];
  const child = spawn(
    command,
    [
      ...flags,
      fileURLToPath(new URL("./tethered.mjs", import.meta.url)),
      ...["--host", "127.0.0.1", "--port", String(port), "--connection-token", token],
      ...["--accept-server-license-terms", "--disable-telemetry", "--telemetry-level", "off"],
      ...["--disable-getting-started-override", "--log", logLevel, ...(trust ? [] : ["--disable-workspace-trust"])],
      ...place,
    ],
    {
      env: { ...environment, FOREWATCH_HOST_MAIN: main, ...(temp && { FOREWATCH_HOST_TEMP: temp }) },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  let output = "";
  const exited = new Promise((done) => child.once("exit", done));
  const stop = async () => {
    await endGroup(child, exited);
    if (temp) await rm(temp, { recursive: true, force: true, maxRetries: 5 });
  };

  let actual;
  try {
    actual = await listening(child, (chunk) => {
      output += chunk;
    });
  } catch (error) {
    await stop();
    throw new HostFault("host.server", "The VS Code server did not start.", {
      next: port ? `Look whether something else uses port ${port}.` : "Delete .host/ and run the same command again.",
      cause: error.message,
    });
  }

  const authority = `127.0.0.1:${actual}`;
  return {
    port: actual,
    dataDir,
    pid: child.pid,
    exited,
    stop,
    url: (page = {}) => workbenchUrl(authority, token, { folder, extensions, ...page }),
    async settings(changes) {
      current = { ...current, ...changes };
      await writeSettings(dataDir, current);
    },
    async logs() {
      return `${output}\n${await readLogs(join(dataDir, "data/logs"))}`;
    },
  };
}

/** The workbench's address: the folder to open, extensions in development, and a test suite to run in them. */
function workbenchUrl(authority, token, { folder, extensions, tests, open = [] }) {
  const remote = (path) => `vscode-remote://${authority}${encodeURI(resolve(path))}`;
  const payload = [
    ...extensions.map((path) => ["extensionDevelopmentPath", remote(path)]),
    ...(tests ? [["extensionTestsPath", remote(tests)]] : []),
    ...open.map((path) => ["openFile", remote(path)]),
    ["skipWelcome", "true"],
    ["skipReleaseNotes", "true"],
  ];
  const url = new URL(`http://${authority}/`);
  url.searchParams.set("tkn", token);
  if (folder) url.searchParams.set("folder", resolve(folder));
  else url.searchParams.set("ew", "true");
  url.searchParams.set("payload", JSON.stringify(payload));
  return url.href;
}

async function prepare(dataDir, settings) {
  for (const folder of ["data/User", "data/logs", "extensions"])
    await mkdir(join(dataDir, folder), { recursive: true });
  const registry = join(dataDir, "extensions/extensions.json");
  if (!(await exists(registry))) await writeFile(registry, "[]");
  await writeSettings(dataDir, settings);
}

const writeSettings = (dataDir, settings) =>
  writeFile(join(dataDir, "data/User/settings.json"), `${JSON.stringify(settings, null, 2)}\n`);

/** The port, once the server says that it listens; rejects when it ends or stays silent. */
function listening(child, keep) {
  return new Promise((done, failed) => {
    let output = "";
    const timer = setTimeout(
      () => failed(new Error(`silent for ${READY_WITHIN / 1000} s: ${output.slice(-2000)}`)),
      READY_WITHIN,
    );
    const read = (chunk) => {
      output += chunk;
      keep(String(chunk));
      const port = /Extension host agent listening on (\d+)/.exec(output)?.[1];
      if (port) {
        clearTimeout(timer);
        done(Number(port));
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", failed);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      failed(new Error(`ended with ${code ?? signal}: ${output.slice(-2000).trim()}`));
    });
  });
}

/**
 * Ends the server's process group: the server by a signal, its extension hosts by themselves when they miss it (extensions get to
 * deactivate), and whatever is left after the grace by force.
 */
async function endGroup(child, exited) {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const deadline = Date.now() + GRACE;
  while ((await groupMembers(child.pid)).length > 0) {
    if (Date.now() > deadline) killGroup(child.pid);
    await new Promise((done) => setTimeout(done, 50));
  }
  await exited;
}

function killGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * The running processes of a group. Read from /proc, as a signal also reaches the dead that nobody has waited for yet.
 * @param {number} leader the group's id @returns {Promise<number[]>} process ids
 */
export async function groupMembers(leader) {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  return pids.flatMap((pid, i) => {
    // "PID (NAME) STATE PPID PGRP ...", where the name may hold anything, parentheses too.
    const [state, , group] = stats[i].slice(stats[i].lastIndexOf(")") + 2).split(" ");
    return Number(group) === leader && state !== "Z" ? [Number(pid)] : [];
  });
}

/** Every log file below `dir` (the server's, the extension hosts', the output channels'), each under its name. */
async function readLogs(dir) {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = files.map(async (entry) => {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    return `==> ${relative(dir, file)}\n${await readFile(file, "utf8")}`;
  });
  return (await Promise.all(texts)).join("\n");
}
