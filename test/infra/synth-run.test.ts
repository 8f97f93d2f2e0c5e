/** `npm run synth` as npm runs it: in the repository's folder, asked for in another, and several at once. */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { jarOf } from "./jar.ts";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, "node_modules/.cache/forewatch");
const folder = mkdtempSync(join(tmpdir(), "forewatch-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  readonly pid: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the script with this environment, in the folder `cwd`. */
function run(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Said> {
  const child = spawn(process.execPath, [join(ROOT, "infra/synth/run.mjs"), ...args], {
    cwd,
    env: { ...process.env, npm_lifecycle_event: "", INIT_CWD: "", ...env },
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (data) => (said.out += String(data)));
  child.stderr.on("data", (data) => (said.err += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, pid: child.pid!, ...said })));
}

/** As npm runs it when it was asked to in `typed`. */
function npmRun(args: readonly string[], typed: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
  return run(args, ROOT, { npm_lifecycle_event: "synth", INIT_CWD: typed, ...env });
}

/** The bytes of every file below a folder. */
function bytesOf(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(root, name)).isFile(),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(root, name), "base64")]));
}

/** A folder with the sample in it, as somebody has it who tries. */
function sampleIn(name: string): string {
  const place = join(folder, name);
  mkdirSync(join(place, "below"), { recursive: true });
  cpSync(join(ROOT, "infra/sample"), join(place, "sample"), { recursive: true });
  return join(place, "below");
}

test("paths are of the folder it was asked for in, and runs at once write the same bytes wherever they are", async () => {
  const [one, two] = [sampleIn("one"), sampleIn("two")];
  const jar = jarOf();
  writeFileSync(join(one, "c.jar"), jar);
  writeFileSync(join(two, "c.jar"), jar);
  const args = ["../sample/flights.pipeline.json", "--out", "stack", "--jar", "c.jar"];
  const said = await Promise.all([
    npmRun(args, one, { TZ: "Pacific/Kiritimati", LANG: "C" }),
    // Without npm, and with what npm said to somebody else.
    run(args, two, { TZ: "America/St_Johns", npm_lifecycle_event: "test", INIT_CWD: one }),
  ]);
  for (const { code, err, pid } of said) {
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(existsSync(join(CACHE, `synth-${pid}.mjs`))).toBe(false);
  }
  const written = bytesOf(join(one, "stack"));
  expect(Object.keys(written)).toContain("template.json");
  expect(bytesOf(join(two, "stack"))).toEqual(written);
  expect(said[0].out).toContain(`${join(one, "stack")}: stack `);
});

test("what cannot be is told without anything left behind, or left running", async () => {
  const here = sampleIn("wrong");
  const { code, out, err, pid } = await npmRun(["none.pipeline.json", "--out", "stack"], here);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(`${join(here, "none.pipeline.json")} cannot be read.`);
  expect(existsSync(join(here, "stack"))).toBe(false);
  expect(existsSync(join(CACHE, `synth-${pid}.mjs`))).toBe(false);
  expect(await npmRun(["--bogus"], here)).toMatchObject({ code: 2, out: "" });
});
