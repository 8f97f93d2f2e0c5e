import { describe, expect, test } from "vitest";
import {
  type AlarmState,
  breaches,
  evaluateDatapoints,
  evaluateRule,
  evaluationRange,
  FRESH_RULE,
  type RuleMemory,
  type RuleOutcome,
} from "../../../src/core/alert.ts";
import { compare } from "../../../src/core/compare.ts";
import { type AlarmRule, DIRECTIONS, MISSING, type MissingData } from "../../../src/core/spec.ts";
import { HOUR } from "../../../src/core/time.ts";

const RULE: AlarmRule = {
  name: "low",
  measure: "n",
  direction: "below",
  threshold: 1,
  datapoints: 3,
  periods: 4,
  missing: "missing",
  severity: 2,
  resolveAfter: 0,
};

const BAND = { lower: -1, median: 0, upper: 1, version: "v" };

test.each<[AlarmRule["direction"], number, boolean | null]>([
  ["below", -1.01, true],
  ["below", -1, false],
  ["below", 5, false],
  ["below", Number.NaN, null],
  ["above", 1.01, true],
  ["above", 1, false],
  ["above", -5, false],
  ["above", Number.NaN, null],
  ["both", 1.01, true],
  ["both", -1.01, true],
  ["both", 0, false],
  ["both", Number.NaN, null],
])("%s: a deviation of %d breaches: %s", (direction, d, breaching) => {
  const window = compare({ series: "n", start: 0, end: HOUR }, d, BAND, 1);
  for (const missing of MISSING)
    expect(breaches({ direction, threshold: 1, missing }, window)).toBe(
      missing === "breaching" && breaching === null ? true : breaching,
    );
});

test("a window without a forecast never breaches: that is what `forecast-missing` is for", () => {
  for (const actual of [0, 5_000, Number.NaN])
    for (const direction of DIRECTIONS) {
      const window = compare({ series: "n", start: 0, end: HOUR }, actual, undefined, 1);
      const found = MISSING.map((missing) => breaches({ direction, threshold: 1, missing }, window));
      expect(found).toEqual(MISSING.map((missing) => (missing === "breaching" ? false : null)));
    }
});

/** What the golden cases of CloudWatch's tables leave open; `0` healthy, `X` breaching, `-` missing, newest last. */
describe("what missing data makes of a rule", () => {
  const points = (text: string) => [...text].map((c) => (c === "-" ? null : c === "X"));
  const state = (text: string, m: number, n: number, missing: MissingData, current: AlarmState = "OK", seen?: number) =>
    evaluateDatapoints(points(text), { datapoints: m, periods: n, missing }, current, seen);

  test("with n datapoints in the range, all treatments agree", () => {
    for (const text of ["X-X-X", "XXX--"])
      expect(MISSING.map((m) => state(text, 3, 3, m))).toEqual(Array(4).fill("ALARM"));
    for (const text of ["0-X-X", "0XX--"])
      expect(MISSING.map((m) => state(text, 3, 3, m))).toEqual(Array(4).fill("OK"));
  });

  test("a single breach does not alarm before it is m windows old, so that a healthy one can still follow", () => {
    expect(["----X", "---X-", "--X--"].map((t) => state(t, 3, 3, "missing"))).toEqual(["OK", "OK", "ALARM"]);
    expect(["---X0", "--X-0"].map((t) => state(t, 3, 3, "missing"))).toEqual(["OK", "OK"]);
  });

  test("an alarm outlasts its data until the range is empty", () => {
    expect(["XXX--", "XX---", "X----", "-----"].map((t) => state(t, 3, 3, "missing", "ALARM"))).toEqual([
      "ALARM",
      "ALARM",
      "ALARM",
      "INSUFFICIENT_DATA",
    ]);
  });

  test.each<AlarmState>([
    "OK",
    "ALARM",
    "INSUFFICIENT_DATA",
  ])("`ignore` keeps %s while nothing speaks against it", (current) => {
    expect(["-----", "----X", "X----"].map((t) => state(t, 3, 3, "ignore", current))).toEqual([
      current,
      current,
      current,
    ]);
    expect(state("----0", 3, 3, "ignore", current)).toBe("OK");
  });

  test.each<[string, number, MissingData, AlarmState]>([
    ["-", 1, "breaching", "OK"],
    ["--", 2, "breaching", "OK"],
    ["---", 3, "breaching", "ALARM"],
    ["X", 1, "missing", "OK"],
    ["XX", 2, "missing", "OK"],
    ["XXX", 3, "missing", "ALARM"],
    ["-", 1, "missing", "INSUFFICIENT_DATA"],
    ["-", 1, "notBreaching", "OK"],
    ["X", 1, "ignore", "OK"],
    ["0", 1, "breaching", "OK"],
  ])("at the start, %s (window %d of 3 of 4, %s) is %s: what was before the series counts as healthy", (text, seen, missing, expected) => {
    expect(state(text, 3, 4, missing, "INSUFFICIENT_DATA", seen)).toBe(expected);
  });
});

/** Feeds ticks, a list of deviations a series each, and tells the outcomes. */
function feed(
  rule: AlarmRule,
  ticks: readonly Readonly<Record<string, number>>[],
  memory: RuleMemory = FRESH_RULE,
): RuleOutcome[] {
  let current = memory;
  return ticks.map((tick, i) => {
    const comparisons = Object.entries(tick).map(([group, d]) => {
      const window = { series: `n{g=${group}}`, start: i * HOUR, end: (i + 1) * HOUR };
      return compare(window, d, BAND, 1);
    });
    const gone = Object.keys(current.series).filter((id) => !comparisons.some((c) => c.series === id));
    // As a restart would have it: through JSON.
    const outcome = evaluateRule(
      rule,
      JSON.parse(JSON.stringify(current)) as RuleMemory,
      comparisons,
      (i + 1) * HOUR,
      gone,
    );
    current = outcome.memory;
    return outcome;
  });
}

const told = (outcomes: readonly RuleOutcome[]) =>
  outcomes.map((o) => ({
    ...(o.transition && { to: o.transition.to }),
    ...(o.joined.length > 0 && { joined: o.joined.map((j) => `${j.series} from ${j.from / HOUR}`) }),
    ...(o.left.length > 0 && { left: o.left }),
  }));

describe("a rule", () => {
  test("is in ALARM from the m-th breach of n windows until fewer than m remain", () => {
    const outcomes = feed(
      RULE,
      [0, -2, 0, -2, -3, 0, 0].map((a) => ({ a })),
    );
    expect(told(outcomes)).toEqual([
      { to: "OK" },
      {},
      {},
      {},
      { to: "ALARM", joined: ["n{g=a} from 1"] },
      { to: "OK", left: ["n{g=a}"] },
      {},
    ]);
    expect(outcomes.map((o) => o.memory.since! / HOUR)).toEqual([1, 1, 1, 1, 5, 6, 6]);
    expect(outcomes[4]!.transition!.reason).toBe(
      "n a: 3 of the last 4 windows lie more than 1 half width below the forecast",
    );
  });

  test("has many contributors, who join and leave by themselves", () => {
    const rule = { ...RULE, datapoints: 2, periods: 2 };
    const outcomes = feed(rule, [
      { a: -2, b: 0, c: -2 },
      { a: -2, b: -2, c: 0 },
      { a: -2, b: -2, c: 5 },
      { a: 0, b: -2, c: 0 },
      { a: 0, b: 0, c: 0 },
    ]);
    expect(told(outcomes)).toEqual([
      { to: "OK" },
      { to: "ALARM", joined: ["n{g=a} from 0"] },
      { joined: ["n{g=b} from 1"] },
      { left: ["n{g=a}"] },
      { to: "OK", left: ["n{g=b}"] },
    ]);
    expect(outcomes.map((o) => o.contributors.length)).toEqual([0, 1, 2, 1, 0]);
    expect(outcomes[2]!.transition).toBeUndefined();
  });

  test("a series that is gone contributes no more, and begins anew when it comes back", () => {
    const rule = { ...RULE, datapoints: 2, periods: 2 };
    const outcomes = feed(rule, [{ a: -2, b: 0 }, { a: -2, b: 0 }, { b: 0 }, { a: -2, b: 0 }]);
    expect(told(outcomes)).toEqual([
      { to: "OK" },
      { to: "ALARM", joined: ["n{g=a} from 0"] },
      { to: "OK", left: ["n{g=a}"] },
      {},
    ]);
  });

  test("the last series gone leaves too little to tell", () => {
    expect(told(feed(RULE, [{ a: 0 }, {}]))).toEqual([{ to: "OK" }, { to: "INSUFFICIENT_DATA" }]);
  });

  test("silence of a measure that has no value breaches at once where missing is breaching", () => {
    const nothing = Number.NaN;
    const silence = [0, nothing, nothing, nothing, nothing, nothing].map((a) => ({ a }));
    expect(told(feed({ ...RULE, missing: "breaching" }, silence))).toEqual([
      { to: "OK" },
      {},
      {},
      { to: "ALARM", joined: ["n{g=a} from 1"] },
      {},
      {},
    ]);
    expect(feed({ ...RULE, missing: "notBreaching" }, silence).at(-1)!.memory.state).toBe("OK");
    expect(feed({ ...RULE, missing: "missing" }, [...silence, ...silence]).at(5)!.memory.state).toBe("OK");
  });

  test("a joined series tells the first window that counts, not one that has slid out", () => {
    const outcomes = feed(
      RULE,
      [-2, 0, -2, 0, -2, -2].map((a) => ({ a })),
    );
    expect(told(outcomes).flatMap((o) => o.joined ?? [])).toEqual(["n{g=a} from 2"]);
  });

  test("after a gap in time, old windows count as missing, not as the last ones", () => {
    const rule = { ...RULE, datapoints: 2, periods: 2 };
    const memory = feed(rule, [{ a: 0 }, { a: -2 }])[1]!.memory;
    const later = { series: "n{g=a}", start: 500 * HOUR, end: 501 * HOUR };
    const outcome = evaluateRule(rule, memory, [compare(later, -2, BAND, 1)], later.end);
    expect(outcome.joined).toEqual([]);
    expect(outcome.memory.series["n{g=a}"]!.recent).toEqual([{ start: later.start, breaching: true }]);
  });

  test("windows that were never compared neither begin an outage nor end one, though silence breaches", () => {
    const rule = { ...RULE, datapoints: 2, periods: 2, missing: "breaching" as const };
    const at = (hour: number) => ({ series: "n{g=a}", start: hour * HOUR, end: (hour + 1) * HOUR });
    const stateAfter = (deviations: readonly number[]) => {
      const memory = feed(
        rule,
        deviations.map((a) => ({ a })),
      ).at(-1)!.memory;
      return evaluateRule(rule, memory, [compare(at(500), -2, BAND, 1)], at(500).end).memory.state;
    };
    expect([stateAfter([0, 0, 0]), stateAfter([0, -2, -2])]).toEqual(["OK", "ALARM"]);
  });

  test("remembers no more than the evaluation range", () => {
    const memory = feed(
      RULE,
      Array.from({ length: 50 }, () => ({ a: 0 })),
    ).at(-1)!.memory;
    expect(memory.series["n{g=a}"]!.recent).toHaveLength(evaluationRange(RULE.periods));
  });

  test.each<[Partial<AlarmRule>, string]>([
    [{ datapoints: 1, periods: 1 }, "2 series: the last window lies more than 1 half width below the forecast"],
    [
      { datapoints: 2, periods: 2, threshold: 1.5 },
      "2 series: the last 2 windows lie more than 1.5 half widths below the forecast",
    ],
    [
      { datapoints: 1, periods: 2, direction: "both" },
      "2 series: 1 of the last 2 windows lies more than 1 half width away from the forecast",
    ],
  ])("says why in words: %j", (changes, reason) => {
    const rule = { ...RULE, ...changes };
    expect(
      feed(rule, [
        { a: -2, b: -2 },
        { a: -2, b: -2 },
      ]).find((o) => o.transition?.to === "ALARM")!.transition!.reason,
    ).toBe(reason);
  });
});
