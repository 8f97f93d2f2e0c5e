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

/** A file in the folder of this run. */
function fileOf(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const SHOPS = {
  name: "shops",
  source: { time: "t", fields: { t: "timestamp", shop: "string", till: "integer" } },
  series: { every: "1h", by: ["shop", "till"], measures: { sales: { count: "*" } } },
  alarms: [{ name: "low", measure: "sales", direction: "below", datapoints: "3 of 4" }],
  targets: {
    test: { account: "111111111111", region: "eu-north-1", incidents: "ops-center" },
    live: { account: "222222222222", region: "eu-west-1", incidents: "auto" },
  },
};

describe("groups that are discovered", () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);

  test("are refused an alarm each until they are given, and then have one", async () => {
    const out = join(folder, "shops");
    const without = await synth(shops, "--out", out);
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining("--groups") as string });
    const groups = fileOf("shops.groups", "north|1\nnorth|2\n\na\\|b|3\n");
    const given = await synth(shops, "--out", out, "--groups", groups);
    expect(given.err).toBe("");
    const { Resources } = JSON.parse(readFileSync(join(out, "template.json"), "utf8")) as {
      Resources: Record<string, { Properties: { Dimensions?: { Name: string; Value: string }[] } }>;
    };
    const series = Object.entries(Resources)
      .filter(([id]) => id.startsWith("RuleLowSeries"))
      .map(([, r]) => r.Properties.Dimensions!.find((d) => d.Name === "Series")!.Value);
    expect(series).toEqual(["sales{shop=north,till=1}", "sales{shop=north,till=2}", "sales{shop=a|b,till=3}"]);
    // The comparison knows for which there are alarms, and an alarm tells of others.
    expect(JSON.parse(readFileSync(join(out, "functions/compare/groups.json"), "utf8"))).toEqual([
      "north|1",
      "north|2",
      "a\\|b|3",
    ]);
    expect(Resources.HealthGroupsWithoutAlarm).toBeDefined();
    expect(given.out).not.toContain("warning: ");
  });

  test("may be a JSON list", async () => {
    const groups = fileOf("shops.json", [
      ["north", 1],
      ["south", "2"],
    ]);
    const out = join(folder, "shops-json");
    expect(await synth(shops, "--out", out, "--groups", groups)).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(join(out, "functions/compare/groups.json"), "utf8")).toBe('["north|1","south|2"]');
  });

  test.each([
    ["north|1\nnorth\n", /line 2: 1 values where "by" has 2\./],
    ["north|1\nsouth|2\nnorth|1\n", /line 3: the same group as in line 1\./],
    ["north|\n", /line 1: the value of "till" is empty\./],
    ['[["north", "1"],\n ["south"]]', /line 2: 1 values where/],
    ['[["north", "1"],\n ["south", {}]]', /line 2: a group is a list of texts\./],
    ['[["north", "1"],\n ["south" "2"]]', /line 2: it is no JSON \(CommaExpected\)/],
    ["\n", /line 1: there is no group\./],
    [Array.from({ length: 10_001 }, (_, i) => `shop|${i}`).join("\n"), /line 10001: a pipeline watches 10000 groups/],
  ])("are refused with the line that is wrong: %j", async (text, words) => {
    const said = await synth(shops, "--out", join(folder, "x"), "--groups", fileOf("wrong.groups", text));
    expect(said).toMatchObject({ code: 1, err: expect.stringMatching(words) as string });
  });
});

test("says which target, region and incident manager it takes, and lists what to do in order", async () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);
  const groups = fileOf("shops.groups", "north|1\n");
  const out = join(folder, "steps");
  const first = await synth(shops, "--out", out, "--groups", groups);
  expect(first.out).toContain("target: test, the first of 2 (--target)\nregion: eu-north-1\nincidents: ops-center\n");
  // Without the bucket's name there is nothing to deploy yet.
  expect(first.out).toMatch(
    /before: aws cloudformation deploy --stack-name forewatch-artifacts --template-file \S+artifacts-template\.json --region eu-north-1\n/,
  );
  expect(first.out).toContain("ArtifactsBucketName");
  expect(first.out).not.toContain("deploy: ");

  const second = await synth(shops, "--out", out, "--groups", groups, "--target", "live", "--bucket", "code-1");
  expect(second.out).toContain('target: live\nregion: eu-west-1\nincidents: ops-center ("auto" looks into the account');
  const kinds = second.out.split("\n").flatMap((line) => /^(before|deploy|then): /.exec(line)?.[1] ?? []);
  expect(kinds).toEqual(["before", "before", "deploy", "then", "then"]);
  expect(second.out).toContain(
    's3://code-1/ --recursive --exclude "*" --include "functions/*.zip" --include "flink/*.zip" --region eu-west-1',
  );
  expect(second.out).toContain("--stack-name fw-shops --template-file");
  expect(second.out).toContain("start-application --application-name fw-shops-windows --region eu-west-1");
});

test("writes the stacks inside the stack, under the keys that it names", async () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);
  const groups = fileOf("many.groups", Array.from({ length: 700 }, (_, i) => `shop-${i}|1`).join("\n"));
  const out = join(folder, "many");
  const said = await synth(shops, "--out", out, "--groups", groups, "--bucket", "code-1");
  expect(said).toMatchObject({ code: 0, err: "" });
  const written = Object.keys(digests(join(out, "templates"))).map((name) => `templates/${name}`);
  const template = readFileSync(join(out, "template.json"), "utf8");
  expect(written).toHaveLength(3);
  for (const key of written) expect(template).toContain(`https://code-1.s3.\${AWS::Region}.\${AWS::URLSuffix}/${key}`);
  expect(said.out).toContain('--include "templates/*.json"');
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
    [[SAMPLE, "--out", "x", "--target", "staging"], 1, 'no target "staging"'],
    [[SAMPLE, "--out", "x", "--groups", SAMPLE], 1, "the pipeline file lists the groups"],
    [[SAMPLE, "--out", "x", "--groups-count", "many"], 1, '--groups-count is "many"'],
    [[SAMPLE, "--out", "x", "--groups-count", "9"], 1, "The pipeline file lists its groups"],
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
