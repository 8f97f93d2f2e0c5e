/** A whole run without an editor: deploy, send the history, replay what is live, wait until all is compared, sum up. */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend, SendRequest } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { openLocal } from "../local/index.ts";
import { ProgressLine } from "./progress.ts";
import { SAMPLE } from "./sample.ts";
import { printSummary, type Summary, summarizeRun } from "./summary.ts";

declare const FOREWATCH_VERSION: string;

export interface HeadlessOptions {
  readonly json: boolean;
  readonly serve: boolean;
  readonly port: number;
  readonly speed: number | "max";
  readonly until?: number;
  readonly liveFrom?: number;
  /** Folder whose `.forewatch/` keeps the data; unset: a temporary one that goes with the run. */
  readonly data?: string;
  readonly pipeline?: string;
  readonly input?: string;
}

const POLL = 100;

/** Runs, prints the summary, and ends; with `serve` only on Ctrl+C. */
export async function runHeadless(options: HeadlessOptions): Promise<Summary> {
  const begun = performance.now();
  const own = options.pipeline !== undefined;
  const folder = options.data === undefined ? await mkdtemp(join(tmpdir(), "forewatch-run-")) : resolve(options.data);
  await mkdir(folder, { recursive: true });
  const file = own ? resolve(options.pipeline!) : await copySample(folder);
  const progress = new ProgressLine(process.stderr);
  const backend = await openLocal({
    folder,
    engineMain: fileURLToPath(new URL("./engine/main.mjs", import.meta.url)),
    version: FOREWATCH_VERSION,
    args: ["--port", String(options.port), "--linger", "0", ...(options.serve ? ["--serve"] : [])],
    onLog: (level, line) => {
      if (level !== "info") progress.note(line);
    },
    onState: (state) => {
      if (state.kind === "restarting" || state.kind === "failed") progress.note(state.fault.message);
    },
  });
  try {
    const liveFrom = options.liveFrom ?? (own ? undefined : SAMPLE.liveFrom);
    const until = options.until ?? (own ? undefined : SAMPLE.until);
    progress.show("Deploying");
    const { name, spec } = await backend.stack.deploy({
      file,
      trusted: true,
      ...(liveFrom !== undefined && { liveFrom }),
    });
    const input = options.input === undefined ? (own ? undefined : SAMPLE.request()) : { file: resolve(options.input) };
    if (input)
      await sendAll(
        backend,
        name,
        input,
        { liveFrom, until, lateness: spec.source.lateness, speed: options.speed },
        progress,
      );
    await settle(backend, name, progress);
    const summary = await summarizeRun(backend, name, {
      until,
      seconds: (performance.now() - begun) / 1_000,
      progress,
    });
    progress.clear();
    if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    else printSummary(summary, process.stdout);
    if (options.serve) await serveUntilStopped(backend, name);
    return summary;
  } finally {
    progress.clear();
    await backend.close();
    if (options.data === undefined && !options.serve) await forget(folder);
  }
}

/** The sample's files beside the data, as a user has them. */
async function copySample(folder: string): Promise<string> {
  await cp(SAMPLE.folder, folder, { recursive: true, force: false });
  return join(folder, SAMPLE.file);
}

/** History at full speed, then what is live at the chosen speed. */
async function sendAll(
  backend: Backend,
  stream: string,
  input: Omit<SendRequest, "speed" | "from" | "until">,
  span: { liveFrom: number | undefined; until: number | undefined; lateness: number; speed: number | "max" },
  progress: ProgressLine,
): Promise<void> {
  const { liveFrom, until, lateness, speed } = span;
  // The last window closes when an event has passed its end by the lateness.
  const end = until === undefined ? {} : { until: until + lateness + 60_000 };
  const show = (what: string) => ({
    onProgress: (p: { done?: number; total?: number; message: string }) =>
      progress.show(`${what}: ${p.message}`, p.done, p.total),
  });
  if (liveFrom !== undefined)
    await backend.streams.send(stream, { ...input, until: liveFrom, speed: "max" }, show("History"));
  await backend.streams.send(
    stream,
    { ...input, ...(liveFrom !== undefined && { from: liveFrom }), ...end, speed },
    show("Live"),
  );
}

/** Waits until the stream is pumped dry, every window is compared and no training runs. */
async function settle(backend: Backend, name: string, progress: ProgressLine): Promise<void> {
  for (;;) {
    const status = await backend.stack.get(name);
    if (status.state === "failed") throw Fault.from(status.fault);
    const busy = (await backend.forecasts.jobs(name, 50)).filter((j) =>
      ["queued", "preparing", "training"].includes(j.state),
    );
    if (status.behind === 0 && busy.length === 0 && status.counts.compared === status.counts.windows) return;
    progress.show(
      busy.length > 0 ? "Training" : "Comparing",
      status.counts.records,
      status.counts.records + status.behind,
    );
    await new Promise((r) => setTimeout(r, POLL));
  }
}

async function serveUntilStopped(backend: Backend, stream: string): Promise<void> {
  const { target } = backend;
  const endpoint = target.kind === "local" ? target.endpoint : undefined;
  process.stderr.write(
    `\nThe stream "${stream}" takes records at ${endpoint} (any credentials). For example:\n` +
      `  aws kinesis put-record --endpoint-url ${endpoint} --region us-east-1 --stream-name ${stream} \\\n` +
      `    --partition-key 1 --cli-binary-format raw-in-base64-out --data '{"...":"..."}'\nCtrl+C ends it.\n`,
  );
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
}

/** Removes a temporary run, once the engine has let go of it. */
async function forget(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
