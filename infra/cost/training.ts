/** What one training uses, as far as it is billed: from how it is divided, and from how long its steps take. */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { judgingSeconds, PUBLISH_MEMORY, partSize, stagingSeconds } from "../workflow/capacity.ts";
import { familiesOf } from "../workflow/deepar.ts";

export interface TrainingUse {
  /** Gigabyte-seconds and runs of the function that stages, judges and publishes. */
  readonly lambdaGbSeconds: number;
  readonly invocations: number;
  readonly stateTransitions: number;
  /** Requests to S3. */
  readonly puts: number;
  readonly gets: number;
  /** Hours of the instances that train DeepAR, and of those that predict. */
  readonly trainingHours: number;
  readonly transformHours: number;
}

/** Seconds of a run that are not its series': its start, what it reads and writes. */
const RUN_SECONDS = 5;
/** Transitions of a training beside its parts': a family's ten or so, and those before and after. */
const TRANSITIONS = 30;
/** Files of a run: what its forecasts are of. */
const RUN_FILES = 1;
/** Files of a part: its series and their judgement, and a family's index, channels, question and answer. */
const FILES = 2;
const FAMILY_FILES = 5;
/** Hours until an instance is there and has the image, and what DeepAR then takes for the hundreds of series it was timed with. */
const START_HOURS = 5 / 60;
const TRAINING_HOURS = 15 / 60;
const TRANSFORM_HOURS = 3 / 60;
const TIMED_SERIES = 300;
/** A training is stopped after this. */
const MOST_TRAINING_HOURS = 2;

/** @param series how many series there are, or will be. */
export function trainingUse(spec: PipelineSpec, series: number): TrainingUse {
  const parts = Math.max(1, Math.ceil(series / partSize(spec)));
  const families = familiesOf(spec).length;
  const seconds = stagingSeconds(spec, series) + series * judgingSeconds(spec) + (parts + 2) * RUN_SECONDS;
  const files = RUN_FILES + parts * (FILES + families * FAMILY_FILES);
  const times = Math.max(1, series / TIMED_SERIES);
  return {
    lambdaGbSeconds: (seconds * PUBLISH_MEMORY) / 1_024,
    invocations: parts + 2,
    stateTransitions: TRANSITIONS + parts,
    puts: files,
    gets: files,
    trainingHours: families * Math.min(MOST_TRAINING_HOURS, START_HOURS + TRAINING_HOURS * times),
    transformHours: families * (START_HOURS + TRANSFORM_HOURS * times),
  };
}
