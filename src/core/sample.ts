/**
 * The bundled sample's facts, for every front end that replays it: three million real US flights of 2001 (the npm package
 * vega-datasets), with the north-east snowstorm of 5 March in them.
 */

export const SAMPLE = {
  /** The pipeline file among the sample's files; its stream is named like the pipeline. */
  file: "flights.pipeline.json",
  stream: "flights",
  /** The dataset's file in the npm package, and in a packaged extension. */
  dataset: "flights-3m.parquet",
  packaged: "flights.parquet",
  /** Events before this are history that trains the forecast, sent as fast as they are taken; from here on they count as live. */
  liveFrom: Date.UTC(2001, 2, 1),
  /** Where the replay ends: the storm is over, and a usual week has followed it. */
  until: Date.UTC(2001, 2, 12),
  /** The dataset's column with the event time. */
  time: "date",
  /** The pipeline's fields over the dataset's columns; `late` is what the sample's own code adds. */
  columns: {
    scheduled: "date",
    delay: "CAST(delay AS DOUBLE)",
    distance: "CAST(distance AS DOUBLE)",
    late: "NULL",
  },
} as const;
