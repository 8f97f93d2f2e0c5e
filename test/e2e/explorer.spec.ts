/** The extension's own journey: deploy from the palette, look around in the explorer, run prep SQL, on the real engine. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./support/fixtures.ts";

test.use({ template: fileURLToPath(new URL("../../infra/sample", import.meta.url)) });

test("deploy from the palette, explore, run prep SQL", async ({ vscode, folder }) => {
  const tree = await vscode.tree("Forewatch", "Pipeline");
  await expect(tree.pane).toContainText("The pipeline of this workspace is not deployed");
  await vscode.screenshot("explorer-not-deployed-light");

  await vscode.palette("Forewatch: Deploy Pipeline");
  await vscode.pick(/Deploy$/);
  await tree.item("flights").waitFor();
  expect(await tree.labels()).toEqual(
    expect.arrayContaining(["Streams", "Prep queries", "Forecast jobs", "Alarms", "Incidents", "departures-low"]),
  );
  await expect(vscode.status(/flights · local/)).toBeVisible();

  const flights = Array.from({ length: 48 }, (_, i) => ({
    scheduled: new Date(Date.UTC(2001, 0, 1) + i * 1_800_000).toISOString(),
    origin: i % 2 ? "BOS" : "JFK",
    destination: "ATL",
    delay: i % 20,
    distance: 900,
    late: i % 20 >= 15,
  }));
  await writeFile(join(folder, "flights.jsonl"), flights.map((flight) => JSON.stringify(flight)).join("\n"));
  await tree.inline("flights", "Send Records");
  await vscode.file(join(folder, "flights.jsonl"));
  await vscode.pick("As fast as possible");
  await vscode.notifications.shown(/48 records sent to flights/);
  await expect(tree.item("flights")).toContainText("48 records");

  await tree.inline("flights", "Peek Stream");
  await expect(vscode.editors.tab("flights: newest records.jsonc")).toBeVisible();
  await vscode.notifications.clear();

  await vscode.editors.open("delays.sql");
  await vscode.editors.lens(/Run/).first().click();
  const results = await vscode.webview("body[data-page=results]");
  await expect(results.locator("body")).toContainText("rows");
  await vscode.screenshot("explorer-query-light");

  await vscode.editors.open("flights.pipeline.json");
  await expect(vscode.editors.lens(/Deploy Changes/)).toBeVisible();
  await vscode.theme("dark");
  await vscode.screenshot("explorer-pipeline-file-dark");
});
