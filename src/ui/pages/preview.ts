/** What the preview page asks: the plan, and the deployment that follows it. */
import * as vscode from "vscode";
import type { FaultData } from "../../core/fault.ts";
import { run } from "../commands.ts";
import type { Context } from "../context.ts";
import type { OwnHandlers, Page } from "./panel.ts";

export function previewHandlers(context: Context, page: Page<"preview">): OwnHandlers<"preview"> {
  return {
    "stack.preview": async ({ file }) => {
      const backend = await context.session.backend();
      const plan = await backend.stack.preview({ file, trusted: vscode.workspace.isTrusted });
      return { plan, target: context.session.label };
    },
    "stack.deploy": ({ file }) => {
      void context.deployments.start(file, { inPage: true });
      return null;
    },
    "stack.cancel": ({ file }) => {
      context.deployments.cancel(file);
      return null;
    },
    "page.close": () => {
      context.panels.close("preview", page.subject);
      return null;
    },
    "files.reveal": async ({ file, fault }) => {
      if (fault?.at) await reveal(file, fault);
      else await run("openPipelineFile", { file });
      return null;
    },
  };
}

/** Shows a file with the fault's place selected. */
export async function reveal(file: string, fault: FaultData): Promise<void> {
  const uri = vscode.Uri.file(fault.at?.file ?? file);
  const editor = await vscode.window.showTextDocument(uri);
  if (!fault.at) return;
  const start = editor.document.positionAt(fault.at.offset);
  const end = editor.document.positionAt(fault.at.offset + fault.at.length);
  editor.selection = new vscode.Selection(start, end);
  editor.revealRange(new vscode.Range(start, end), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
