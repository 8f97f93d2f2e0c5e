import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import images from "../../infra/template/deepar-images.json" with { type: "json" };
import regions from "../../infra/template/regions.json" with { type: "json" };
import { artifactsTemplate, type SynthesisOptions, synthesize } from "../../infra/template/synthesize.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "../unit/infra/pipelines.ts";
import { awsTools, runPython } from "./python.ts";

const REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"];
/** A region without Incident Manager, one that cannot attach Flink's log either, and one of each other partition with schemas. */
const ELSEWHERE = ["ap-east-1", "ca-west-1", "cn-north-1", "us-gov-west-1"];
/** A rule over discovered groups that looks further back than one query does. */
const LONG = { ...CLICKS.alarms[1]!, periods: 40, datapoints: 30 };
const folder = mkdtempSync(join(tmpdir(), "forewatch-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Templates for a region are linted for it: what they are made of hangs on it. */
async function lint(files: readonly string[], region: string) {
  const main = "import sys; from cfnlint.runner import main; sys.exit(main())";
  const run = await runPython(
    (tools as { python: string }).python,
    ["-c", main, "--format", "parseable", "-r", region, "--", ...files],
    { timeout: 850_000 },
  );
  return { code: run.status, text: `${run.stdout}${run.stderr}` };
}
function write(name: string, body: string): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, body);
  return file;
}

const tools = await awsTools();
const missing = "lacking" in tools ? tools.lacking : undefined;

test.for(REGIONS)("cfn-lint finds nothing in %s", { timeout: 900_000 }, async (region, { skip }) => {
  if (missing) skip(missing);
  const inRegion = (over: Partial<SynthesisOptions> = {}) => options({ region, ...over });
  const put = (name: string, body: string) => write(`${name}-${region}`, body);
  const manager = { kind: "incident-manager" } as const;
  const files = Object.entries(PIPELINES).flatMap(([name, spec]) => [
    put(name, synthesize(spec, inRegion({ email: "on-call@example.org" })).body),
    put(`${name}-incidents`, synthesize(spec, inRegion({ incidents: manager })).body),
  ]);
  files.push(put("artifacts", JSON.stringify(artifactsTemplate())));
  const contacts = [`arn:aws:ssm-contacts:${region}:123456789012:contact/on-call`];
  const engaging = inRegion({ incidents: { ...manager, contacts }, keepData: false });
  files.push(put("contacts", synthesize(FLIGHTS, engaging).body));
  const groups = Array.from({ length: 120 }, (_, i) => [`page ${i}`, "true"]);
  files.push(put("groups", synthesize({ ...CLICKS, alarms: [LONG] }, inRegion({ groups })).body));
  // So many that their alarms are stacks of their own: the first of them, the last, and what they lie in.
  const many = Array.from({ length: 610 }, (_, i) => [`page ${i}`, "false"]);
  const { body, nested } = synthesize({ ...CLICKS, alarms: [LONG] }, inRegion({ groups: many, tags: { team: "web" } }));
  files.push(put("many", body));
  for (const inside of [nested[0]!, nested.at(-1)!]) files.push(put(inside.id, inside.body));
  expect(await lint(files, region)).toEqual({ code: 0, text: "" });
});

test.for(ELSEWHERE)("cfn-lint finds nothing in %s", { timeout: 900_000 }, async (region, { skip }) => {
  if (missing) skip(missing);
  const files = [FLIGHTS, CLICKS].map((spec) =>
    write(`${spec.name}-${region}`, synthesize(spec, options({ region, email: "on-call@example.org" })).body),
  );
  const { text } = await lint([...files, write(`artifacts-${region}`, JSON.stringify(artifactsTemplate()))], region);
  // Of a workflow's integrations it knows those of the commercial partition alone.
  const known = /:E3601:'arn:aws-(cn|us-gov):states:::[\w:.-]+' does not match /;
  expect(text.split("\n").filter((line) => line !== "" && !known.test(line))).toEqual([]);
});

test("cfn-lint does look: it finds a retention that no log group may have", { timeout: 600_000 }, async ({ skip }) => {
  if (missing) skip(missing);
  const [spec] = Object.values(PIPELINES);
  const broken = synthesize(spec!, options()).body.replace('"RetentionInDays": 30', '"RetentionInDays": 31');
  expect((await lint([write("broken", broken)], "eu-west-1")).text).toContain("E3030");
});

/** Of each region in `regions`, which of `types` it has no schema of. */
const SCHEMALESS = `
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
regions, types = json.loads(sys.argv[1])
print(json.dumps({region: sorted(set(types) - set(schemas.get_resource_types(region))) for region in regions}))
`;

test("the list of what regions lack is cfn-lint's own, of all types in the templates", async ({ skip }) => {
  if (missing) skip(missing);
  const stacks = (["ops-center", "incident-manager"] as const).map((kind) =>
    synthesize(FLIGHTS, options({ incidents: { kind } })),
  );
  const types = new Set(stacks.flatMap(({ template }) => Object.values(template.Resources).map(({ Type }) => Type)));
  const where = Object.keys(images.accounts).filter((region) => !region.includes("-iso"));
  const args = JSON.stringify([where, [...types, "AWS::CloudFormation::Stack"]]);
  const run = await runPython((tools as { python: string }).python, ["-c", SCHEMALESS, args]);
  expect(run.stderr).toBe("");
  const listed = (region: string) =>
    Object.entries(regions.absent).flatMap(([type, without]) => (without.includes(region) ? [type] : []));
  expect(JSON.parse(run.stdout)).toEqual(Object.fromEntries(where.map((region) => [region, listed(region).sort()])));
});
