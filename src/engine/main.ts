/**
 * The engine's process: opens the engine on a folder and serves it to front ends over a local socket.
 *
 * `node main.mjs --folder DIR [--port N] [--serve] [--linger MS]`. Prints one line of JSON on stdout: `{"ready":true,...}` once it serves,
 * or `{"fault":...}` before it exits with 1. Ends ten seconds (or `--linger`) after its last front end has gone, unless
 * `--serve`.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Fault } from "../core/fault.ts";
import { openEngine } from "./engine.ts";
import { removeLeft, serve } from "./serve.ts";
import { storeFault } from "./store.ts";

declare const FOREWATCH_VERSION: string;

/** How long the engine waits for its first front end, ms. */
const FIRST_WAIT = 60_000;

// Both streams are pipes of the front end that started the engine: it may go while another still uses the engine.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

try {
  await run();
} catch (error) {
  say({ fault: storeFault(error).toData() });
  process.exit(1);
}

async function run(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  const { folder, port } = options;
  const engine = await openEngine({
    folder,
    version: FOREWATCH_VERSION,
    port,
    files: {
      collect: new URL("./collect-worker.mjs", import.meta.url),
      train: new URL("./train-worker.mjs", import.meta.url),
      replay: new URL("./replay.mjs", import.meta.url),
    },
    log,
    onFatal: (fault) => {
      // At once, as after a crash: whoever uses the engine starts it again.
      log("error", fault.message);
      process.exit(1);
    },
  });
  let lingering: NodeJS.Timeout | undefined;
  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    clearTimeout(lingering);
    await rm(record, { force: true });
    await server.close();
    await engine.close();
    process.exit(code);
  };
  const linger = (ms: number) => {
    clearTimeout(lingering);
    if (!options.serve) lingering = setTimeout(() => void end(0), ms);
  };
  const server = await serve(engine, (clients) => {
    clearTimeout(lingering);
    if (clients === 0) linger(options.linger);
  });
  const record = join(folder, ".forewatch", "engine.json");
  await mkdir(join(folder, ".forewatch"), { recursive: true });
  await tidy(record);
  const note = {
    pid: process.pid,
    version: FOREWATCH_VERSION,
    socket: server.path,
    endpointPort: engine.endpointPort,
    startedAt: Date.now(),
  };
  await writeFile(record, JSON.stringify(note), { mode: 0o600 });
  linger(FIRST_WAIT);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));
  say({ ready: true, socket: server.path, endpoint: `http://127.0.0.1:${engine.endpointPort}` });
}

/** Removes what the engine that wrote this record left behind when it was killed. Being tidy is no reason not to start. */
async function tidy(record: string): Promise<void> {
  try {
    const { socket } = JSON.parse(await readFile(record, "utf8")) as { readonly socket?: unknown };
    if (typeof socket === "string") await removeLeft(socket);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") log("warn", `What an earlier engine left was not removed: ${(error as Error).message}`);
  }
}

interface EngineOptions {
  /** The pipeline folder, absolute. */
  readonly folder: string;
  readonly port: number;
  /** Goes on when the last front end has gone. */
  readonly serve: boolean;
  /** How long it waits for another front end, ms. */
  readonly linger: number;
}

/** @throws Fault "input.invalid" when the command line cannot be understood */
function optionsOf(args: string[]): EngineOptions {
  const usage = "The engine takes --folder DIR, --port NUMBER up to 65535, --serve and --linger MS.";
  const refuse = (cause?: unknown) =>
    new Fault("input.invalid", `The engine cannot be started with: ${args.join(" ")}`, { next: usage, cause });
  try {
    const { values } = parseArgs({
      args,
      options: {
        folder: { type: "string" },
        port: { type: "string", default: "0" },
        serve: { type: "boolean", default: false },
        linger: { type: "string", default: "10000" },
      },
    });
    const [port, linger] = [Number(values.port), Number(values.linger)];
    if (!values.folder || !Number.isInteger(port) || port < 0 || port > 65_535 || !(linger >= 0)) throw refuse();
    return { folder: resolve(values.folder), port, serve: values.serve, linger };
  } catch (error) {
    throw error instanceof Fault ? error : refuse(error);
  }
}

function log(level: "info" | "warn" | "error", message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}\n`);
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
