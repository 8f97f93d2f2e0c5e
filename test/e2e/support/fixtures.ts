/** Playwright's fixtures for a test in a real VS Code: `vscode` is a window of its own server, on a folder of its own. */
import { cp, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base } from "@playwright/test";
import {
  browserOptions,
  ensureBrowser,
  type Server,
  type ServerOptions,
  startServer,
} from "../../support/host/index.mjs";
import { stormEve } from "./storm.ts";
import { Workbench } from "./workbench.ts";

export { expect } from "@playwright/test";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** What `test.use({ ... })` may change. */
export interface HostFixtureOptions {
  /** What runs in VS Code: this repository's extension in development, unless said otherwise. See ServerOptions. */
  host: Omit<ServerOptions, "folder" | "dataDir">;
  /** The folder whose copy is opened. */
  template: string;
}

interface HostFixtures {
  /** A temporary folder, a copy of `template`, gone after the test. */
  folder: string;
  server: Server;
  /** A window on `folder`, ready for use. */
  vscode: Workbench;
}

export const test = base.extend<HostFixtureOptions & HostFixtures>({
  host: [{ extensions: [ROOT] }, { option: true }],
  template: [fileURLToPath(new URL("../fixtures/workspace", import.meta.url)), { option: true }],

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs off this pattern, and there are none.
  launchOptions: [async ({}, use) => use(browserOptions(await ensureBrowser())), { scope: "worker" }],
  viewport: { width: 1400, height: 900 },

  folder: async ({ template }, use) => {
    const parent = await realpath(await mkdtemp(join(tmpdir(), "forewatch-e2e-")));
    const folder = join(parent, "workspace");
    await cp(template, folder, { recursive: true });
    await use(folder);
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  },

  server: async ({ host, folder }, use, info) => {
    const server = await startServer({ ...host, folder });
    await use(server);
    if (info.status !== info.expectedStatus) {
      await info.attach("vscode.log", { body: await server.logs(), contentType: "text/plain" });
    }
    await server.stop();
  },

  vscode: async ({ page, server, folder }, use, info) => {
    const workbench = new Workbench(page, server, folder, info);
    await page.goto(server.url());
    await workbench.ready();
    await use(workbench);
  },
});

/** As `test`, on the sample at the eve of the storm. */
export const stormTest = test.extend({
  folder: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      await use(await stormEve());
    },
    { timeout: 600_000, scope: "test" },
  ],
});
