/**
 * The service's throughput limits of a shard, off unless asked for: with them a producer meets the same refusals here as on
 * AWS, and its handling of partial failures can be tried at home.
 */

/** Per shard. On AWS: 1,000 records and 1 MiB a second. */
export interface ShardRate {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
}

interface Bucket {
  records: number;
  bytes: number;
  /** When it was last filled up, epoch ms. */
  at: number;
}

/** A bucket of tokens a shard, holding at most one second's worth. */
export class ShardThroughput {
  readonly #rate: ShardRate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: ShardRate) {
    this.#rate = rate;
  }

  /** Takes a record's share; false when the shard has none left. @param now epoch ms */
  admit(stream: string, shard: number, bytes: number, now: number): boolean {
    const { recordsPerSecond, bytesPerSecond } = this.#rate;
    const key = `${stream}/${shard}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { records: recordsPerSecond, bytes: bytesPerSecond, at: now };
      this.#buckets.set(key, bucket);
    }
    const seconds = Math.max(0, now - bucket.at) / 1000;
    bucket.records = Math.min(recordsPerSecond, bucket.records + seconds * recordsPerSecond);
    bucket.bytes = Math.min(bytesPerSecond, bucket.bytes + seconds * bytesPerSecond);
    bucket.at = now;
    if (bucket.records < 1 || bucket.bytes < bytes) return false;
    bucket.records -= 1;
    bucket.bytes -= bytes;
    return true;
  }
}
