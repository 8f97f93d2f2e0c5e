/** Registers the commands, and makes links to them whose arguments the compiler checks. */
import * as vscode from "vscode";
import { COMMANDS, type CommandArguments, type CommandName } from "./ids.ts";
import type { Log } from "./log.ts";

/** What a command does; it resolves when the user may go on. */
export type Handler<N extends CommandName> = (args: Partial<CommandArguments[N]>) => unknown;
/** The handlers of some commands, by their names. */
export type Handlers<N extends CommandName = CommandName> = { readonly [K in N]: Handler<K> };

/**
 * Registers every command of the table. `refOf` translates what a menu of the tree hands over: the item's id.
 * Whatever a command throws is shown once, here.
 */
export function registerCommands(
  handlers: Handlers,
  refOf: (id: string) => object | undefined,
  log: Log,
): vscode.Disposable[] {
  return (Object.keys(COMMANDS) as CommandName[]).map((name) =>
    vscode.commands.registerCommand(COMMANDS[name], async (first: unknown) => {
      try {
        return await (handlers[name] as (args: unknown) => unknown)(argumentsOf(first, refOf));
      } catch (error) {
        log.show(error);
        return undefined;
      }
    }),
  );
}

/** A command to put on a lens, an item or a button. */
export function link<N extends CommandName>(
  name: N,
  title: string,
  args: Partial<CommandArguments[N]> = {},
  tooltip?: string,
): vscode.Command {
  return { command: COMMANDS[name], title, arguments: [args], ...(tooltip !== undefined && { tooltip }) };
}

/** Calls a command as the user would. */
export function run<N extends CommandName>(name: N, args: Partial<CommandArguments[N]> = {}): Thenable<unknown> {
  return vscode.commands.executeCommand(COMMANDS[name], args);
}

function argumentsOf(first: unknown, refOf: (id: string) => object | undefined): object {
  if (typeof first === "string") return refOf(first) ?? {};
  // Menus hand over the Uri that they are about; a text that is in no file has no path.
  if (first instanceof vscode.Uri) return { file: first.scheme === "file" ? first.fsPath : first.toString() };
  return typeof first === "object" && first !== null ? first : {};
}
