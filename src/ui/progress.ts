/** The editor's progress notification around a long call of the port, with its Cancel button. */
import * as vscode from "vscode";
import type { CallOptions } from "../backend.ts";

/**
 * Runs `work` under a notification; Cancel there aborts `abort`, which the work is given as its signal. Where a page shows the
 * progress itself, the status bar is enough: a notification would lie over the page.
 */
export async function withProgress<T>(
  title: string,
  abort: AbortController,
  work: (options: Required<CallOptions>) => Promise<T>,
  location = vscode.ProgressLocation.Notification,
): Promise<T> {
  return vscode.window.withProgress({ location, title, cancellable: true }, (progress, token) => {
    token.onCancellationRequested(() => abort.abort());
    let shown = 0;
    return work({
      signal: abort.signal,
      onProgress: ({ message, done, total }) => {
        const percent = done !== undefined && total ? (done / total) * 100 : undefined;
        const increment = percent === undefined ? undefined : Math.max(0, percent - shown);
        shown = Math.max(shown, percent ?? 0);
        progress.report({ message, ...(increment !== undefined && { increment }) });
      },
    });
  });
}
