/** Step 1 on AWS: records of the raw stream become checked events in the events stream, which the Flink job reads. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { kinesisClient, streamSink } from "./aws.ts";
import { checker } from "./checked.ts";
import type { BatchResponse, KinesisStreamEvent } from "./events.ts";
import { HEALTH } from "./names.ts";
import { checkpoint, relay } from "./relaying.ts";
import { enrichFunction, logger, ownMetrics, pipeline, setting } from "./runtime.ts";

const spec = pipeline();
const toEvents = relay(spec, checker(spec, await enrichFunction(spec)));
const events = streamSink(kinesisClient(), setting("EVENTS_STREAM"));
const metrics = ownMetrics();

export async function handler(batch: KinesisStreamEvent): Promise<BatchResponse> {
  const { records, counts, newest } = toEvents(
    batch.Records.map(({ eventID, kinesis }) => ({
      // "shardId-000000000000:4959..."
      shard: eventID.slice(0, eventID.indexOf(":")),
      sequence: kinesis.sequenceNumber,
      data: Buffer.from(kinesis.data, "base64"),
      arrival: Math.round(kinesis.approximateArrivalTimestamp * 1_000),
    })),
  );
  const refused = await events.put(records);
  metrics.addMetric(HEALTH.events, MetricUnit.Count, counts.events);
  metrics.addMetric(HEALTH.rejected, MetricUnit.Count, counts.rejected);
  metrics.addMetric(HEALTH.dropped, MetricUnit.Count, counts.dropped);
  if (newest !== undefined) metrics.addMetric(HEALTH.newestEvent, MetricUnit.Seconds, newest / 1_000);
  metrics.publishStoredMetrics();
  const itemIdentifier = checkpoint(records, refused);
  if (itemIdentifier === undefined) return { batchItemFailures: [] };
  logger.error("The events stream keeps refusing records; the batch is brought again from the first", {
    refused: refused.length,
    from: itemIdentifier,
  });
  return { batchItemFailures: [{ itemIdentifier }] };
}
