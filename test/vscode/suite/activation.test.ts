import { ok, strictEqual } from "node:assert/strict";
import { describe, it } from "mocha";
import * as vscode from "vscode";

interface Manifest {
  readonly contributes?: { readonly commands?: readonly { readonly command: string }[] };
}

describe("activation", () => {
  const extension = vscode.extensions.getExtension<unknown>("forewatch.forewatch");

  it("finds the extension", () => {
    ok(extension, "forewatch.forewatch is not among the extensions");
  });

  it("activates it", async () => {
    await extension!.activate();
    strictEqual(extension!.isActive, true);
  });

  it("registers every command of the manifest", async () => {
    await extension!.activate();
    const { contributes } = extension!.packageJSON as Manifest;
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = (contributes?.commands ?? []).map(({ command }) => command).filter((id) => !registered.has(id));
    strictEqual(missing.join(", "), "");
  });
});
