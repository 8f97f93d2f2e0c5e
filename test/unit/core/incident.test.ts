import { describe, expect, test } from "vitest";
import {
  type BreachingWindow,
  entry,
  enumerate,
  type IncidentRecord,
  openIncident,
  titleOf,
  updateIncident,
} from "../../../src/core/incident.ts";
import type { AlarmRule } from "../../../src/core/spec.ts";
import { HOUR } from "../../../src/core/time.ts";

const START = Date.UTC(2001, 2, 5);
const hour = (h: number) => START + h * HOUR;
const RULE: AlarmRule = {
  name: "departures-low",
  measure: "departures",
  direction: "below",
  threshold: 1,
  datapoints: 3,
  periods: 4,
  missing: "breaching",
  severity: 2,
  runbook: "runbooks/departures.md",
  resolveAfter: 6 * HOUR,
};
const id = (airport: string) => `departures{origin=${airport}}`;
const window = (airport: string, h: number, deviation: number, actual = 10): BreachingWindow => ({
  series: id(airport),
  start: hour(h),
  actual,
  median: 100,
  deviation,
});
const opened = (
  windows: readonly BreachingWindow[] = [window("BOS", 0, -2), window("BOS", 2, -5, 3), window("BOS", 3, -3)],
) => openIncident("flights", RULE, hour(4), [{ series: id("BOS"), from: hour(0) }], windows);

interface Change {
  readonly joined?: readonly { series: string; from: number }[];
  readonly left?: readonly string[];
  readonly inAlarm?: boolean;
  readonly windows?: readonly BreachingWindow[];
  readonly unknown?: ReadonlySet<string>;
}
const update = (
  record: IncidentRecord,
  h: number,
  { joined = [], left = [], inAlarm = true, windows = [], unknown = new Set() }: Change = {},
  rule = RULE,
) => updateIncident(record, rule, hour(h), { joined, left, inAlarm, unknown }, windows);
const lines = (record: IncidentRecord) =>
  record.timeline.map((t) => `${t.id} ${t.kind} ${(t.at - START) / HOUR} ${t.text}`);

describe("opening", () => {
  test("tells what broke, since when, how far", () => {
    expect(opened()).toEqual({
      id: "flights.departures-low.20010305T040000",
      pipeline: "flights",
      title: "Departures below forecast at BOS",
      status: "open",
      severity: 2,
      owner: null,
      rule: "departures-low",
      runbook: "runbooks/departures.md",
      notAnIncident: false,
      from: hour(0),
      openedAt: hour(4),
      resolvedAt: null,
      quietSince: null,
      contributors: [
        {
          series: id("BOS"),
          from: hour(0),
          worst: { start: hour(2), actual: 3, expected: 100, deviation: -5 },
          recoveredAt: null,
        },
      ],
      timeline: [
        {
          id: 1,
          kind: "opened",
          at: hour(4),
          author: null,
          text: "Departures below forecast at BOS, since 2001-03-05T00:00:00Z",
        },
      ],
    });
  });

  test("the same windows give the same record, and no two pipelines and rules the same id", () => {
    expect(opened()).toEqual(opened());
    const ids = [
      ["a-b", "c"],
      ["a", "b-c"],
    ].map(([p, name]) => openIncident(p!, { ...RULE, name: name! }, hour(4), [{ series: "n", from: hour(0) }], []).id);
    expect(new Set(ids).size).toBe(2);
  });

  test("begins with the first breaching window of all contributors", () => {
    const joined = [
      { series: id("JFK"), from: hour(2) },
      { series: id("BOS"), from: hour(1) },
    ];
    expect(openIncident("flights", RULE, hour(4), joined, [])).toMatchObject({
      from: hour(1),
      title: "Departures below forecast at BOS and JFK",
    });
  });

  test("windows without a value are no measure of how far", () => {
    const silent = openIncident(
      "flights",
      RULE,
      hour(4),
      [{ series: id("BOS"), from: hour(0) }],
      [window("BOS", 0, Number.NaN, Number.NaN)],
    );
    expect(silent.contributors[0]!.worst).toEqual({ start: hour(0), actual: null, expected: null, deviation: null });
  });

  test("the worst window lies in the rule's direction", () => {
    const worst = (direction: AlarmRule["direction"]) =>
      openIncident(
        "flights",
        { ...RULE, direction },
        hour(4),
        [{ series: id("BOS"), from: hour(0) }],
        [window("BOS", 0, -2), window("BOS", 1, 9), window("BOS", 2, -3)],
      ).contributors[0]!.worst.deviation;
    expect([worst("below"), worst("above"), worst("both")]).toEqual([-3, 9, 9]);
  });
});

describe("following", () => {
  test("nothing new changes nothing", () => expect(update(opened(), 5)).toEqual(opened()));

  test("who joins is entered, and named in the title", () => {
    const joined = [{ series: id("JFK"), from: hour(-1) }];
    const record = update(opened(), 5, { joined, windows: [window("JFK", 4, -4)] });
    expect(record).toMatchObject({
      title: "Departures below forecast at BOS and JFK",
      from: hour(-1),
      openedAt: hour(4),
    });
    expect(record.contributors[1]).toEqual({
      series: id("JFK"),
      from: hour(-1),
      worst: { start: hour(4), actual: 10, expected: 100, deviation: -4 },
      recoveredAt: null,
    });
    expect(lines(record).at(-1)).toBe("2 joined 5 departures JFK joined, since 2001-03-04T23:00:00Z");
  });

  test("a worse window is kept, a better one is not, nor one on the other side", () => {
    const worst = (d: number) => update(opened(), 5, { windows: [window("BOS", 4, d)] }).contributors[0]!.worst;
    expect(worst(-7)).toEqual({ start: hour(4), actual: 10, expected: 100, deviation: -7 });
    for (const d of [-4, 20, Number.NaN]) expect(worst(d).deviation).toBe(-5);
  });

  test("who recovers is entered and no longer measured; who deviates again is not entered twice", () => {
    const recovered = update(opened(), 5, { left: [id("BOS")], windows: [window("BOS", 4, -99)] });
    expect(recovered.contributors[0]).toMatchObject({ recoveredAt: hour(5), worst: { deviation: -5 } });
    const again = update(recovered, 6, {
      joined: [{ series: id("BOS"), from: hour(5) }],
      windows: [window("BOS", 5, -6)],
    });
    expect(again.contributors).toEqual([
      {
        series: id("BOS"),
        from: hour(0),
        worst: { start: hour(5), actual: 10, expected: 100, deviation: -6 },
        recoveredAt: null,
      },
    ]);
    expect(lines(again).slice(1)).toEqual([
      "2 recovered 5 departures BOS recovered",
      "3 joined 6 departures BOS deviates again, since 2001-03-05T05:00:00Z",
    ]);
  });

  test("a series that never was in it cannot recover in it", () =>
    expect(update(opened(), 5, { left: [id("LGA")] })).toEqual(opened()));
});

describe("ending", () => {
  const quiet = update(opened(), 10, { left: [id("BOS")], inAlarm: false });

  test("quiet is entered once", () => {
    expect(quiet).toMatchObject({ quietSince: hour(10), status: "open" });
    expect(lines(quiet).slice(1)).toEqual([
      "2 recovered 10 departures BOS recovered",
      "3 alarm 10 Alarm departures-low is over: no series contributes",
    ]);
    expect(update(quiet, 11, { inAlarm: false })).toEqual(quiet);
  });

  test("resolves by itself after the time of quiet, not an hour earlier", () => {
    expect(update(quiet, 15, { inAlarm: false }).status).toBe("open");
    const resolved = update(quiet, 16, { inAlarm: false });
    expect(resolved).toMatchObject({ status: "resolved", resolvedAt: hour(16) });
    expect(lines(resolved).at(-1)).toBe("4 resolved 16 Resolved by itself: quiet since 2001-03-05T10:00:00Z");
    expect(update(resolved, 17, { joined: [{ series: id("BOS"), from: hour(16) }] })).toBe(resolved);
  });

  test("without a forecast, leaving is no recovery and quiet no health: it waits for a forecast or a person", () => {
    const unknown = new Set([id("BOS")]);
    const blind = update(opened(), 10, { left: [id("BOS")], inAlarm: false, unknown });
    expect(lines(blind)[1]).toBe("2 recovered 10 departures BOS has no forecast any more");
    const waiting = update(blind, 100, { inAlarm: false, unknown });
    expect(waiting.status).toBe("open");
    expect(update(waiting, 101, { inAlarm: false, unknown: new Set([id("LGA")]) }).status).toBe("resolved");
  });

  test("another alarm ends the quiet", () => {
    const again = update(quiet, 12, { joined: [{ series: id("LGA"), from: hour(11) }] });
    expect(again.quietSince).toBeNull();
    expect(lines(again).slice(3)).toEqual([
      "4 joined 12 departures LGA joined, since 2001-03-05T11:00:00Z",
      "5 alarm 12 Alarm departures-low went into ALARM again",
    ]);
    expect(update(again, 100).status).toBe("open");
  });

  test("of a rule that says never, only a person resolves it", () => {
    expect(update(quiet, 10_000, { inAlarm: false }, { ...RULE, resolveAfter: 0 }).status).toBe("open");
  });
});

test("entries are numbered in order, whoever writes them", () => {
  const noted = entry(opened(), "note", hour(5), "ann", "on it");
  expect(noted.timeline.at(-1)).toEqual({ id: 2, kind: "note", at: hour(5), author: "ann", text: "on it" });
});

test.each<[string[], AlarmRule["direction"], string]>([
  [["departures"], "below", "Departures below forecast"],
  [[id("BOS")], "above", "Departures above forecast at BOS"],
  [["JFK", "BOS", "EWR"].map(id), "both", "Departures away from forecast at BOS, EWR and JFK"],
  [["A", "B", "C", "D", "E"].map(id), "below", "Departures below forecast at A, B, C and 2 more"],
  [["departures{origin=BOS,carrier=AA}"], "below", "Departures below forecast at BOS AA"],
])("the title of %j %s", (series, direction, title) => {
  expect(
    titleOf(
      { measure: "departures", direction },
      series.map((s) => ({ series: s })),
    ),
  ).toBe(title);
});

test.each<[string[], number, string]>([
  [[], 4, ""],
  [["a"], 4, "a"],
  [["a", "b"], 4, "a and b"],
  [["a", "b", "c", "d"], 4, "a, b, c and d"],
  [["a", "b", "c", "d", "e"], 4, "a, b, c and 2 more"],
])("%j in %d words", (words, most, text) => expect(enumerate(words, most)).toBe(text));
