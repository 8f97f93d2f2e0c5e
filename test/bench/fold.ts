/** How fast one core folds events into windows: the sample's shape, 8 groups and 3 measures, hourly windows. */
import { Analyzer } from "../../src/core/analyze.ts";
import type { Event } from "../../src/core/collect.ts";
import { requireSpec } from "../../src/core/spec.ts";

export interface BenchRow {
  readonly name: string;
  readonly value: string;
  readonly target?: string;
  readonly ok?: boolean;
}

const EVENTS = 1_000_000;
const TARGET = 1_000_000;
const ORIGINS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];

const SPEC = requireSpec(
  JSON.stringify({
    name: "flights",
    source: {
      time: "scheduled",
      fields: { scheduled: "timestamp", origin: "string", delay: "double" },
      lateness: "10m",
    },
    series: {
      every: "1h",
      by: { origin: ORIGINS },
      measures: { departures: { count: "*" }, mean_delay: { avg: "delay" }, delay_spread: { stddev: "delay" } },
    },
  }),
);

/** Folds a million events three times and gives the best rate, by the processor time it took: other processes do not count. */
export function benchFold(): { rows: BenchRow[] } {
  const events = makeEvents();
  let best = Number.POSITIVE_INFINITY;
  let windows = 0;
  for (let run = 0; run < 3; run++) {
    const analyzer = new Analyzer(SPEC);
    windows = 0;
    const started = process.cpuUsage();
    for (const event of events) {
      analyzer.add(event, event.time);
      if (analyzer.closable) for (const _ of analyzer.close()) windows++;
    }
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, (user + system) / 1e6);
  }
  const rate = EVENTS / best;
  return {
    rows: [
      {
        name: `Window fold, events/s on one core (${windows} windows)`,
        value: Math.round(rate).toLocaleString("en"),
        target: TARGET.toLocaleString("en"),
        ok: rate >= TARGET,
      },
    ],
  };
}

/** Events a third of a second apart on average, jittered within the lateness; the same in every run. */
function makeEvents(): Event[] {
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const start = Date.UTC(2001, 2, 1);
  return Array.from({ length: EVENTS }, (_, i) => {
    const time = start + i * 333 - Math.floor(random() * 300_000);
    const delay = Math.round(random() * 120 - 20);
    return { time, values: [time, ORIGINS[Math.floor(random() * 8)]!, delay] };
  });
}
