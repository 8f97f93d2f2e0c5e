/**
 * How long a training waits for each of its steps, and how often it asks again where it is refused. The execution's own time is
 * what all of them may take one after another, so that a step which hangs is given up in time for the ensemble's forecast to be
 * judged and published.
 */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { mostSeries, PART_SECONDS, partSize } from "./capacity.ts";

/** Seconds of MaxRuntimeInSeconds: DeepAR takes a quarter of an hour for a few hundred series. */
export const TRAINING_SECONDS = 2 * 3_600;

/** Seconds that a state waits for what it asked for, at most. */
export const TIMEOUTS = {
  /** One request to a service's API. */
  request: 60,
  /** One of up to a hundred requests that clean up. */
  cleanUp: 10,
  /** Athena stops a statement after half an hour; before that it may have to queue. */
  query: 2_400,
  /** Lambda's own limit. */
  function: 900,
  /** The training, and half an hour for its instance to come and its data to be read. */
  train: TRAINING_SECONDS + 1_800,
  predict: 2 * 3_600,
} as const;

/** Models that one execution cleans up at most. */
export const CLEANED_UP = 100;

/**
 * Parts that are judged at once. A new account runs ten functions at a time, and the stream's own go before: what is refused is
 * tried again, and the lake's delivery or a comparison that waits is worse than a training that takes some minutes more.
 */
export const JUDGING = 5;

/** A retrier of the Amazon States Language. */
export interface Retrier {
  readonly [key: string]: string | number | readonly string[];
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate: number;
}

/** Lambda's errors that are not the function's own (Step Functions Developer Guide, "Handle transient Lambda service exceptions"). */
export const LAMBDA_RETRY: readonly Retrier[] = [
  {
    // Others' functions have taken up the account's concurrency: that may last for minutes.
    ErrorEquals: ["Lambda.TooManyRequestsException"],
    IntervalSeconds: 2,
    MaxAttempts: 10,
    BackoffRate: 2,
    MaxDelaySeconds: 60,
    JitterStrategy: "FULL",
  },
  {
    ErrorEquals: [
      "Lambda.ClientExecutionTimeoutException",
      "Lambda.ServiceException",
      "Lambda.AWSLambdaException",
      "Lambda.SdkClientException",
    ],
    IntervalSeconds: 2,
    MaxAttempts: 5,
    BackoffRate: 2,
    JitterStrategy: "FULL",
  },
];

/**
 * SageMaker lends its errors no name of their own when it is asked too often: its own integration gives them the service's, that of
 * the AWS SDK the SDK's ("SDK service integrations": `ServiceName.ErrorName`, with "Exception" at its end).
 */
export const SAGEMAKER_RETRY: readonly Retrier[] = [
  {
    ErrorEquals: [
      "SageMaker.AmazonSageMakerException",
      "SageMaker.SageMakerException",
      "SageMaker.ThrottlingException",
      "ThrottlingException",
    ],
    IntervalSeconds: 30,
    MaxAttempts: 4,
    BackoffRate: 2,
    JitterStrategy: "FULL",
  },
];

export const ATHENA_RETRY: readonly Retrier[] = [
  {
    ErrorEquals: ["Athena.TooManyRequestsException", "Athena.InternalServerException"],
    IntervalSeconds: 15,
    MaxAttempts: 3,
    BackoffRate: 2,
  },
];

/** Seconds between all attempts of the retriers, at most. */
function pauses(retriers: readonly Retrier[]): number {
  return Math.max(
    0,
    ...retriers.map(({ IntervalSeconds, MaxAttempts, BackoffRate, MaxDelaySeconds = Number.POSITIVE_INFINITY }) => {
      let all = 0;
      for (let i = 0; i < MaxAttempts; i++)
        all += Math.min(Number(MaxDelaySeconds), IntervalSeconds * BackoffRate ** i);
      return all;
    }),
  );
}

/** Seconds that an execution may take: all of its steps as long as they may, and twice as long as it should to judge. */
export function executionSeconds(spec: PipelineSpec): number {
  const { request, cleanUp, query, function: run, train, predict } = TIMEOUTS;
  const rounds = Math.ceil(Math.ceil(mostSeries(spec) / partSize(spec)) / JUDGING);
  const training = train + request + predict + request + 4 * pauses(SAGEMAKER_RETRY);
  return (
    request +
    pauses(SAGEMAKER_RETRY) +
    CLEANED_UP * cleanUp +
    (query + pauses(ATHENA_RETRY)) +
    training +
    Math.max(run, 2 * PART_SECONDS * rounds) +
    2 * run +
    3 * pauses(LAMBDA_RETRY)
  );
}
