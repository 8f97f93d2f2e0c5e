/** All that the views show of a target, read at once and kept in step by reading again what changed. */
import type {
  AlarmInfo,
  Backend,
  Change,
  IncidentSummary,
  PipelineStatus,
  SeriesInfo,
  StreamInfo,
  TrainingJob,
} from "../backend.ts";
import type { PipelineSpec } from "../core/spec.ts";

export interface Snapshot {
  /** By name, ascending. */
  readonly pipelines: readonly PipelineStatus[];
  readonly streams: readonly StreamInfo[];
  readonly jobs: readonly TrainingJob[];
  readonly series: ReadonlyMap<string, readonly SeriesInfo[]>;
  readonly alarms: readonly AlarmInfo[];
  /** Open ones first, then the newest. */
  readonly incidents: readonly IncidentSummary[];
}

export const EMPTY: Snapshot = {
  pipelines: [],
  streams: [],
  jobs: [],
  series: new Map(),
  alarms: [],
  incidents: [],
};

/** A part of a snapshot that can be read by itself. */
export type Part = keyof Snapshot;
export const PARTS: readonly Part[] = ["pipelines", "streams", "jobs", "series", "alarms", "incidents"];

/** What must be read again after a change. */
export function partsOf(change: Change): readonly Part[] {
  switch (change.noun) {
    case "stack":
      return PARTS;
    case "stream":
      return ["streams", "pipelines"];
    case "query":
      return [];
    case "forecast":
      return ["jobs", "series"];
    case "alarm":
      return ["alarms"];
    case "incident":
      return ["incidents", "pipelines"];
    case "window":
      return ["series", "pipelines", "streams"];
  }
}

const JOBS = 5;
const INCIDENTS = 100;

/** `before` with the given parts read again from `backend`. */
export async function readSnapshot(backend: Backend, before: Snapshot, parts: ReadonlySet<Part>): Promise<Snapshot> {
  const pipelines = parts.has("pipelines") ? await readPipelines(backend) : before.pipelines;
  const names = pipelines.map((p) => p.name);
  const each = <T>(read: (name: string) => Promise<T>) => Promise.all(names.map(read));
  const [streams, jobs, series, alarms, incidents] = await Promise.all([
    parts.has("streams") ? backend.streams.list() : before.streams,
    parts.has("jobs") ? each((name) => backend.forecasts.jobs(name, JOBS)).then((lists) => lists.flat()) : before.jobs,
    parts.has("series")
      ? each((name) => backend.forecasts.series(name)).then(
          (lists) => new Map(pipelines.map(({ name, spec }, i) => [name, inFileOrder(lists[i] ?? [], spec)])),
        )
      : before.series,
    parts.has("alarms") ? each((name) => backend.alarms.list(name)).then((lists) => lists.flat()) : before.alarms,
    parts.has("incidents")
      ? backend.incidents.list({ limit: INCIDENTS }).then((list) => [...list].sort(byUrgency))
      : before.incidents,
  ]);
  return { pipelines, streams, jobs, series, alarms, incidents };
}

/** Series as their pipeline file has their measures: what its author named first comes first. */
export function inFileOrder(series: readonly SeriesInfo[], spec: PipelineSpec): readonly SeriesInfo[] {
  const place = new Map(spec.series.measures.map((measure, i) => [measure.name, i]));
  const of = (info: SeriesInfo) => place.get(info.measure) ?? place.size;
  return [...series].sort((a, b) => of(a) - of(b));
}

async function readPipelines(backend: Backend): Promise<PipelineStatus[]> {
  const names = (await backend.stack.list()).map((p) => p.name).sort();
  return Promise.all(names.map((name) => backend.stack.get(name)));
}

/** Open before resolved, then the graver, then the newer. */
function byUrgency(a: IncidentSummary, b: IncidentSummary): number {
  if (a.status !== b.status) return a.status === "open" ? -1 : 1;
  if (a.status === "open" && a.severity !== b.severity) return a.severity - b.severity;
  return b.openedAt - a.openedAt;
}
