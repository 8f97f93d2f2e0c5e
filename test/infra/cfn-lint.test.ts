import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { artifactsTemplate, synthesize } from "../../infra/template/synthesize.ts";
import { options, PIPELINES } from "../unit/infra/pipelines.ts";
import { awsTools, runPython } from "./python.ts";

const REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"];
const folder = mkdtempSync(join(tmpdir(), "forewatch-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function lint(files: readonly string[]) {
  const run = await runPython(
    (tools as { python: string }).python,
    [
      "-c",
      "import sys; from cfnlint.runner import main; sys.exit(main())",
      "--format",
      "parseable",
      ...REGIONS.flatMap((r) => ["-r", r]),
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
  expect(await lint(files)).toEqual({ code: 0, text: "" });
});

test("cfn-lint does look: it finds a retention that no log group may have", { timeout: 600_000 }, async ({ skip }) => {
  if (missing) skip(missing);
  const [spec] = Object.values(PIPELINES);
  const broken = synthesize(spec!, options()).body.replace('"RetentionInDays": 30', '"RetentionInDays": 31');
  expect((await lint([write("broken", broken)])).text).toContain("E3030");
});
