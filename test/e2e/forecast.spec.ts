/** The forecast inspected, and prep SQL run, on the sample's data. */
import { expect, stormTest as test } from "./support/fixtures.ts";

test("run prep SQL, then inspect the forecast's chart", async ({ vscode }) => {
  const tree = await vscode.tree("Forewatch", "Pipeline");
  await tree.reveal("storm.sql", "Departures a day at the north-eastern airports");
  await vscode.editors.open("storm.sql");
  await vscode.editors.line(2);
  await vscode.page.keyboard.press("Control+Enter");
  const results = await vscode.webview("body[data-page=results] [role=grid]");
  await expect(results.getByRole("columnheader", { name: /^day/ })).toBeVisible();
  await expect(results.locator("body")).toContainText("8 rows");
  await expect(results.getByRole("row", { name: /2001-03-04/ })).toBeVisible();
  await vscode.screenshot("query-light");
  await vscode.palette("View: Toggle Panel Visibility");

  await vscode.palette("Forewatch: Show Forecast");
  const page = await vscode.webview("body[data-page=forecast]");
  await expect(page.getByRole("img", { name: /actual against forecast/ })).toBeVisible();
  await expect(page.locator("h1")).toHaveText("Departures at ATL");
  await page.getByRole("button", { name: "Next series" }).click();
  await expect(page.locator("h1")).toHaveText("Departures at BOS");
  const legend = page.locator("body");
  await expect(legend).toContainText(/newest 5 Mar 2001/);
  await vscode.screenshot("forecast-light");
  await page.getByRole("button", { name: /Table/ }).click();
  await expect(page.getByRole("columnheader", { name: "Deviation" })).toBeVisible();
  await page.getByRole("button", { name: /Table/ }).click();
  await page.getByRole("button", { name: /All series of the measure/ }).click();
  // The eight airports, and the overview below them.
  await expect(page.locator("canvas")).toHaveCount(9);
  await vscode.theme("dark");
  await vscode.screenshot("forecast-multiples-dark");
  await page.getByRole("button", { name: /All series of the measure/ }).click();
  await tree.expand("Series");
  await vscode.screenshot("forecast-dark");
  await vscode.theme("high contrast");
  await vscode.screenshot("forecast-high-contrast");
  await vscode.theme("high contrast light");
  await vscode.screenshot("forecast-high-contrast-light");
});
