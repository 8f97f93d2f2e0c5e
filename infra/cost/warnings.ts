/** What an estimate is to be read with: what it assumes, and what of the load the pipeline file does not fit. */

const GB = 2 ** 30;

/** A load beyond the pipeline file's shards, and how a pipeline that is there gets them. */
export function shardsWarning(needed: number, shards: number): string[] {
  if (needed <= shards) return [];
  const steps = [];
  for (let next = 2 * shards; next < needed; next *= 2) steps.push(next);
  // Kinesis API reference, UpdateShardCount: a stream's shards can at most be doubled at once.
  const stepwise =
    steps.length > 0
      ? ` A pipeline that is there already can only double them with each deployment: ${[...steps, needed].join(", then ")}.`
      : "";
  return [
    `This load needs ${needed} shards and the pipeline file has ${shards}: set "source": {"shards": ${needed}}, or records will be refused.${stepwise}`,
  ];
}

/** Groups that nobody said the number of. @param more what each further group costs, dollars a month. */
export function groupsWarning(assumed: number, more: number): string {
  return `The groups are discovered, and ${assumed} are assumed here: each further one adds about ${more.toFixed(2)} US dollars a month. Say how many there will be (--groups-count), or which (--groups).`;
}

/** A person's query may read as much; a training that reads more should be meant. */
const MUCH = 100 * GB;

/** Trainings that read much. @param bytes what one reads; @param price what all of a month's cost, dollars. */
export function trainingWarning(bytes: number, price: number): string[] {
  if (bytes <= MUCH) return [];
  return [
    `Each training reads about ${Math.round(bytes / GB)} GB of the lake, for ${price.toFixed(2)} US dollars a month in all: a shorter forecast.history or a longer forecast.retrain reads less.`,
  ];
}
