/** The noun `stack`: deploying, changing and removing pipelines on the local target. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { CallOptions, DeployRequest, PipelineStatus, PlannedChange, Stack, StackPlan } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { byFields, type PipelineSpec, type requireSpec } from "../core/spec.ts";
import { formatDuration } from "../core/time.ts";
import { toKept } from "./data-folder.ts";
import { type Deployment, dataFolder, type EngineParts, Pipeline, readLabels } from "./pipeline.ts";
import type { Registry } from "./registry.ts";
import { dropSchemas } from "./store.ts";

export function stackOf(parts: EngineParts, registry: Registry, parse: typeof requireSpec): Stack {
  const { store, folder, emit } = parts;

  async function read(request: DeployRequest): Promise<Deployment> {
    const file = resolve(request.file);
    if (!existsSync(file))
      throw new Fault("spec.not-found", `There is no pipeline file ${file}.`, { next: "Choose another file." });
    const spec = parse(await readFile(file, "utf8"), file);
    return { spec, file, liveFrom: request.liveFrom ?? null, deployedAt: Date.now(), trusted: request.trusted };
  }

  async function lacking({ spec, file, trusted }: Deployment): Promise<Fault[]> {
    const lacks: Fault[] = [];
    const need = (path: string | undefined, what: string) => {
      if (path !== undefined && !existsSync(join(dirname(file), path))) {
        lacks.push(
          new Fault("spec.not-found", `The ${what} ${path} is not there.`, {
            next: "Create it, or take it out of the pipeline file.",
          }),
        );
      }
    };
    need(spec.enrich, "enrich module");
    if (spec.enrich !== undefined && !trusted) {
      lacks.push(
        new Fault("enrich.failed", "This pipeline runs code (enrich), and the workspace is not trusted.", {
          next: "Trust the workspace.",
        }),
      );
    }
    if (spec.forecast.exclude)
      await readLabels(join(dirname(file), spec.forecast.exclude)).catch((e: unknown) => lacks.push(Fault.from(e)));
    const other = registry.find(spec.name);
    const kept = other ? undefined : await keptSpec(spec.name);
    if (other && other.deployment.file !== file) {
      lacks.push(
        new Fault("stack.exists", `A pipeline "${spec.name}" is deployed from ${other.deployment.file}.`, {
          next: "Give this one another name, or remove that one.",
        }),
      );
    }
    const clash = other?.deployment.file === file && shapeChange(other.spec, spec);
    if (clash)
      lacks.push(
        new Fault("stack.exists", clash, { next: "Remove the pipeline with its data, then deploy it again." }),
      );
    const strange = kept && shapeChange(kept, spec);
    if (strange)
      lacks.push(
        new Fault("stack.exists", `Data of a removed pipeline "${spec.name}" are still here. ${strange}`, {
          next: "Give this one another name, or deploy it as it was and remove it with its data.",
        }),
      );
    return lacks;
  }

  /** What a removed pipeline's data fit, if they stayed. */
  async function keptSpec(name: string): Promise<PipelineSpec | undefined> {
    const [row] = await store.read("SELECT spec FROM main.kept WHERE name = $1", [name]);
    return row && (JSON.parse(String(row.spec)) as PipelineSpec);
  }

  /** Removes all that a pipeline has stored. */
  async function forget(name: string): Promise<void> {
    await store.transaction(async (writer) => {
      await writer.run("DELETE FROM main.kept WHERE name = $1", [name]);
      await dropSchemas(writer, name);
    });
    await rm(dataFolder(folder, name), { recursive: true, force: true });
  }

  let turn: Promise<unknown> = Promise.resolve();
  /** Deployments and removals wait for each other: two pumps on the same data would do everything twice. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work);
    turn = next.catch(() => {});
    return next;
  }

  async function save({ spec, file, liveFrom, deployedAt, trusted }: Deployment): Promise<void> {
    await store.transaction(async (writer) => {
      await writer.run("DELETE FROM main.pipeline WHERE name = $1", [spec.name]);
      await writer.run("DELETE FROM main.kept WHERE name = $1", [spec.name]);
      await writer.run("INSERT INTO main.pipeline VALUES ($1, $2, $3, $4, $5, $6)", [
        spec.name,
        toKept(dirname(folder), file),
        JSON.stringify(spec),
        liveFrom === null ? null : BigInt(liveFrom),
        BigInt(deployedAt),
        trusted,
      ]);
    });
  }

  async function deploy(request: DeployRequest, options: CallOptions): Promise<PipelineStatus> {
    const deployment = await read(request);
    const { spec } = deployment;
    const [lack] = await lacking(deployment);
    if (lack) throw lack;
    if (options.signal?.aborted) throw new Fault("cancelled", "The deployment was cancelled.");
    const current = registry.find(spec.name);
    const message = current ? "Stopping the running pipeline" : "Creating the stream and the lake";
    options.onProgress?.({ message, done: 0, total: 2 });
    // What is live stays live: a deployment over a running pipeline keeps its start.
    const kept =
      current && deployment.liveFrom === null ? { ...deployment, liveFrom: current.deployment.liveFrom } : deployment;
    const fresh = !current && (await keptSpec(spec.name)) === undefined;
    await current?.close();
    try {
      const pipeline = await Pipeline.open(kept, parts);
      options.onProgress?.({ message: "Starting the pump", done: 1, total: 2 });
      if (!pipeline.started) {
        await pipeline.close();
        throw Fault.from(pipeline.summary().fault);
      }
      await save(kept);
      registry.put(pipeline);
    } catch (error) {
      if (current) registry.put(await Pipeline.open(current.deployment, parts));
      else if (fresh) await forget(spec.name);
      throw error;
    }
    await store.checkpoint();
    options.onProgress?.({ message: "Deployed", done: 2, total: 2 });
    emit({ noun: "stack", pipeline: spec.name, kind: current ? "changed" : "added" });
    return registry.get(spec.name).status();
  }

  async function remove(name: string, { deleteData }: { readonly deleteData: boolean }): Promise<void> {
    const pipeline = registry.get(name);
    await pipeline.close();
    registry.drop(name);
    await store.transaction(async (writer) => {
      await writer.run("DELETE FROM main.pipeline WHERE name = $1", [name]);
      await writer.run("INSERT INTO main.kept VALUES ($1, $2)", [name, JSON.stringify(pipeline.spec)]);
    });
    if (deleteData) await forget(name);
    emit({ noun: "stack", pipeline: name, kind: "removed" });
  }

  return {
    list: async () => registry.list().map((p) => p.summary()),
    get: async (name) => registry.get(name).status(),

    async preview(request): Promise<StackPlan> {
      const deployment = await read(request);
      const lacks = await lacking(deployment);
      const current = registry.find(deployment.spec.name)?.spec;
      return {
        pipeline: deployment.spec.name,
        changes: planChanges(current, deployment.spec),
        lacks: lacks.map((f) => f.toData()),
        monthlyCost: null,
      };
    },

    deploy: (request, options = {}) => inTurn(() => deploy(request, options)),
    remove: (name, request) => inTurn(() => remove(name, request)),
  };
}

/** Why a pipeline's stored data do not fit its changed file; undefined when they do. */
function shapeChange(before: PipelineSpec, after: PipelineSpec): string | undefined {
  const fields = (s: PipelineSpec) => JSON.stringify(s.source.fields);
  if (fields(before) !== fields(after) || before.source.time !== after.source.time)
    return "The fields have changed, and the lake holds events of the old ones.";
  if (JSON.stringify(byFields(before)) !== JSON.stringify(byFields(after)))
    return "The series are split by other fields than the stored ones.";
  if (before.series.every !== after.series.every) return "The length of a window has changed.";
  if (before.source.shards !== after.source.shards) return "The number of shards has changed.";
  if (JSON.stringify(before.series.measures) !== JSON.stringify(after.series.measures))
    return "The measures have changed, and open windows hold the old ones.";
  return undefined;
}

function planChanges(before: PipelineSpec | undefined, after: PipelineSpec): PlannedChange[] {
  const summarise = (s: PipelineSpec): Record<PlannedChange["step"], [what: string, detail: string]> => ({
    collect: [
      `Stream ${s.name}`,
      `${s.source.shards} shard${s.source.shards === 1 ? "" : "s"}, kept for ${formatDuration(s.retention.stream)}`,
    ],
    deliver: [
      "Lake",
      `${Object.keys(s.source.fields).length} fields${s.enrich ? `, enriched by ${s.enrich}` : ""}, kept for ${formatDuration(s.retention.lake)}`,
    ],
    prepare: [
      "Preparation query",
      `${s.series.measures.map((m) => m.name).join(", ")} every ${formatDuration(s.series.every)}`,
    ],
    forecast: [
      "Forecast",
      `${formatDuration(s.forecast.horizon)} ahead from ${formatDuration(s.forecast.history)}, trained every ${formatDuration(s.forecast.retrain)}`,
    ],
    analyze: [
      "Windows",
      `of ${formatDuration(s.series.every)}, ${formatDuration(s.source.lateness)} lateness, idle after ${formatDuration(s.source.idle)}`,
    ],
    compare: ["Comparison", `with the ${s.forecast.band * 100}% band`],
    alert: ["Alarms", s.alarms.map((a) => `${a.name} (${a.datapoints} of ${a.periods})`).join(", ") || "none"],
  });
  const was = before && summarise(before);
  return Object.entries(summarise(after)).map(([step, [what, detail]]) => {
    const old = was?.[step as PlannedChange["step"]];
    const action = !old ? "add" : old[0] === what && old[1] === detail ? "keep" : "change";
    return {
      action,
      step: step as PlannedChange["step"],
      what,
      detail: action === "change" ? `${detail} (was: ${old![1]})` : detail,
    };
  });
}
