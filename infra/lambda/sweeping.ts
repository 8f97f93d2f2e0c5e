/**
 * Silence. Flink closes a window when an event moves the watermark past its end. Once a minute the sweep looks whether the stream
 * has been silent for `idle`, and then adds a beat: an event without a group, whose time is the clock's. With it Flink's watermark
 * moves on, and windows close in silence as they do in the engine.
 *
 * The clock is the engine's (core/analyze.ts, `tick`): the newest event's time, and what has gone by since the last arrival of an event
 * that was on time. In silence it trails the wall clock by the same as long as the silence lasts, and every beat's metric says by how
 * much. So the clock goes on after any pause of the sweep or of the whole pipeline, for as long as CloudWatch keeps its metrics.
 */
import { windowStart } from "../../src/core/series.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { DAY, HOUR, MINUTE } from "../../src/core/time.ts";
import { type EventLine, HEALTH } from "./names.ts";
import type { MetricPoint, MetricQuery, MetricSource, ShardedSink } from "./ports.ts";
import { lineShape } from "./shapes.ts";

/** Where the clock is looked for at first. */
const RECENT = 3 * HOUR;
/** What was found of earlier is asked for again when no sweep has run for this long: something may have been recent in between. */
const FORGOTTEN = RECENT / 2;
/** Where it is looked for then: CloudWatch keeps points of an hour for 455 days (User Guide, "Metrics retention"). */
const EARLIER = 455 * DAY - HOUR;
/** A relay with records before it reports its age at least this often: it is called again after a failure. */
const RELAY_REPORTS = 5 * MINUTE;
/**
 * A relay whose last record of a batch has waited for longer (Lambda Developer Guide, IteratorAge) is that far behind, and may still
 * pass on events of before the silence.
 */
const RELAY_BEHIND = MINUTE;
/** Until all metrics of a minute can be read: of two services, one may be ahead of the other. */
const METRICS_DELAY = 2 * MINUTE;
/** CloudWatch keeps points of a minute for 15 days, and of five for 63. */
const MINUTES_KEPT = 15 * DAY - HOUR;
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

/** A beat that was put; both ms. */
export interface Beat {
  /** Its event time, epoch. */
  readonly time: number;
  /** By how much the stream's clock trails the wall clock. */
  readonly delay: number;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** What was found before the recent past, and when it was last asked for: while the sweep runs, what is newer is seen as recent. */
  #earlier: { readonly clock: Clock | undefined; readonly at: number } | undefined;
  /** Whether records waited for the relay since before the recent past, and when it was last asked for. */
  #waiting: { readonly waiting: boolean; readonly at: number } | undefined;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** One sweep at the wall-clock time `now`, epoch ms. @returns undefined when no beat was needed. */
  async run(now: number): Promise<Beat | undefined> {
    const { spec } = this.#options;
    const recent = await this.#read([...this.#clockQueries(60), ...this.#relayQueries(60)], now - RECENT, now);
    let clock = clockOf(spec, recent);
    if (clock !== undefined) this.#earlier = undefined;
    else {
      if (this.#earlier === undefined || now - this.#earlier.at > FORGOTTEN) {
        const earlier = await this.#read(this.#clockQueries(3_600), now - EARLIER, now);
        clock = clockOf(spec, earlier);
      } else clock = this.#earlier.clock;
      this.#earlier = { clock, at: now };
    }
    if (clock === undefined) return undefined;
    const time = beatTime(spec, clock, now);
    if (time === undefined || relayIsBehind(recent, now) || (await this.#recordsWait(recent, now))) return undefined;
    await this.#beat(time);
    return { time, delay: clock.delay };
  }

  /** Whether records came in that the relay was not called for since, as far back as the stream keeps them. What waits may be events. */
  async #recordsWait(recent: Signals, now: number): Promise<boolean> {
    const came = cameAfterCall(recent, now);
    if (came || recent.relayAge.length > 0) {
      this.#waiting = undefined;
      return came;
    }
    if (this.#waiting === undefined || now - this.#waiting.at > FORGOTTEN)
      this.#waiting = { waiting: await this.#waitedEarlier(now), at: now };
    // What comes while the sweep runs is seen as recent. What waits may be called for, or let go by the stream.
    else if (!this.#waiting.waiting) this.#waiting = { waiting: false, at: now };
    return this.#waiting.waiting;
  }

  /** The same of the time before the recent past: by the hour, and within the hour of the last call by the minute. */
  async #waitedEarlier(now: number): Promise<boolean> {
    const kept = now - Math.max(this.#options.spec.retention.stream, DAY);
    const hours = await this.#read(this.#relayQueries(3_600), kept, now);
    if (cameAfterCall(hours, now)) return true;
    const called = hours.relayAge.at(-1)?.time;
    if (called === undefined) return false;
    const period = called > now - MINUTES_KEPT ? 60 : 300;
    return cameAfterCall(await this.#read(this.#relayQueries(period), called, called + HOUR), now);
  }

  /** @param period seconds. What the metrics tell does not lie in their times, so that it is as exact of an hour as of a minute. */
  #clockQueries(period: number): MetricQuery[] {
    const { health: namespace, prefix } = this.#options.names;
    const own = (id: keyof Signals, fn: string, name: string): MetricQuery => ({
      ...{ id, namespace, name, dimensions: { service: `${prefix}-${fn}` }, statistic: "Maximum", period },
    });
    return [
      own("newest", "relay", HEALTH.newestEvent),
      own("onTime", "relay", HEALTH.onTime),
      own("delays", "sweep", HEALTH.clock),
    ];
  }

  /** @param period seconds. */
  #relayQueries(period: number): MetricQuery[] {
    const { rawStream, prefix } = this.#options.names;
    const age = { namespace: "AWS/Lambda", name: "IteratorAge", dimensions: { FunctionName: `${prefix}-relay` } };
    const incoming = { namespace: "AWS/Kinesis", name: "IncomingRecords", dimensions: { StreamName: rawStream } };
    return [
      { id: "relayAge", ...age, statistic: "Maximum", period },
      { id: "incoming", ...incoming, statistic: "Sum", period },
    ];
  }

  async #read(queries: readonly MetricQuery[], from: number, until: number): Promise<Signals> {
    const points = await this.#options.metrics.read(queries, from, until);
    const of = (id: keyof Signals) => points.get(id) ?? [];
    return {
      newest: of("newest"),
      onTime: of("onTime"),
      delays: of("delays"),
      incoming: of("incoming"),
      relayAge: of("relayAge"),
    };
  }

  /** The beat goes to every shard: each has a watermark of its own when the job reads them with more than one task. */
  async #beat(time: number): Promise<void> {
    const { events } = this.#options;
    const line: EventLine = { time, key: null, shape: lineShape(this.#options.spec), fields: {} };
    const shards = await events.shards();
    const refused = await events.put(
      shards.map((hashKey) => ({ data: JSON.stringify(line), partitionKey: "beat", hashKey })),
    );
    if (refused.length > 0) throw new Error(`${refused.length} of ${shards.length} shards refused the beat.`);
  }
}

/** What metrics tell; times of points are those in which they were told. */
export interface Signals {
  /** Newest event times, epoch seconds. */
  readonly newest: readonly MetricPoint[];
  /** Newest arrivals of events that were on time, epoch seconds. */
  readonly onTime: readonly MetricPoint[];
  /** By how much the clock trailed the wall clock at each beat, seconds. */
  readonly delays: readonly MetricPoint[];
  /** Records that producers put into the stream, events or not. */
  readonly incoming: readonly MetricPoint[];
  /** How long the last record of a batch had waited for the relay, ms. */
  readonly relayAge: readonly MetricPoint[];
}

/** The clock of a stream since its last event on time; all ms. */
export interface Clock {
  /** By how much it trails the wall clock while nothing arrives. */
  readonly delay: number;
  /** The newest event's time and that arrival, epoch; minus infinity when they were before a beat and are not known any more. */
  readonly newest: number;
  readonly arrival: number;
}

/** The clock that metrics tell of; undefined when they tell of neither event nor beat. */
export function clockOf(
  { source, series }: Pick<PipelineSpec, "source" | "series">,
  signals: Signals,
): Clock | undefined {
  const { newest, arrival } = lastOnTime({ source, series }, signals);
  if (Number.isFinite(newest) && Number.isFinite(arrival)) {
    // Beats of the same silence may have known events that are out of sight by now.
    const since = signals.delays.filter((p) => p.time > arrival + source.idle).map(millis);
    return { newest, arrival, delay: Math.min(arrival - newest, ...since) };
  }
  const last = signals.delays.at(-1);
  return last && { newest, arrival, delay: millis(last) };
}

/**
 * The newest of the events that were on time, and the latest arrival of one. What the relay tells of is on time by its own container's
 * clock, which knows neither beats nor what came before it: an event whose window had closed by the clock of the minutes before breaks
 * no silence and moves no clock, though it may be newer than every event before it.
 */
function lastOnTime(
  { source, series }: Pick<PipelineSpec, "source" | "series">,
  signals: Signals,
): Pick<Clock, "newest" | "arrival"> {
  const events = new Map(signals.newest.map((p) => [p.time, millis(p)]));
  const arrivals = new Map(signals.onTime.map((p) => [p.time, millis(p)]));
  let clock = Number.NEGATIVE_INFINITY;
  const last = { newest: Number.NEGATIVE_INFINITY, arrival: Number.NEGATIVE_INFINITY };
  let beats = 0;
  for (const time of [...new Set([...events.keys(), ...arrivals.keys()])].sort((a, b) => a - b)) {
    for (; beats < signals.delays.length && signals.delays[beats]!.time < time; beats++) {
      const beat = signals.delays[beats]!;
      clock = Math.max(clock, beat.time - millis(beat));
    }
    const event = events.get(time) ?? Number.NEGATIVE_INFINITY;
    const arrival = arrivals.get(time);
    const closes = windowStart(event, series.every) + series.every;
    if (arrival !== undefined && closes > clock - source.lateness) {
      last.arrival = Math.max(last.arrival, arrival);
      last.newest = Math.max(last.newest, event);
    }
    clock = Math.max(clock, event);
  }
  return last;
}

/** Metrics tell seconds. */
function millis({ value }: MetricPoint): number {
  return Math.round(value * 1_000);
}

/**
 * The event time of a beat: where the clock stands. Undefined when the silence is shorter than `idle`, and while it would move nothing.
 * As on the engine, records that are late, rejected or dropped break no silence.
 */
export function beatTime({ source }: Pick<PipelineSpec, "source">, clock: Clock, now: number): number | undefined {
  // Metrics of the last minutes are still to come: they do not prove silence.
  if (now - clock.arrival < source.idle + METRICS_DELAY) return undefined;
  const time = now - clock.delay - BEAT_DELAY;
  return time > clock.newest ? time : undefined;
}

/** Whether the relay has not caught up with the stream, by what it told a short while ago. */
function relayIsBehind({ relayAge }: Pick<Signals, "relayAge">, now: number): boolean {
  return relayAge.some((p) => p.value > RELAY_BEHIND && p.time + MINUTE > now - RELAY_REPORTS);
}

/** Whether records came in after the relay's last call, of the time that the metrics are of; of none, whether any came in. */
function cameAfterCall({ incoming, relayAge }: Pick<Signals, "incoming" | "relayAge">, now: number): boolean {
  const called = relayAge.at(-1)?.time ?? Number.NEGATIVE_INFINITY;
  return incoming.some((p) => p.value > 0 && p.time > called && p.time + MINUTE <= now - METRICS_DELAY);
}
