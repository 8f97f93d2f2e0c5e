import { expect, test } from "vitest";
import { seriesId } from "../../../src/core/series.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { tablesOf } from "../../../src/engine/tables.ts";
import { rewriteForDuckDB, splitStatements } from "../../../src/sql/index.ts";
import { windowSql } from "../../../src/ui/queries/prefilled.ts";

const STORM = Date.UTC(2001, 2, 5, 6);
const HOUR = 3_600_000;

const plain = requireSpec(
  JSON.stringify({
    name: "flights",
    source: { time: "scheduled", fields: { scheduled: "timestamp", origin: "string", delay: "double" } },
    series: { every: "1h", by: ["origin"], measures: { departures: { count: "*" } } },
  }),
);
/** Fields that SQL has other uses for. */
const awkward = requireSpec(
  JSON.stringify({
    name: "orders",
    source: { time: "order", fields: { order: "timestamp", group: "integer", end: "string", where: "string" } },
    series: { every: "1h", by: ["group", "where"], measures: { from: { count: "*" } } },
  }),
);
const incidentOf = (spec: typeof plain, values: readonly (readonly string[])[]) => ({
  title: "Departures below forecast\nat BOS -- and 'elsewhere'",
  from: STORM,
  openedAt: STORM + 3 * HOUR,
  contributors: values.map((value) => ({
    series: seriesId(
      spec.series.measures[0]!.name,
      spec.series.by.map((b) => b.field),
      value,
    ),
    from: STORM,
    worst: { start: STORM, actual: 1, expected: 2, deviation: -1 },
    recoveredAt: null,
  })),
});

test.each([
  ["a contributor", plain, [["BOS"]]],
  ["several", plain, [["BOS"], ["EWR"], ["it's"]]],
  ["none: declared for the whole pipeline", plain, []],
  [
    "fields that SQL has other uses for",
    awkward,
    [
      ["7", "O'Hare; --"],
      ["8", "x"],
    ],
  ],
] as const)("the SQL on an incident with %s is two statements that the dialect takes as they stand", (_, spec, values) => {
  const statements = splitStatements(windowSql(incidentOf(spec, values), spec));
  expect(statements.map((s) => s.name?.split(":")[0])).toEqual(["Windows", "Events"]);
  for (const { text, parameters } of statements) {
    expect(parameters).toEqual([]);
    expect(() => rewriteForDuckDB(text, { catalogue: { tables: tablesOf(spec) } }), text).not.toThrow();
  }
});

test("one contributor's SQL is about it alone", () => {
  const incident = incidentOf(plain, [["BOS"], ["EWR"]]);
  const text = windowSql(incident, plain, incident.contributors[1]!.series);
  expect(text).toContain("EWR");
  expect(text.replace(/^--.*$/gm, "")).not.toContain("BOS");
});
