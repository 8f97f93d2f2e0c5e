/** `npm run synth` on the sample's pipeline, and the connector's jar that it puts into the application's archive. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import connector from "../../infra/flink/connector.json" with { type: "json" };
import { fetchConnector, sha256 } from "../../infra/synth/connector.ts";
import { main } from "../../infra/synth/main.ts";
import { FUNCTIONS } from "../../infra/template/synthesize.ts";

const ROOT = join(import.meta.dirname, "../..");
const SAMPLE = join(ROOT, "infra/sample/flights.pipeline.json");
const folder = mkdtempSync(join(tmpdir(), "forewatch-synth-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** An empty zip: enough of a jar for what puts it into an archive. */
const JAR = Buffer.from("504b0506000000000000000000000000000000000000", "hex");

/** Runs the command; what it printed beside its exit code. */
async function synth(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: "", err: "" };
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.out += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed.err += String(text);
    return true;
  });
  try {
    return { code: await main(args, ROOT), ...printed };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

/** Every file below a folder, with its bytes' digest. */
function digests(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((f) =>
    statSync(join(root, f)).isFile(),
  );
  return Object.fromEntries(files.sort().map((f) => [f.replaceAll("\\", "/"), sha256(readFileSync(join(root, f)))]));
}

test("writes all that a deployment needs, the same bytes each time", async () => {
  const jar = join(folder, "connector.jar");
  writeFileSync(jar, JAR);
  const [one, two] = ["one", "two"].map((name) => join(folder, name)) as [string, string];
  const first = await synth(SAMPLE, "--out", one, "--region", "eu-west-1", "--jar", jar);
  expect(first.err).toBe("");
  expect(first.code).toBe(0);
  await synth(SAMPLE, "--out", two, "--region", "eu-west-1", "--jar", jar);
  const files = digests(one);
  expect(digests(two)).toEqual(files);

  const template = readFileSync(join(one, "template.json"), "utf8");
  const archives = Object.keys(files).filter((f) => f.endsWith(".zip"));
  expect(archives).toHaveLength(FUNCTIONS.length + 1);
  // What the template names is what was written, under names that change with the content.
  for (const archive of archives) expect(template).toContain(`"${archive}"`);
  for (const name of FUNCTIONS) expect(Object.keys(files)).toContain(`functions/${name}/index.mjs`);
  const windows = unzipSync(readFileSync(join(one, archives.find((f) => f.startsWith("flink/"))!)));
  expect(Object.keys(windows).sort()).toEqual(["connector.json", "job.json", `lib/${connector.file}`, "main.py"]);
  const alone = Object.keys(files).filter((f) => !f.includes("/"));
  expect(alone).toEqual(["artifacts-template.json", "cost.json", "template.json", "workflow.json"]);
  const cost = JSON.parse(readFileSync(join(one, "cost.json"), "utf8")) as { total: number; pricesOf: string };
  expect(first.out).toContain(`about ${cost.total.toFixed(2)} US dollars a month (${cost.pricesOf})`);
  expect(first.out).toContain("StartApplication");
});

test("takes the incident manager and the region that it is told", async () => {
  const out = join(folder, "plans");
  const { code, out: said } = await synth(
    SAMPLE,
    "--out",
    out,
    "--region",
    "us-east-1",
    "--incidents",
    "incident-manager",
  );
  expect(code).toBe(0);
  const template = readFileSync(join(out, "template.json"), "utf8");
  expect(template).toContain("AWS::SSMIncidents::ResponsePlan");
  expect(template).not.toContain("opsitem");
  expect(said).toContain("is not in the application's archive");
});

describe("says what is wrong", () => {
  test.each([
    [["--out", "x"], 2, "Usage"],
    [[SAMPLE], 2, "Usage"],
    [["no-such.pipeline.json", "--out", "x"], 1, "cannot be read"],
    [[SAMPLE, "--out", "x", "--incidents", "pager"], 1, 'no incident manager "pager"'],
    [[SAMPLE, "--out", "x", "--rate", "0"], 1, '--rate is "0"'],
    [[SAMPLE, "--out", "x", "--region", "mars-north-1"], 1, "mars-north-1"],
    [[SAMPLE, "--out", "x", "--jar", SAMPLE], 1, "it is no jar"],
  ])("%s", async (args, code, words) => {
    const said = await synth(...args);
    expect(said.code).toBe(code);
    expect(said.err).toContain(words);
  });
});

describe.skipIf(process.platform === "win32")("the connector's jar", () => {
  const pinned = { ...connector, sha256: sha256(JAR) };
  let attempt = 0;

  /** A folder for the jar, and a Maven on the path that writes these bytes; none at all without them. */
  function place(bytes?: Uint8Array): string {
    const bin = join(folder, `bin-${++attempt}`);
    mkdirSync(bin);
    if (bytes) {
      writeFileSync(join(bin, "bytes"), bytes);
      const script = `#!/bin/sh\nfor a in "$@"; do case "$a" in -DoutputDirectory=*) /bin/cp "${bin}/bytes" "\${a#*=}/${connector.file}";; esac; done\n`;
      writeFileSync(join(bin, "mvn"), script);
      chmodSync(join(bin, "mvn"), 0o755);
    }
    vi.stubEnv("PATH", bin);
    return join(folder, `jars-${attempt}`);
  }

  test("is fetched once, and then kept", async () => {
    const to = place(JAR);
    expect(sha256(await fetchConnector(to, pinned))).toBe(pinned.sha256);
    vi.stubEnv("PATH", "");
    expect(sha256(await fetchConnector(to, pinned))).toBe(pinned.sha256);
  });

  test("with other bytes than the pinned is refused, and not kept", async () => {
    const to = place(Buffer.concat([JAR, Buffer.from("more")]));
    await expect(fetchConnector(to, pinned)).rejects.toThrow(/its SHA-256 is [0-9a-f]{64}, not/);
    expect(readdirSync(to)).toEqual([]);
  });

  test("cannot be had without Maven, which is said", async () => {
    await expect(fetchConnector(place(), pinned)).rejects.toThrow("Maven is not installed");
  });
});
