import { writeFileSync } from "node:fs";
import Mocha from "mocha";

/**
 * Runs test files with mocha in VS Code's extension host, and writes what came of it to the file named by FOREWATCH_SUITE_REPORT, as
 * `{ passed, failed, skipped }`. Rejects when a test failed, which VS Code turns into exit code 1.
 *
 * @param files what loads each test file, by its name
 */
export async function runSuite(files: Readonly<Record<string, () => unknown>>): Promise<void> {
  const { FOREWATCH_SUITE_REPORT: report, FOREWATCH_SUITE_GREP: grep } = process.env;
  const mocha = new Mocha({
    ui: "bdd",
    timeout: 60_000,
    reporter: "spec",
    color: false,
    forbidOnly: Boolean(process.env.CI),
  });
  if (grep) mocha.fgrep(grep);
  for (const [name, load] of Object.entries(files)) {
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, name, mocha);
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_REQUIRE, load(), name, mocha);
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_POST_REQUIRE, globalThis, name, mocha);
  }
  const stats = await new Promise<Mocha.Stats | undefined>((done) => {
    const runner = mocha.run(() => done(runner.stats));
  });
  if (!stats) throw new Error("mocha kept no statistics");
  const { passes: passed, failures: failed, pending: skipped } = stats;
  if (report) writeFileSync(report, JSON.stringify({ passed, failed, skipped }));
  if (failed > 0) throw new Error(`${failed} of ${passed + failed} tests failed`);
}
