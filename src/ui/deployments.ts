/** Deployments under way: one for each file, with the editor's own progress and the preview page told alike. */
import * as vscode from "vscode";
import type { CallOptions } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import type { Deployment } from "../rpc/page.ts";
import type { Context, Deployments } from "./context.ts";
import { isCancellation } from "./log.ts";
import { withProgress } from "./progress.ts";

type Parts = Pick<Context, "session" | "files" | "panels" | "log">;

export function createDeployments({ session, files, panels, log }: Parts): Deployments {
  const running = new Map<string, AbortController>();

  const start: Deployments["start"] = async (file, { liveFrom, inPage = false } = {}) => {
    if (running.has(file)) return undefined;
    const abort = new AbortController();
    running.set(file, abort);
    const name = files.list.find((f) => f.file === file)?.name ?? file;
    const tell = (deployment: Deployment) => panels.tell("preview", { file, pipeline: name }, "deployment", deployment);
    tell({ state: "running", message: "Starting" });
    try {
      await vscode.workspace.saveAll(false);
      const location = inPage ? vscode.ProgressLocation.Window : vscode.ProgressLocation.Notification;
      const deploy = async (options: Required<CallOptions>) => {
        const backend = await session.backend();
        return backend.stack.deploy(
          { file, trusted: vscode.workspace.isTrusted, ...(liveFrom !== undefined && { liveFrom }) },
          {
            ...options,
            onProgress: (progress) => {
              options.onProgress(progress);
              tell({ state: "running", ...progress });
            },
          },
        );
      };
      const status = await withProgress(`Deploying ${name} to ${session.label}`, abort, deploy, location);
      tell({ state: "succeeded", message: `${status.name} is ${status.state}.` });
      return status;
    } catch (error) {
      const fault = Fault.from(error);
      if (isCancellation(fault)) tell({ state: "cancelled", message: "Cancelled." });
      else tell({ state: "failed", message: fault.message, fault: fault.toData() });
      log.show(fault);
      return undefined;
    } finally {
      running.delete(file);
    }
  };

  return { start, cancel: (file) => running.get(file)?.abort() };
}
