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
import { Strays } from "./strays.ts";
import { transform } from "./transform.ts";
import { watched } from "./watch.ts";

const spec = pipeline();
const journal = new Journal();
const strays = new Strays((failure) => logger.error("Enrich left behind what failed later", { failure }));
strays.listen();
const checkAll = watched(checker(spec, await enrichFunction(spec)), journal, strays);
const objects = bucketObjects(new S3Client({}), setting("DATA_BUCKET"));
const prefix = setting("REJECTED_PREFIX");
const metrics = ownMetrics();

/** What keeping the rejected takes, ms. */
const KEEPING = 20_000;

export function handler(event: FirehoseEvent, call: Call): Promise<FirehoseAnswer> {
  return journal.during(() => answer(event, call.getRemainingTimeInMillis() - KEEPING));
}

/** @param millis how long the records may take. */
async function answer(event: FirehoseEvent, millis: number): Promise<FirehoseAnswer> {
  const { records, rejected, counts } = await transform(event, spec, checkAll, millis);
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
