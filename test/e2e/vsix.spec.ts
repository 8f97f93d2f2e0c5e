/**
 * The packaged extension, installed as a user installs it: it has to run on what is inside the VSIX alone. The sample is opened,
 * so that its files, its flights, the engine, DuckDB's native part and the pages are all needed.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "./support/fixtures.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLATFORM = `${process.platform}-${process.arch}`;
const { name, version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, string>;

test.use({ host: { install: [join(ROOT, "dist/vsix", `${name}-${PLATFORM}-${version}.vsix`)] } });

test.beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, ".ci/package.mjs"), PLATFORM]);
});

test("the installed VSIX replays the sample and answers a query", async ({ vscode }) => {
  const tree = await vscode.tree("Forewatch", "Pipeline");
  await expect(tree.welcome()).toContainText("There is no pipeline in this workspace yet");

  await vscode.palette("Forewatch: Open Sample Pipeline");
  await vscode.pick(/Into the open folder/);
  await vscode.pick("As fast as possible");
  await expect(tree.item("flights")).toContainText(/[1-9][\d,]* records/, { timeout: 120_000 });
  // Enough has arrived; two months of history would only take time.
  await vscode.notifications.press(/^Replaying flights/, "Cancel");

  const { pid } = JSON.parse(await readFile(join(vscode.folder, ".forewatch/engine.json"), "utf8")) as { pid: number };
  const installed = join(vscode.server.dataDir, "extensions/forewatch.forewatch-");
  const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  expect(command.filter((part) => part.endsWith("/dist/engine/main.mjs"))).toEqual([
    expect.stringContaining(installed),
  ]);
  const mapped = (await readFile(`/proc/${pid}/maps`, "utf8")).split("\n").filter((line) => /duckdb/.test(line));
  const libraries = new Set(
    mapped.map((line) => line.slice(line.indexOf("/"))).filter((path) => /\.(so|node)$/.test(path)),
  );
  expect([...libraries].sort()).toEqual([
    expect.stringMatching(/\/duckdb\.node$/),
    expect.stringMatching(/\/libduckdb\.so$/),
  ]);
  for (const library of libraries) expect(library).toContain(installed);

  await vscode.editors.open("sql/feed-health.sql");
  await vscode.editors.lens("Run").first().click();
  const results = await vscode.webview("[role=grid]");
  await expect(results.locator("[role=grid]")).toContainText("ATL");
  await vscode.screenshot("vsix");
});
