import { defineConfig } from "vitest/config";

/** One project a suite, so that `npm test` prints a closing line for each; `npx vitest run --project unit` runs one. */
export default defineConfig({
  test: {
    // Its modules import each other without file extensions, which only a bundler resolves.
    server: { deps: { inline: ["dt-sql-parser"] } },
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    // Engines start in many of them: a loaded machine takes its time.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "golden", include: ["test/golden/**/*.test.ts"] } },
      { extends: true, test: { name: "engine", include: ["test/engine/**/*.test.ts"] } },
      { extends: true, test: { name: "contract", include: ["test/contract/**/*.test.ts"] } },
      { extends: true, test: { name: "infra", include: ["test/infra/**/*.test.ts"] } },
      { extends: true, test: { name: "flink", include: ["test/flink/**/*.test.ts"] } },
      { extends: true, test: { name: "pages", include: ["test/e2e/pages/**/*.test.ts"] } },
      {
        extends: true,
        test: { name: "stress", include: ["test/stress/**/*.test.ts"], testTimeout: 900_000 },
      },
    ],
  },
});
