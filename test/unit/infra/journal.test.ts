/** A process that ends: what lay in the journal's file at that moment is all that the next process knows. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Journal } from "../../../infra/lambda/journal.ts";
import { Strays } from "../../../infra/lambda/strays.ts";
import { watched } from "../../../infra/lambda/watch.ts";
import type { Delivered } from "../../../src/core/deliver.ts";

const folder = mkdtempSync(join(tmpdir(), "forewatch-journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${++files}.json`);

const TAKEN: Delivered = { events: [], rejections: [], dropped: 1 };

/** Where the process ends: at a record's check, at what that left behind, or when all are checked. */
interface Ends {
  readonly at?: string;
  readonly behind?: string;
  readonly after?: true;
}

/** One process that is called with records: the details of what it rejected; undefined when it ended, and then `file` is as it left it. */
async function run(file: string, records: string, { at, behind, after }: Ends) {
  const left = newFile();
  let ended = false;
  const end = () => {
    if (!ended) copyFileSync(file, left);
    ended = true;
  };
  const journal = new Journal(file);
  const check = (data: Uint8Array) => {
    const text = Buffer.from(data).toString();
    if (text === at) end();
    if (text === behind) queueMicrotask(end);
    return TAKEN;
  };
  const checkAll = watched(check, journal, new Strays(() => undefined));
  const outcomes = await journal.during(async () => {
    const delivered = await checkAll([...records].map((record) => ({ data: Buffer.from(record), arrival: 0 })));
    if (after) end();
    return delivered.map((d) => d.rejections[0]?.detail);
  });
  if (!ended) return outcomes;
  copyFileSync(left, file);
  return undefined;
}

const ENDED = "enrich ended its process";

test("a call that is survived leaves nothing behind", async () => {
  const file = newFile();
  expect(await run(file, "abc", {})).toEqual([undefined, undefined, undefined]);
  expect(existsSync(file)).toBe(false);
});

test.each<[string, Ends]>([
  ["at which", { at: "b" }],
  ["after which", { behind: "b" }],
])("the record %s the process ended is rejected when it comes the third time, and no other", async (_, ends) => {
  const file = newFile();
  expect(await run(file, "abc", ends)).toBeUndefined();
  expect(await run(file, "abc", ends)).toBeUndefined();
  expect(await run(file, "abc", ends)).toEqual([undefined, ENDED, undefined]);
});

test("it is found also where its batch is halved, and others come between", async () => {
  const file = newFile();
  expect(await run(file, "abcd", { at: "d" })).toBeUndefined();
  expect(await run(file, "ab", { at: "d" })).toEqual([undefined, undefined]);
  expect(await run(file, "xy", { at: "d" })).toEqual([undefined, undefined]);
  expect(await run(file, "cd", { at: "d" })).toBeUndefined();
  expect(await run(file, "c", { at: "d" })).toEqual([undefined]);
  expect(await run(file, "d", { at: "d" })).toEqual([ENDED]);
});

test("after calls that all were survived it is forgotten", async () => {
  const file = newFile();
  await run(file, "abc", { at: "b" });
  for (let i = 0; i < 20; i++) {
    expect(existsSync(file)).toBe(true);
    await run(file, "xy", {});
  }
  expect(existsSync(file)).toBe(false);
});

test("a batch may hold several of them", async () => {
  const file = newFile();
  for (const at of ["a", "a", "c"]) expect(await run(file, "abc", { at })).toBeUndefined();
  expect(await run(file, "abc", {})).toEqual([ENDED, undefined, ENDED]);
});

test("a process that ends past the checks blames no record", async () => {
  const file = newFile();
  for (let i = 0; i < 4; i++) expect(await run(file, "abc", { after: true })).toBeUndefined();
  expect(await run(file, "abc", {})).toEqual([undefined, undefined, undefined]);
});

test("a call that fails is one that came to its end", async () => {
  const file = newFile();
  const journal = new Journal(file);
  await expect(journal.during(() => Promise.reject(new Error("no stream")))).rejects.toThrow("no stream");
  expect(existsSync(file)).toBe(false);
});

test("where the writing was torn, the process ended, and nobody knows where", async () => {
  const file = newFile();
  writeFileSync(file, '{"open":true,"fat');
  expect(await run(file, "abc", { at: "b" })).toBeUndefined();
  expect(await run(file, "abc", { at: "b" })).toEqual([undefined, ENDED, undefined]);
});
