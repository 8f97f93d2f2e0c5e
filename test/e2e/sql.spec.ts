/** Prep SQL in the editor and its results beneath it: run, chart, a million rows, sort, filter, export, history; in both themes. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./support/fixtures.ts";
import type { Workbench } from "./support/workbench.ts";

test.use({ template: fileURLToPath(new URL("../../infra/sample", import.meta.url)) });

/** Two days of flights, more by day than by night, later in the evening. */
const FLIGHTS = Array.from({ length: 2_400 }, (_, i) => {
  const hour = Math.floor(i / 50);
  const delay = ((i * 37) % 23) - 6 + (hour % 24) / 2;
  return {
    scheduled: new Date(Date.UTC(2001, 0, 1) + i * 72_000).toISOString(),
    origin: ["BOS", "JFK", "ATL", "ORD"][i % 4],
    destination: "LAX",
    delay: Math.round(delay),
    distance: 900 + (i % 7) * 100,
    late: delay >= 15,
  };
});

const DELAYS = "Delay by hour of the day: median and 90th percentile";

/** Queries beside the sample's own. */
const QUERIES = {
  "million.sql": `-- A million rows
SELECT x * 1000 + y AS n, (x * 7919 + y * 104729) % 1000003 AS shuffled, CASE WHEN y % 10 = 0 THEN NULL ELSE 'row ' || CAST(y AS varchar) END AS name
FROM UNNEST(sequence(0, 999)) AS a(x) CROSS JOIN UNNEST(sequence(0, 999)) AS b(y)
ORDER BY 1;
`,
  "late.sql": "-- Late flights\nSELECT origin, delay FROM raw WHERE delay >= :least;\n",
  "wrong.sql": "-- Wrong\nSELECT orgin FROM raw;\n",
};

async function results(vscode: Workbench) {
  return (await vscode.webview("body[data-page=results]")).locator("body");
}

/** What stands behind the statements of the active editor: decorations are drawn by CSS, not as text. */
async function marks(vscode: Workbench): Promise<string> {
  return vscode.editors.code().evaluate((editor) => {
    const root = editor as unknown as { querySelectorAll(selector: string): Iterable<object> };
    const style = (globalThis as unknown as { getComputedStyle(element: object, part: string): { content: string } })
      .getComputedStyle;
    return [...root.querySelectorAll(".view-line span")].map((span) => style(span, "::after").content).join(" ");
  });
}

test("write, run, look at and export prep SQL", async ({ vscode, folder }) => {
  test.slow();
  for (const [name, text] of Object.entries(QUERIES)) await writeFile(join(folder, "sql", name), text);
  const tree = await vscode.tree("Forewatch", "Pipeline");
  const open = async (name: string) => {
    await (await tree.reveal(name)).click();
    await expect(vscode.editors.tab(name)).toHaveAttribute("aria-selected", "true");
    await expect(vscode.editors.lens("Run").first()).toBeVisible();
  };
  await vscode.palette("Forewatch: Deploy Pipeline");
  await vscode.pick(/Deploy$/);
  await tree.item("flights").waitFor();
  await writeFile(join(folder, "flights.jsonl"), FLIGHTS.map((flight) => JSON.stringify(flight)).join("\n"));
  await tree.inline("flights", "Send Records");
  await vscode.file(join(folder, "flights.jsonl"));
  await vscode.pick("As fast as possible");
  await vscode.notifications.shown(/2,400 records sent to flights/);
  await vscode.notifications.clear();
  await expect(tree.item("Preparation query")).toBeVisible();

  // A statement where it stands: its rows beneath the editor, its facts behind it, its last run in the tree.
  await open("delays.sql");
  await vscode.editors.lens("Run").first().click();
  const page = await results(vscode);
  await expect(page).toContainText("24 rows");
  await expect(page.getByRole("gridcell").first()).toBeVisible();
  await expect.poll(() => marks(vscode)).toMatch(/24 rows · /);
  // What has ended cannot be cancelled any more. VS Code asks for lenses the later, the longer the first ones took.
  await expect(vscode.editors.lens("Cancel")).toHaveCount(0);
  await expect(await tree.reveal("delays.sql", DELAYS)).toContainText("24 rows");
  await vscode.screenshot("sql-light");
  await vscode.editors.lens("Chart").first().click();
  await expect(page.getByRole("img", { name: /by hour/ })).toBeVisible();
  await vscode.screenshot("sql-chart-light");
  await vscode.editors.lens("Explain").first().click();
  await expect(page.getByLabel("Query plan")).toContainText("ORDER_BY");

  // A million rows: the middle, the order, a filter, a file.
  await open("million.sql");
  await vscode.editors.lens("Run").first().click();
  await expect(page).toContainText("1,000,000 rows", { timeout: 60_000 });
  await page.getByRole("grid").evaluate((grid) => {
    const element = grid as unknown as { scrollTop: number; scrollHeight: number };
    element.scrollTop = element.scrollHeight / 2;
  });
  await expect(page.getByRole("rowheader", { name: /^(499|500),\d{3}$/ }).first()).toBeVisible();
  await expect(page.locator(".grid-cell .skeleton")).toHaveCount(0);
  const shuffled = page.getByRole("columnheader", { name: /shuffled/ });
  await shuffled.getByRole("button").click();
  await expect(shuffled).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("grid").press("Control+Home");
  await expect(page.locator('[aria-rowindex="2"] [aria-colindex="2"]')).toHaveText("0", { timeout: 30_000 });
  await page
    .getByRole("searchbox", { name: "Filter rows" })
    .or(page.locator(".results-filter input"))
    .first()
    .fill("row 77");
  await expect(page).toContainText(/1[01],000 of 1,000,000 rows/, { timeout: 30_000 });
  await vscode.screenshot("sql-million-light");
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: /CSV/ }).click();
  await vscode.file(join(folder, "filtered.csv"));
  await expect(async () => {
    const lines = (await readFile(join(folder, "filtered.csv"), "utf8")).trim().split("\n");
    expect(lines[0]).toBe("n,shuffled,name");
    expect(lines.length).toBeGreaterThan(10_000);
    expect(lines.slice(1).every((line) => line.includes("row 77"))).toBe(true);
  }).toPass({ timeout: 30_000 });

  // A parameter is asked for once, then remembered for its file; the lens changes it.
  await open("late.sql");
  await vscode.editors.lens("Run").first().click();
  await vscode.answer("20", "Value of :least");
  await expect(vscode.editors.lens(":least = 20")).toBeVisible();
  await expect.poll(() => marks(vscode)).toMatch(/\d rows · /);
  await vscode.editors.lens(":least = 20").click();
  await vscode.answer("1000", "Value of :least");
  await vscode.editors.lens("Run").first().click();
  await expect.poll(() => marks(vscode)).toMatch(/0 rows · /);

  // Errors are underlined where they are; a failed run says so in the panel and behind the statement.
  await open("wrong.sql");
  await expect(vscode.editors.squiggles("error")).toBeVisible();
  await vscode.editors.lens("Run").first().click();
  await expect(page).toContainText("Column 'orgin' cannot be resolved");

  // The history runs it all again; the panel closed and opened has the runs still.
  await vscode.palette("Forewatch: Query History");
  await vscode.pick(/A million rows/);
  await vscode.pick(/Run Again/);
  await expect(page).toContainText("1,000,000 rows", { timeout: 60_000 });
  await vscode.palette("View: Toggle Panel Visibility");
  await vscode.palette("View: Toggle Panel Visibility");
  const again = await results(vscode);
  await expect(again.getByRole("tab", { name: /A million rows/ })).toBeVisible();
  await again
    .getByRole("tab", { name: /Delay by hour/ })
    .last()
    .click();
  await vscode.theme("dark");
  await open("delays.sql");
  await vscode.screenshot("sql-dark");

  // The history as a list that stays: a run of the past beside what its file says now, and run again.
  const panel = vscode.page.locator(".part.panel");
  await panel.getByRole("tab", { name: "Query History" }).click();
  const past = panel.getByRole("treeitem", { name: /^A million rows, 1,000,000 rows/ });
  await past.first().hover();
  const before = await past.count();
  await vscode.screenshot("history-dark");
  await past.first().getByRole("button", { name: "Compare Run" }).click();
  await expect(vscode.editors.tab(/^A million rows: as run/)).toBeVisible();
  await panel.getByRole("tab", { name: "Query History" }).click();
  await past.first().hover();
  await past.first().getByRole("button", { name: "Run Again" }).click();
  await panel.getByRole("tab", { name: "Query History" }).click();
  await expect(past).toHaveCount(before + 1);
});
