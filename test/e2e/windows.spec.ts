/** Windows and pages that come, go and move: two windows on one folder; a page hidden, moved, and back after a reload. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./support/fixtures.ts";
import { Workbench } from "./support/workbench.ts";

test.use({ template: fileURLToPath(new URL("./fixtures/orders", import.meta.url)) });

test("two windows share one engine; a draft outlives hiding, moving and reloading", async ({
  vscode,
  folder,
  server,
  browser,
}, info) => {
  // A browser of its own: VS Code's tabs in one browser share the service worker that serves their webviews.
  const elsewhere = await browser.newContext();
  const second = new Workbench(await elsewhere.newPage(), server, folder, info);
  await second.page.goto(server.url());
  await second.ready();
  const theirs = await second.tree("Forewatch", "Pipeline");
  await expect(theirs.welcome()).toContainText("is not deployed");

  await vscode.page.bringToFront();
  const tree = await vscode.tree("Forewatch", "Pipeline");
  await vscode.palette("Forewatch: Deploy Pipeline");
  await vscode.pick(/Deploy$/);
  await tree.item("orders").waitFor();
  const { pid } = JSON.parse(await readFile(join(folder, ".forewatch/engine.json"), "utf8")) as { pid: number };
  await vscode.notifications.clear();

  await vscode.palette("Forewatch: Declare Incident");
  await vscode.answer("Checkout is slow", "Declare Incident");
  await vscode.pick("Severity 3");
  await vscode.answer("2026-01-01T06:00", "Declare Incident");
  const page = () => vscode.webview("body[data-page=incident]");
  await expect((await page()).locator("h1")).toContainText("Checkout is slow, since 1 Jan 06:00");

  await second.page.bringToFront();
  await expect(theirs.item("Checkout is slow")).toBeVisible();
  await second.notifications.shown(/Checkout is slow \(severity 3\)/);
  expect(JSON.parse(await readFile(join(folder, ".forewatch/engine.json"), "utf8"))).toMatchObject({ pid });
  await elsewhere.close();
  await vscode.page.bringToFront();
  await expect(vscode.status(/orders: 1 incident · local/)).toBeVisible();

  const draft = async () => (await page()).getByRole("textbox", { name: "New note" });
  await (await draft()).fill("Half a thought");
  await expect((await page()).getByText("Draft kept")).toBeVisible();
  await vscode.editors.open("orders.pipeline.json");
  await vscode.editors.tab("Checkout is slow").click();
  await expect(await draft()).toHaveValue("Half a thought");
  await vscode.palette("View: Move Editor into Next Group");
  await expect(await draft()).toHaveValue("Half a thought");
  await vscode.layoutKept();
  await vscode.reload();
  await expect(await draft()).toHaveValue("Half a thought");
  await expect((await page()).locator("h1")).toContainText("Checkout is slow");
  await expect(vscode.editors.tab("Checkout is slow")).toBeVisible();
});
