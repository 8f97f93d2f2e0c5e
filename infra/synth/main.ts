/** `npm run synth`: writes what a deployment would put on AWS, for review. Touches no account. */
import { describeFault, Fault } from "../../src/core/fault.ts";
import { listedGroups } from "../../src/core/prepare.ts";
import type { Group } from "../../src/core/series.ts";
import { type PipelineSpec, requireSpec } from "../../src/core/spec.ts";
import { estimateCost } from "../cost/estimate.ts";
import connector from "../flink/connector.json" with { type: "json" };
import type { Artifacts } from "../template/context.ts";
import { artifactsTemplate, FUNCTIONS, type Synthesis, synthesize } from "../template/synthesize.ts";
import { type Archive, flinkArchive, functionArchives } from "./bundle.ts";
import { fetchConnector, sha256 } from "./connector.ts";
import { enrichWarnings } from "./enrich.ts";
import { openFolder } from "./folder.ts";
import { parseGroups } from "./groups.ts";
import { readCompanions, readJar, readText } from "./inputs.ts";
import { Misuse, type Options, readOptions, USAGE } from "./options.ts";
import { steps } from "./steps.ts";
import { type Chosen, choose } from "./target.ts";

/**
 * Runs the command; resolves with the exit code: 1 for what cannot be, 2 for a command line that is none.
 * @param root the folder of this repository.
 * @param folder the folder that relative paths are of.
 */
export async function main(args: readonly string[], root: string, folder = process.cwd()): Promise<number> {
  try {
    const options = readOptions(args, folder);
    process.stdout.write(options ? `${(await run(options, root)).join("\n")}\n` : USAGE);
    return 0;
  } catch (error) {
    const misuse = error instanceof Misuse;
    process.stderr.write(`${describeFault(Fault.from(error))}\n${misuse ? `\n${USAGE}` : ""}`);
    return misuse ? 2 : 1;
  }
}

type CostEstimate = ReturnType<typeof estimateCost>;

/** What the archives' keys are before there are archives. */
const NO_KEYS: Omit<Artifacts, "bucket"> = {
  functions: Object.fromEntries(FUNCTIONS.map((name) => [name, name])) as Artifacts["functions"],
  flink: "flink",
};

/** Writes the files; resolves with the lines that say what was written, and what to do with it. */
async function run(options: Options, root: string): Promise<string[]> {
  const { file } = options;
  const spec = requireSpec(await readText(file, "spec.not-found", "Check the path."), file);
  const chosen = choose(spec, options);
  const groups = await readGroups(options, spec);
  const cost = costOf(options, chosen, spec, groups);
  const synthesis = (code: typeof NO_KEYS) =>
    synthesize(spec, {
      region: chosen.region,
      incidents: chosen.incidents,
      keepData: options.keepData,
      artifacts: { bucket: options.bucket ?? "replace-with-the-artifacts-bucket", ...code },
      ...(groups && { groups }),
      ...(options.email !== undefined && { email: options.email }),
    });
  // What cannot be deployed is told before anything is fetched or bundled, which takes long.
  synthesis(NO_KEYS);
  const out = await openFolder(options.out);
  const { companions, warnings } = await readCompanions(file, spec);
  const given = options.jar === undefined ? undefined : await readJar(options.jar);
  const functions = await functionArchives(root, spec, { ...companions, ...(groups && { groups }) });
  const jar = options.fetch ? await fetchConnector() : given;
  const flink = await flinkArchive(root, spec, jar);
  const made = synthesis({
    functions: Object.fromEntries(FUNCTIONS.map((name) => [name, functions[name].key])) as Artifacts["functions"],
    flink: flink.key,
  });
  const changed = await out.write(contentsOf(made, functions, flink, cost));
  const enrich = functions.enrich.files["enrich.mjs"];
  return [
    ...chosen.words,
    ...summary(options.out, made, functions, cost),
    ...[...made.warnings, ...cost.warnings, ...warnings, ...(enrich ? enrichWarnings(enrich) : []), ...changed].map(
      (warning) => `warning: ${warning}`,
    ),
    jar
      ? `${connector.file}: SHA-256 ${sha256(jar)}`
      : `${connector.file} is not in the application's archive: give --fetch or --jar before you deploy`,
    ...stepsOf(options, chosen, made, [...Object.values(functions), flink], jar !== undefined),
  ];
}

async function readGroups({ groups: path }: Options, spec: PipelineSpec): Promise<Group[] | undefined> {
  if (path === undefined) return undefined;
  return parseGroups(await readText(path, "input.invalid", "Check the path of --groups."), path, spec);
}

function costOf(
  options: Options,
  { region, incidents }: Chosen,
  spec: PipelineSpec,
  groups: readonly Group[] | undefined,
): CostEstimate {
  const { rate, recordBytes, groupsCount } = options;
  if (groupsCount !== undefined) checkCount(groupsCount, spec, groups?.length);
  return estimateCost(spec, {
    recordsPerSecond: rate,
    recordBytes,
    region,
    incidents: incidents.kind,
    ...(groups && { groupsGiven: groups.length }),
    ...(groupsCount !== undefined && { groups: groupsCount }),
  });
}

/** How many groups there will be, of which so many are given. */
function checkCount(count: number, spec: PipelineSpec, given = 0): void {
  if (listedGroups(spec))
    throw new Fault("input.invalid", "The pipeline file lists its groups, and --groups-count says another number.", {
      next: "Leave --groups-count out.",
    });
  if (count < given)
    throw new Fault("input.invalid", `--groups-count is ${count}, and --groups has ${given} groups.`, {
      next: `Leave --groups-count out, or give ${given} or more.`,
    });
}

/** All files by their paths. */
function contentsOf(
  { body, template, nested }: Synthesis,
  functions: Readonly<Record<string, Archive>>,
  flink: Archive,
  cost: CostEstimate,
): Map<string, string | Uint8Array> {
  const archived = (folder: string, { key, files, zip }: Archive) => [
    ...Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content] as const),
    [key, zip] as const,
  ];
  return new Map<string, string | Uint8Array>([
    ["template.json", body],
    ["artifacts-template.json", pretty(artifactsTemplate())],
    ["workflow.json", pretty(template.Resources.Training!.Properties.Definition)],
    ["cost.json", pretty(cost)],
    ...nested.map(({ key, body: text }) => [key, text] as const),
    ...FUNCTIONS.flatMap((name) => archived(`functions/${name}`, functions[name]!)),
    ...archived("flink/windows", flink),
  ]);
}

function stepsOf(
  { out, bucket, email }: Options,
  { region, account, profile }: Chosen,
  { stackName, nested }: Synthesis,
  archives: readonly Archive[],
  withConnector: boolean,
): string[] {
  const keys = [...archives, ...nested].map(({ key }) => key);
  return steps({ stackName, out, region, account, profile, bucket, connector: withConnector, keys, email });
}

function summary(
  out: string,
  { stackName, template, nested }: Synthesis,
  functions: Readonly<Record<string, Archive>>,
  cost: CostEstimate,
): string[] {
  const bundles = Object.entries(functions).map(([name, { zip }]) => `${name} ${Math.round(zip.length / 1_024)} KB`);
  const services = cost.services.map(
    (s) => `  ${s.cost.toFixed(2).padStart(10)}  ${s.service}${s.lever ? ` - ${s.lever}` : ""}`,
  );
  const inside = nested.length > 0 ? `, ${nested.length} of them stacks of alarms` : "";
  return [
    `${out}: stack ${stackName} with ${Object.keys(template.Resources).length} resources${inside}`,
    `functions: ${bundles.join(", ")}`,
    `about ${cost.total.toFixed(2)} US dollars a month (${cost.pricesOf}):`,
    ...services,
  ];
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
