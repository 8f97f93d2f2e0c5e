/** The files that a deployment is made from, read as the engine reads them. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault, type FaultCode } from "../../src/core/fault.ts";
import { type Exclusion, parseLabels } from "../../src/core/labels.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import type { Companions } from "./bundle.ts";
import { checkConnector } from "./connector.ts";

/** A file's text, without the byte order mark that some editors put before it. @throws Fault of `code` */
export async function readText(path: string, code: FaultCode, next: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, code, next));
}

/**
 * What lies beside the pipeline `file` and goes with its functions, and warnings of what does not lie there.
 * @throws Fault `enrich.failed` without the enrich module, `input.invalid` where the labels are none.
 */
export async function readCompanions(
  file: string,
  { enrich, forecast }: PipelineSpec,
): Promise<{ readonly companions: Companions; readonly warnings: readonly string[] }> {
  const folder = dirname(file);
  const labels = forecast.exclude === undefined ? undefined : join(folder, forecast.exclude);
  // As on the local target, where the file may come later. Here it goes with the code, so that later means another deployment.
  const missing = labels !== undefined && !existsSync(labels);
  return {
    companions: {
      ...(enrich !== undefined && (await readEnrich(join(folder, enrich)))),
      exclusions: labels === undefined || missing ? [] : await readLabels(labels),
    },
    warnings: missing
      ? [`${labels} (forecast.exclude) is not there: trainings leave nothing out until it is written and deployed.`]
      : [],
  };
}

async function readEnrich(path: string): Promise<Omit<Companions, "exclusions">> {
  const enrich = await readText(path, "enrich.failed", 'Check "enrich" in the pipeline file.');
  return { enrich, enrichFolder: dirname(path), enrichName: basename(path) };
}

async function readLabels(path: string): Promise<Exclusion[]> {
  return parseLabels(await readText(path, "input.invalid", 'Check "forecast.exclude" in the pipeline file.'), path);
}

/** The Kinesis connector's bytes from the file of --jar. @throws Fault `input.invalid` where it is not the connector */
export async function readJar(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path, "input.invalid", "Check the path of --jar, or give --fetch in its place.");
  return checkConnector(bytes, path, "Give another file as --jar, or --fetch in its place.");
}

async function readBytes(path: string, code: FaultCode, next: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Fault(code, `${path} cannot be read.`, { cause: error, next });
  }
}
