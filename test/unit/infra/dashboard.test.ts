/** That the graphs of the dashboard are of metrics that are written: each search and each metric is held against who writes it. */
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../../infra/lambda/names.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { compare, metricsOf } from "../../../src/core/compare.ts";
import { options, PIPELINES } from "./pipelines.ts";

interface Graph {
  readonly title: string;
  readonly period: number;
  readonly metrics: readonly (readonly (string | { readonly expression?: string })[])[];
  readonly annotations?: { readonly horizontal: readonly { readonly label: string; readonly value: number }[] };
}

const WRITTEN = new Set(
  metricsOf(compare({ series: "s", start: 0, end: 1 }, 2, { lower: 0, median: 1, upper: 3, version: "v" }, 1)).map(
    (m) => m.name as string,
  ),
);

test.each(
  Object.entries(PIPELINES),
)("each measure of %s has a graph of its deviation and one of its values", (_, spec) => {
  const { Dashboard } = synthesize(spec, options()).template.Resources;
  const { "Fn::Sub": text } = Dashboard!.Properties.DashboardBody as unknown as { readonly "Fn::Sub": string };
  const { widgets } = JSON.parse(text) as { readonly widgets: readonly { readonly properties: Graph }[] };
  const searches = widgets.flatMap(({ properties }) => {
    const [first] = properties.metrics?.[0] ?? [];
    return typeof first === "object" && first.expression !== undefined
      ? [{ ...properties, search: first.expression }]
      : [];
  });
  const search = /^SEARCH\('\{"([^"]+)",(\w+),(\w+)\} MetricName="(\w+)" Measure="(\w+)"', 'Maximum', (\d+)\)$/;
  const found = searches.map((graph) => {
    const [, namespace, by, per, metric, measure, period] = search.exec(graph.search)!;
    expect([namespace, by, per]).toEqual([`Forewatch/${spec.name}`, DIMENSIONS.measure, DIMENSIONS.series]);
    expect([Number(period), graph.period]).toEqual([spec.series.every / 1_000, spec.series.every / 1_000]);
    expect(WRITTEN).toContain(metric);
    return { title: graph.title, metric, measure, lines: graph.annotations?.horizontal };
  });
  const lines = (measure: string) =>
    spec.alarms
      .filter((rule) => rule.measure === measure)
      .flatMap(({ name, direction, threshold }) => [
        ...(direction === "below" ? [] : [{ label: name, value: threshold }]),
        ...(direction === "above" ? [] : [{ label: name, value: -threshold }]),
      ]);
  expect(found).toEqual(
    spec.series.measures.flatMap(({ name }) => [
      {
        title: `${name}: deviation (1 is the edge of the band)`,
        metric: "Deviation",
        measure: name,
        lines: lines(name),
      },
      { title: `${name}: actual`, metric: "Actual", measure: name, lines: undefined },
    ]),
  );
});
