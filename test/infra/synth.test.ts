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
import { jarOf } from "./jar.ts";

const ROOT = join(import.meta.dirname, "../..");
const SAMPLE = join(ROOT, "infra/sample/flights.pipeline.json");
const folder = mkdtempSync(join(tmpdir(), "forewatch-synth-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

const JAR = jarOf();

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
  expect(alone).toEqual(["artifacts-template.json", "cost.json", "synth.json", "template.json", "workflow.json"]);
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
    live: { account: "222222222222", region: "eu-west-1", profile: "shops-live", incidents: "auto" },
  },
};

describe("groups that are discovered", () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);

  test("are refused an alarm each until they are given, and then have one", async () => {
    const out = join(folder, "shops");
    const without = await synth(shops, "--out", out);
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining("--groups") as string });
    const groups = fileOf("shops.groups", "north|1\nnorth|2\n\na\\|b|3\n");
    const given = await synth(shops, "--out", out, "--groups", groups, "--email", "a@example.org");
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

  test("are not told to the comparison where every rule finds them by itself", async () => {
    const [rule] = SHOPS.alarms;
    const quick = fileOf("quick.pipeline.json", { ...SHOPS, alarms: [{ ...rule, datapoints: "1 of 2" }] });
    const out = join(folder, "quick");
    const args = [quick, "--out", out, "--groups", fileOf("quick.groups", "north|1\n")];
    expect(await synth(...args)).toMatchObject({ code: 0, err: "" });
    expect(readdirSync(join(out, "functions/compare")).sort()).toEqual(["index.mjs", "pipeline.json"]);
  });

  test.each([
    ["\ufeffnorth|1\n", ["north|1"]],
    ['\ufeff[["north", 1]]', ["north|1"]],
    ["[unknown]|1\nnorth|2\n", ["[unknown]|1", "north|2"]],
    ["[1]|1\n[2]|2", ["[1]|1", "[2]|2"]],
  ])("are read as they are meant: %j", async (text, keys) => {
    const out = join(folder, "meant");
    const said = await synth(shops, "--out", out, "--groups", fileOf("meant.groups", text));
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(readFileSync(join(out, "functions/compare/groups.json"), "utf8"))).toEqual(keys);
  });

  test.each([
    ["2.5", /--groups-count is "2\.5"; it must be a whole number/],
    ["1", /--groups-count is 1, and --groups has 2 groups\.\n?.*Leave --groups-count out, or give 2 or more/s],
  ])("are not %s where two are given", async (count, words) => {
    const groups = fileOf("two.groups", "north|1\nnorth|2\n");
    const said = await synth(shops, "--out", join(folder, "x"), "--groups", groups, "--groups-count", count);
    expect(said).toMatchObject({ code: 1, err: expect.stringMatching(words) as string });
  });

  test.each([
    [/line 2: 1 value where "by" has 2\./, "north|1\nnorth\n"],
    [/line 3: the same group as in line 1\./, "north|1\nsouth|2\nnorth|1\n"],
    [/line 1: the value of "till" is empty\./, "north|\n"],
    [/line 2: 1 value where/, '[["north", "1"],\n ["south"]]'],
    [/line 2: a group is a list of texts\./, '[["north", "1"],\n ["south", {}]]'],
    [/line 2: it is no JSON \(CommaExpected\)/, '[["north", "1"],\n ["south" "2"]]'],
    [/line 2: it is no JSON \(CloseBracketExpected\)/, '[["north", "1"],\n ["south", "2"]'],
    [/line 1: it is no JSON \(InvalidSymbol\)/, "[north,\n south]"],
    [/line 1: there is no group\./, "\n"],
    [/line 10001: a pipeline watches 10000 groups/, Array.from({ length: 10_001 }, (_, i) => `shop|${i}`).join("\n")],
  ])("are refused with the line that is wrong: %s", async (words, text) => {
    const said = await synth(shops, "--out", join(folder, "x"), "--groups", fileOf("wrong.groups", text));
    expect(said).toMatchObject({ code: 1, err: expect.stringMatching(words) as string });
  });
});

/** The sentences of the steps, each with its command, if it has one. */
function stepsOf(said: string): [string, string?][] {
  const lines = said.split("\n").slice(said.split("\n").findIndex((line) => line.includes(" account ")));
  return lines.flatMap((line, i) => {
    if (line === "" || line.startsWith("  ")) return [];
    const command = lines[i + 1]?.startsWith("  ") ? lines[i + 1]!.trim() : undefined;
    return [command === undefined ? [line] : [line, command]];
  });
}

describe("says which target it takes, and what to do in order", () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);
  const groups = fileOf("north.groups", "north|1\n");
  const jar = fileOf("steps.jar", "");
  writeFileSync(jar, JAR);
  const args = [shops, "--out", join(folder, "steps"), "--groups", groups];

  test("as far as the bucket while its name is not known", async () => {
    const said = (await synth(...args)).out;
    expect(said).toContain(
      "target: test, the first of 2 (--target)\naccount: 111111111111\nregion: eu-north-1\nincidents: ops-center\n",
    );
    const [identity, bucket, name, again, ...more] = stepsOf(said);
    expect(identity).toEqual([
      "See that account 111111111111 answers, and no other; go on only then:",
      expect.stringContaining("case $(aws sts get-caller-identity --query Account --output text --region eu-north-1)"),
    ]);
    expect(bucket![1]).toMatch(
      /^aws cloudformation deploy --stack-name forewatch-artifacts --template-file \S+artifacts-template\.json --region eu-north-1$/,
    );
    expect(name![1]).toContain("ArtifactsBucketName");
    expect(again).toEqual(["Then run this command again, with that name as --bucket, and with --fetch or --jar."]);
    expect(more).toEqual([]);
  });

  test("not to a deployment while the application lacks its connector", async () => {
    const said = stepsOf((await synth(...args, "--bucket", "code-1")).out);
    expect(said).toHaveLength(3);
    expect(said[2]).toEqual(["Then run this command again, with --fetch or --jar."]);
  });

  test("to the first training, with the target's profile", async () => {
    const ready = ["--target", "live", "--bucket", "code-1", "--jar", jar, "--email", "a@example.org"];
    const { out } = await synth(...args, ...ready);
    expect(out).toContain(
      'target: live\naccount: 222222222222, with the profile shops-live\nregion: eu-west-1\nincidents: ops-center ("auto" looks into the account',
    );
    const said = stepsOf(out);
    const verbs = said.map(([, command]) => /\baws (\S+ \S+)/.exec(command ?? "")?.[1]);
    expect(verbs).toEqual([
      "sts get-caller-identity",
      "cloudformation deploy",
      "s3 cp",
      "cloudformation deploy",
      undefined,
      "kinesisanalyticsv2 start-application",
      "stepfunctions start-execution",
    ]);
    const commands = said.flatMap(([, command]) => command ?? []);
    for (const command of commands) expect(command).toContain(" --region eu-west-1 --profile shops-live");
    expect(commands[2]).toContain('s3://code-1/ --recursive --exclude "*" --include functions/enrich-');
    expect(commands[3]).toContain("--stack-name fw-shops --template-file");
    expect(said[4]).toEqual(["The first time, confirm the subscription that AWS mails to a@example.org."]);
    expect(commands[4]).toContain("--application-name fw-shops-windows");
    // The workflow takes whoever does not say so for the schedule.
    expect(commands[5]).toMatch(/--input '\{"requestedBy":"person"\}' --region eu-west-1 --profile shops-live$/);
  });

  test("without advice that is refused where there is no Incident Manager", async () => {
    const { out } = await synth(...args, "--target", "live", "--region", "cn-north-1");
    expect(out).toContain('incidents: ops-center ("auto" is OpsCenter here: Incident Manager is not to be had)\n');
  });

  test("to whichever account answers where the file has no target", async () => {
    const nowhere = fileOf("nowhere.pipeline.json", { ...SHOPS, targets: {} });
    const { out } = await synth(nowhere, ...args.slice(1));
    expect(out).toContain("target: none in the pipeline file\nregion: us-east-1\n");
    expect(stepsOf(out)[0]).toEqual([
      "See which account answers; it is the one that is deployed to:",
      "aws sts get-caller-identity --query Account --output text --region us-east-1",
    ]);
  });
});

test("writes the stacks inside the stack, under the keys that it names", async () => {
  const shops = fileOf("shops.pipeline.json", SHOPS);
  const groups = fileOf("many.groups", Array.from({ length: 700 }, (_, i) => `shop-${i}|1`).join("\n"));
  const out = join(folder, "many");
  const jar = join(folder, "many.jar");
  writeFileSync(jar, JAR);
  const said = await synth(shops, "--out", out, "--groups", groups, "--bucket", "code-1", "--jar", jar);
  expect(said).toMatchObject({ code: 0, err: "" });
  const written = Object.keys(digests(join(out, "templates"))).map((name) => `templates/${name}`);
  const template = readFileSync(join(out, "template.json"), "utf8");
  expect(written).toHaveLength(3);
  for (const key of written) expect(template).toContain(`https://code-1.s3.\${AWS::Region}.\${AWS::URLSuffix}/${key}`);
  for (const key of written) expect(said.out).toContain(` --include ${key} `);
});

describe("says what is wrong", () => {
  const out = ["--out", join(folder, "never")];
  const there = fileOf("there.txt", "a file");

  test.each([
    [["--out", "x"], 2, /^There is no pipeline file\. Name one\. \[input\.invalid\]\n\nUsage: /],
    [[SAMPLE, ...out, "--bogus"], 2, /^There is no option --bogus\. .*\n\nUsage: /],
    [
      ["no-such.pipeline.json", ...out],
      1,
      /no-such\.pipeline\.json cannot be read\..* Check the path\. \[spec\.not-found\]/,
    ],
    [[SAMPLE, ...out, "--incidents", "pager"], 1, /no incident manager "pager"/],
    [[SAMPLE, ...out, "--contact", "arn:aws:ssm-contacts:eu-west-1:111111111111:contact/x"], 1, /Leave --contact out/],
    [[SAMPLE, ...out, "--rate", "0"], 1, /^--rate is "0"/],
    [[SAMPLE, ...out, "--bucket", "My_Code"], 1, /^--bucket is "My_Code"/],
    [[SAMPLE, ...out, "--region", "mars-north-1"], 1, /mars-north-1/],
    [[SAMPLE, ...out, "--target", "toString"], 1, /no target "toString"/],
    [[SAMPLE, ...out, "--jar", SAMPLE], 1, /it is no jar\. Give another file as --jar, or --fetch/],
    [
      [SAMPLE, ...out, "--jar", "/no/such.jar"],
      1,
      /such\.jar cannot be read\..* Check the path of --jar.*\[input\.invalid\]/,
    ],
    [[SAMPLE, ...out, "--region", "cn-north-1", "--incidents", "incident-manager"], 1, /--incidents ops-center/],
    [[SAMPLE, ...out, "--target", "staging"], 1, /no target "staging"/],
    [[SAMPLE, ...out, "--groups", SAMPLE], 1, /the pipeline file lists the groups/],
    [[SAMPLE, ...out, "--groups", "/no/such.txt"], 1, /Check the path of --groups\./],
    [[SAMPLE, ...out, "--groups-count", "many"], 1, /--groups-count is "many"/],
    [[SAMPLE, ...out, "--groups-count", "9"], 1, /The pipeline file lists its groups/],
    [[SAMPLE, "--out", there], 1, /\(--out\) is no folder.* \[input\.invalid\]/],
  ])("%j", async (args, code, words) => {
    const said = await synth(...args);
    expect(said).toMatchObject({ code, out: "", err: expect.stringMatching(words) as string });
    expect(said.err).not.toContain("[unexpected]");
    expect(readdirSync(folder)).not.toContain("never");
  });

  test("where the labels file is missing, which excludes nothing, as on the local target", async () => {
    const labels = fileOf("labels.pipeline.json", { ...SHOPS, alarms: [], forecast: { exclude: "no-labels.json" } });
    const said = await synth(labels, "--out", join(folder, "labels"));
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(said.out).toContain(`warning: ${join(folder, "no-labels.json")} (forecast.exclude) is not there`);
    expect(readFileSync(join(folder, "labels/functions/publish/exclusions.json"), "utf8")).toBe("[]");
  });

  test("of the enrich module, by its name", async () => {
    const file = (enrich: string) => fileOf("enrich.pipeline.json", { ...SHOPS, alarms: [], enrich });
    fileOf("named.mjs", "export const enrich = (event) => event;");
    fileOf("slow.mjs", "export default async (event) => event;");
    const args = ["--out", join(folder, "enrich")];
    const gone = await synth(file("gone.mjs"), ...args);
    expect(gone).toMatchObject({ code: 1, err: expect.stringMatching(/gone\.mjs cannot be read.*"enrich"/) as string });
    expect((await synth(file("named.mjs"), ...args)).err).toMatch(
      /^named\.mjs exports nothing by default, only enrich/,
    );
    expect((await synth(file("slow.mjs"), ...args)).out).toContain("warning: The enrich module's function is async");
  });
});

test("of an earlier run, the folder keeps what is the same, and nothing else", async () => {
  const out = join(folder, "again");
  const shops = fileOf("shops.pipeline.json", { ...SHOPS, alarms: [] });
  await synth(SAMPLE, "--out", out);
  writeFileSync(join(out, "functions/own.zip"), "mine");
  expect(await synth(shops, "--out", out)).toMatchObject({ code: 0, err: "" });
  const names = Object.keys(digests(out));
  const fresh = join(folder, "fresh");
  await synth(shops, "--out", fresh);
  expect(names.filter((name) => name !== "functions/own.zip")).toEqual(Object.keys(digests(fresh)));
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
    await expect(fetchConnector(to, pinned)).rejects.toMatchObject({
      message: expect.stringMatching(/its SHA-256 is [0-9a-f]{64}, not/) as string,
      next: "Check where Maven fetches it from, and try again.",
    });
    expect(readdirSync(to)).toEqual([]);
  });

  test.each([
    ["another version", jarOf("6.0.0-2.0"), "it is of version 6.0.0-2.0"],
    ["another jar", jarOf(connector.version, "Flink : Core"), 'it calls itself "Flink : Core"'],
    [
      "a zip that is no jar",
      Buffer.from("504b0506000000000000000000000000000000000000", "hex"),
      'it calls itself "nothing"',
    ],
    ["half of it", JAR.subarray(0, JAR.length / 2), "it is no jar"],
    ["what a proxy says", Buffer.from("<html>Sign in</html>"), "it is no jar"],
  ])("is not %s", async (_, bytes, why) => {
    const to = place(bytes);
    const { sha256: none, ...unpinned } = pinned;
    await expect(fetchConnector(to, unpinned)).rejects.toThrow(`Kinesis connector ${connector.version}: ${why}.`);
    expect(readdirSync(to)).toEqual([]);
  });

  test("is whole to one run while another fetches it", async () => {
    const to = place(JAR);
    const both = await Promise.all([fetchConnector(to, pinned), fetchConnector(to, pinned)]);
    for (const bytes of both) expect(sha256(bytes)).toBe(pinned.sha256);
    expect(readdirSync(to)).toEqual([connector.file]);
  });

  test("of which a run that failed left a part is fetched anew", async () => {
    const to = place(JAR);
    const bin = process.env.PATH!;
    const mvn = readFileSync(join(bin, "mvn"), "utf8");
    writeFileSync(join(bin, "bytes"), JAR.subarray(0, 4));
    writeFileSync(join(bin, "mvn"), `${mvn}exit 1\n`);
    await expect(fetchConnector(to, connector)).rejects.toThrow("Maven cannot fetch");
    writeFileSync(join(bin, "bytes"), JAR);
    writeFileSync(join(bin, "mvn"), mvn);
    expect(sha256(await fetchConnector(to, connector))).toBe(pinned.sha256);
  });

  test("cannot be had without Maven, which is said", async () => {
    await expect(fetchConnector(place(), pinned)).rejects.toThrow("Maven is not installed");
  });
});
