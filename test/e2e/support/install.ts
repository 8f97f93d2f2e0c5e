import { ensureBrowser, ensureHost } from "../../support/host/index.mjs";

/** Playwright's global set-up: what has to be installed is installed here, so that no test's time goes into it. */
export default async function install(): Promise<void> {
  const log = (line: string) => console.log(line);
  await ensureHost({ log });
  await ensureBrowser({ log });
}
