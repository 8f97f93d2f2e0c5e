/** The results view beneath the editor: one page whose subject is the pipeline that a statement was last run on. */
import { basename } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { pick } from "../choose.ts";
import { run as command } from "../commands.ts";
import type { Context } from "../context.ts";
import { formatBytes, formatTime } from "../format.ts";
import { VIEWS } from "../ids.ts";
import { withProgress } from "../progress.ts";
import { author, setting } from "../settings.ts";
import type { OwnHandlers, Page } from "./panel.ts";
import { askWhere } from "./save.ts";

export interface ResultsView extends vscode.Disposable {
  /** Shows the runs of a pipeline, without taking the focus from the editor. */
  show(pipeline: string): Promise<void>;
}

export function createResultsView(context: Context): ResultsView {
  let page: Page<"results"> | undefined;
  let pipeline = "";
  const provider: vscode.WebviewViewProvider = {
    async resolveWebviewView(view) {
      let disposed = false;
      view.onDidDispose(() => {
        disposed = true;
        page = undefined;
      });
      const { openPage } = await import("./panel.ts");
      if (disposed) return;
      pipeline ||= context.live.snapshot.pipelines[0]?.name ?? context.files.list[0]?.name ?? "";
      page = openPage(context, view, {
        page: "results",
        subject: { pipeline },
        title: "Results",
        handlers: () => resultsHandlers(context),
      });
    },
  };
  const disposables = [
    vscode.window.registerWebviewViewProvider(VIEWS.results, provider, {
      webviewOptions: { retainContextWhenHidden: false },
    }),
    context.runs.onDidChange(({ request, info }) => {
      if (request.pipeline === page?.subject.pipeline) page.tell("run", info);
    }),
  ];
  return {
    async show(name) {
      pipeline = name;
      if (page && page.subject.pipeline !== name) page.show({ pipeline: name });
      await vscode.commands.executeCommand(`${VIEWS.results}.focus`, { preserveFocus: true });
    },
    dispose() {
      for (const d of disposables) d.dispose();
    },
  };
}

function resultsHandlers(context: Context): OwnHandlers<"results"> {
  const { runs, session } = context;
  const queries = async () => (await session.backend()).queries;
  return {
    "runs.list": ({ pipeline }) => runs.list(pipeline),
    "runs.cancel": ({ run }) => {
      runs.cancel(run);
      return null;
    },
    "runs.again": ({ run }) => {
      void runs.again(run);
      return null;
    },
    "runs.close": ({ run }) => {
      runs.close(run);
      return null;
    },
    "history.open": () => {
      void command("queryHistory");
      return null;
    },
    "runs.reveal": async ({ run }) => {
      const { origin, sql } = runs.request(run);
      if (!origin) return null;
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(origin.uri));
      const at = runs.info(run).fault?.at;
      // The text may have moved since: where the statement stands now counts.
      const found = document.getText().indexOf(origin.text);
      // What was run may have a word before the statement, such as EXPLAIN.
      const start = (found >= 0 ? found : origin.offset) + Math.max(0, (at?.offset ?? 0) - sql.indexOf(origin.text));
      const selection = new vscode.Range(document.positionAt(start), document.positionAt(start + (at?.length ?? 0)));
      await vscode.window.showTextDocument(document, { selection });
      return null;
    },
    "queries.rows": async ({ query, offset, limit }) => (await queries()).rows(query, offset, limit),
    "queries.view": ({ query, ...request }, { signal }) => runs.view(query, request, signal),
    "queries.release": async ({ query }) => {
      await (await queries()).release(query);
      return null;
    },
    "queries.exportTo": async ({ query, format }) => {
      const { title } = runs.ofQuery(query).info;
      const uri = await askWhere(`${title.slice(0, 40).trim()}.${format}`);
      if (!uri) return { saved: false };
      const { bytes } = await withProgress(
        `Writing ${basename(uri.fsPath)}`,
        new AbortController(),
        async ({ signal }) => (await queries()).exportTo(query, { file: uri.fsPath, format }, { signal }),
      );
      vscode.window.setStatusBarMessage(`$(check) ${basename(uri.fsPath)}: ${formatBytes(bytes)}`, 5_000);
      return { saved: true };
    },
    "incidents.pin": async ({ query, run }) => {
      const incident = await chooseOpenIncident(context);
      if (incident === undefined) return { pinned: false };
      const { title, sql, result } = runs.info(run);
      const rows = await (await queries()).rows(query, 0, 100);
      const backend = await session.backend();
      await backend.incidents.pin(
        incident,
        { title, sql, columns: (result?.columns ?? []).map((c) => c.name), rows },
        author(),
      );
      return { pinned: true };
    },
  };
}

async function chooseOpenIncident({ session }: Context): Promise<string | undefined> {
  const open = await (await session.backend()).incidents.list({ status: "open" });
  if (open.length === 0)
    throw new Fault("incident.not-found", "There is no open incident to pin this to.", {
      next: "Declare one with Forewatch: Declare Incident.",
    });
  const items = open.map((i) => ({
    label: i.title,
    description: `SEV ${i.severity} · since ${formatTime(i.from, setting("timeZone"))}`,
    value: i.id,
  }));
  return pick(items, "Pin to which incident?");
}
