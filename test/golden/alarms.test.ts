import { describe, expect, test } from "vitest";
import { type AlarmState, evaluateDatapoints, evaluateRule, FRESH_RULE } from "../../src/core/alert.ts";
import { compare } from "../../src/core/compare.ts";
import { MISSING, requireSpec } from "../../src/core/spec.ts";
import { HOUR } from "../../src/core/time.ts";
import golden from "./alarms.golden.json" with { type: "json" };

const STATES: readonly AlarmState[] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

describe.each(golden.tables)("$source: $datapoints of $periods", ({ datapoints, periods, rows }) => {
  test.each(rows)("$points", (row) => {
    const points = [...row.points].map((c) => (c === "-" ? null : c === "X"));
    for (const missing of MISSING)
      for (const current of STATES) {
        const expected = row[missing] === "RETAIN" ? current : row[missing];
        const found = evaluateDatapoints(points, { datapoints, periods, missing }, current);
        expect(found, `${missing}, from ${current}`).toBe(expected);
      }
  });
});

describe("a rule's states, window by window", () => {
  test.each(golden.sequences)("$name", ({ rule, deviations, states }) => {
    const spec = requireSpec(
      JSON.stringify({
        name: "golden",
        source: { time: "t", fields: { t: "timestamp" } },
        series: { every: "1h", measures: { n: { count: "*" } } },
        alarms: [{ name: "a", measure: "n", ...rule }],
      }),
    );
    let memory = FRESH_RULE;
    const found = deviations.map((deviation, i) => {
      const window = { series: "n", start: i * HOUR, end: (i + 1) * HOUR };
      const none = typeof deviation === "string";
      const band = none ? undefined : { lower: -1, median: 0, upper: 1, version: "v" };
      ({ memory } = evaluateRule(
        spec.alarms[0]!,
        memory,
        [compare(window, none ? 5 : (deviation ?? Number.NaN), band, 0)],
        window.end,
      ));
      return memory.state;
    });
    expect(found).toEqual(states);
  });
});
