/**
 * A whole run without an editor: deploy, send the history, replay what is live, wait until all is compared, sum up. On a
 * folder with data of an earlier run it goes on after the newest event.
 */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend, SendRequest } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { SAMPLE } from "../core/sample.ts";
import { formatInstant } from "../core/time.ts";
import { openLocal } from "../local/index.ts";
import { ProgressLine } from "./progress.ts";
import { SAMPLE_FOLDER, sampleRequest } from "./sample.ts";
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

/**
 * Runs, prints the summary, and ends; with `serve` only on Ctrl+C. Ctrl+C ends it at any time: the engine closes when its
 * last front end has gone, so none is left behind, however this process ends. Resolves with undefined when it was ended early.
 */
export async function runHeadless(options: HeadlessOptions): Promise<Summary | undefined> {
  const begun = performance.now();
  const folder = options.data === undefined ? await mkdtemp(join(tmpdir(), "forewatch-run-")) : resolve(options.data);
  await mkdir(folder, { recursive: true });
  const file = options.pipeline === undefined ? await copySample(folder) : resolve(options.pipeline);
  const progress = new ProgressLine(process.stderr);
  const backend = await openLocal({
    folder,
    engineMain: fileURLToPath(new URL("./engine/main.mjs", import.meta.url)),
    version: FOREWATCH_VERSION,
    args: ["--port", String(options.port), "--linger", "0"],
    onLog: (level, line) => {
      if (level !== "info") progress.note(line);
    },
    onState: (state) => {
      if (state.kind === "restarting" || state.kind === "failed") progress.note(state.fault.message);
    },
  });
  try {
    const work = runOn(backend, file, options, progress, begun);
    return await Promise.race([work, stopped()]);
  } finally {
    progress.clear();
    await backend.close();
    if (options.data === undefined) await forget(folder);
  }
}

async function runOn(
  backend: Backend,
  file: string,
  options: HeadlessOptions,
  progress: ProgressLine,
  begun: number,
): Promise<Summary> {
  const own = options.pipeline !== undefined;
  const liveFrom = options.liveFrom ?? (own ? undefined : SAMPLE.liveFrom);
  const until = options.until ?? (own ? undefined : SAMPLE.until);
  progress.show("Deploying");
  const { name, spec } = await backend.stack.deploy({
    file,
    trusted: true,
    ...(liveFrom !== undefined && { liveFrom }),
  });
  const input = options.input === undefined ? (own ? undefined : sampleRequest()) : { file: resolve(options.input) };
  if (input) {
    // The last window closes when an event has passed its end by the lateness.
    const end = until === undefined ? undefined : until + spec.source.lateness + 60_000;
    await sendAll(backend, name, input, { liveFrom, end, speed: options.speed }, progress);
  }
  await settle(backend, name, progress);
  const seconds = (performance.now() - begun) / 1_000;
  const summary = await summarizeRun(backend, name, { until, seconds, progress });
  progress.clear();
  if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  else printSummary(summary, process.stdout);
  if (options.serve) {
    tellEndpoint(backend, name);
    await stopped();
  }
  return summary;
}

/** Resolves when this process is asked to end, or when the one that started it with a channel has ended. */
function stopped(): Promise<undefined> {
  return new Promise((done) => {
    process.once("disconnect", () => done(undefined));
    process.channel?.unref();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => done(undefined));
  });
}

/** The sample's files beside the data, as a user has them. */
async function copySample(folder: string): Promise<string> {
  await cp(SAMPLE_FOLDER, folder, { recursive: true, force: false });
  return join(folder, SAMPLE.file);
}

/** History at full speed, then what is live at the chosen speed; what an earlier run has sent is left out. */
async function sendAll(
  backend: Backend,
  stream: string,
  input: Omit<SendRequest, "speed" | "from" | "until">,
  { liveFrom, end, speed }: { liveFrom: number | undefined; end: number | undefined; speed: number | "max" },
  progress: ProgressLine,
): Promise<void> {
  const newest = await newestSent(backend, stream, progress);
  const begin = newest === null ? Number.NEGATIVE_INFINITY : newest + 1;
  if (newest !== null) {
    const all = end !== undefined && begin >= end;
    const what = all ? "and has been sent all there is to send" : "so sending goes on from there";
    progress.note(`The stream "${stream}" has events until ${formatInstant(newest)}, ${what}.`);
    if (all) return;
  }
  const send = async (what: string, from: number | undefined, until: number | undefined, at: number | "max") => {
    const after = Math.max(from ?? Number.NEGATIVE_INFINITY, begin);
    if (until !== undefined && after >= until) return;
    const span = { ...(Number.isFinite(after) && { from: after }), ...(until !== undefined && { until }) };
    await backend.streams.send(
      stream,
      { ...input, ...span, speed: at },
      { onProgress: (p) => progress.show(`${what}: ${p.message}`, p.done, p.total) },
    );
  };
  if (liveFrom !== undefined) await send("History", undefined, liveFrom, "max");
  await send("Live", liveFrom, end, speed);
}

/** Event time of the newest event in the stream, once all its records are through the pump; null for a new stream. */
async function newestSent(backend: Backend, stream: string, progress: ProgressLine): Promise<number | null> {
  for (;;) {
    const status = await backend.stack.get(stream);
    if (status.state === "failed") throw Fault.from(status.fault);
    if (status.behind === 0) return status.newestEvent;
    progress.show("Reading on", status.counts.records, status.counts.records + status.behind);
    await new Promise((r) => setTimeout(r, POLL));
  }
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

function tellEndpoint({ target }: Backend, stream: string): void {
  const endpoint = target.kind === "local" ? target.endpoint : undefined;
  process.stderr.write(
    `\nThe stream "${stream}" takes records at ${endpoint} (any credentials). For example:\n` +
      `  aws kinesis put-record --endpoint-url ${endpoint} --region us-east-1 --stream-name ${stream} \\\n` +
      `    --partition-key 1 --cli-binary-format raw-in-base64-out --data '{"...":"..."}'\nCtrl+C ends it.\n`,
  );
}

/** Removes a temporary run, once the engine has let go of it. */
async function forget(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
