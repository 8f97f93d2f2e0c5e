import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import * as vscode from "vscode";
import type { LocalBackend } from "../../../src/local/index.ts";
import { handleUri } from "../../../src/ui/commands/incidents.ts";
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

describe("a pipeline on the local target", () => {
  let backend: LocalBackend;

  before(async () => {
    await activate();
    await write("orders.pipeline.json", ORDERS);
    // The extension looks at the workspace's files after a pause.
    await eventually("the Deploy lens", async () =>
      (await lenses(await vscode.workspace.openTextDocument(FILE))).includes("Deploy") ? true : undefined,
    );
  });

  after(async () => {
    await backend?.close();
    await remove("orders.pipeline.json", "orders.jsonl");
  });

  it("loads none of the heavy parts to be ready", () => {
    const loaded = Object.keys(require.cache).filter((path) =>
      /duckdb|aws-sdk|sample-reader|chart\.js|antlr/.test(path),
    );
    deepEqual(loaded, []);
  });

  it("is deployed by the command, and shared with a second front end", async () => {
    await acceptWhile(vscode.commands.executeCommand("forewatch.deployPipeline", { file: FILE }));
    const pid = await enginePid();
    backend = await joinEngine();
    equal(await enginePid(), pid, "one engine serves both");
    deepEqual(
      (await backend.stack.list()).map((p) => [p.name, p.state]),
      [["orders", "running"]],
    );
    const document = await vscode.workspace.openTextDocument(FILE);
    await eventually("the lenses of a deployed pipeline", async () =>
      (await lenses(document)).includes("Deploy Changes") ? true : undefined,
    );
  });

  it("shows the newest records, and keeps what it cannot read", async () => {
    const at = Date.UTC(2026, 0, 1);
    const events = Array.from({ length: 30 }, (_, i) => ({ at: at + i * 20_000, region: "north", amount: i }));
    const accepted = await backend.streams.put("orders", [
      ...events.map((event) => ({ data: JSON.stringify(event) })),
      { data: "not an event" },
    ]);
    equal(accepted.accepted, 31);
    await eventually("the records to be read", async () => {
      const { counts } = await backend.stack.get("orders");
      return counts.events === 30 && counts.rejected === 1 ? true : undefined;
    });
    await vscode.commands.executeCommand("forewatch.peekStream", { pipeline: "orders" });
    const peeked = vscode.window.activeTextEditor?.document;
    equal(peeked?.languageId, "jsonc");
    ok(peeked.getText().includes('"region":"north"'), peeked.getText().slice(0, 500));
    await vscode.commands.executeCommand("forewatch.showRejectedRecords", { pipeline: "orders" });
    ok(vscode.window.activeTextEditor?.document.getText().includes('"not an event"'));
  });

  it("runs a statement where it stands", async () => {
    const document = await vscode.workspace.openTextDocument({
      language: "sql",
      content: "-- How many\nSELECT count(*) AS orders FROM raw;\n",
    });
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("forewatch.runStatement", { file: document.uri.toString(), offset: 12 });
    const [run] = await backend.queries.history("orders", 1);
    deepEqual([run?.state, run?.rowCount], ["succeeded", 1]);
  });

  it("is back by itself after its engine was killed, with all it had", async () => {
    const pid = await enginePid();
    process.kill(pid, "SIGKILL");
    await eventually("another engine", async () => ((await enginePid()) !== pid ? true : undefined));
    const status = await eventually("an answer", () => backend.stack.get("orders"));
    deepEqual([status.state, status.counts.events, status.counts.rejected], ["running", 30, 1]);
    await vscode.commands.executeCommand("forewatch.peekStream", { pipeline: "orders" });
    ok(vscode.window.activeTextEditor?.document.getText().includes('"region":"north"'));
  });

  it("restarts its engine by command", async () => {
    const pid = await enginePid();
    await vscode.commands.executeCommand("forewatch.restartEngine");
    const now = await eventually("another engine", async () => {
      const next = await enginePid();
      return next === pid ? undefined : next;
    });
    ok(now > 0);
  });

  it("is trained by command, as a person's training", async () => {
    const before = await backend.forecasts.jobs("orders", 100);
    await vscode.commands.executeCommand("forewatch.trainForecast", { pipeline: "orders" });
    const [job] = (await backend.forecasts.jobs("orders", 100)).filter((j) => !before.some((b) => b.id === j.id));
    deepEqual([job?.requestedBy, job?.state], ["person", "succeeded"]);
  });

  it("has an incident declared, noted, resolved and written up", async () => {
    const { id } = await backend.incidents.declare({
      pipeline: "orders",
      title: "Orders stall",
      severity: 3,
      series: [],
      from: Date.UTC(2026, 0, 1),
      author: "test",
    });
    await vscode.commands.executeCommand("forewatch.changeSeverity", { incident: id, severity: 1 });
    // The box proposes the user's own name.
    await acceptWhile(vscode.commands.executeCommand("forewatch.assignIncident", { incident: id }));
    ok((await backend.incidents.get(id)).owner, "somebody takes care of it");
    await acceptWhile(vscode.commands.executeCommand("forewatch.resolveIncident", { incident: id }));
    const incident = await backend.incidents.get(id);
    deepEqual([incident.severity, incident.status], [1, "resolved"]);
    await vscode.commands.executeCommand("forewatch.reopenIncident", { incident: id });
    equal((await backend.incidents.get(id)).status, "open");
    await acceptWhile(vscode.commands.executeCommand("forewatch.resolveIncident", { incident: id }));
    equal((await backend.incidents.get(id)).status, "resolved");
    await vscode.commands.executeCommand("forewatch.showIncident", { incident: id });
    await eventually("the incident's tab", incidentTab);
  });

  it("shows the incident that a pager's link names, and says what else a link may be", async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    const [incident] = await backend.incidents.list();
    const link = (path: string) => vscode.Uri.parse(`vscode://forewatch.forewatch/${path}`);
    await handleUri(link(`incident/${encodeURIComponent(incident!.id)}`));
    await eventually("the incident's tab", incidentTab);
    throws(() => handleUri(link("elsewhere/1")), /knows no place \/elsewhere\/1/);
  });

  it("proposes a pipeline from a sample file", async () => {
    const rows = Array.from({ length: 60 }, (_, i) =>
      JSON.stringify({
        time: new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString(),
        shop: i % 2 ? "a" : "b",
        total: i,
      }),
    );
    await writeFile(join(folder, "shops.jsonl"), rows.join("\n"));
    await acceptWhile(vscode.commands.executeCommand("forewatch.newPipeline", { sample: join(folder, "shops.jsonl") }));
    const written = await readFile(join(folder, "shops.pipeline.json"), "utf8");
    for (const part of [
      '"time": "time"',
      '"by": ["shop"]',
      '"events": { "count": "*" }',
      '"total_total": { "sum": "total" }',
    ])
      ok(written.includes(part), `${part} in ${written}`);
    await remove("shops.jsonl", "shops.pipeline.json");
  });
});

function incidentTab(): vscode.Tab | undefined {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .find((tab) => tab.input instanceof vscode.TabInputWebview && tab.input.viewType.includes("forewatch.incident"));
}
