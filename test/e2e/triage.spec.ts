/** The storm triaged in the editor: told by a notification, read, annotated, graded, resolved and written up. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, stormTest as test } from "./support/fixtures.ts";
import { Focus } from "./support/focus.ts";
import { STORM_FILE } from "./support/storm.ts";

const OPENED = /Departures below forecast at .*(BOS|EWR|JFK|LGA)/i;

test("triage the storm: notification, sentence, note, severity, resolve, post-mortem", async ({ vscode, folder }) => {
  const tree = await vscode.tree("Forewatch", "Pipeline");
  await tree.inline("flights", "Send Records");
  await vscode.file(join(folder, STORM_FILE));
  await vscode.pick("As fast as possible");

  const toast = await vscode.notifications.shown(OPENED);
  await expect(toast).toContainText("severity 2");
  await expect.poll(() => vscode.badge("Forewatch")).toBe(1);
  await expect(vscode.status(/flights: 1 incident/)).toBeVisible();
  await vscode.screenshot("notification-light");
  await vscode.notifications.press(OPENED, "Open");
  await vscode.notifications.shown(/records sent to flights/);
  await vscode.notifications.clear();

  const page = await vscode.webview("body[data-page=incident]");
  await expect(page.locator("h1")).toContainText(/^Departures at .+ are \d+% below forecast since 5 Mar \d\d:00$/);
  const boston = page.getByRole("row", { name: /BOS/ });
  await expect(boston).toContainText("Breaching");
  await expect(boston).toContainText(/−\d+%/);
  await expect(page.locator("canvas")).toHaveCount(2);
  await expect(page.getByLabel("Details").getByRole("listitem").first()).toContainText("One airport or a region?");
  await vscode.screenshot("incident-light");

  await page.getByRole("textbox", { name: "New note" }).fill("Snow at **Boston**: the ground stop holds until noon.");
  await page.getByRole("button", { name: "Add note" }).click();
  await expect(page.getByRole("article").locator("strong")).toHaveText("Boston");
  await page.getByRole("combobox", { name: "Severity" }).click();
  await page.getByRole("option", { name: "1 · Critical" }).click();
  await expect(page.locator(".incident-tags")).toContainText("Severity 1");
  await expect(vscode.status(/flights: 1 incident/)).toBeVisible();
  await vscode.theme("dark");
  await vscode.screenshot("incident-dark");

  await page.locator(".incident-actions vscode-button", { hasText: "Resolve" }).click();
  await expect(page.locator("h1")).toContainText(/were \d+% below forecast from 5 Mar/);
  await tree.reveal("Resolved", "Departures below forecast at BOS, EWR and LGA");
  await expect.poll(() => vscode.badge("Forewatch")).toBeUndefined();

  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: /Export post-mortem/ }).click();
  const name = "post-mortem 2001-03-05 flights.md";
  await vscode.file(join(folder, name));
  await expect(vscode.editors.tab(name)).toBeVisible();
  expectPostmortem(await readFile(join(folder, name), "utf8"), "the ground stop holds until noon");
});

test("triage the storm by keyboard alone", async ({ vscode, folder, page: window }) => {
  const { keyboard } = window;
  const command = async (title: string) => {
    await expect(async () => {
      // An open palette does not notice commands that become possible under it.
      if (await vscode.quickInput().isVisible()) await keyboard.press("Escape");
      await vscode.openPalette(title);
      await expect(vscode.quickRow(title)).toHaveClass(/focused/, { timeout: 4_000 });
    }).toPass();
    await keyboard.press("Enter");
  };
  await command("Forewatch: Send Records");
  await vscode.file(join(folder, STORM_FILE));
  await expect(vscode.quickRow("As fast as possible")).toHaveClass(/focused/);
  await keyboard.press("Enter");

  await vscode.notifications.shown(OPENED);
  await vscode.notifications.shown(/records sent to flights/);
  await command("Notifications: Focus Notification Toast");
  const focused = window.locator(".notification-toast:focus-within");
  await expect(async () => {
    if (!OPENED.test((await focused.textContent()) ?? "")) await keyboard.press("ArrowDown");
    await expect(focused).toContainText(OPENED, { timeout: 500 });
  }).toPass();
  await keyboard.press("Control+Shift+A");

  const page = await vscode.webview("body[data-page=incident]");
  await expect(page.locator("h1")).toContainText(/are \d+% below forecast since 5 Mar/);
  const focus = new Focus(window, page);
  await focus.to("New note");
  await keyboard.type("Deicing is out of glycol at **LGA**.");
  await keyboard.press("Control+Enter");
  await expect(page.getByRole("article").locator("strong")).toHaveText("LGA");
  await focus.to("Severity");
  await keyboard.press("ArrowUp");
  await expect(page.locator(".incident-tags")).toContainText("Severity 1");
  await vscode.screenshot("keyboard-severity");
  await focus.to("Take");
  await keyboard.press("Enter");
  await expect(page.getByLabel("Details").getByRole("button", { name: "Take" })).toBeHidden();
  // Tab goes as one reads: what can be done, what contributes, the note, then the details beside them.
  const order = [
    "Resolve",
    "Query this window",
    "More",
    "Open the forecast of Departures at EWR",
    "New note",
    "Severity",
    "Take",
  ];
  const places = order.map((name) => focus.stops.indexOf(name));
  expect(places, focus.stops.join(" | ")).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);

  await command("Forewatch: Resolve Incident");
  await expect(vscode.quickRow("Resolved")).toHaveClass(/focused/);
  await keyboard.press("Enter");
  await expect(page.locator("h1")).toContainText(/were \d+% below forecast/);
  await command("Forewatch: Export Post-mortem");
  const name = "post-mortem 2001-03-05 flights.md";
  await vscode.file(join(folder, name));
  await expect(vscode.editors.tab(name)).toBeVisible();
  expectPostmortem(await readFile(join(folder, name), "utf8"), "Deicing is out of glycol");
});

/** The document as a reader needs it: facts, contributors with figures, the timeline with what people did. */
function expectPostmortem(text: string, note: string): void {
  expect(text).toContain("# Post-mortem: Departures below forecast");
  expect(text).toContain("| Status | resolved at");
  expect(text).toContain("| Severity | 1 |");
  expect(text).toMatch(/\| departures.*BOS.* \| 2001-03-05T\d\d:00:00Z \| .* \| \d+ \| \d+(\.\d+)? \| -\d/);
  expect(text).toContain(note);
  for (const part of ["## What broke", "## Timeline", "## Evidence", "## Impact", "## Cause", "## What we change"])
    expect(text).toContain(part);
}
