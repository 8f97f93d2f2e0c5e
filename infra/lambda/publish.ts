/** Step 4 on AWS, the tasks of the training workflow that are ours: lay out what is learned from, judge what was learned, publish it. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { S3Client } from "@aws-sdk/client-s3";
import { bucketObjects } from "./aws.ts";
import { HEALTH } from "./names.ts";
import { type JudgeRequest, Publisher, type PublishRequest, type StageRequest } from "./publishing.ts";
import { exclusions, logger, ownMetrics, pipeline, setting } from "./runtime.ts";

const metrics = ownMetrics();
const publisher = new Publisher({
  spec: pipeline(),
  objects: bucketObjects(new S3Client({}), setting("DATA_BUCKET")),
  training: setting("TRAINING_PREFIX"),
  forecasts: setting("FORECASTS_PREFIX"),
  current: setting("FORECAST_KEY"),
  exclusions: exclusions(),
});

export async function handler(request: StageRequest | JudgeRequest | PublishRequest): Promise<object> {
  if (request.action === "stage") {
    const staged = await publisher.stage(request);
    logger.info("Series are laid out for training", { ...staged });
    return staged;
  }
  if (request.action === "judge") {
    const judged = await publisher.judge(request);
    if (judged.unread.length > 0) logger.error("Predictions cannot be read; the ensemble stands in", { ...judged });
    else logger.info("A part of the series is judged", { ...judged });
    return judged;
  }
  const published = await publisher.publish(request);
  metrics.addMetric(HEALTH.published, MetricUnit.Count, published.series);
  metrics.addMetric(HEALTH.byDeepAr, MetricUnit.Count, published.byMethod.deepar ?? 0);
  metrics.addMetric(HEALTH.notForecast, MetricUnit.Count, published.failures);
  metrics.publishStoredMetrics();
  logger.info("A forecast is in use", { ...published });
  return published;
}
