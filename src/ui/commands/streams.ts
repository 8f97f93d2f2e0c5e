/** The commands on streams: peek at the newest records, look at the rejected ones, send records from a file. */
import * as vscode from "vscode";
import type { StreamInfo } from "../../backend.ts";
import { Fault } from "../../core/fault.ts";
import { type Chooser, pick } from "../choose.ts";
import type { Handlers } from "../commands.ts";
import type { Context } from "../context.ts";
import { formatSpan, plural } from "../format.ts";
import { RECORDS_SCHEME, type Ref } from "../ids.ts";
import { withProgress } from "../progress.ts";
import { peekText, rejectedText } from "../records.ts";

export type StreamCommand = "peekStream" | "showRejected" | "sendRecords" | "copyEndpoint";

const PEEKED = 100;
/** How often shown records are read anew while more arrive, ms. */
const REFRESH = 500;

export function streamCommands(context: Context, choose: Chooser): Handlers<StreamCommand> {
  const stream = async (ref: Pick<Ref, "stream" | "pipeline">, verb: string): Promise<StreamInfo | undefined> => {
    const streams = await (await context.session.backend()).streams.list();
    const named = streams.find((s) => s.name === ref.stream) ?? streams.find((s) => s.pipeline === ref.pipeline);
    if (named) return named;
    if (streams.length === 0)
      throw new Fault("stream.not-found", "There is no stream yet.", { next: "Deploy a pipeline first." });
    if (streams.length === 1) return streams[0];
    const items = streams.map((s) => ({ label: s.name, description: plural(s.records, "record"), value: s }));
    return pick(items, `${verb} which stream?`);
  };
  return {
    async peekStream(args) {
      const chosen = await stream(args, "Peek at");
      if (chosen) await showRecords("peek", chosen.name);
    },

    async showRejected(args) {
      const pipeline = await choose.pipeline(args, "Show the rejected records of");
      if (pipeline) await showRecords("rejected", pipeline.name);
    },

    async sendRecords(args) {
      const chosen = await stream(args, "Send records to");
      if (!chosen) return;
      const file = args.records ?? eventsFile(args.file) ?? (await askFile());
      if (file === undefined) return;
      const speed = await askSpeed();
      if (speed === undefined) return;
      const backend = await context.session.backend();
      const result = await withProgress(`Sending records to ${chosen.name}`, new AbortController(), (options) =>
        backend.streams.send(chosen.name, { file, speed }, options),
      );
      void vscode.window.showInformationMessage(
        `${plural(result.sent, "record")} sent to ${chosen.name} in ${formatSpan(result.seconds * 1_000)}.`,
      );
    },

    async copyEndpoint(args) {
      const chosen = await stream(args, "Copy the endpoint of");
      if (!chosen) return;
      if (chosen.endpoint === null)
        throw new Fault("target.unsupported", `The stream ${chosen.name} is reached through AWS's own endpoint.`, {
          next: "Give the SDK the region and the stream's name.",
        });
      await vscode.env.clipboard.writeText(chosen.endpoint);
      void vscode.window.showInformationMessage(
        `Copied ${chosen.endpoint}: give it to a Kinesis SDK as its endpoint URL, with any credentials.`,
      );
    },
  };
}

async function showRecords(kind: "peek" | "rejected", name: string): Promise<void> {
  const uri = vscode.Uri.from({
    scheme: RECORDS_SCHEME,
    path: `/${name}: ${kind === "peek" ? "newest" : "rejected"} records.jsonc`,
    query: kind,
  });
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { preview: true });
}

/** The virtual documents with a stream's records; they are read again while they are open and records come. */
export function registerRecords(context: Context): vscode.Disposable {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const provider: vscode.TextDocumentContentProvider = {
    onDidChange: changed.event,
    async provideTextDocumentContent(uri) {
      const name = uri.path.slice(1, uri.path.lastIndexOf(": "));
      try {
        const { streams } = await context.session.backend();
        return uri.query === "peek"
          ? peekText(name, await streams.peek(name, { limit: PEEKED }))
          : rejectedText(name, await streams.rejected(name, { limit: PEEKED }));
      } catch (error) {
        context.log.show(error);
        return `// ${Fault.from(error).message}\n`;
      }
    },
  };
  let timer: NodeJS.Timeout | undefined;
  const live = context.session.onChange((change) => {
    // Twice a second is as fast as anyone reads; the last change of many is shown too.
    if (change.noun !== "stream") return;
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const { document } of vscode.window.visibleTextEditors)
        if (document.uri.scheme === RECORDS_SCHEME) changed.fire(document.uri);
    }, REFRESH);
  });
  const registered = vscode.workspace.registerTextDocumentContentProvider(RECORDS_SCHEME, provider);
  return vscode.Disposable.from(changed, live, registered, { dispose: () => clearTimeout(timer) });
}

/** A menu's file, if it is one of events: the tree names a pipeline's own file. */
export function eventsFile(file: string | undefined): string | undefined {
  return file !== undefined && /\.(csv|jsonl|ndjson|parquet)$/i.test(file) ? file : undefined;
}

async function askFile(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: "Send Records",
    openLabel: "Send",
    filters: { Records: ["parquet", "csv", "json", "jsonl", "ndjson"] },
  });
  return chosen?.[0]?.fsPath;
}

/** How fast, as event time per time. */
export async function askSpeed(): Promise<number | "max" | undefined> {
  return pick<number | "max">(
    [
      { label: "As fast as possible", value: "max" },
      { label: "An hour a second", description: "a day in 24 seconds", value: 3_600 },
      { label: "Ten minutes a second", value: 600 },
      { label: "A minute a second", value: 60 },
      { label: "As it happened", description: "a second a second", value: 1 },
    ],
    "At which speed of event time?",
  );
}
