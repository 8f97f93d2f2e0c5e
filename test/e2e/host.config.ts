import { defineConfig } from "@playwright/test";
import e2e from "./playwright.config.ts";

/** The self-test of what the e2e suite stands on, by itself as it says nothing of the product: `npm run test:host`. */
export default defineConfig({ ...e2e, testMatch: "host.spec.ts", testIgnore: [] });
