import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { artifactsTemplate, synthesize } from "../../infra/template/synthesize.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "../unit/infra/pipelines.ts";
import { awsTools, runPython } from "./python.ts";

const REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"];
/** One of each other partition that there are schemas of. */
const ELSEWHERE = ["cn-north-1", "us-gov-west-1"];
/** A rule over discovered groups that looks further back than one query does. */
const LONG = { ...CLICKS.alarms[1]!, periods: 40, datapoints: 30 };
const folder = mkdtempSync(join(tmpdir(), "forewatch-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function lint(files: readonly string[], regions: readonly string[] = REGIONS) {
  const run = await runPython(
    (tools as { python: string }).python,
    [
      "-c",
      "import sys; from cfnlint.runner import main; sys.exit(main())",
      "--format",
      "parseable",
      ...regions.flatMap((r) => ["-r", r]),
      "--",
      ...files,
    ],
    {
      timeout: 850_000,
    },
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

test(`cfn-lint finds nothing in ${REGIONS.join(", ")}`, { timeout: 900_000 }, async ({ skip }) => {
  if (missing) skip(missing);
  const files = Object.entries(PIPELINES).flatMap(([name, spec]) => [
    write(name, synthesize(spec, options({ email: "on-call@example.org" })).body),
    write(`${name}-incidents`, synthesize(spec, options({ incidents: { kind: "incident-manager" } })).body),
  ]);
  files.push(write("artifacts", JSON.stringify(artifactsTemplate())));
  const contact = "arn:aws:ssm-contacts:eu-west-1:123456789012:contact/on-call";
  const engaging = options({ incidents: { kind: "incident-manager", contacts: [contact] }, keepData: false });
  files.push(write("contacts", synthesize(FLIGHTS, engaging).body));
  const groups = Array.from({ length: 120 }, (_, i) => [`page ${i}`, "true"]);
  files.push(write("groups", synthesize({ ...CLICKS, alarms: [LONG] }, options({ groups })).body));
  // So many that their alarms are stacks of their own: the first of them, the last, and what they lie in.
  const many = Array.from({ length: 610 }, (_, i) => [`page ${i}`, "false"]);
  const { body, nested } = synthesize({ ...CLICKS, alarms: [LONG] }, options({ groups: many, tags: { team: "web" } }));
  files.push(write("many", body));
  for (const inside of [nested[0]!, nested.at(-1)!]) files.push(write(inside.id, inside.body));
  expect(await lint(files)).toEqual({ code: 0, text: "" });
});

test.for(ELSEWHERE)("cfn-lint finds nothing in %s", { timeout: 900_000 }, async (region, { skip }) => {
  if (missing) skip(missing);
  const files = [FLIGHTS, CLICKS].map((spec) =>
    write(`${spec.name}-${region}`, synthesize(spec, options({ region, email: "on-call@example.org" })).body),
  );
  const { text } = await lint([...files, write(`artifacts-${region}`, JSON.stringify(artifactsTemplate()))], [region]);
  // Of a workflow's integrations it knows those of the commercial partition alone.
  const known = /:E3601:'arn:aws-(cn|us-gov):states:::[\w:.-]+' does not match /;
  expect(text.split("\n").filter((line) => line !== "" && !known.test(line))).toEqual([]);
});

test("cfn-lint does look: it finds a retention that no log group may have", { timeout: 600_000 }, async ({ skip }) => {
  if (missing) skip(missing);
  const [spec] = Object.values(PIPELINES);
  const broken = synthesize(spec!, options()).body.replace('"RetentionInDays": 30', '"RetentionInDays": 31');
  expect((await lint([write("broken", broken)])).text).toContain("E3030");
});
