/**
 * Silence. Flink closes a window when an event moves the watermark past its end, and only for groups that had events. The sweep
 * adds what is lacking, once a minute:
 * - a beat, when the stream has been silent for `idle`: an event without a group, whose time is the clock's. With it Flink's
 *   watermark moves on, and windows close in silence as they do in the engine.
 * - an empty window for each known group that a closed window lacks. Only for windows that Flink has closed: when Flink is down,
 *   silence is Flink's, and must not look like the business's.
 */
import type { ForecastTable } from "../../src/core/forecast.ts";
import { combinations, groupKey, parseGroupKey, parseSeriesId, seriesId } from "../../src/core/series.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { formatInstant, HOUR, MINUTE } from "../../src/core/time.ts";
import { DIMENSIONS, type EventLine, HEALTH, metricDimension, type WindowRecord } from "./names.ts";
import type { MetricPoint, MetricQuery, MetricSource, ShardedSink, Sink, StreamRecord } from "./ports.ts";

/** How far back closed windows are looked at: long enough for an hour's windows and a hiccup. */
const LOOK_BACK = 3 * HOUR;
/** A relay with records before it reports its age at least this often: it is called again after a failure. */
const RELAY_REPORTS = 5 * MINUTE;
/** A relay whose oldest record has waited for longer may still pass on events of before the silence. */
const RELAY_BEHIND = MINUTE;
/** Until all metrics of a minute can be read: of two services, one may be ahead of the other. */
const METRICS_DELAY = 2 * MINUTE;
/** Time for a closed window's groups to be compared, and for their metrics to be readable. */
const GRACE = 3 * MINUTE;
/** A beat trails the clock by this, so that an event on its way is not late because of it. */
const BEAT_DELAY = MINUTE;

export interface SweepOptions {
  readonly spec: PipelineSpec;
  readonly metrics: MetricSource;
  readonly events: ShardedSink;
  readonly windows: Sink;
  /** Names of the functions and places whose metrics are read. */
  readonly names: {
    readonly namespace: string;
    readonly health: string;
    readonly rawStream: string;
    /** `fw-<pipeline>`: functions are called after it. */
    readonly prefix: string;
  };
}

export interface SweepOutcome {
  /** Event time of the beat, epoch ms; undefined when none was needed. */
  readonly beat: number | undefined;
  /** Empty windows that were added. */
  readonly swept: number;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** Ends of windows, epoch ms, that lack no group any more. */
  readonly #complete = new Set<number>();

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** One sweep at the wall-clock time `now`, epoch ms. */
  async run(now: number, forecast: ForecastTable): Promise<SweepOutcome> {
    const health = await this.#health(now);
    const beat = beatTime(this.#options.spec, health, now);
    if (beat !== undefined) await this.#beat(beat);
    const ends = this.#closedEnds(health, now);
    const swept = ends.length > 0 ? await this.#fill(ends, forecast) : 0;
    return { beat, swept };
  }

  async #health(now: number): Promise<Health> {
    const { metrics, names } = this.#options;
    const own = (id: string, fn: string, name: string, statistic: MetricQuery["statistic"]): MetricQuery => ({
      id,
      namespace: names.health,
      name,
      dimensions: { service: `${names.prefix}-${fn}` },
      statistic,
      period: 60,
    });
    const points = await metrics.read(
      [
        {
          id: "relay_age",
          namespace: "AWS/Lambda",
          name: "IteratorAge",
          dimensions: { FunctionName: `${names.prefix}-relay` },
          statistic: "Maximum",
          period: 60,
        },
        own("newest", "relay", HEALTH.newestEvent, "Maximum"),
        own("clock", "sweep", HEALTH.clock, "Maximum"),
        own("closed_first", "compare", HEALTH.closed, "Minimum"),
        own("closed_last", "compare", HEALTH.closed, "Maximum"),
        {
          id: "incoming",
          namespace: "AWS/Kinesis",
          name: "IncomingRecords",
          dimensions: { StreamName: names.rawStream },
          statistic: "Sum",
          period: 60,
        },
      ],
      now - lookBack(this.#options.spec),
      now,
    );
    const of = (id: string) => points.get(id) ?? [];
    return {
      events: of("newest"),
      beats: of("clock"),
      incoming: of("incoming"),
      relayAge: of("relay_age"),
      closed: [...of("closed_first"), ...of("closed_last")],
    };
  }

  /** The beat goes to every shard: each has a watermark of its own when the job reads them with more than one task. */
  async #beat(time: number): Promise<void> {
    const { events } = this.#options;
    const line: EventLine = { time, key: null, fields: {} };
    const shards = await events.shards();
    const refused = await events.put(
      shards.map((hashKey) => ({ data: JSON.stringify(line), partitionKey: "beat", hashKey })),
    );
    if (refused.length > 0) throw new Error(`${refused.length} of ${shards.length} shards refused the beat.`);
  }

  /** Ends of closed windows that may lack groups, oldest first. */
  #closedEnds(health: Health, now: number): number[] {
    const { every } = this.#options.spec.series;
    // A value is a window's end in epoch seconds; its point's time is when it was closed.
    const settled = health.closed.filter((p) => p.time + MINUTE <= now - GRACE).map((p) => p.value * 1_000);
    if (settled.length === 0) return [];
    const ends: number[] = [];
    const last = Math.max(...settled);
    for (let end = Math.max(Math.min(...settled), last - LOOK_BACK - every); end <= last; end += every) {
      if (!this.#complete.has(end)) ends.push(end);
    }
    for (const end of this.#complete) if (end < last - 2 * LOOK_BACK - every) this.#complete.delete(end);
    return ends;
  }

  async #fill(ends: readonly number[], forecast: ForecastTable): Promise<number> {
    const { spec, metrics, names, windows } = this.#options;
    const fields = byFields(spec);
    const { every, measures } = spec.series;
    const first = measures[0]!;
    const keys = knownGroups(spec, forecast);
    const compared = await metrics.read(
      keys.map((key, i) => ({
        id: `g${i}`,
        namespace: names.namespace,
        // Every comparison writes it, whatever the window's value is.
        name: "ForecastMissing",
        dimensions: {
          [DIMENSIONS.measure]: first.name,
          [DIMENSIONS.series]: metricDimension(seriesId(first.name, fields, parseGroupKey(key, fields.length))),
        },
        statistic: "SampleCount" as const,
        period: every / 1_000,
      })),
      ends[0]!,
      ends.at(-1)! + every,
    );
    const records: StreamRecord[] = [];
    const lacking = new Set<number>();
    keys.forEach((key, i) => {
      const there = new Set((compared.get(`g${i}`) ?? []).map((p) => p.time));
      for (const end of ends) {
        if (there.has(end)) continue;
        lacking.add(end);
        records.push({ data: JSON.stringify(emptyWindow(spec, key, end)), partitionKey: key.slice(0, 256) || "-" });
      }
    });
    for (const end of ends) if (!lacking.has(end)) this.#complete.add(end);
    const refused = records.length > 0 ? await windows.put(records) : [];
    if (refused.length > 0)
      throw new Error(`The windows stream refused ${refused.length} of ${records.length} empty windows.`);
    return records.length;
  }
}

interface Health {
  /** Newest event times (epoch seconds) by the minute in which the relay passed them on. */
  readonly events: readonly MetricPoint[];
  /** Times of beats, epoch seconds. */
  readonly beats: readonly MetricPoint[];
  /** Records that producers put into the stream, events or not. */
  readonly incoming: readonly MetricPoint[];
  /** How long the oldest record of a batch had waited for the relay, ms. */
  readonly relayAge: readonly MetricPoint[];
  readonly closed: readonly MetricPoint[];
}

/** How far back metrics are read: the event before a silence must be found at the silence's end. */
export function lookBack({ source }: Pick<PipelineSpec, "source">): number {
  return Math.max(LOOK_BACK, source.idle + HOUR);
}

/**
 * The event time of a beat: where the clock stands after the silence. Undefined while events come in, before the first event,
 * when the silence is shorter than `idle`, and while the relay holds events back. As on the engine, records that are rejected or
 * dropped break no silence.
 */
export function beatTime(spec: PipelineSpec, health: Omit<Health, "closed">, now: number): number | undefined {
  // Metrics of a minute are whole a little later: the minute that is running does not prove silence.
  const since = now - Math.max(spec.source.idle, MINUTE) - MINUTE;
  if (health.events.some((p) => p.time + MINUTE > since)) return undefined;
  if (relayHoldsBack(health, now)) return undefined;
  const clock = [...health.events, ...health.beats];
  if (clock.length === 0) return undefined;
  const newest = clock.reduce((a, b) => (b.value > a.value || (b.value === a.value && b.time < a.time) ? b : a));
  const quiet = now - (newest.time + MINUTE);
  const time = newest.value * 1_000 + quiet - BEAT_DELAY;
  return time > newest.value * 1_000 ? Math.floor(time) : undefined;
}

/** Whether records wait for the relay: it is behind, or was not called since some came in. What waits may be events. */
function relayHoldsBack({ incoming, relayAge }: Pick<Health, "incoming" | "relayAge">, now: number): boolean {
  if (relayAge.some((p) => p.value > RELAY_BEHIND && p.time + MINUTE > now - RELAY_REPORTS)) return true;
  const called = Math.max(...relayAge.map((p) => p.time));
  return incoming.some((p) => p.value > 0 && p.time > called && p.time + MINUTE <= now - METRICS_DELAY);
}

/** Groups that are expected in every window: the listed ones, or those that the forecast knows. */
export function knownGroups(spec: PipelineSpec, forecast: ForecastTable): string[] {
  if (spec.series.by.every((b) => b.values)) {
    return [...combinations(spec.series.by.map((b) => b.values ?? []))].map(groupKey);
  }
  const fields = byFields(spec);
  const keys = new Set<string>();
  for (const id of Object.keys(forecast.newest?.series ?? {})) {
    const by = parseSeriesId(id)?.by;
    if (by) keys.add(groupKey(fields.map((field) => by[field] ?? "")));
  }
  return [...keys].sort();
}

function emptyWindow(spec: PipelineSpec, key: string, end: number): WindowRecord {
  const measures: Record<string, number | null> = {};
  for (const m of spec.series.measures) measures[m.name] = m.statistic === "count" || m.statistic === "sum" ? 0 : null;
  return {
    kind: "window",
    start: formatInstant(end - spec.series.every),
    end: formatInstant(end),
    key,
    events: 0,
    measures,
    swept: true,
  };
}
