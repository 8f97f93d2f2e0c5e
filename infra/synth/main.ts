/** `npm run synth`: writes what a deployment would put on AWS, for review. Touches no account. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeFault, Fault } from "../../src/core/fault.ts";
import { type Exclusion, parseLabels } from "../../src/core/labels.ts";
import { listedGroups } from "../../src/core/prepare.ts";
import { type PipelineSpec, requireSpec } from "../../src/core/spec.ts";
import { estimateCost } from "../cost/estimate.ts";
import connector from "../flink/connector.json" with { type: "json" };
import { partitionOf } from "../template/context.ts";
import { artifactsTemplate, FUNCTIONS, type Incidents, type Synthesis, synthesize } from "../template/synthesize.ts";
import { type Archive, flinkArchive, functionArchives } from "./bundle.ts";
import { checkConnector, fetchConnector, sha256 } from "./connector.ts";
import { parseGroups } from "./groups.ts";
import { steps } from "./steps.ts";

const USAGE = `Usage: npm run synth -- <name>.pipeline.json --out DIR [options]

  --out DIR            where to write
  --target NAME        which of the file's targets (default: the first)
  --region REGION      default: the target's, else us-east-1
  --incidents KIND     incident-manager or ops-center (default: the target's, else ops-center)
  --contact ARN        whom an incident of Incident Manager engages; may be given several times
  --bucket NAME        the bucket of code (default: a name to be replaced)
  --email ADDRESS      address that alarms mail to
  --discard-data       let the lake and its key go with the stack (default: they outlive it)
  --groups FILE        the groups of fields without listed values: a line each with | between the values, or a JSON list
  --groups-count N     how many groups there will be, for the cost alone (default: as many as --groups has, else 10);
                       those of --groups have alarms, the others are measured
  --rate N             records a second, for the cost (default 10)
  --record-bytes N     bytes of a record, for the cost (default 300)
  --fetch              fetch the Kinesis connector of Flink with Maven, and put it into the application's archive
  --jar FILE           the connector as a file, to put there instead
`;

const OPTIONS = {
  out: { type: "string" },
  target: { type: "string" },
  region: { type: "string" },
  incidents: { type: "string" },
  contact: { type: "string", multiple: true, default: [] as string[] },
  bucket: { type: "string" },
  email: { type: "string" },
  "discard-data": { type: "boolean", default: false },
  groups: { type: "string" },
  "groups-count": { type: "string" },
  rate: { type: "string", default: "10" },
  "record-bytes": { type: "string", default: "300" },
  jar: { type: "string" },
  fetch: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Runs the command; resolves with the exit code. `root` is the folder of this repository. */
export async function main(args: readonly string[], root: string): Promise<number> {
  try {
    const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
    const [file] = positionals;
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (file === undefined || positionals.length > 1 || values.out === undefined) {
      process.stderr.write(USAGE);
      return 2;
    }
    const spec = requireSpec(await readText(file), file);
    const chosen = choose(spec, values);
    const groups =
      values.groups === undefined ? undefined : parseGroups(await readText(values.groups), values.groups, spec);
    const count =
      values["groups-count"] === undefined ? undefined : countOf(values["groups-count"], spec, groups?.length);
    const cost = estimateCost(spec, {
      recordsPerSecond: positive(values.rate, "--rate"),
      recordBytes: positive(values["record-bytes"], "--record-bytes"),
      ...(groups && { groupsGiven: groups.length }),
      ...(count !== undefined && { groups: count }),
    });
    const jar = await readConnector(values);
    const functions = await functionArchives(root, spec, {
      ...(spec.enrich !== undefined && (await readEnrich(join(dirname(file), spec.enrich)))),
      exclusions: await readExclusions(file, spec),
      ...(groups && { groups }),
    });
    const flink = await flinkArchive(root, spec, jar);
    const synthesis = synthesize(spec, {
      region: chosen.region,
      incidents: chosen.incidents,
      keepData: !values["discard-data"],
      artifacts: {
        bucket: values.bucket ?? "replace-with-the-artifacts-bucket",
        functions: Object.fromEntries(FUNCTIONS.map((name) => [name, functions[name].key])) as Record<
          (typeof FUNCTIONS)[number],
          string
        >,
        flink: flink.key,
      },
      ...(groups && { groups }),
      ...(values.email !== undefined && { email: values.email }),
    });
    const out = resolve(values.out);
    const put = async (path: string, content: string | Uint8Array) => {
      await mkdir(dirname(join(out, path)), { recursive: true });
      await writeFile(join(out, path), content);
    };
    await put("template.json", synthesis.body);
    await put("artifacts-template.json", pretty(artifactsTemplate()));
    await put("workflow.json", pretty(synthesis.template.Resources.Training!.Properties.Definition));
    await put("cost.json", pretty(cost));
    for (const { key, body } of synthesis.nested) await put(key, body);
    for (const name of FUNCTIONS) await putArchive(put, `functions/${name}`, functions[name]);
    await putArchive(put, "flink/windows", flink);
    const connectorWords = jar
      ? `${connector.file}: SHA-256 ${sha256(jar)}`
      : `${connector.file} is not in the application's archive: give --fetch or --jar before you deploy`;
    const folders = ["functions", "flink", ...(synthesis.nested.length > 0 ? ["templates"] : [])];
    const lines = [
      ...chosen.words,
      ...summary(out, synthesis, functions, cost),
      connectorWords,
      ...steps({
        stackName: synthesis.stackName,
        out,
        region: chosen.region,
        account: chosen.account,
        profile: chosen.profile,
        bucket: values.bucket,
        connector: jar !== undefined,
        folders,
        email: values.email,
      }),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${describeFault(Fault.from(error))}\n`);
    return 1;
  }
}

/** Where it is deployed to, and who manages its incidents. */
interface Chosen {
  readonly region: string;
  /** Undefined where the pipeline file has no target: then it is the account of whoever deploys. */
  readonly account: string | undefined;
  readonly profile: string | undefined;
  readonly incidents: Incidents;
  readonly words: readonly string[];
}

function choose(
  spec: PipelineSpec,
  values: {
    readonly target?: string;
    readonly region?: string;
    readonly incidents?: string;
    readonly contact: readonly string[];
  },
): Chosen {
  const names = Object.keys(spec.targets);
  const name = values.target ?? names[0];
  const target = name === undefined ? undefined : spec.targets[name];
  if (values.target !== undefined && target === undefined) {
    throw new Fault("input.invalid", `The pipeline file has no target "${values.target}".`, {
      next: names.length > 0 ? `Give one of ${names.join(", ")}.` : "Leave --target out.",
    });
  }
  const region = values.region ?? target?.region ?? "us-east-1";
  const kind = values.incidents ?? target?.incidents ?? "ops-center";
  const incidents = incidentsOf(kind, values.contact);
  const first = names.length > 1 && values.target === undefined ? `, the first of ${names.length} (--target)` : "";
  const hint =
    partitionOf(region) === "aws"
      ? "looks into the account, which this command does not: give --incidents incident-manager where it is in use"
      : "is OpsCenter here: Incident Manager is not to be had";
  const auto = kind === "auto" ? ` ("auto" ${hint})` : "";
  return {
    region,
    account: target?.account,
    profile: target?.profile,
    incidents,
    words: [
      name === undefined ? "target: none in the pipeline file" : `target: ${name}${first}`,
      ...(target ? [`account: ${target.account}${target.profile ? `, with the profile ${target.profile}` : ""}`] : []),
      `region: ${region}`,
      `incidents: ${incidents.kind}${auto}`,
    ],
  };
}

async function putArchive(put: (path: string, content: Uint8Array) => Promise<void>, folder: string, archive: Archive) {
  for (const [path, content] of Object.entries(archive.files)) await put(`${folder}/${path}`, content);
  await put(archive.key, archive.zip);
}

function summary(
  out: string,
  { stackName, template, nested, warnings }: Synthesis,
  functions: Readonly<Record<string, Archive>>,
  cost: ReturnType<typeof estimateCost>,
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
    ...[...warnings, ...cost.warnings].map((warning) => `warning: ${warning}`),
  ];
}

function incidentsOf(kind: string, contacts: readonly string[]): Incidents {
  if (kind === "incident-manager") return { kind, contacts };
  if (contacts.length > 0) {
    throw new Fault("input.invalid", "Only incidents of Incident Manager engage contacts.", {
      next: "Leave --contact out, or give --incidents incident-manager.",
    });
  }
  // "auto" is settled by looking into the account, which this command does not.
  if (kind === "ops-center" || kind === "auto") return { kind: "ops-center" };
  throw new Fault("input.invalid", `There is no incident manager "${kind}".`, {
    next: "Give incident-manager or ops-center.",
  });
}

async function readExclusions(file: string, spec: PipelineSpec): Promise<Exclusion[]> {
  if (spec.forecast.exclude === undefined) return [];
  const path = join(dirname(file), spec.forecast.exclude);
  if (!existsSync(path)) return [];
  return parseLabels(await readText(path), path);
}

async function readEnrich(path: string): Promise<{ readonly enrich: string; readonly enrichFolder: string }> {
  return { enrich: await readText(path), enrichFolder: dirname(resolve(path)) };
}

/** The Kinesis connector's bytes, where they were asked for. */
async function readConnector(values: {
  readonly jar?: string;
  readonly fetch?: boolean;
}): Promise<Uint8Array | undefined> {
  if (values.jar !== undefined) return checkConnector(await readFile(values.jar), values.jar);
  return values.fetch ? fetchConnector() : undefined;
}

/** A file's text, without the byte order mark that some editors put before it. */
async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readFile(path));
  } catch (error) {
    throw new Fault("spec.not-found", `${path} cannot be read.`, { cause: error, next: "Check the path." });
  }
}

/** How many groups there will be, of which so many are given. */
function countOf(text: string, spec: PipelineSpec, given = 0): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new Fault("input.invalid", `--groups-count is "${text}"; it must be a whole number above 0.`);
  if (listedGroups(spec))
    throw new Fault("input.invalid", "The pipeline file lists its groups, and --groups-count says another number.", {
      next: "Leave --groups-count out.",
    });
  if (count < given)
    throw new Fault("input.invalid", `--groups-count is ${count}, and --groups has ${given} groups.`, {
      next: `Leave --groups-count out, or give ${given} or more.`,
    });
  return count;
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Fault("input.invalid", `${option} is "${text}"; it must be a number above 0.`);
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
