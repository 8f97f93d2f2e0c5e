/** Enrich modules as people write them, bundled, and then run alone in a folder, as in a function. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { bundleEnrich, enrichWarnings } from "../../../infra/synth/enrich.ts";
import type { Enrich } from "../../../src/core/deliver.ts";

const base = mkdtempSync(join(tmpdir(), "forewatch-module-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;

/** A folder of its own, with these files in it. */
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(base, String(++folders));
  mkdirSync(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** The bundle of a module of this name beside these files. */
async function bundle(enrich: string, enrichName = "enrich.mjs", files: Readonly<Record<string, string>> = {}) {
  return (await bundleEnrich({ enrich, enrichName, enrichFolder: folderOf(files) }))!;
}

test.each([
  ["plain", "enrich.mjs", "export default (event) => ({ ...event, sum: 3 });", {}],
  ["with a require of its own", "enrich.mjs", OWN_REQUIRE(), {}],
  [
    "with a require that it takes for granted",
    "enrich.js",
    'export default (e) => ({ ...e, sum: require("node:path").sep.length + 2 });',
    {},
  ],
  [
    "with Node's modules by their old names",
    "enrich.mjs",
    'import { sep } from "path"; export default (e) => ({ ...e, sum: sep.length + 2 });',
    {},
  ],
  ["CommonJS, by its ending", "enrich.cjs", "module.exports = (e) => ({ ...e, sum: 3 });", {}],
  [
    "CommonJS, by its words",
    "enrich.js",
    'const { three } = require("./three.cjs"); module.exports = (e) => ({ ...e, sum: three });',
    { "three.cjs": "exports.three = 3;" },
  ],
  [
    "TypeScript",
    "enrich.ts",
    'import { three } from "./three.ts"; export default (e: { a: number }): object => ({ ...e, sum: three as number });',
    { "three.ts": "export const three: unknown = 3;" },
  ],
  [
    "with a JSON file",
    "enrich.mjs",
    'import all from "./t.json" with { type: "json" }; export default (e) => ({ ...e, sum: all.three });',
    { "t.json": '{"three":3}' },
  ],
  [
    "that waits while it loads",
    "enrich.mjs",
    'const { three } = await import("./three.mjs"); export default (e) => ({ ...e, sum: three });',
    { "three.mjs": "export const three = await Promise.resolve(3);" },
  ],
])("a module %s runs alone", async (_, name, text, files) => {
  const made = await bundle(text, name, files);
  const alone = folderOf({ "enrich.mjs": made });
  const { default: enrich } = (await import(pathToFileURL(join(alone, "enrich.mjs")).href)) as { default: Enrich };
  expect(enrich({ a: 1 })).toEqual({ a: 1, sum: 3 });
  // The same from another folder, wherever the command is run.
  const here = process.cwd();
  process.chdir(base);
  try {
    expect(Buffer.from(await bundle(text, name, files)).equals(made)).toBe(true);
  } finally {
    process.chdir(here);
  }
});

/** What people write who need `require` in a module. */
function OWN_REQUIRE(): string {
  return `
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { sep } = require("node:path");
export default (event) => ({ ...event, sum: sep.length + 2 });
`;
}

describe("is refused", () => {
  test.each([
    [
      "a package that is not there",
      "enrich.mjs",
      'import x from "no-such-package"; export default x;',
      /"no-such-package".*line 1 of enrich\.mjs/,
    ],
    ["what is no JavaScript", "rules.js", "export default (event => event;", /line 1 of rules\.js/],
    [
      "a module without a default",
      "rules.mjs",
      "export const enrich = (e) => e;",
      /^rules\.mjs exports nothing by default, only enrich\.$/,
    ],
    ["an empty module", "enrich.mjs", "", /^enrich\.mjs exports nothing by default\.$/],
  ])("%s", async (_, name, text, words) => {
    await expect(bundle(text, name)).rejects.toMatchObject({
      code: "enrich.failed",
      message: expect.stringMatching(words) as string,
    });
  });
});

const ASYNC = /function is async/;
const CLASS = /exports a class/;
const PLACE = /asks for the folder it lies in/;

test.each([
  ["export default async function (e) { return e; }", ASYNC],
  ["export default async function* (e) { yield e; }", ASYNC],
  ["export default async (e) => e;", ASYNC],
  ["async function $f(e) { return e; } export { $f as default };", ASYNC],
  ["export const other = 1; const f = async (e) => e; export { f as default };", ASYNC],
  ["export default class { }", CLASS],
  ["async function rule(e) { return e; } export const other = rule; export default rule;", ASYNC],
  ["export class Rules { } export default Rules;", CLASS],
  ["export default (e) => ({ ...e, m: import.meta.url });", PLACE],
  ["export default (e) => ({ ...e, m: __dirname });", PLACE],
])("%s is warned of", async (text, words) => {
  expect(enrichWarnings(await bundle(text))).toEqual([expect.stringMatching(words)]);
});

test.each([
  "export default (e) => e;",
  "const later = async () => 1; class Rule { } export default function (e) { later(); return new Rule(e); }",
  "export default (e) => { const asyncs = async () => 1; return e; };",
])("%s is not", async (text) => {
  expect(enrichWarnings(await bundle(text))).toEqual([]);
});
