/**
 * Runs the suite of test/vscode/suite inside a real VS Code: `node test/vscode/run.mjs [options]`.
 *
 *   --desktop         in the desktop VS Code, downloaded by @vscode/test-electron, instead of the one from npm
 *   --grep TEXT       only the tests whose titles contain TEXT
 *   --suite FOLDER    another suite than test/vscode/suite
 *   --extension FOLDER   another extension than this repository's
 *
 * Ends with a line `vscode: N passed, N failed, N skipped`; exits with 0 only if tests ran and none failed.
 */
import { cp, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runTests } from "@vscode/test-electron";
import { build } from "esbuild";
import { describeHostFault, ensureBrowser, ensureHost, HostFault } from "../support/host/index.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const ROOT = here("../..");
const BUNDLE = join(ROOT, "dist/test/vscode.cjs");
/** What the desktop suite downloads: the version that the extension's manifest asks for at least. */
const DESKTOP_VERSION = "1.100.0";

async function main() {
  const { values } = parseArgs({
    options: {
      desktop: { type: "boolean", default: false },
      grep: { type: "string", default: "" },
      suite: { type: "string", default: here("./suite") },
      extension: { type: "string", default: ROOT },
    },
  });
  await bundle(resolve(values.suite));
  const temp = await realpath(await mkdtemp(join(tmpdir(), "forewatch-suite-")));
  try {
    const folder = join(temp, "workspace");
    await cp(here("./workspace"), folder, { recursive: true });
    const report = join(temp, "report.json");
    await runIn(values.desktop ? await desktop() : await npmHost(), {
      extensionDevelopmentPath: resolve(values.extension),
      extensionTestsPath: BUNDLE,
      launchArgs: [folder],
      extensionTestsEnv: { FOREWATCH_SUITE_REPORT: report, FOREWATCH_SUITE_GREP: values.grep },
    });
    return await conclude(report);
  } finally {
    await rm(temp, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One CommonJS file of the runner and every `*.test.ts`; `vscode` comes from the extension host, mocha from node_modules. */
async function bundle(suite) {
  const files = (await readdir(suite, { recursive: true })).filter((file) => file.endsWith(".test.ts")).sort();
  if (files.length === 0) {
    throw new HostFault("host.tests", `There is no *.test.ts in ${suite}.`, {
      next: "Name a suite's folder with --suite.",
    });
  }
  const entry = `
    import { runSuite } from ${JSON.stringify(here("./runner.ts"))};
    export const run = () => runSuite({
      ${files.map((file) => `${JSON.stringify(file)}: () => require(${JSON.stringify(join(suite, file))}),`).join("\n")}
    });`;
  await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: "ts" },
    outfile: BUNDLE,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // jsonc-parser's CommonJS build loads its parts in a way that cannot be bundled; its module build can.
    mainFields: ["module", "main"],
    external: ["vscode", "mocha", "@duckdb/*"],
    sourcemap: "inline",
    logLevel: "warning",
  });
}

/** VS Code from npm, behind the launcher that stands in for its executable. */
async function npmHost() {
  const log = (line) => console.log(line);
  await ensureHost({ log });
  await ensureBrowser({ log });
  return { vscodeExecutablePath: here("../support/host/launcher.mjs") };
}

/** The desktop VS Code, downloaded once into .vscode-test/. */
async function desktop() {
  const { downloadAndUnzipVSCode } = await import("@vscode/test-electron");
  try {
    return { vscodeExecutablePath: await downloadAndUnzipVSCode({ version: DESKTOP_VERSION, timeout: 30_000 }) };
  } catch (error) {
    throw new HostFault("host.desktop", `The desktop VS Code ${DESKTOP_VERSION} could not be downloaded.`, {
      next: "Run this where update.code.visualstudio.com can be reached, or run `npm run test:vscode`, which needs npm only.",
      cause: error,
    });
  }
}

/** A suite that fails is told by its report; only a window that ended without one is told by its exit code. */
async function runIn(host, options) {
  try {
    await runTests({ ...host, ...options });
  } catch (error) {
    if (error.code !== 1) throw new HostFault("host.tests", "VS Code ended before its suite did.", { cause: error });
  }
}

async function conclude(report) {
  const text = await readFile(report, "utf8").catch((error) => {
    const next = "See what VS Code said above; FOREWATCH_TEST_LOGS=1 adds its logs.";
    throw new HostFault("host.tests", "The suite did not start in VS Code.", { next, cause: error });
  });
  const { passed, failed, skipped } = JSON.parse(text);
  console.log(`\nvscode: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (passed + failed === 0) throw new HostFault("host.tests", "No test ran.", { next: "Look at --grep and --suite." });
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(describeHostFault(error));
    process.exit(1);
  },
);
