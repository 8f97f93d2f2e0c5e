/** The user's enrich module in the functions' archives: with what it imports, and the same bytes wherever it was bundled. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { functionArchives } from "../../../infra/synth/bundle.ts";
import type { Enrich } from "../../../src/core/deliver.ts";
import { FLIGHTS } from "./pipelines.ts";

const ROOT = join(import.meta.dirname, "../../..");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own, with these files in it. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-enrich-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const MODULE = `
import { createHash } from "node:crypto";
import { late } from "./rules/late.mjs";
import carriers from "carriers";
export default (event) => ({ ...event, late: late(event.delay), carrier: carriers[event.code], id: createHash("md5").update(event.code).digest("hex").length });
`;
const FILES = {
  "rules/late.mjs": "export const late = (delay) => delay >= 15;",
  "node_modules/carriers/package.json": '{"name":"carriers","main":"index.js"}',
  // As many packages still are: CommonJS, which asks for a module of Node's.
  "node_modules/carriers/index.js":
    'const { EOL } = require("node:os"); module.exports = { B6: `JetBlue${EOL}`.trim() };',
};

test("a module goes with the files, the packages and Node's own modules that it imports", async () => {
  const archives = await functionArchives(ROOT, FLIGHTS, {
    enrich: MODULE,
    enrichFolder: folderOf(FILES),
    exclusions: [],
  });
  // Alone in a folder, as in a function.
  const alone = folderOf({ "enrich.mjs": Buffer.from(archives.relay.files["enrich.mjs"]!).toString() });
  const { default: enrich } = (await import(pathToFileURL(join(alone, "enrich.mjs")).href)) as { default: Enrich };
  expect(enrich({ delay: 20, code: "B6" })).toEqual({ delay: 20, code: "B6", late: true, carrier: "JetBlue", id: 32 });
  const elsewhere = await functionArchives(ROOT, FLIGHTS, {
    enrich: MODULE,
    enrichFolder: folderOf(FILES),
    exclusions: [],
  });
  expect(elsewhere.relay.key).toBe(archives.relay.key);
});

test.each([
  ["what is not there", 'import x from "./gone.mjs"; export default x;', /cannot be bundled: .*gone\.mjs.*line 1/],
  ["what is no JavaScript", "export default (event => event;", /cannot be bundled: .*line 1/],
])("%s is told with its line", async (_, enrich, words) => {
  const bundled = functionArchives(ROOT, FLIGHTS, { enrich, enrichFolder: folderOf({}), exclusions: [] });
  await expect(bundled).rejects.toMatchObject({
    code: "enrich.failed",
    message: expect.stringMatching(words) as string,
  });
});
