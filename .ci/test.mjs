// npm test [-- SUITE ...]: sets everything up, runs the suites one after another and prints a closing line for each.
// Suites: lint types layers unit golden engine stress contract infra vscode pages e2e; by name also flink and package.
// stress kills the engine a few times, or two hundred when it is asked for by name (FOREWATCH_KILLS says otherwise).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ensureBuild, ensureDependencies, root, run } from "./setup.mjs";

const bin = (name) => join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);
const reports = join(root, "node_modules", ".cache", "forewatch-reports");

/** Each suite resolves with true when it passed. */
const SUITES = {
  lint: async () => (await run(bin("biome"), ["check", "--error-on-warnings", "."])) === 0,
  types: async () =>
    (await run(bin("tsc"), ["--noEmit"])) === 0 &&
    (!existsSync(join(root, "webview", "tsconfig.json")) ||
      (await run(bin("tsc"), ["--noEmit", "-p", "webview"])) === 0),
  layers: async () => (await run(process.execPath, [join(root, ".ci", "layers.mjs")])) === 0,
  unit: () => vitest("unit"),
  golden: () => vitest("golden"),
  engine: () => vitest("engine"),
  contract: () => vitest("contract"),
  infra: () => vitest("infra"),
  pages: () => vitest("pages", join("e2e", "pages")),
  vscode: async () => (await run(process.execPath, [join(root, "test", "vscode", "run.mjs")])) === 0,
  e2e: async () => (await run(process.execPath, [join(root, "test", "e2e", "run.mjs")])) === 0,
  stress: () => vitest("stress"),
  flink: () => vitest("flink"),
  package: async () =>
    (await run(process.execPath, [join(root, ".ci", "package.mjs"), `${process.platform}-${process.arch}`])) === 0 &&
    (await run(bin("playwright"), ["test", "-c", join(root, "test", "e2e", "package.config.ts")])) === 0,
};
/** What `npm test` runs; the others are asked for by name. */
const DEFAULT = [
  ...["lint", "types", "layers", "unit", "golden", "engine", "stress", "contract", "infra"],
  ...["vscode", "pages", "e2e"],
];
const FEW_KILLS = "4";

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(", ")}. Suites: ${Object.keys(SUITES).join(", ")}.`);
  process.exit(2);
}
if (asked.length === 0) process.env.FOREWATCH_KILLS ??= FEW_KILLS;
await ensureDependencies();
await ensureBuild();
mkdirSync(reports, { recursive: true });
const failed = [];
/** What was left out, a line a suite: said once more at the end, where it is seen. */
const notRun = [];
/** The tests that failed, a line each, with the first line of why: a reader of a long output's end sees them too. */
const failures = [];
for (const name of asked.length > 0 ? asked : DEFAULT) {
  console.log(`\n=== ${name}`);
  const begun = Date.now();
  const passed = await SUITES[name]();
  console.log(`=== ${name} ${passed ? "passed" : "FAILED"} in ${Math.round((Date.now() - begun) / 1_000)} s`);
  if (!passed) failed.push(name);
}
if (notRun.length > 0) console.log(`\nNOT RUN on this machine:\n${notRun.join("\n")}`);
if (failed.length > 0) {
  if (failures.length > 0) console.error(`\n${failures.join("\n")}`);
  console.error(`\nFailed: ${failed.join(", ")}`);
  process.exit(1);
}
console.log(notRun.length > 0 ? "\nAll suites passed, but for what was not run." : "\nAll suites passed.");

/** Runs one project of vitest.config.ts; a suite that ran no test has failed. Skipped tests are counted and named. */
async function vitest(project, place = project) {
  const folder = join(root, "test", place);
  if (!existsSync(folder) || !readdirSync(folder, { recursive: true }).some((f) => String(f).endsWith(".test.ts"))) {
    console.error(`${project}: there are no tests`);
    return false;
  }
  const report = join(reports, `${project}.json`);
  rmSync(report, { force: true });
  const code = await run(bin("vitest"), [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  if (!existsSync(report)) return false;
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // Counted one by one: the report's own count leaves out what a skipped group holds within another.
  const skipped = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== "passed" && status !== "failed");
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
  console.log(`${project}: ${numPassedTests} passed, ${numFailedTests} failed, ${skipped.length} skipped`);
  if (skipped.length > 0) {
    const reasons = new Set(skipped.flatMap(({ fullName }) => /\(skipped: (.+?)\)(?= |$)/.exec(fullName)?.[1] ?? []));
    const part = skipped.length > numPassedTests ? "ALMOST ALL OF IT" : "some of it";
    const tests = `${skipped.length} of ${skipped.length + numPassedTests + numFailedTests} tests`;
    notRun.push(`  ${project}: ${part}, ${tests}${reasons.size > 0 ? ` (${[...reasons].join("; ")})` : ""}`);
  }
  tellFailures(project, testResults);
  if (code !== 0 && numFailedTests === 0) failures.push(`  ${project}: an error outside its tests; see its output`);
  return code === 0 && numPassedTests > 0;
}

function tellFailures(project, testResults) {
  for (const { name, message, assertionResults } of testResults) {
    const file = relative(root, name);
    const tests = assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, failureMessages } of tests)
      failures.push(`  ${project}: ${file}: ${fullName}: ${firstLine(failureMessages[0])}`);
    // A file that could not be loaded has no tests.
    if (tests.length === 0 && message) failures.push(`  ${project}: ${file}: ${firstLine(message)}`);
  }
}

function firstLine(text = "") {
  return stripVTControlCharacters(text).trim().split("\n", 1)[0];
}
