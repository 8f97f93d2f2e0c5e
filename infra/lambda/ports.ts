/** What the handlers need from AWS, as narrow as they need it; `aws.ts` has the real ones. */

export interface Objects {
  /** The object's bytes; undefined when there is none. With `etag`, "unchanged" when it still has that one. */
  get(key: string, etag?: string): Promise<StoredObject | "unchanged" | undefined>;
  put(key: string, body: string | Uint8Array, contentType: string): Promise<void>;
  /** Puts only while the object has this `etag` still (undefined: while there is none); false when another came first. */
  replace(key: string, body: string | Uint8Array, contentType: string, etag: string | undefined): Promise<boolean>;
  list(prefix: string): Promise<string[]>;
}

export interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
}

/** One number of a comparison, as CloudWatch takes it. */
export interface Datum {
  readonly name: string;
  readonly measure: string;
  /** The series' id as a dimension's value. */
  readonly series: string;
  /** Epoch ms. */
  readonly time: number;
  readonly value: number;
}

export interface MetricSink {
  /** Writes all data, taking them as it can: a generator's are never all in memory. */
  put(data: Iterable<Datum>): Promise<void>;
}

export interface MetricQuery {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Maximum" | "Sum";
  /** Seconds. */
  readonly period: number;
}

export interface MetricPoint {
  /** Start of the period, epoch ms. */
  readonly time: number;
  readonly value: number;
}

export interface MetricSource {
  /** Points of each query over [from, until), epoch ms, oldest first; 500 queries at most. */
  read(queries: readonly MetricQuery[], from: number, until: number): Promise<Map<string, MetricPoint[]>>;
}

export interface StreamRecord {
  readonly data: string;
  readonly partitionKey: string;
  /** Puts the record into the shard that this falls into, whatever its key. */
  readonly hashKey?: string;
}

export interface Sink {
  /**
   * Puts the records of each shard in their order, none before the one ahead of it is taken, and goes on trying for `millis`. A record
   * whose request ends without an answer may have been taken all the same: each is put at least once.
   * @returns the positions of those that the stream is not known to have: of each shard all from the first of them on.
   * Throws the service's error when it took nothing at all, and not because a shard was full.
   */
  put(records: readonly StreamRecord[], millis?: number): Promise<number[]>;
}

/** The machine's time; a test's own where waiting would take too long. */
export interface Time {
  /** Ms, from any beginning. */
  now(): number;
  sleep(millis: number): Promise<void>;
}

export interface ShardedSink extends Sink {
  /** The first hash key of each open shard. */
  shards(): Promise<string[]>;
}
