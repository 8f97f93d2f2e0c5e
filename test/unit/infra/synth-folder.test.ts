/** The folder that `npm run synth` writes to: it holds one run's files, and of others' nothing is touched. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openFolder } from "../../../infra/synth/folder.ts";

const base = mkdtempSync(join(tmpdir(), "forewatch-folder-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let out = "";
beforeEach(() => {
  out = mkdtempSync(join(base, "out-"));
});

/** A run that writes these files; its warnings. */
async function run(files: Readonly<Record<string, string>>): Promise<string[]> {
  return (await openFolder(out)).write(new Map(Object.entries(files)));
}

/** The files of the folder with their texts, without the list. */
function found(): Record<string, string> {
  const all = readdirSync(out, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const files = all.filter((name) => name !== "synth.json" && statSync(join(out, name)).isFile()).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(out, name), "utf8")]));
}

function place(name: string, text: string): void {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), text);
}

test("holds the last run's files, and no folder that they left empty", async () => {
  expect(await run({ "a.json": "1", "functions/x-1.zip": "x1", "templates/T-1.json": "t" })).toEqual([]);
  expect(await run({ "a.json": "2", "functions/x-2.zip": "x2" })).toEqual([]);
  expect(found()).toEqual({ "a.json": "2", "functions/x-2.zip": "x2" });
  expect(readdirSync(out).sort()).toEqual(["a.json", "functions", "synth.json"]);
});

test("keeps what else lies there, also beside what is removed", async () => {
  place("notes.md", "mine");
  place("templates/own.json", "mine");
  await run({ "a.json": "1", "templates/T-1.json": "t" });
  await run({ "a.json": "1" });
  expect(found()).toEqual({ "a.json": "1", "notes.md": "mine", "templates/own.json": "mine" });
});

test("keeps a file of an earlier run that was changed since, and tells of it", async () => {
  await run({ "a.json": "1", "enrich.mjs": "made" });
  place("enrich.mjs", "changed");
  expect(await run({ "a.json": "1" })).toEqual([
    `${join(out, "enrich.mjs")} is of an earlier run and was changed since: it stays there.`,
  ]);
  expect(found()).toEqual({ "a.json": "1", "enrich.mjs": "changed" });
  expect(await run({ "a.json": "1" })).toEqual([]);
});

test("equal runs leave equal bytes, whatever was there before", async () => {
  await run({ "b.json": "1", "a.json": "1" });
  const list = readFileSync(join(out, "synth.json"), "utf8");
  await run({ "c.json": "1" });
  await run({ "a.json": "1", "b.json": "1" });
  expect(readFileSync(join(out, "synth.json"), "utf8")).toBe(list);
});

describe("is refused before anything is written", () => {
  test("where a file that no run wrote would be overwritten", async () => {
    place("b.json", "mine");
    await expect(run({ "a.json": "1", "b.json": "made" })).rejects.toMatchObject({
      code: "input.invalid",
      message: expect.stringMatching(/would write its own: b\.json\.$/) as string,
    });
    expect(found()).toEqual({ "b.json": "mine" });
  });

  test("where a folder is in a file's place", async () => {
    place("b.json/mine.txt", "mine");
    await expect(run({ "b.json": "" })).rejects.toThrow("would write its own: b.json.");
  });

  test("not where the file is the same", async () => {
    place("b.json", "made");
    expect(await run({ "b.json": "made" })).toEqual([]);
  });

  test("where it is a file, or lies in one", async () => {
    place("file", "mine");
    for (const path of ["file", "file/below"])
      await expect(openFolder(join(out, path))).rejects.toMatchObject({
        code: "input.invalid",
        message: expect.stringMatching(/\(--out\) is no folder/) as string,
      });
  });

  test.each([
    "no JSON",
    "null",
    "{}",
    '{"files":{"../mine.txt":"DIGEST"}}',
    '{"files":{"/mine.txt":"DIGEST"}}',
    '{"files":{"a/../../mine.txt":"DIGEST"}}',
    '{"files":{"..":"DIGEST"}}',
    '{"files":{"C:\\\\mine.txt":"DIGEST"}}',
    '{"files":{"a.json":"short"}}',
  ])("where its list is none: %s", async (list) => {
    place("synth.json", list.replace("DIGEST", "0".repeat(64)));
    await expect(run({ "a.json": "1" })).rejects.toThrow("is no list of what an earlier run wrote.");
    expect(found()).toEqual({});
  });
});

test("what cannot be written is told, and the next run knows of what was written until then", async () => {
  // A file of the run lies where a folder of the same run is to be.
  await expect(run({ a: "1", "a/b": "2" })).rejects.toMatchObject({
    code: "input.invalid",
    message: `${out} (--out) cannot be written to.`,
  });
  expect(await run({ c: "3" })).toEqual([]);
  expect(found()).toEqual({ c: "3" });
});
