/** The log, and failures as the user meets them: the message, the next step, and the way to the log; never a stack. */
import * as vscode from "vscode";
import { describeFault, Fault } from "../core/fault.ts";
import { COMMANDS } from "./ids.ts";

export interface Log {
  readonly channel: vscode.LogOutputChannel;
  /** Shows a failure to the user and logs it with its cause. Cancelled work is the user's own wish: it is only logged. */
  show(error: unknown): void;
  /** Logs a failure that the user need not be disturbed with. */
  note(context: string, error: unknown): void;
}

/** Further buttons on a fault's notification, by the words on them. */
export type FaultActions = Readonly<Record<string, () => unknown>>;

export function createLog(actionsFor: (fault: Fault) => FaultActions): Log {
  const channel = vscode.window.createOutputChannel("Forewatch", { log: true });
  const write = (level: "error" | "warn", text: string, fault: Fault) => {
    channel[level](text);
    if (fault.code === "unexpected" && fault.cause instanceof Error) channel.debug(fault.cause.stack ?? "");
  };
  return {
    channel,
    show(error) {
      const fault = Fault.from(error);
      if (isCancellation(fault)) {
        channel.info(fault.message);
        return;
      }
      write("error", describeFault(fault), fault);
      const actions: FaultActions = {
        ...actionsFor(fault),
        "Show Log": () => vscode.commands.executeCommand(COMMANDS.showLog),
      };
      void vscode.window.showErrorMessage(faultText(fault), ...Object.keys(actions)).then((chosen) => {
        if (chosen !== undefined) void actions[chosen]?.();
      });
    },
    note(context, error) {
      const fault = Fault.from(error);
      write("warn", `${context}: ${describeFault(fault)}`, fault);
    },
  };
}

/** A fault in the words of a notification. */
export function faultText(fault: Fault): string {
  const place = fault.at?.file === undefined ? "" : ` (line ${fault.at.line})`;
  return `${fault.message}${place}${fault.next ? ` ${fault.next}` : ""}`;
}

export function isCancellation(fault: Fault): boolean {
  return fault.code === "cancelled" || fault.code === "query.cancelled";
}
