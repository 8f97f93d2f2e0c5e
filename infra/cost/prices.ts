/** List prices in US dollars; each with the unit it is for. */
export interface Prices {
  /** Where and when, for people. */
  readonly of: string;
  readonly region: string;
  readonly shardHour: number;
  /** A shard's hour of keeping records beyond a day. */
  readonly shardExtendedHour: number;
  /** A gigabyte's month in a stream beyond a week. */
  readonly shardOldGb: number;
  readonly putPerMillion: number;
  readonly firehoseGb: number;
  readonly firehoseConversionGb: number;
  readonly kpuHour: number;
  readonly kpuStorageGb: number;
  readonly s3Gb: number;
  /** A thousand PUT requests; a thousand GET requests. */
  readonly s3Put: number;
  readonly s3Get: number;
  readonly athenaTb: number;
  /** An hour of ml.c5.2xlarge; of ml.c5.xlarge. */
  readonly trainingHour: number;
  readonly transformHour: number;
  readonly lambdaGbSecond: number;
  readonly lambdaMillion: number;
  readonly metric: number;
  /** An alarm on a metric; a Metrics Insights alarm costs this for each metric its query reads. */
  readonly alarm: number;
  readonly compositeAlarm: number;
  readonly dashboard: number;
  /** A thousand requests that write metrics. */
  readonly metricWrite: number;
  /** A thousand metrics read. */
  readonly metricRead: number;
  readonly kmsKey: number;
  readonly logsGb: number;
  /** A thousand state transitions. */
  readonly stepTransition: number;
  /** A response plan of Incident Manager, a month; an OpsItem. Not verified: the price page was not at hand. */
  readonly responsePlan: number;
  readonly opsItem: number;
}

export const PRICES: Prices = {
  of: "us-east-1 list prices, November 2026",
  region: "us-east-1",
  shardHour: 0.015,
  shardExtendedHour: 0.02,
  shardOldGb: 0.023,
  putPerMillion: 0.014,
  firehoseGb: 0.029,
  firehoseConversionGb: 0.018,
  kpuHour: 0.11,
  kpuStorageGb: 0.1,
  s3Gb: 0.023,
  s3Put: 0.005,
  s3Get: 0.0004,
  athenaTb: 5,
  trainingHour: 0.408,
  transformHour: 0.204,
  lambdaGbSecond: 0.0000133334,
  lambdaMillion: 0.2,
  metric: 0.3,
  alarm: 0.1,
  compositeAlarm: 0.5,
  dashboard: 3,
  metricWrite: 0.01,
  metricRead: 0.01,
  kmsKey: 1,
  logsGb: 0.5,
  stepTransition: 0.025,
  responsePlan: 7,
  opsItem: 0.00297,
};
