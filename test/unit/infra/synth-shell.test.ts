/** The quoting of the commands that `npm run synth` prints, held against the shells that they are pasted into. */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shellWord } from "../../../infra/synth/shell.ts";

/** Texts with what shells expand, and what ends quotes; a word of a command cannot hold NUL. */
const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."a $`\"'\\!*?[]{}()<>|&;#~=%^\n\t-/".split("")), maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !text.includes("\0")),
);

test.each(["a", "/tmp/stack-1", "eu-west-1", "a.b+c@example.org", "C:/out", "50%"])("%s stays as it is", (text) => {
  expect(shellWord(text)).toBe(text);
});

test.each(["", "~", "a b", "=ls", "$HOME", "a'b", "C:\\out"])("%s is quoted", (text) => {
  expect(shellWord(text)).toMatch(/^'.*'$/);
});

/** Both, because sh is often another shell, which knows fewer expansions. */
describe.each(["sh", "bash"])("%s", (shell) => {
  const lacking = spawnSync(shell, ["-c", "true"]).error !== undefined;

  test.skipIf(lacking)("reads each word as it was", () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 40 }), (words) => {
        const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
        const { stdout, stderr } = spawnSync(shell, ["-c", script], { encoding: "utf8", env: { HOME: "/home/x" } });
        expect(stderr).toBe("");
        expect(stdout.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });
});
