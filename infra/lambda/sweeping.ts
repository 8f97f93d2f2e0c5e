/**
 * Silence. Flink closes a window when an event moves the watermark past its end. Once a minute the sweep looks whether the stream
 * has been silent for `idle`, and then adds a beat: an event without a group, whose time is the clock's. With it Flink's watermark
 * moves on, and windows close in silence as they do in the engine.
 */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { HOUR, MINUTE } from "../../src/core/time.ts";
import { type EventLine, HEALTH } from "./names.ts";
import type { MetricPoint, MetricQuery, MetricSource, ShardedSink } from "./ports.ts";

/** How far back the last event is looked for, at least. */
const LOOK_BACK = 3 * HOUR;
/** A relay with records before it reports its age at least this often: it is called again after a failure. */
const RELAY_REPORTS = 5 * MINUTE;
/** A relay whose oldest record has waited for longer may still pass on events of before the silence. */
const RELAY_BEHIND = MINUTE;
/** Until all metrics of a minute can be read: of two services, one may be ahead of the other. */
const METRICS_DELAY = 2 * MINUTE;
/** A beat trails the clock by this, so that an event on its way is not late because of it. */
const BEAT_DELAY = MINUTE;

export interface SweepOptions {
  readonly spec: PipelineSpec;
  readonly metrics: MetricSource;
  readonly events: ShardedSink;
  /** Names of the functions and places whose metrics are read. */
  readonly names: {
    readonly health: string;
    readonly rawStream: string;
    /** `fw-<pipeline>`: functions are called after it. */
    readonly prefix: string;
  };
}

export class Sweep {
  readonly #options: SweepOptions;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /**
   * One sweep at the wall-clock time `now`, epoch ms.
   * @returns the event time of the beat, epoch ms; undefined when none was needed.
   */
  async run(now: number): Promise<number | undefined> {
    const beat = beatTime(this.#options.spec, await this.#health(now), now);
    if (beat !== undefined) await this.#beat(beat);
    return beat;
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
export function beatTime(spec: PipelineSpec, health: Health, now: number): number | undefined {
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
