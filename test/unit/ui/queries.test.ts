/** The parts of SQL in the editor that need no editor: lenses, words, following statements, the preparation query. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requireSpec } from "../../../src/core/spec.ts";
import type { RunInfo } from "../../../src/rpc/page.ts";
import { diagnose, rewriteForDuckDB, splitStatements } from "../../../src/sql/index.ts";
import { follow } from "../../../src/ui/queries/follow.ts";
import { billsByBytes, lensesOf } from "../../../src/ui/queries/lens-model.ts";
import { preparationText } from "../../../src/ui/queries/preparation.ts";
import { outcomeWords, pastWords } from "../../../src/ui/queries/words.ts";

const statement = (text: string) => splitStatements(text)[0]!;

describe("lenses", () => {
  const idle = { running: false, billed: false, values: {} };
  it.each([
    ["SELECT 1", idle, ["Run", "Explain", "Chart"]],
    ["(SELECT 1) UNION (SELECT 2)", idle, ["Run", "Explain", "Chart"]],
    ["WITH a AS (SELECT 1) SELECT * FROM a", { ...idle, running: true }, ["Cancel", "Explain", "Chart"]],
    ["SELECT 1", { ...idle, billed: true }, ["Run", "Explain", "Chart", "Estimate"]],
    ["INSERT INTO a SELECT 1", { ...idle, billed: true }, ["Run", "Explain"]],
    ["CREATE TABLE a AS SELECT 1", idle, ["Run"]],
    ["SHOW TABLES", idle, ["Run"]],
    ["EXECUTE p", idle, ["Run", "Chart"]],
    ["SELECT :a, :b", idle, ["Run", "Explain", "Chart"]],
    ["SELECT :a, :b, :a", { ...idle, values: { a: "1", c: "3" } }, ["Run", "Explain", "Chart", ":a = 1"]],
  ])("above %s", (text, circumstances, titles) => {
    const lenses = lensesOf(statement(text), circumstances);
    expect(lenses.map((lens) => lens.title.replace(/\$\([\w-]+\) /, ""))).toEqual(titles);
  });
});

describe("an estimate", () => {
  const aws = { kind: "aws", account: "123456789012", region: "eu-west-1" } as const;
  it.each([
    ["a target that bills by bytes", { ...aws, billedBy: "bytes" }, ["Run", "Explain", "Chart", "Estimate"]],
    ["a target that does not say so", aws, ["Run", "Explain", "Chart"]],
    ["the local target", { kind: "local", folder: "/f", version: "1" }, ["Run", "Explain", "Chart"]],
  ] as const)("is offered by %s or not", (_, target, titles) => {
    const lenses = lensesOf(statement("SELECT 1"), { running: false, billed: billsByBytes(target), values: {} });
    expect(lenses.map((lens) => lens.title.replace(/\$\([\w-]+\) /, ""))).toEqual(titles);
  });
});

describe("words", () => {
  const base: RunInfo = { run: "1", title: "t", sql: "SELECT 1", state: "running", startedAt: 1_000, elapsed: 0 };
  const result = {
    query: "q",
    columns: [{ name: "a", type: "integer" }],
    rows: [],
    rowCount: 1_234,
    bytesScanned: null,
  };
  it.each<[string, RunInfo]>([
    ["running 2.5 s", base],
    ["1,234 rows · 31 ms", { ...base, state: "succeeded", elapsed: 31, result }],
    [
      "1,234 rows · 31 ms · 48.3 MB scanned",
      { ...base, state: "succeeded", elapsed: 31, result: { ...result, bytesScanned: 48_300_000 } },
    ],
    ["done · 4 ms", { ...base, state: "succeeded", elapsed: 4, result: { ...result, columns: [], rowCount: 0 } }],
    [
      "plan · 4 ms",
      {
        ...base,
        state: "succeeded",
        elapsed: 4,
        result: { ...result, columns: [{ name: "Query Plan", type: "varchar" }] },
      },
    ],
    ["cancelled after 1.2 s", { ...base, state: "cancelled", elapsed: 1_210 }],
    ["No such column.", { ...base, state: "failed", fault: { code: "query.failed", message: "No such column." } }],
  ])("%s", (words, info) => {
    expect(outcomeWords(info, 3_500)).toBe(words);
  });

  it.each([
    ["7 rows · 12 ms · 5 min ago", { state: "succeeded", rowCount: 7 }],
    ["done · 12 ms · 5 min ago", { state: "succeeded", rowCount: null }],
    ["failed · 5 min ago", { state: "failed", rowCount: null }],
  ] as const)("of the past: %s", (words, run) => {
    expect(pastWords({ ...run, startedAt: 0, elapsed: 12 }, 300_000)).toBe(words);
  });
});

describe("a statement is followed", () => {
  const before = "SELECT 1;\nSELECT 2;\nSELECT 3;";
  const second = { text: "SELECT 2", offset: 10 };
  it.each<[string, { rangeOffset: number; rangeLength: number; text: string }[], number | undefined]>([
    ["an edit behind it", [{ rangeOffset: 20, rangeLength: 9, text: "" }], 10],
    ["text typed before it", [{ rangeOffset: 0, rangeLength: 0, text: "-- a comment\n" }], 23],
    ["a statement before it removed", [{ rangeOffset: 0, rangeLength: 10, text: "" }], 0],
    ["its own text changed", [{ rangeOffset: 17, rangeLength: 1, text: "9" }], undefined],
    ["its own text lengthened", [{ rangeOffset: 18, rangeLength: 0, text: " + 1" }], undefined],
    ["it being removed", [{ rangeOffset: 10, rangeLength: 10, text: "" }], undefined],
    [
      "edits on both sides of it",
      [
        { rangeOffset: 21, rangeLength: 6, text: "VALUES" },
        { rangeOffset: 0, rangeLength: 6, text: "VALUES  " },
      ],
      12,
    ],
  ])("through %s", (_, edits, offset) => {
    let text = before;
    for (const { rangeOffset, rangeLength, text: inserted } of [...edits].sort((a, b) => b.rangeOffset - a.rangeOffset))
      text = text.slice(0, rangeOffset) + inserted + text.slice(rangeOffset + rangeLength);
    expect(follow(second, edits, splitStatements(text))).toBe(offset);
  });
});

describe("the preparation query", () => {
  const root = new URL("../../../infra/sample/", import.meta.url);
  const spec = requireSpec(readFileSync(new URL("flights.pipeline.json", root), "utf8"), "flights.pipeline.json");
  const text = preparationText(spec, Date.UTC(2001, 2, 5, 6, 40));

  it("says what it does, over which time", () => {
    const [only, ...others] = splitStatements(text);
    expect(others).toEqual([]);
    expect(only?.name).toBe("Preparation of flights");
    expect(only?.description).toContain("departures: number of events");
    expect(only?.description).toContain("mean_delay: avg of delay");
    expect(text).toContain("scheduled\" < TIMESTAMP '2001-03-05 06:00:00.000'");
  });

  it("is a statement that the dialect takes", () => {
    const fields = Object.entries(spec.source.fields).map(([name, type]) => ({
      name,
      type: { string: "varchar", double: "double", integer: "bigint", boolean: "boolean", timestamp: "timestamp(3)" }[
        type
      ],
    }));
    const catalogue = { tables: [{ name: "raw", columns: [...fields, { name: "dt", type: "varchar" }] }] };
    expect(diagnose(text, catalogue)).toEqual([]);
    const { columns } = rewriteForDuckDB(statement(text).text, { catalogue });
    expect(columns?.map((c) => c.name)).toEqual(["window_start", "origin", ...spec.series.measures.map((m) => m.name)]);
  });
});
