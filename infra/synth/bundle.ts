/** The functions' and the Flink application's archives: the same content gives the same bytes, and so the same key. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { zipSync } from "fflate";
import type { Exclusion } from "../../src/core/labels.ts";
import { type Group, groupKey } from "../../src/core/series.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import connector from "../flink/connector.json" with { type: "json" };
import { flinkJob } from "../flink/job.ts";
import { alarmShape } from "../template/alert.ts";
import { FUNCTIONS, type FunctionName } from "../template/context.ts";
import { BUNDLE, bundleEnrich, type EnrichModule } from "./enrich.ts";

/** Files of an archive by their paths in it. */
export type Files = Readonly<Record<string, Uint8Array>>;

export interface Archive {
  readonly key: string;
  readonly files: Files;
  readonly zip: Uint8Array;
}

/** What lies beside a pipeline file and goes with its functions. */
export interface Companions extends EnrichModule {
  readonly exclusions: readonly Exclusion[];
  /** The groups that were given from the data; the comparison is told of them where a rule has an alarm for each. */
  readonly groups?: readonly Group[];
}

/** Functions that run the user's module. */
const ENRICHING: readonly FunctionName[] = ["enrich", "relay"];

/**
 * Bundles the handlers of `root`/infra/lambda for Node 22, and the user's module with what it imports.
 * @throws Fault `enrich.failed` when that cannot be bundled, or exports nothing by default.
 */
export async function functionArchives(
  root: string,
  spec: PipelineSpec,
  companions: Companions,
): Promise<Record<FunctionName, Archive>> {
  const result = await build({
    entryPoints: Object.fromEntries(FUNCTIONS.map((name) => [name, join(root, "infra", "lambda", `${name}.ts`)])),
    ...BUNDLE,
    minify: true,
    // jsonc-parser's CommonJS build loads its parts in a way that cannot be bundled; its module build can.
    mainFields: ["module", "main"],
    outdir: "out",
    outExtension: { ".js": ".mjs" },
  });
  const enrich = await bundleEnrich(companions);
  const { groups } = companions;
  // A rule that is one query finds new groups by itself: none lacks its alarm.
  const alarmASeries = spec.alarms.some((rule) => alarmShape({ spec, groups }, rule) === "per-series");
  const archives = FUNCTIONS.map((name) => {
    const bundled = result.outputFiles.find((file) => file.path.endsWith(`${name}.mjs`))!;
    const files: Record<string, Uint8Array> = {
      "index.mjs": bundled.contents,
      "pipeline.json": text(JSON.stringify(spec)),
    };
    if (enrich && ENRICHING.includes(name)) files["enrich.mjs"] = enrich;
    if (name === "publish") files["exclusions.json"] = text(JSON.stringify(companions.exclusions));
    if (name === "compare" && groups && alarmASeries) files["groups.json"] = text(JSON.stringify(groups.map(groupKey)));
    return [name, archive(`functions/${name}`, files)] as const;
  });
  return Object.fromEntries(archives) as Record<FunctionName, Archive>;
}

/**
 * The Flink application. Without `jar` (the connector's bytes) its archive lacks the connector and cannot be deployed, but shows
 * what would be; its key then stands for the connector by name.
 */
export async function flinkArchive(root: string, spec: PipelineSpec, jar?: Uint8Array): Promise<Archive> {
  const files: Record<string, Uint8Array> = {
    "main.py": await readFile(join(root, "infra", "flink", "main.py")),
    "job.json": text(`${JSON.stringify(flinkJob(spec), undefined, 2)}\n`),
    "connector.json": text(`${JSON.stringify(connector, undefined, 2)}\n`),
  };
  if (jar) files[`lib/${connector.file}`] = jar;
  return archive("flink/windows", files);
}

function archive(prefix: string, files: Files): Archive {
  const hash = createHash("sha256");
  for (const [path, content] of Object.entries(files)) hash.update(`${path}\n${content.length}\n`).update(content);
  // One date for all: the archive of equal files is equal.
  const zip = zipSync(files, { level: 9, mtime: new Date(1980, 0, 2) });
  return { key: `${prefix}-${hash.digest("hex").slice(0, 16)}.zip`, files, zip };
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
