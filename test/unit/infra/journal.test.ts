/** A process that ends: what lay in the journal's file at that moment is all that the next process knows. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Journal } from "../../../infra/lambda/journal.ts";
import type { Delivered } from "../../../src/core/deliver.ts";

const folder = mkdtempSync(join(tmpdir(), "forewatch-journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${++files}.json`);

const TAKEN: Delivered = { events: [], rejections: [], dropped: 1 };
const records = ["a", "b", "c"].map((text) => Buffer.from(text));

/** Where the process ends: at these records' checks, or when all are checked. */
interface Ends {
  readonly at?: string;
  readonly after?: true;
}

/** One process that deals with a batch: the reasons of what it rejected; undefined when it ended, and then `file` is as it left it. */
function run(file: string, batch: string, { at, after }: Ends): (string | undefined)[] | undefined {
  const left = newFile();
  let ended = false;
  const end = () => {
    copyFileSync(file, left);
    ended = true;
  };
  const journal = new Journal(file);
  const check = journal.guard((data) => {
    if (!ended && Buffer.from(data).toString() === at) end();
    return TAKEN;
  });
  const outcomes = journal.during(batch, () => {
    const delivered = records.map((data) => (ended ? TAKEN : check(data, 0)));
    if (after && !ended) end();
    return delivered.map((d) => d.rejections[0]?.detail);
  });
  if (!ended) return outcomes;
  copyFileSync(left, file);
  return undefined;
}

test("a batch that is survived leaves nothing behind", () => {
  const file = newFile();
  expect(run(file, "one", {})).toEqual([undefined, undefined, undefined]);
  expect(existsSync(file)).toBe(false);
});

test("the record at which the process ended is rejected when its batch comes the third time, and no other", () => {
  const file = newFile();
  expect(run(file, "one", { at: "b" })).toBeUndefined();
  expect(run(file, "one", { at: "b" })).toBeUndefined();
  expect(run(file, "one", { at: "b" })).toEqual([undefined, "enrich ended its process", undefined]);
  expect(existsSync(file)).toBe(false);
});

test("a batch may hold several of them", () => {
  const file = newFile();
  for (const at of ["a", "a", "c"]) expect(run(file, "one", { at })).toBeUndefined();
  expect(run(file, "one", {})).toEqual(["enrich ended its process", undefined, "enrich ended its process"]);
});

test("a process that ends past the checks blames no record", () => {
  const file = newFile();
  for (let i = 0; i < 4; i++) expect(run(file, "one", { after: true })).toBeUndefined();
  expect(run(file, "one", {})).toEqual([undefined, undefined, undefined]);
});

test("what is left of another batch, or was torn, says nothing of this one", () => {
  const file = newFile();
  for (let i = 0; i < 2; i++) run(file, "other", { at: "b" });
  expect(run(file, "one", {})).toEqual([undefined, undefined, undefined]);
  writeFileSync(file, '{"batch":"one","fat');
  expect(run(file, "one", {})).toEqual([undefined, undefined, undefined]);
});
