/** A target with many series, as the explorer sees it. */
import type { PipelineStatus, SeriesInfo } from "../../../src/backend.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { EMPTY, type Snapshot } from "../../../src/ui/snapshot.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

/** A pipeline of `count` series, `round` windows after its start: each has another newest window than the round before. */
export function manySeries(count: number, round: number): Snapshot {
  const start = START + round * HOUR;
  const series = Array.from({ length: count }, (_, i): SeriesInfo => {
    const deviation = ((i * 7 + round * 3) % 40) / 15 - 1.2;
    return {
      id: `orders{shop=${i}}`,
      measure: "orders",
      by: { shop: String(i) },
      last: { start, actual: 50 + 10 * deviation, lower: 40, median: 50, upper: 60, deviation, late: 0 },
      method: "ensemble",
      reason: null,
    };
  });
  const pipeline: PipelineStatus = {
    name: "shops",
    state: "running",
    openIncidents: 0,
    spec: SPEC,
    liveFrom: START,
    watermark: start + HOUR,
    newestEvent: start + HOUR,
    behind: 0,
    counts: { records: round, events: round, rejected: 0, dropped: 0, late: 0, windows: round, compared: round },
    series: count,
  };
  return { ...EMPTY, pipelines: [pipeline], series: new Map([["shops", series]]) };
}

const SPEC = requireSpec(
  JSON.stringify({
    name: "shops",
    source: { time: "at", fields: { at: "timestamp", shop: "string" } },
    series: { every: "1h", by: ["shop"], measures: { orders: { count: "*" } } },
  }),
  "shops.pipeline.json",
);
