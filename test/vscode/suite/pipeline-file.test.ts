import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import * as vscode from "vscode";
import { activate, eventually, lenses, ORDERS, remove, write } from "../support/workspace.ts";

describe("a pipeline file", () => {
  before(activate);
  after(() => remove("orders.pipeline.json"));

  const diagnostics = (document: vscode.TextDocument) => vscode.languages.getDiagnostics(document.uri);

  it("is JSON with comments, and without faults nothing is underlined", async () => {
    const document = await write("orders.pipeline.json", ORDERS);
    await vscode.window.showTextDocument(document);
    equal(document.languageId, "jsonc");
    await eventually("the Deploy lens", async () => ((await lenses(document)).includes("Deploy") ? true : undefined));
    deepEqual(diagnostics(document), []);
  });

  it("has a misspelt measure underlined where it stands, once, and mended by the quick fix", async () => {
    const document = await write("orders.pipeline.json", ORDERS);
    const editor = await vscode.window.showTextDocument(document);
    const at = ORDERS.indexOf('"orders", "direction"');
    const word = new vscode.Range(document.positionAt(at), document.positionAt(at + '"orders"'.length));
    await editor.edit((edit) => edit.replace(word, '"ordres"'));
    const [first, ...others] = await eventually("a diagnostic", () => {
      const found = diagnostics(document);
      return found.length > 0 ? found : undefined;
    });
    deepEqual(others, []);
    equal(document.getText(first!.range), '"ordres"');
    ok(first!.message.includes('Did you mean "orders"?'), first!.message);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      first!.range,
      vscode.CodeActionKind.QuickFix.value,
    );
    const fix = actions.find((action) => action.title === 'Change to "orders"');
    ok(fix?.edit, `offered: ${actions.map((a) => a.title).join(", ")}`);
    await vscode.workspace.applyEdit(fix.edit);
    await eventually("no diagnostic", () => (diagnostics(document).length === 0 ? true : undefined));
    equal(document.getText(), ORDERS);
    await document.save();
  });

  it("is completed from the schema and from itself", async () => {
    const document = await write("orders.pipeline.json", ORDERS);
    const labels = async (before: string) => {
      const position = document.positionAt(ORDERS.indexOf(before) + before.length);
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        document.uri,
        position,
      );
      return list.items.map((item) => (typeof item.label === "string" ? item.label : item.label.label));
    };
    const fields = await eventually("the fields", async () => {
      const found = await labels('"sum": "');
      return found.includes('"amount"') ? found : undefined;
    });
    ok(fields.includes('"region"'), fields.join());
    const directions = await eventually("the schema's words", async () => {
      const found = await labels('"direction": "');
      return found.includes('"above"') ? found : undefined;
    });
    ok(directions.includes('"both"'), directions.join());
  });

  it("is documented by hovers", async () => {
    const document = await write("orders.pipeline.json", ORDERS);
    const position = document.positionAt(ORDERS.indexOf('"every"') + 2);
    await eventually("the words on every", async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        position,
      );
      const text = hovers.flatMap((h) => h.contents.map((c) => (typeof c === "string" ? c : c.value))).join();
      return text.includes("The length of a window") ? true : undefined;
    });
  });
});
