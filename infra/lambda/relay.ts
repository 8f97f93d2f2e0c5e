/** Step 1 on AWS: records of the raw stream become checked events in the events stream, which the Flink job reads. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { kinesisClient, REQUEST, streamSink } from "./aws.ts";
import { checker } from "./checked.ts";
import type { BatchResponse, Call, KinesisStreamEvent } from "./events.ts";
import { Journal } from "./journal.ts";
import { HEALTH } from "./names.ts";
import { pass, relay } from "./relaying.ts";
import { enrichFunction, logger, ownMetrics, pipeline, setting } from "./runtime.ts";
import { Strays } from "./strays.ts";
import { watched } from "./watch.ts";

const spec = pipeline();
const journal = new Journal();
const strays = new Strays((failure) => logger.error("Enrich left behind what failed later", { failure }));
strays.listen();
const toEvents = relay(spec, watched(checker(spec, await enrichFunction(spec)), journal, strays));
const events = streamSink(kinesisClient(), setting("EVENTS_STREAM"));
const metrics = ownMetrics();

/** What putting the events has at least, however long their checks took, ms. */
const PUTTING = 20_000;
/** What stays when no request is begun any more, ms: for the last one, and to tell what was done. */
const ENDING = REQUEST + 2_000;

export function handler(batch: KinesisStreamEvent, call: Call): Promise<BatchResponse> {
  return journal.during(() => answer(batch, call));
}

async function answer(batch: KinesisStreamEvent, call: Call): Promise<BatchResponse> {
  const incoming = batch.Records.map(({ eventID, kinesis }) => ({
    // "shardId-000000000000:4959..."
    shard: eventID.slice(0, eventID.indexOf(":")),
    sequence: kinesis.sequenceNumber,
    data: Buffer.from(kinesis.data, "base64"),
    arrival: Math.round(kinesis.approximateArrivalTimestamp * 1_000),
  }));
  const relayed = await toEvents(incoming, call.getRemainingTimeInMillis() - PUTTING);
  const millis = call.getRemainingTimeInMillis() - ENDING;
  const { counts, newest, onTime, again, refused } = await pass(relayed, events, millis);
  metrics.addMetric(HEALTH.events, MetricUnit.Count, counts.events);
  metrics.addMetric(HEALTH.rejected, MetricUnit.Count, counts.rejected);
  metrics.addMetric(HEALTH.dropped, MetricUnit.Count, counts.dropped);
  if (newest !== undefined) metrics.addMetric(HEALTH.newestEvent, MetricUnit.Seconds, newest / 1_000);
  if (onTime !== undefined) metrics.addMetric(HEALTH.onTime, MetricUnit.Seconds, onTime / 1_000);
  metrics.publishStoredMetrics();
  if (again === undefined) return { batchItemFailures: [] };
  if (refused > 0)
    logger.error("The events stream keeps refusing records; they are brought again", { refused, from: again });
  const { left } = relayed;
  if (left !== undefined) logger.warn("Enrich is slow: the rest of the batch is brought again", { from: left });
  return { batchItemFailures: [{ itemIdentifier: again }] };
}
