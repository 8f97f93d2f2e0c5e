import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import * as vscode from "vscode";
import type { LocalBackend } from "../../../src/local/index.ts";
import type { RunInfo } from "../../../src/rpc/page.ts";
import { longestOwnStretch } from "../support/profile.ts";
import {
  acceptWhile,
  activate,
  enginePid,
  eventually,
  folder,
  joinEngine,
  lenses,
  ORDERS,
  remove,
  write,
} from "../support/workspace.ts";

const FILE = join(folder, "orders.pipeline.json");
const ENDLESS =
  "SELECT count(*) FROM raw a, raw b, raw c, raw d, raw e, raw f WHERE a.amount + b.amount + f.amount < 0";

describe("SQL in the editor", () => {
  let backend: LocalBackend;

  before(async function () {
    this.timeout(180_000);
    await activate();
    await write("orders.pipeline.json", ORDERS);
    await eventually("the Deploy lens", async () =>
      (await lenses(await vscode.workspace.openTextDocument(FILE))).some((title) => title.startsWith("Deploy"))
        ? true
        : undefined,
    );
    await acceptWhile(vscode.commands.executeCommand("forewatch.deployPipeline", { file: FILE }));
    backend = await joinEngine();
    const at = Date.UTC(2026, 0, 1);
    await backend.streams.put(
      "orders",
      Array.from({ length: 100 }, (_, i) => ({
        data: JSON.stringify({ at: at + i * 20_000, region: i % 2 ? "north" : "south", amount: i }),
      })),
    );
    await eventually("the records to be read", async () =>
      (await backend.stack.get("orders")).counts.events >= 100 ? true : undefined,
    );
  });

  after(async () => {
    await backend?.close();
    await remove("orders.pipeline.json", "sql", "typing.sql", "long.sql");
  });

  /** Opens SQL in an editor, in a file of its own. */
  async function open(
    name: string,
    text: string,
  ): Promise<{ editor: vscode.TextEditor; document: vscode.TextDocument }> {
    await vscode.workspace.fs.createDirectory(vscode.Uri.file(join(folder, "sql")));
    const document = await write(join("sql", name), text);
    return { document, editor: await vscode.window.showTextDocument(document) };
  }

  const history = (limit = 1) => backend.queries.history("orders", limit);
  const diagnostics = (document: vscode.TextDocument) => vscode.languages.getDiagnostics(document.uri);
  const place = (document: vscode.TextDocument, text: string, add = 0) =>
    document.positionAt(document.getText().indexOf(text) + add);

  it("has lenses above each statement", async () => {
    const { document } = await open("lenses.sql", "-- One\nSELECT count(*) AS n FROM raw;\n\nSHOW TABLES;\n");
    await eventually("the lenses", async () => {
      const titles = await lenses(document);
      return titles.join() === "Run,Explain,Chart,Run" ? true : undefined;
    });
  });

  it("runs the statement at the cursor, what is selected, and the whole file", async () => {
    const { document, editor } = await open("run.sql", "SELECT 1 AS one;\nSELECT 2 AS two;\nSELECT 3 AS three;\n");
    const at = place(document, "2");
    editor.selection = new vscode.Selection(at, at);
    await vscode.commands.executeCommand("forewatch.runStatement");
    equal((await history())[0]?.sql, "SELECT 2 AS two");
    editor.selection = new vscode.Selection(place(document, "SELECT 1"), place(document, "SELECT 1", 8));
    await vscode.commands.executeCommand("forewatch.runSelection");
    equal((await history())[0]?.sql, "SELECT 1");
    editor.selection = new vscode.Selection(at, at);
    await vscode.commands.executeCommand("forewatch.runAllStatements");
    deepEqual(
      (await history(3)).map((run) => run.sql),
      ["SELECT 3 AS three", "SELECT 2 AS two", "SELECT 1 AS one"],
    );
    await vscode.commands.executeCommand("forewatch.explainStatement");
    equal((await history())[0]?.sql, "EXPLAIN SELECT 2 AS two");
  });

  it("runs what is written in a text that is in no file, from the menu of its editor", async () => {
    const document = await vscode.workspace.openTextDocument({ language: "sql", content: "SELECT 7 AS seven;\n" });
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("forewatch.runAllStatements", document.uri);
    deepEqual([(await history())[0]?.sql, (await history())[0]?.state], ["SELECT 7 AS seven", "succeeded"]);
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  });

  it("underlines while typing what the grammar and the dialect refuse, and what a run failed with until it changes", async () => {
    const { document, editor } = await open(
      "typing.sql",
      "SELECT region FROM raw;\nSELECT CAST(region AS bigint) FROM raw;\n",
    );
    await eventually("no diagnostic", () => (diagnostics(document).length === 0 ? true : undefined));
    await editor.edit((edit) => edit.insert(place(document, "region"), "amuont, "));
    const [typed, ...others] = await eventually("a diagnostic", () => {
      const found = diagnostics(document);
      return found.length > 0 ? found : undefined;
    });
    deepEqual(others, []);
    equal(document.getText(typed!.range), "amuont");
    ok(typed!.message.includes("did you mean 'amount'"), typed!.message);
    await vscode.commands.executeCommand("undo");
    await eventually("no diagnostic", () => (diagnostics(document).length === 0 ? true : undefined));
    await vscode.commands.executeCommand("forewatch.runStatement", {
      file: document.uri.toString(),
      offset: document.getText().indexOf("SELECT CAST"),
    });
    const [failed] = await eventually("the run's fault", () => {
      const found = diagnostics(document);
      return found.length > 0 ? found : undefined;
    });
    ok(failed!.message.includes("Cannot cast"), failed!.message);
    equal(failed!.range.start.line, 1);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), "-- typed above it\n"));
    await eventually("the fault to move along", () =>
      diagnostics(document)[0]?.range.start.line === 2 ? true : undefined,
    );
    await editor.edit((edit) => edit.insert(place(document, " FROM raw;\n"), " AS n"));
    const text = document.getText();
    await editor.edit((edit) => edit.insert(document.positionAt(text.lastIndexOf("bigint")), "big"));
    await eventually("the fault to go with the text", () =>
      diagnostics(document).some((d) => d.message.includes("Cannot cast")) ? undefined : true,
    );
    await document.save();
  });

  it("completes tables, columns with their types, functions with documentation, and parameters", async () => {
    const { document } = await open("complete.sql", "SELECT  FROM raw AS r WHERE at > : AND r.;\nSELECT * FROM ;\n");
    const at = async (position: vscode.Position) =>
      (
        await vscode.commands.executeCommand<vscode.CompletionList>(
          "vscode.executeCompletionItemProvider",
          document.uri,
          position,
        )
      ).items;
    const label = (item: vscode.CompletionItem) => (typeof item.label === "string" ? item.label : item.label.label);
    const columns = await eventually("the columns", async () => {
      const items = await at(place(document, "SELECT  FROM", 7));
      return items.some((item) => label(item) === "amount") ? items : undefined;
    });
    equal(columns.find((item) => label(item) === "amount")?.detail, "double · raw");
    const truncation = columns.find((item) => label(item) === "date_trunc");
    ok((truncation?.documentation as vscode.MarkdownString).value.includes("trino.io"));
    const tables = await at(place(document, "* FROM ", 7));
    deepEqual(
      ["raw", "comparison", "forecast"].filter((name) => !tables.some((item) => label(item) === name)),
      [],
    );
    const qualified = await at(place(document, "r.;", 2));
    ok(qualified.some((item) => label(item) === "region"));
    ok(!qualified.some((item) => label(item) === "date_trunc"));
    const parameters = await at(place(document, ": AND", 1));
    ok(
      parameters.some((item) => label(item) === ":since"),
      parameters.map(label).join(),
    );
  });

  it("tells what a column is under the pointer", async () => {
    const { document } = await open("hover.sql", "SELECT amount FROM raw;\n");
    await eventually("the words", async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        place(document, "amount", 2),
      );
      const text = hovers.flatMap((h) => h.contents.map((c) => (typeof c === "string" ? c : c.value))).join();
      return text.includes("raw.amount") && text.includes("double") ? true : undefined;
    });
  });

  it("formats, folds, lists statements, and renames a parameter everywhere with its value", async () => {
    const { document, editor } = await open(
      "shape.sql",
      "-- Late ones\nselect at,amount from raw where at>:since and amount>:since;\n",
    );
    const edits = await vscode.commands.executeCommand<vscode.TextEdit[]>(
      "vscode.executeFormatDocumentProvider",
      document.uri,
      { tabSize: 2, insertSpaces: true },
    );
    const format = new vscode.WorkspaceEdit();
    format.set(document.uri, edits);
    await vscode.workspace.applyEdit(format);
    ok(document.getText().startsWith("-- Late ones\nSELECT\n  at,\n  amount\nFROM\n  raw\nWHERE"), document.getText());
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      "vscode.executeDocumentSymbolProvider",
      document.uri,
    );
    deepEqual(
      symbols.map((s) => s.name),
      ["Late ones"],
    );
    const folds = await vscode.commands.executeCommand<vscode.FoldingRange[]>(
      "vscode.executeFoldingRangeProvider",
      document.uri,
    );
    ok(
      folds.some((fold) => fold.start === 1 && fold.end >= 6),
      JSON.stringify(folds),
    );
    const rename = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
      "vscode.executeDocumentRenameProvider",
      document.uri,
      place(document, ":since", 3),
      "from_time",
    );
    await vscode.workspace.applyEdit(rename);
    equal(document.getText().match(/:from_time\b/g)?.length, 2);
    await editor.document.save();
  });

  it("shows a running statement, stops it, and leaves the text alone", async () => {
    const text = `-- Endless\n${ENDLESS};\nSELECT 5 AS five;\n`;
    const { document } = await open("endless.sql", text);
    const file = document.uri.toString();
    const offset = text.indexOf("SELECT");
    const running = vscode.commands.executeCommand("forewatch.runStatement", { file, offset });
    await eventually("the Cancel lens", async () => ((await lenses(document)).includes("Cancel") ? true : undefined));
    // The panel may go while it runs.
    await vscode.commands.executeCommand("workbench.action.closePanel");
    // Another one beside it.
    await vscode.commands.executeCommand("forewatch.runStatement", { file, offset: text.indexOf("SELECT 5") });
    deepEqual([(await history())[0]?.sql, (await history())[0]?.state], ["SELECT 5 AS five", "succeeded"]);
    await vscode.commands.executeCommand("forewatch.cancelStatement", { file, offset });
    await running;
    const cancelled = (await history(5)).find((run) => run.sql === ENDLESS);
    equal(cancelled?.state, "cancelled");
    await eventually("the Run lens", async () => ((await lenses(document)).includes("Cancel") ? undefined : true));
    equal(document.getText(), text);
    equal(document.isDirty, false);
  });

  it("is refused in words when its table has vanished", async () => {
    await backend.queries.run("orders", { sql: "CREATE TABLE fleeting AS SELECT 1 AS n" });
    const { document } = await open(
      "fleeting.sql",
      "CREATE TABLE other AS SELECT 2 AS n;\nSELECT * FROM other;\nDROP TABLE other;\nSELECT * FROM other;\n",
    );
    await vscode.commands.executeCommand("forewatch.runAllStatements");
    const [last] = await history();
    equal(last?.state, "failed");
    ok(last?.fault?.message.includes("Table 'other' does not exist"), last?.fault?.message);
    equal(document.isDirty, false);
    await backend.queries.run("orders", { sql: "DROP TABLE fleeting" });
  });

  it("says what happened when the engine is killed while it runs, and runs again afterwards", async () => {
    const text = `${ENDLESS};\n`;
    const { document } = await open("killed.sql", text);
    const file = document.uri.toString();
    const pid = await enginePid();
    const running = vscode.commands.executeCommand("forewatch.runStatement", { file, offset: 0 });
    await eventually("the Cancel lens", async () => ((await lenses(document)).includes("Cancel") ? true : undefined));
    process.kill(pid, "SIGKILL");
    const info = (await running) as RunInfo;
    equal(info.state, "failed");
    match(info.fault?.message ?? "", /engine/i);
    ok(info.fault?.next, "what to do next");
    await eventually("the Run lens", async () => ((await lenses(document)).includes("Cancel") ? undefined : true));
    await eventually("another engine", async () => ((await enginePid()) !== pid ? true : undefined));
    await eventually("an answer", () => backend.stack.get("orders"));
    const short = await open("after.sql", "SELECT count(*) AS n FROM raw;\n");
    await vscode.commands.executeCommand("forewatch.runStatement", { file: short.document.uri.toString(), offset: 0 });
    const [after] = await history();
    deepEqual([after?.state, after?.rowCount], ["succeeded", 1]);
    equal(document.getText(), text);
  });

  it("saves a statement as a named query, and opens the generated one", async () => {
    const { document } = await open(
      "scratch.sql",
      "-- Orders by region\nSELECT region, count(*) AS n FROM raw GROUP BY 1;\n",
    );
    await acceptWhile(
      vscode.commands.executeCommand("forewatch.saveNamedQuery", { file: document.uri.toString(), offset: 20 }),
    );
    const saved = await eventually("the file", async () => {
      const bytes = await vscode.workspace.fs.readFile(vscode.Uri.file(join(folder, "sql", "orders-by-region.sql")));
      return new TextDecoder().decode(bytes);
    });
    equal(saved, "-- Orders by region\nSELECT region, count(*) AS n FROM raw GROUP BY 1;\n");
    await vscode.commands.executeCommand("forewatch.openPreparationQuery", { pipeline: "orders" });
    const generated = vscode.window.activeTextEditor!.document;
    ok(generated.getText().includes("-- Preparation of orders"), generated.getText());
    equal(generated.languageId, "sql");
    await eventually("its lenses", async () => ((await lenses(generated)).includes("Run") ? true : undefined));
    deepEqual(diagnostics(generated), []);
    await vscode.commands.executeCommand("forewatch.runStatement", {
      file: generated.uri.toString(),
      offset: generated.getText().indexOf("SELECT"),
    });
    equal((await history())[0]?.state, "succeeded", (await history())[0]?.fault?.message);
  });

  it("does not hold up the extension host in a file of 2,000 lines", async () => {
    const statements = Array.from(
      { length: 400 },
      (_, i) =>
        `-- Statement ${i}\nSELECT region,\n  date_trunc('hour', at) AS hour_${i},\n  sum(amount) FILTER (WHERE amount > ${i}) AS total\nFROM raw GROUP BY 1, 2;`,
    );
    const longest = await longestOwnStretch(async () => {
      const { document, editor } = await open("long.sql", `${statements.join("\n")}\nSELECT nope FROM raw;\n`);
      await eventually("the diagnostic at the end", () => (diagnostics(document).length === 1 ? true : undefined));
      await editor.edit((edit) => edit.insert(place(document, "region"), "amuont, "));
      await eventually("the diagnostic at the beginning", () =>
        diagnostics(document).length === 2 ? true : undefined,
      );
      await vscode.commands.executeCommand(
        "vscode.executeCompletionItemProvider",
        document.uri,
        place(document, "hour_200", 2),
      );
      await document.save();
    });
    // The whole file takes seconds to parse: on the host's thread it would be one stretch of that length.
    console.log(`      longest stretch of the extension's own code: ${longest.toFixed(1)} ms of processor time`);
    ok(longest <= 50, `held the host for ${longest.toFixed(1)} ms`);
  });
});
