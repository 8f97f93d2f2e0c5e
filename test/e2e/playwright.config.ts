import { defineConfig } from "@playwright/test";

/** The e2e suite: real windows of a real VS Code, one at a time, as each is three processes and a browser. */
export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.ts",
  // Apart: the packaged extension, which is packaged first (`npm run test:package`), and the host's self-test (`npm run test:host`).
  testIgnore: ["vsix.spec.ts", "host.spec.ts"],
  outputDir: "../.artifacts/e2e",
  globalSetup: "./support/install.ts",
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 300_000,
  expect: { timeout: 60_000 },
  reporter: [["list"], ["./support/closing-line.ts"]],
  // Traces hold the whole workbench at each step, which triples a test's time: `npm run test:e2e -- --trace on` when needed.
  use: { actionTimeout: 60_000, screenshot: "only-on-failure", trace: "off" },
});
