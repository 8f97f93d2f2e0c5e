// npm start: sets everything up and runs the sample. By default a browser shows VS Code with it; `-- --vscode` shows it in an
// installed desktop VS Code, `-- --headless` runs it without an editor; `-- --help` lists the options. The sample's folder is
// .host/sample: a later start goes on where the last one ended, `-- --again` starts anew.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { ensureBuild, ensureDependencies, fail, root, run } from "./setup.mjs";

const SPEED = 3_600;
const say = (line) => console.error(line);
const own = new Set(["--vscode", "--again"]);
const args = process.argv.slice(2);
const passedOn = args.filter((arg) => !own.has(arg));

await ensureDependencies();
await ensureBuild();
const cli = join(root, "dist", "cli.mjs");
if (args.some((arg) => ["--headless", "--help", "-h"].includes(arg))) {
  process.exit(await run(process.execPath, [cli, ...passedOn]));
}

const host = await import("../test/support/host/index.mjs");
const folder = join(root, ".host", "sample");
const running = await runningEngine();
if (running) fail(`The sample runs already (process ${running}). Use its window, or end that with Ctrl+C first.`);
if (args.includes("--again")) await rm(join(folder, ".forewatch"), { recursive: true, force: true });
await cp(join(root, "infra", "sample"), folder, { recursive: true, force: false });

let ending = false;
let replay;
let stopEditor = async () => {};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
try {
  if (!args.includes("--vscode")) await host.ensureHost({ log: say });
  replay = startReplay();
  await untilEngineRuns();
  if (args.includes("--vscode")) {
    await host.startDesktop({ folder, extensions: [root] });
    say(`VS Code opened ${folder}.`);
  } else {
    const server = await host.startServer({ folder, extensions: [root] });
    stopEditor = () => server.stop();
    const url = server.url({ open: [join(folder, "flights.pipeline.json")] });
    say(`\nVS Code with the sample is at\n  ${url}\n`);
    openInBrowser(url);
  }
  say("January and February are sent at full speed, then March at an hour a second. Ctrl+C ends it.\n");
} catch (error) {
  say(host.describeHostFault(error));
  await end(1);
}

/**
 * The command line on the sample's folder: it starts the engine, which VS Code joins, and replays the flights. It has a
 * process group of its own, so that Ctrl+C reaches it after VS Code has ended, and a channel to notice our end by.
 */
function startReplay() {
  const child = spawn(process.execPath, [cli, "--data", folder, "--speed", String(SPEED), "--serve", ...passedOn], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: true,
  });
  child.once("exit", (code) => {
    if (!ending && code) say("The replay ended early; see above. Ctrl+C ends VS Code too.");
  });
  return child;
}

async function untilEngineRuns() {
  while (!(await runningEngine())) {
    if (replay.exitCode !== null) throw new Error("The engine did not start; see above.");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The process id of the engine that serves the sample's folder; undefined when none listens. */
async function runningEngine() {
  const text = await readFile(join(folder, ".forewatch", "engine.json"), "utf8").catch(() => "");
  const record = /^\{.*\}$/s.test(text) ? JSON.parse(text) : undefined;
  if (!record) return undefined;
  // What a killed engine left says nothing: only its socket proves that it lives.
  const socket = createConnection(record.socket);
  try {
    await once(socket, "connect");
    return record.pid;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Ends VS Code first, as it would start an engine again that goes before it, then the replay and its engine. */
async function end(code) {
  if (ending) return;
  ending = true;
  say("\nEnding ...");
  await stopEditor();
  if (replay && replay.exitCode === null && replay.signalCode === null) {
    replay.kill("SIGTERM");
    await once(replay, "exit");
  }
  // A desktop window lives on, and with it the engine that it is connected to.
  while (!args.includes("--vscode") && (await runningEngine())) await new Promise((resolve) => setTimeout(resolve, 50));
  process.exit(code);
}

/** Opens the address where there is a desktop to show it. */
function openInBrowser(url) {
  const opener =
    { darwin: "open", win32: "explorer" }[process.platform] ??
    (process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? "xdg-open" : undefined);
  if (opener)
    spawn(opener, [url], { stdio: "ignore", detached: true })
      .on("error", () => say("Open the address in a browser."))
      .unref();
}
