/** Step 2 on AWS: Firehose's transform. What is rejected is kept in the bucket before the answer goes back. */
import { gzipSync } from "node:zlib";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { S3Client } from "@aws-sdk/client-s3";
import { bucketObjects } from "./aws.ts";
import { checker } from "./checked.ts";
import type { Call, FirehoseAnswer, FirehoseEvent } from "./events.ts";
import { Journal } from "./journal.ts";
import { HEALTH } from "./names.ts";
import { enrichFunction, logger, ownMetrics, pipeline, setting } from "./runtime.ts";
import { transform } from "./transform.ts";

const spec = pipeline();
const journal = new Journal();
const check = journal.guard(checker(spec, await enrichFunction(spec)));
const objects = bucketObjects(new S3Client({}), setting("DATA_BUCKET"));
const prefix = setting("REJECTED_PREFIX");
const metrics = ownMetrics();

/** What keeping the rejected takes, ms. */
const KEEPING = 20_000;

export async function handler(event: FirehoseEvent, call: Call): Promise<FirehoseAnswer> {
  const name = `${event.records[0]?.recordId} ${event.records.length}`;
  const { records, rejected, counts } = journal.during(name, () =>
    transform(event, spec, check, call.getRemainingTimeInMillis() - KEEPING),
  );
  // A failure here fails the whole batch, and Firehose brings it again: better twice than not at all.
  await Promise.all(
    rejected.map(({ key, lines }) => objects.put(`${prefix}${key}`, gzipSync(lines), "application/x-ndjson")),
  );
  metrics.addMetric(HEALTH.events, MetricUnit.Count, counts.events);
  metrics.addMetric(HEALTH.rejected, MetricUnit.Count, counts.rejections);
  metrics.addMetric(HEALTH.dropped, MetricUnit.Count, counts.dropped);
  if (counts.overflowed > 0) {
    metrics.addMetric(HEALTH.overflowed, MetricUnit.Count, counts.overflowed);
    logger.warn("Records found no room in the answer; they are kept under failed/", { overflowed: counts.overflowed });
  }
  metrics.publishStoredMetrics();
  return { records };
}
