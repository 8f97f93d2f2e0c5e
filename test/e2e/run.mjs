/**
 * Runs the e2e suite: `node test/e2e/run.mjs [options of Playwright]`, such as `--grep TEXT` or `--trace on`. Everything it needs,
 * VS Code and a Chromium too, is found or installed by the suite itself.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const playwright = fileURLToPath(import.meta.resolve("@playwright/test/cli"));
const config = fileURLToPath(new URL("./playwright.config.ts", import.meta.url));
const child = spawn(process.execPath, [playwright, "test", "--config", config, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
child.once("exit", (code) => process.exit(code ?? 1));
