#!/usr/bin/env node
/**
 * Stands in for the desktop VS Code's executable, for `runTests` of @vscode/test-electron: takes its flags, opens the workbench in
 * a headless Chromium, and hands back the suite's output and exit code. 0: passed, 1: failed, 124: ran out of time, after
 * a screenshot.
 *
 * Environment: FOREWATCH_TEST_TIMEOUT, seconds (300); FOREWATCH_TEST_ARTIFACTS, the screenshot's folder (test/.artifacts);
 * FOREWATCH_TEST_LOGS=1, the server's logs on standard error at the end.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launchBrowser } from "./browser.mjs";
import { describeHostFault, HostFault } from "./fault.mjs";
import { startServer } from "./server.mjs";

const TIMED_OUT = 124;
/** What the workbench itself says in every run; it comes by the same way as what the suite says. */
const CHATTER =
  /^(Creation of workbench contribution|Resolv(ing|ed) connection token|Creating a socket|Ignoring fetching additional|ChatSessionStore|Updating additional builtin|\[Service Worker\])/;
const seconds = Number(process.env.FOREWATCH_TEST_TIMEOUT ?? 300);
const artifacts = process.env.FOREWATCH_TEST_ARTIFACTS ?? fileURLToPath(new URL("../../.artifacts", import.meta.url));

/** What the desktop's flags ask for; the profile folders it names are not used, each run here has its own. */
function readFlags(args) {
  const { values, positionals } = parseArgs({
    args,
    strict: false,
    allowPositionals: true,
    options: {
      extensionDevelopmentPath: { type: "string", multiple: true, default: [] },
      extensionTestsPath: { type: "string" },
      "folder-uri": { type: "string" },
    },
  });
  const uri = values["folder-uri"];
  const folder = uri ? fileURLToPath(uri) : positionals[0];
  return {
    extensions: values.extensionDevelopmentPath.map((path) => resolve(path)),
    tests: values.extensionTestsPath && resolve(values.extensionTestsPath),
    folder: folder && resolve(folder),
  };
}

async function main() {
  const { extensions, tests, folder } = readFlags(process.argv.slice(2));
  if (!tests) {
    throw new HostFault("host.tests", "The launcher was given no test suite.", {
      next: "Pass --extensionTestsPath=FILE.",
    });
  }
  const server = await startServer({ extensions, ...(folder && { folder }) });
  const browser = await launchBrowser();
  // The second signal ends at once, as always: the server's tether and the browser's pipe end them with this process.
  process.once("SIGINT", () => void finish(130));
  process.once("SIGTERM", () => void finish(143));
  async function finish(code) {
    await browser.close();
    if (process.env.FOREWATCH_TEST_LOGS) console.error(await server.logs());
    await server.stop();
    process.exit(code);
  }

  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const ended = new Promise((done) => void page.exposeFunction("codeAutomationExit", (code) => done(code)));
  await page.exposeFunction("codeAutomationLog", (level, args) => {
    const words = Array.isArray(args) ? args : [args];
    if (!CHATTER.test(String(words[0]))) (level === "error" ? console.error : console.log)(...words);
  });
  const crashed = new Promise((done) => page.once("crash", () => done("crash")));
  const late = new Promise((done) => setTimeout(() => done("late"), seconds * 1000));
  // The suite has a limit of its own; a busy machine may take long to serve the page.
  await page.goto(server.url({ ...(tests && { tests }) }), { timeout: seconds * 1000 });
  const outcome = await Promise.race([ended, crashed, late]);

  if (outcome === "late") {
    await mkdir(artifacts, { recursive: true });
    const path = join(artifacts, `timeout-${process.pid}.png`);
    await page.screenshot({ path });
    console.error(`The suite did not end within ${seconds} s; what the window showed: ${path}`);
    return finish(TIMED_OUT);
  }
  if (outcome === "crash") {
    console.error("The browser's page crashed under the suite.");
    return finish(1);
  }
  return finish(outcome);
}

main().catch((error) => {
  console.error(describeHostFault(error));
  process.exit(1);
});
