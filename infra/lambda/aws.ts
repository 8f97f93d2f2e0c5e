/** The ports of the handlers over the AWS SDK. Clients are made by whoever calls, once a container. */
import { type CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { KinesisClient, ListShardsCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
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
import type { Datum, MetricPoint, MetricSink, MetricSource, Objects, ShardedSink, StreamRecord } from "./ports.ts";

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
 * container between calls.
 */
export function kinesisClient(): KinesisClient {
  return new KinesisClient({ requestHandler: new NodeHttpHandler() });
}

/** PutRecords takes 500 records and 5 MiB (Kinesis API reference, PutRecords). */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 4 * 1_024 * 1_024;
const TRIES = 5;

export function streamSink(client: KinesisClient, stream: string): ShardedSink {
  return {
    async put(records) {
      const refused: number[] = [];
      const size = ([, r]: Placed) => Buffer.byteLength(r.data) + Buffer.byteLength(r.partitionKey);
      for (const batch of batches(records.entries(), { items: BATCH_RECORDS, bytes: BATCH_BYTES }, size))
        refused.push(...(await putBatch(client, stream, batch)));
      return refused;
    },
    async shards() {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListShardsCommand(token === undefined ? { StreamName: stream } : { NextToken: token }),
        );
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

/** A record and its position among those to be put. */
type Placed = readonly [number, StreamRecord];

/**
 * A shard over its limit refuses single records of a request: those alone are tried again, after a growing pause.
 * @returns the positions of those that it kept refusing.
 */
async function putBatch(client: KinesisClient, stream: string, batch: readonly Placed[]): Promise<number[]> {
  let left = batch;
  for (let attempt = 0; left.length > 0 && attempt < TRIES; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * (0.5 + Math.random())));
    const answer = await client.send(
      new PutRecordsCommand({
        StreamName: stream,
        Records: left.map(([, { data, partitionKey, hashKey }]) => ({
          Data: Buffer.from(data),
          PartitionKey: partitionKey,
          ...(hashKey !== undefined && { ExplicitHashKey: hashKey }),
        })),
      }),
    );
    left = left.filter((_, k) => answer.Records?.[k]?.ErrorCode !== undefined);
  }
  return left.map(([at]) => at);
}
