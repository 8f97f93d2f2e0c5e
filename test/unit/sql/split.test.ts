import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../../src/sql/split.ts";

describe("splitStatements", () => {
  it("splits at semicolons of the code only, and names statements by the comment above", () => {
    const text = [
      "-- A file's header",
      "",
      "-- Late flights",
      "-- by airport; of a day",
      "SELECT 'a;b', \"c;d\" -- e;f",
      "FROM t WHERE ts >= :since /* ; */;",
      "/* Second",
      " * with words */",
      "SELECT 1; -- of the second",
      "SELECT 2",
    ].join("\n");
    const statements = splitStatements(text);
    expect(statements.map(({ name, description }) => [name, description])).toEqual([
      ["Late flights", "by airport; of a day"],
      ["Second", "with words"],
      [undefined, undefined],
    ]);
    expect(statements[0]?.text).toBe(`SELECT 'a;b', "c;d" -- e;f\nFROM t WHERE ts >= :since`);
    expect(statements.map(({ text: part, offset, length }) => text.slice(offset, offset + length) === part)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    ["SELECT :a, ':b', \":c\", x::d -- :e\n, /* :f */ :a", ["a", "a"]],
    ["SELECT 'it''s :no' || :yes", ["yes"]],
    ["SELECT a[:i], json '{\"k\": 1}'", ["i"]],
  ])("finds the parameters of %s", (text, names) => {
    const [statement] = splitStatements(text);
    expect(statement?.parameters.map(({ name }) => name)).toEqual(names);
    for (const { name, offset, length } of statement?.parameters ?? [])
      expect(text.slice(offset, offset + length)).toBe(`:${name}`);
  });

  it.each([
    ["", 0],
    [";;; -- nothing\n;", 0],
    ["SELECT 'open", 1],
    ["SELECT 1 /* open", 1],
    ["SELEC FORM ((; SELECT 1", 2],
  ])("takes %j", (text, count) => {
    expect(splitStatements(text)).toHaveLength(count);
  });

  it("never loses or moves a character of the code", () => {
    const piece = fc.constantFrom("SELECT ", "1", ";", "'a;b'", "-- c;\n", "/*;*/", '"q;"', ":p", "\n", " ", "🦆", "'");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        let end = 0;
        for (const { text: part, offset, length } of splitStatements(text)) {
          expect(text.slice(offset, offset + length)).toBe(part);
          expect(offset).toBeGreaterThanOrEqual(end);
          end = offset + length;
        }
      }),
    );
  });
});
