import { defineConfig } from "@playwright/test";
import e2e from "./playwright.config.ts";

/** The packaged extension, apart from the e2e suite because it is packaged first: `npm run test:package`. */
export default defineConfig({ ...e2e, testMatch: "vsix.spec.ts", testIgnore: [], timeout: 300_000 });
