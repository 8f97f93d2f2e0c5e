/** The ports of the handlers over the AWS SDK. Clients are made by whoever calls, once a container. */
import { type CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  KinesisClient,
  type KinesisClientConfig,
  KinesisServiceException,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
  PutRecordCommand,
} from "@aws-sdk/client-kinesis";
import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { DIMENSIONS } from "./names.ts";
import type {
  Datum,
  MetricPoint,
  MetricSink,
  MetricSource,
  Objects,
  ShardedSink,
  StreamRecord,
  Time,
} from "./ports.ts";

export function bucketObjects(client: S3Client, bucket: string): Objects {
  return {
    async get(key, etag) {
      try {
        const found = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, ...(etag !== undefined && { IfNoneMatch: etag }) }),
        );
        return { body: await found.Body!.transformToByteArray(), etag: found.ETag ?? "" };
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 304) return "unchanged";
        throw error;
      }
    },
    async put(key, body, contentType) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
    },
    async replace(key, body, contentType, etag) {
      // S3 User Guide, "How to prevent object overwrites with conditional writes": 412 when the condition does not hold, 409
      // when another write of the object was under way.
      const guard = etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag };
      try {
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType, ...guard }),
        );
        return true;
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        // An object that was removed meanwhile answers 404 to IfMatch.
        if (status === 412 || status === 409 || status === 404) return false;
        throw error;
      }
    },
    async list(prefix) {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
        );
        for (const object of page.Contents ?? []) keys.push(object.Key!);
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return keys;
    },
  };
}

/** PutMetricData takes a thousand data and a megabyte (API reference, PutMetricData); a little stays for the envelope. */
const DATA = 1_000;
const DATA_BYTES = 900_000;
/** What a datum takes besides its own texts, in the protocol that takes most: names of fields, a time, a value. */
const DATUM_OVERHEAD = 300;

/** Requests under way at once: enough to wait for none, and few enough for the account's share a second. */
const PUTS = 8;

export function metricSink(client: CloudWatchClient, namespace: string): MetricSink {
  const write = async (data: readonly Datum[]) => {
    const MetricData = data.map((d) => ({
      MetricName: d.name,
      Value: d.value,
      Timestamp: new Date(d.time),
      Dimensions: [
        { Name: DIMENSIONS.measure, Value: d.measure },
        { Name: DIMENSIONS.series, Value: d.series },
      ],
    }));
    await client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData }));
  };
  return {
    async put(data) {
      const limits = { items: DATA, bytes: DATA_BYTES };
      const size = (d: Datum) => DATUM_OVERHEAD + encodeURIComponent(`${d.name}${d.measure}${d.series}`).length;
      const requests = batches(data, limits, size);
      // Each takes the next request when it has written one; the first failure ends the requests for all.
      const writer = async () => {
        for (const request of requests) await write(request);
      };
      const ended = await Promise.allSettled(Array.from({ length: PUTS }, writer));
      for (const end of ended) if (end.status === "rejected") throw end.reason;
    },
  };
}

/** What there is of `items`, in runs that one request takes. */
function* batches<T>(
  items: Iterable<T>,
  limits: { readonly items: number; readonly bytes: number },
  sizeOf: (item: T) => number,
): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (batch.length === limits.items || (batch.length > 0 && bytes + size > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

export function metricSource(client: CloudWatchClient): MetricSource {
  return {
    async read(queries, from, until) {
      const points = new Map<string, MetricPoint[]>(queries.map((q) => [q.id, []]));
      let token: string | undefined;
      do {
        const page = await client.send(
          new GetMetricDataCommand({
            StartTime: new Date(from),
            EndTime: new Date(until),
            ScanBy: "TimestampAscending",
            MetricDataQueries: queries.map((q) => ({
              Id: q.id,
              MetricStat: {
                Metric: {
                  Namespace: q.namespace,
                  MetricName: q.name,
                  Dimensions: Object.entries(q.dimensions).map(([Name, Value]) => ({ Name, Value })),
                },
                Period: q.period,
                Stat: q.statistic,
              },
            })),
            ...(token !== undefined && { NextToken: token }),
          }),
        );
        for (const result of page.MetricDataResults ?? []) {
          const own = points.get(result.Id!);
          result.Timestamps?.forEach((time, i) => {
            own?.push({ time: time.getTime(), value: result.Values![i]! });
          });
        }
        token = page.NextToken;
      } while (token !== undefined);
      return points;
    },
  };
}

/**
 * A client over HTTP/1.1. The SDK's own choice for Kinesis is HTTP/2, whose one session does not survive that Lambda freezes the
 * container between calls. It tries nothing again: the sink does, which knows until when.
 */
export function kinesisClient(config: KinesisClientConfig = {}): KinesisClient {
  const requestHandler = new NodeHttpHandler({
    ...{ connectionTimeout: 1_000, requestTimeout: REQUEST - 1_000, throwOnRequestTimeout: true },
  });
  return new KinesisClient({ maxAttempts: 1, requestHandler, ...config });
}

/** What a request to a stream takes at most, the connection included, ms. */
export const REQUEST = 4_000;
/** How long it is tried where nobody says, ms. */
const TRYING = 20_000;
/** Pauses before another try, ms: doubled from the first to the last. A shard has room for a full record again after the first. */
const PAUSES = { first: 100, last: 1_000 };

const MACHINE: Time = {
  now: () => performance.now(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
};

export function streamSink(client: KinesisClient, stream: string, time: Time = MACHINE): ShardedSink {
  return {
    async put(records, millis = TRYING) {
      const until = time.now() + millis;
      const lanes = new Map<string, Placed[]>();
      for (const placed of records.entries()) {
        const lane = placed[1].hashKey ?? placed[1].partitionKey;
        if (!lanes.get(lane)?.push(placed)) lanes.set(lane, [placed]);
      }
      const ends = await Promise.all([...lanes.values()].map((lane) => putInOrder(client, stream, lane, until, time)));
      const left = ends.flatMap((end) => end.left).sort((a, b) => a - b);
      const failed = ends.find(({ error }) => error && !(error instanceof ProvisionedThroughputExceededException));
      if (failed && left.length === records.length) throw failed.error;
      return left;
    },
    async shards() {
      const keys: string[] = [];
      const until = time.now() + TRYING;
      let token: string | undefined;
      do {
        const of = token === undefined ? { StreamName: stream } : { NextToken: token };
        const page = await insist(() => client.send(new ListShardsCommand(of)), until, time);
        for (const shard of page.Shards ?? []) {
          // A shard that was split or merged has an end, and takes no more records.
          if (shard.SequenceNumberRange?.EndingSequenceNumber === undefined)
            keys.push(shard.HashKeyRange!.StartingHashKey!);
        }
        token = page.NextToken;
      } while (token !== undefined);
      return keys;
    },
  };
}

/** A record and its position among those to be put. */
type Placed = readonly [number, StreamRecord];

/**
 * Puts records of one shard one by one. PutRecords goes on behind a record that the shard refuses (Kinesis API reference): what it
 * took there would be ahead of its time in the shard, which makes what comes then late, and taken twice when all from the refused one
 * on comes again. So each waits for the one ahead, and names it, by which alone their order is promised (PutRecord,
 * SequenceNumberForOrdering). Of records of 100 KB a shard gets all that it takes unless an answer needs more than 95 ms.
 * @returns the positions of those that are not known to be taken, and why the first of them is not, unless time was over before it.
 */
async function putInOrder(
  client: KinesisClient,
  stream: string,
  lane: readonly Placed[],
  until: number,
  time: Time,
): Promise<{ readonly left: readonly number[]; readonly error?: unknown }> {
  const from = (k: number) => lane.slice(k).map(([at]) => at);
  let last: string | undefined;
  for (const [k, [, { data, partitionKey, hashKey }]] of lane.entries()) {
    // The first has its try whatever the time, so that each call gets on.
    if (k > 0 && time.now() >= until) return { left: from(k) };
    const put = new PutRecordCommand({
      StreamName: stream,
      Data: Buffer.from(data),
      PartitionKey: partitionKey,
      ...(hashKey !== undefined && { ExplicitHashKey: hashKey }),
      ...(last !== undefined && { SequenceNumberForOrdering: last }),
    });
    try {
      last = (await insist(() => client.send(put), until, time)).SequenceNumber;
    } catch (error) {
      return { left: from(k), error };
    }
  }
  return { left: [] };
}

/** Sends until there is an answer; throws when there is no time for another try, or when trying again would be in vain. */
async function insist<T>(send: () => Promise<T>, until: number, time: Time): Promise<T> {
  for (let pause = PAUSES.first; ; pause = Math.min(2 * pause, PAUSES.last)) {
    try {
      return await send();
    } catch (error) {
      if (isFinal(error) || time.now() + pause > until) throw error;
      await time.sleep(pause);
    }
  }
}

/** Whether the request itself is at fault: not the shard's room, nor the key's, the network or the service. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof KinesisServiceException) || /Exceeded|Throttl/.test(error.name)) return false;
  return (error.$metadata.httpStatusCode ?? 500) < 500;
}
