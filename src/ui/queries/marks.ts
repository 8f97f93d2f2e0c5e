/** The words behind statements: how long one has been running, how it went. */
import * as vscode from "vscode";
import { describeFault } from "../../core/fault.ts";
import { escapeMarkdown } from "../format.ts";
import type { SqlDocuments } from "./documents.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import { outcomeWords } from "./words.ts";

/** Running times are drawn again at this pace, ms. */
const TICK = 200;
/** Longer words are cut: the line is the statement's. */
const LONGEST = 120;

const COLORS = {
  running: "charts.blue",
  succeeded: "editorCodeLens.foreground",
  cancelled: "editorCodeLens.foreground",
  failed: "editorError.foreground",
} as const;

export function registerMarks(documents: SqlDocuments, outcomes: Outcomes): vscode.Disposable {
  const type = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    after: { margin: "0 0 0 2em", fontStyle: "italic" },
  });
  let timer: NodeJS.Timeout | undefined;

  const draw = (editor: vscode.TextEditor) => {
    if (!documents.serves(editor.document)) return;
    const now = Date.now();
    editor.setDecorations(
      type,
      outcomes.of(editor.document).map((outcome) => mark(editor.document, outcome, now)),
    );
  };
  const running = () =>
    vscode.window.visibleTextEditors.filter((e) => outcomes.of(e.document).some((o) => o.info.state === "running"));
  const tick = () => {
    const editors = running();
    for (const editor of editors) draw(editor);
    if (editors.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return vscode.Disposable.from(
    type,
    { dispose: () => clearInterval(timer) },
    outcomes.onDidChange((document) => {
      for (const editor of vscode.window.visibleTextEditors) if (editor.document === document) draw(editor);
      if (running().length > 0) timer ??= setInterval(tick, TICK);
    }),
    vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach(draw)),
  );
}

function mark(document: vscode.TextDocument, { offset, text, info }: Outcome, now: number): vscode.DecorationOptions {
  const line = document.lineAt(document.positionAt(offset + text.length).line);
  const words = outcomeWords(info, now).replace(/\s+/g, " ");
  const range = new vscode.Range(line.range.end, line.range.end);
  return {
    range,
    hoverMessage: new vscode.MarkdownString(hover(info)),
    renderOptions: {
      after: {
        contentText: words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words,
        color: new vscode.ThemeColor(COLORS[info.state]),
      },
    },
  };
}

function hover(info: Outcome["info"]): string {
  if (info.fault) return escapeMarkdown(describeFault(info.fault));
  const bytes =
    info.state === "succeeded" && info.result?.bytesScanned == null ? " This target does not bill by bytes." : "";
  return `Run at ${new Date(info.startedAt).toLocaleTimeString()}.${bytes}`;
}
