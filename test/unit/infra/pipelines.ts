/** Pipeline files for the infrastructure's tests, chosen so that every shape the templates can take occurs. */

import { FUNCTIONS, type SynthesisOptions } from "../../../infra/template/synthesize.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";

const flights = {
  name: "flights",
  source: {
    time: "scheduled",
    fields: { scheduled: "timestamp", origin: "string", destination: "string", delay: "double", distance: "double" },
    lateness: "10m",
    idle: "2m",
  },
  enrich: "enrich.mjs",
  series: {
    every: "1h",
    by: { origin: ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"] },
    measures: { departures: { count: "*" }, mean_delay: { avg: "delay" }, delay_spread: { stddev: "delay" } },
  },
  forecast: { history: "8w", horizon: "48h", band: 0.98, seasons: ["1d", "1w"], retrain: "1d" },
  alarms: [
    {
      name: "departures-low",
      measure: "departures",
      direction: "below",
      datapoints: "3 of 4",
      missing: "breaching",
      severity: 2,
      runbook: "runbooks/departures.md",
    },
    {
      name: "delay-high",
      measure: "mean_delay",
      direction: "above",
      threshold: 1.5,
      datapoints: "2 of 3",
      severity: 4,
    },
  ],
};

/** Discovered groups, five-minute windows, a rule on both sides: everything by Metrics Insights. */
const clicks = {
  name: "clicks-per-page-2",
  source: {
    time: "at",
    fields: { at: "timestamp", Page: "string", mobile: "boolean", status: "integer", bytes: "double" },
    shards: 4,
  },
  series: {
    every: "5m",
    by: ["Page", "mobile"],
    measures: {
      views: { count: "*" },
      traffic: { sum: "bytes" },
      largest: { max: "bytes" },
      with_status: { count: "status" },
    },
  },
  forecast: { horizon: "2d", retrain: "12h", history: "2w" },
  alarms: [
    {
      name: "traffic-odd",
      measure: "traffic",
      direction: "both",
      threshold: 2,
      datapoints: "2 of 2",
      missing: "notBreaching",
      severity: 5,
    },
    {
      name: "views-low",
      measure: "views",
      direction: "below",
      missing: "breaching",
      datapoints: "5 of 6",
      severity: 1,
    },
  ],
  retention: { stream: "7d", lake: "90d" },
};

/** No groups at all, windows of a day, the longest name, no alarms. */
const daily = {
  name: "a-name-as-long-as-a-pipeline-s-name-may-ever-be0",
  source: { time: "t", fields: { t: "timestamp", amount: "double" } },
  series: { every: "1d", measures: { revenue: { sum: "amount" } } },
  forecast: { history: "52w", horizon: "14d", retrain: "1d" },
};

/** So many series that a composite needs a layer more. */
const many = {
  name: "sensors",
  source: { time: "t", fields: { t: "timestamp", id: "string", celsius: "double" } },
  series: {
    every: "1h",
    by: {
      id: Array.from(
        { length: 130 },
        (_, i) => ({ 7: 'Zürich "7"', 8: "鹿児島市立中央保育園・北館".repeat(8) })[i] ?? `sensor-${i}`,
      ),
    },
    measures: { warmth: { avg: "celsius" } },
  },
  alarms: [{ name: "warm", measure: "warmth", direction: "both", datapoints: "4 of 6" }],
};

export const PIPELINES: Readonly<Record<string, PipelineSpec>> = Object.fromEntries(
  [flights, clicks, daily, many].map((file) => [file.name, requireSpec(JSON.stringify(file))]),
);

export const FLIGHTS = PIPELINES.flights!;
export const CLICKS = PIPELINES["clicks-per-page-2"]!;

export function options(over: Partial<SynthesisOptions> = {}): SynthesisOptions {
  return {
    artifacts: {
      bucket: "forewatch-artifacts-123456789012-eu-west-1",
      functions: Object.fromEntries(
        FUNCTIONS.map((name) => [name, `functions/${name}-0123456789abcdef.zip`]),
      ) as SynthesisOptions["artifacts"]["functions"],
      flink: "flink/windows-0123456789abcdef.zip",
    },
    incidents: { kind: "ops-center" },
    region: "eu-west-1",
    email: "on-call@example.org",
    ...over,
  };
}
