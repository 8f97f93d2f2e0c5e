import type { Reporter, TestCase } from "@playwright/test/reporter";

/** Ends the run's output with `e2e: N passed, N failed, N skipped`, alone on a line, for whoever reads many suites' outputs. */
export default class ClosingLine implements Reporter {
  readonly #tests = new Set<TestCase>();

  onTestEnd(test: TestCase): void {
    this.#tests.add(test);
  }

  onEnd(): void {
    const count = (...outcomes: ReturnType<TestCase["outcome"]>[]) =>
      [...this.#tests].filter((test) => outcomes.includes(test.outcome())).length;
    console.log(
      `\ne2e: ${count("expected")} passed, ${count("unexpected", "flaky")} failed, ${count("skipped")} skipped`,
    );
  }

  printsToStdio(): boolean {
    return false;
  }
}
