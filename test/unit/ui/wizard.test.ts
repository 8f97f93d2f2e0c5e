import { expect, test } from "vitest";
import { parseSpec } from "../../../src/core/spec.ts";
import { DAY, HOUR, MINUTE } from "../../../src/core/time.ts";
import { inferFields, proposeMeasures, proposeWindow } from "../../../src/ui/wizard/infer.ts";
import { parseSample, readSample } from "../../../src/ui/wizard/sample.ts";
import { type Draft, freeName, pipelineName, writePipelineFile } from "../../../src/ui/wizard/write.ts";

const flights = new URL("../../../node_modules/vega-datasets/data/", import.meta.url);

test("the flights of the sample, from Parquet: time, split and measures are proposed", async () => {
  const rows = await readSample(new URL("flights-3m.parquet", flights).pathname);
  const guess = inferFields(rows);
  expect(guess.fields.map((f) => [f.name, f.type])).toEqual([
    ["date", "timestamp"],
    ["delay", "integer"],
    ["distance", "integer"],
    ["origin", "string"],
    ["destination", "string"],
  ]);
  expect(guess.times).toEqual(["date"]);
  expect(guess.numbers).toEqual(["delay", "distance"]);
});

test("seattle's weather, from CSV", async () => {
  const guess = inferFields(await readSample(new URL("seattle-weather.csv", flights).pathname));
  expect(guess.times).toEqual(["date"]);
  expect(guess.splits).toEqual(["weather"]);
  expect(guess.numbers).toEqual(["precipitation", "temp_max", "temp_min", "wind"]);
});

test.each<[string, unknown[], string | undefined]>([
  ["iso", ["2026-03-05T06:00:00Z", "2026-03-05"], "timestamp"],
  ["created_at", [1_772_690_400, 1_772_690_401], "timestamp"],
  ["created_at", ["1772690400123"], "timestamp"],
  ["amount", [1_772_690_400], "integer"],
  ["amount", ["1.5", "2"], "double"],
  ["flag", [true, false], "boolean"],
  ["flag", ["true", "false"], "boolean"],
  ["word", ["a", 1], "string"],
  ["empty", [null, ""], "string"],
  ["nested", [{ a: 1 }], undefined],
  ["not an identifier", [1], undefined],
])("a column %s with %j is %s", (name, values, type) => {
  const guess = inferFields(values.map((value) => ({ [name]: value })));
  expect(guess.fields[0]?.type).toBe(type);
  expect(guess.left).toEqual(type === undefined ? [name] : []);
});

test("ids neither split nor measure", () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    order_id: String(i % 3),
    userId: i,
    region: i % 2 ? "a" : "b",
  }));
  const guess = inferFields(rows);
  expect(guess.splits).toEqual(["region"]);
  expect(guess.numbers).toEqual([]);
});

test("what adds up is summed, the rest averaged", () => {
  const guess = inferFields([{ revenue: 1.5, latency: 2.5 }]);
  expect(proposeMeasures(guess).map((m) => `${m.name}=${m.statistic}(${m.field})`)).toEqual([
    "events=count(*)",
    "total_revenue=sum(revenue)",
    "mean_latency=avg(latency)",
  ]);
});

test.each([
  [1_000, MINUTE],
  [20_000, 15 * MINUTE],
  [HOUR, DAY],
])("events every %i ms ask for windows of %i ms", (spacing, window) => {
  expect(proposeWindow(Array.from({ length: 50 }, (_, i) => i * spacing))).toBe(window);
});

test.each([
  ["JSON lines, the last cut", '{"a":1}\n{"a":2}\n{"a":', true, [{ a: 1 }, { a: 2 }]],
  ["a JSON array", '[{"a":1},3,{"a":2}]', false, [{ a: 1 }, { a: 2 }]],
  [
    "CSV, the last row cut",
    "a,b\n1,x\n2,y\n3",
    true,
    [
      { a: "1", b: "x" },
      { a: "2", b: "y" },
    ],
  ],
  ["CSV with semicolons and quotes", 'a;b\n1;"x;y"\n', false, [{ a: "1", b: "x;y" }]],
])("%s", (_, text, cut, rows) => {
  expect(parseSample({ text, cut })).toEqual(rows);
});

test("a file without rows is refused in plain words", async () => {
  await expect(readSample(new URL("../../../LICENSE-that-is-not-there.csv", flights).pathname)).rejects.toMatchObject({
    code: "input.invalid",
  });
});

test.each([
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  DAY,
])("a written file with windows of %i ms is a pipeline", (every) => {
  const draft: Draft = {
    name: "orders",
    time: "at",
    fields: [
      { name: "at", type: "timestamp" },
      { name: "region", type: "string" },
      { name: "revenue", type: "double" },
    ],
    by: ["region"],
    measures: [
      { name: "events", statistic: "count", field: "*" },
      { name: "total_revenue", statistic: "sum", field: "revenue" },
    ],
    every,
  };
  const { spec, problems } = parseSpec(writePipelineFile(draft));
  expect(problems).toEqual([]);
  expect(spec?.series.every).toBe(every);
  expect(parseSpec(writePipelineFile({ ...draft, by: [] })).problems).toEqual([]);
});

test.each([
  ["Flights 3M.parquet", "flights-3m"],
  ["2024_orders.csv", "orders"],
  ["___.json", "pipeline"],
])("%s names the pipeline %s", (from, name) => {
  expect(pipelineName(from)).toBe(name);
});

test.each([
  ["orders", [], "orders"],
  ["orders", ["orders"], "orders-2"],
  ["orders", ["orders", "orders-2"], "orders-3"],
  ["a".repeat(48), ["a".repeat(48)], `${"a".repeat(46)}-2`],
])("%s beside %j is named %s", (name, taken: readonly string[], free) => {
  expect(freeName(name, (one) => !taken.includes(one))).toBe(free);
});
