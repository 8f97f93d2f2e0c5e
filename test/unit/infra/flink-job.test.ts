import { describe, expect, test } from "vitest";
import { flinkJob } from "../../../infra/flink/job.ts";
import type { Measure, PipelineSpec } from "../../../src/core/spec.ts";
import { CLICKS, FLIGHTS } from "./pipelines.ts";

describe("the names that state is found by", () => {
  const { source, series } = FLIGHTS;
  const [count, mean, spread] = series.measures as [Measure, Measure, Measure];
  const names = (spec: PipelineSpec) => flinkJob(spec).settings["table.exec.uid.format"];

  test.for<[string, PipelineSpec]>([
    ["the lateness", { ...FLIGHTS, source: { ...source, lateness: source.lateness + 60_000 } }],
    ["when silence begins", { ...FLIGHTS, source: { ...source, idle: source.idle + 60_000 } }],
    ["the shards", { ...FLIGHTS, source: { ...source, shards: source.shards + 1 } }],
    ["the values that are listed", { ...FLIGHTS, series: { ...series, by: [{ field: "origin", values: ["BOS"] }] } }],
    ["the alarms", { ...FLIGHTS, alarms: [] }],
  ])("stay when %s changes", ([, changed]) => {
    expect(names(changed)).toBe(names(FLIGHTS));
  });

  test.for<[string, PipelineSpec]>([
    ["the length of windows", { ...FLIGHTS, series: { ...series, every: series.every / 2 } }],
    ["the number of measures", { ...FLIGHTS, series: { ...series, measures: [count, mean] } }],
    ["the order of measures", { ...FLIGHTS, series: { ...series, measures: [mean, count, spread] } }],
    ["a statistic", { ...FLIGHTS, series: { ...series, measures: [count, { ...mean, statistic: "max" }, spread] } }],
    ["a field", { ...FLIGHTS, series: { ...series, measures: [count, { ...mean, field: "distance" }, spread] } }],
    ["what is split by", { ...FLIGHTS, series: { ...series, by: [{ field: "destination" }] } }],
    ["the pipeline", CLICKS],
  ])("change with %s", ([, changed]) => {
    expect(names(changed)).not.toBe(names(FLIGHTS));
  });
});

test.for([
  { idle: 2_000, timeout: "2 s" },
  { idle: 12 * 3_600_000, timeout: "60 s" },
])("an empty shard holds the clock up for $timeout when the pipeline bears a silence of $idle ms", ({
  idle,
  timeout,
}) => {
  const { settings } = flinkJob({ ...FLIGHTS, source: { ...FLIGHTS.source, idle } });
  expect(settings["table.exec.source.idle-timeout"]).toBe(timeout);
});
