import { describe, expect, it } from "vitest";
import type { Incident } from "../../../src/rpc/page.ts";
import { packChart } from "../../../src/rpc/page.ts";
import { chartCsv } from "../../../webview/forecast/csv.ts";
import { following, keyAction, moved, presetOf, presetRange } from "../../../webview/forecast/range.ts";
import { entryText, incidentSentence } from "../../../webview/incident/sentence.ts";
import * as format from "../../../webview/parts/format.ts";
import { fullLabel, groupSeries, neighbour, shortLabel } from "../../../webview/parts/series.ts";
import { groupSteps, tally } from "../../../webview/preview/plan.ts";

const HOUR = 3_600_000;
const STORM = Date.UTC(2001, 2, 5, 6);

describe("an incident in one sentence", () => {
  const told = (contributors: [string, number | null, number | null, number | null][], over: Partial<Incident> = {}) =>
    incidentSentence(
      {
        title: "By hand",
        status: "open",
        from: STORM,
        resolvedAt: null,
        contributors: contributors.map(([series, actual, expected, deviation]) => ({
          series,
          from: STORM,
          worst: { start: STORM, actual, expected, deviation },
          recoveredAt: null,
        })),
        ...over,
      },
      "utc",
    );
  it.each([
    [
      "several places",
      told([
        ["departures{origin=BOS}", 2, 30, -4],
        ["departures{origin=EWR}", 3, 40, -3],
        ["departures{origin=JFK}", 2, 30, -3],
      ]),
      "Departures at BOS, EWR and JFK are 93% below forecast since 5 Mar 06:00",
    ],
    [
      "one place",
      told([["mean_delay{origin=BOS}", 80, 20, 5]]),
      "Mean delay at BOS is 4.0 times the forecast since 5 Mar 06:00",
    ],
    ["no place", told([["revenue", 50, 100, -2]]), "Revenue is 50% below forecast since 5 Mar 06:00"],
    ["a little above", told([["revenue", 150, 100, 2]]), "Revenue is 50% above forecast since 5 Mar 06:00"],
    [
      "nothing arrived",
      told([["departures{origin=BOS}", 0, 30, -4]]),
      "Departures at BOS are 100% below forecast since 5 Mar 06:00",
    ],
    [
      "nothing was expected",
      told([["errors{site=a}", 9, 0, 9]]),
      "Errors at a are far above forecast since 5 Mar 06:00",
    ],
    ["no actual", told([["mean_delay{o=a}", null, 5, null]]), "Mean delay at a is off forecast since 5 Mar 06:00"],
    [
      "both sides",
      told([
        ["departures{origin=BOS}", 2, 30, -4],
        ["departures{origin=EWR}", 90, 40, 3],
      ]),
      "Departures at BOS and EWR are off forecast since 5 Mar 06:00",
    ],
    [
      "many",
      told(["A", "B", "C", "D", "E", "F"].map((x) => [`departures{origin=${x}}`, 5, 10, -2])),
      "Departures at A, B, C and 3 more are 50% below forecast since 5 Mar 06:00",
    ],
    [
      "resolved",
      told([["departures{origin=BOS}", 3, 30, -4]], { status: "resolved", resolvedAt: STORM + 30 * HOUR }),
      "Departures at BOS were 90% below forecast from 5 Mar 06:00 until 6 Mar 12:00",
    ],
    ["declared for no series", told([]), "By hand, since 5 Mar 06:00"],
  ])("%s", (_, sentence, expected) => {
    expect(sentence).toBe(expected);
  });
});

describe("a timeline's entry", () => {
  const contributor = (series: string) => ({
    ...{ series, from: STORM, recoveredAt: null },
    worst: { start: STORM, actual: null, expected: null, deviation: null },
  });
  const contributors = ["mean_delay{origin=BOS}", "mean_delay{origin=BOS,destination=LGA}"].map(contributor);
  it.each([
    [
      "mean_delay below forecast at BOS, since 2001-03-05T06:00:00Z",
      "Mean delay below forecast at BOS, since 5 Mar 06:00",
    ],
    ["mean_delay BOS joined, since 2001-03-05T06:00:30Z", "Mean delay at BOS joined, since 5 Mar 06:00:30"],
    ["mean_delay BOS LGA recovered", "Mean delay at BOS · LGA recovered"],
    ["mean_delays of another kind", "Mean_delays of another kind"],
    ["Alarm low went into ALARM again", "Alarm low went into ALARM again"],
    ["Resolved by itself: quiet since 2001-03-06T10:00:00Z", "Resolved by itself: quiet since 6 Mar 10:00"],
    ["", ""],
  ])("%s", (stored, told) => expect(entryText(stored, contributors, "utc")).toBe(told));
});

describe("numbers and times as people read them", () => {
  it.each([
    [0, "0"],
    [3, "3"],
    [12.345, "12.35"],
    [123.456, "123.5"],
    [0.12345, "0.123"],
    [1_234_567.8, "1,234,568"],
    [-5, "−5"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%d as %s", (value, text) => expect(format.formatNumber(value)).toBe(text));
  it.each([
    [230, "230 ms"],
    [1_400, "1.4 s"],
    [45_000, "45 s"],
    [90_000, "1 min"],
    [35 * 60_000, "35 min"],
    [36 * HOUR, "1 d 12 h"],
    [10 * 24 * HOUR, "1 w 3 d"],
  ])("%d ms as %s", (millis, text) => expect(format.formatLength(millis)).toBe(text));
  it.each([
    [7, 100, "−93%"],
    [150, 100, "+50%"],
    [5, 0, ""],
    [-5, 10, ""],
    [null, 10, ""],
  ])("%d against %d as %s", (actual, expected, text) => expect(format.formatPercent(actual, expected)).toBe(text));
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_400_000, "1.4 MB"],
    [999_999, "1.0 MB"],
    [250e9, "250 GB"],
  ])("%d bytes as %s", (bytes, text) => expect(format.formatBytes(bytes)).toBe(text));
  it("times are UTC unless the setting says local", () => {
    expect(format.formatFullTime(STORM, "utc")).toBe("Mon 5 Mar 2001, 06:00 UTC");
    expect(format.formatTime(STORM + 30_000, "utc", { year: true })).toBe("5 Mar 2001 06:00:30");
    const local = new Date(STORM);
    const clock = `${String(local.getHours()).padStart(2, "0")}:${String(local.getMinutes()).padStart(2, "0")}`;
    expect(format.formatClock(STORM, "local")).toBe(clock);
  });
});

describe("ranges", () => {
  const extent = { all: { from: 0, until: 1_000 * HOUR }, newest: 952 * HOUR, every: HOUR };
  it("of a preset have its width, the newest window in view and a look ahead", () => {
    const day = presetRange(24 * HOUR, extent);
    expect(day).toEqual({ from: 932 * HOUR, until: 956 * HOUR });
    expect(presetOf(day, extent)?.name).toBe("1d");
    expect(presetOf(presetRange(Number.POSITIVE_INFINITY, extent), extent)?.name).toBe("all");
    expect(presetOf({ from: 0, until: 25 * HOUR }, extent)).toBeUndefined();
  });
  it("follow the newest window at their width", () => {
    const later = { ...extent, all: { from: 0, until: 1_010 * HOUR }, newest: 962 * HOUR };
    expect(following({ from: 932 * HOUR, until: 956 * HOUR }, later)).toEqual({ from: 942 * HOUR, until: 966 * HOUR });
  });
  it.each([
    [{ pan: 0.5 }, { from: 150 * HOUR, until: 250 * HOUR }],
    [{ pan: -5 }, { from: 0, until: 100 * HOUR }],
    [{ zoom: 0.5 }, { from: 125 * HOUR, until: 175 * HOUR }],
    [{ zoom: 0.001 }, { from: 147 * HOUR, until: 153 * HOUR }],
  ])("moved by %j", (by, expected) => {
    const { from, until } = moved({ from: 100 * HOUR, until: 200 * HOUR }, by, extent);
    expect({ from: Math.round(from), until: Math.round(until) }).toEqual(expected);
  });
  const key = (name: string, over: object = {}) =>
    keyAction({ key: name, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...over });
  it("have keys, and leave VS Code's own alone", () => {
    expect([key("["), key("]"), key("t"), key("f"), key("+"), key("-"), key("ArrowLeft")]).toEqual([
      "previous",
      "next",
      "table",
      "follow",
      { zoom: 1 / 1.5 },
      { zoom: 1.5 },
      { pan: -0.2 },
    ]);
    expect(key("ArrowRight", { shiftKey: true })).toEqual({ read: 1 });
    expect([key("f", { ctrlKey: true }), key("t", { metaKey: true }), key("x")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("the series picker", () => {
  const info = (measure: string, origin: string) => ({
    ...{ id: `${measure}{origin=${origin}}`, measure, by: { origin }, last: null, method: null, reason: null },
  });
  const series = [info("departures", "JFK"), info("departures", "BOS"), info("mean_delay", "BOS")];
  it("groups by measure, in order", () => {
    expect(groupSeries(series).map((g) => [g.title, g.series.map((s) => shortLabel(s.id))])).toEqual([
      ["Departures", ["BOS", "JFK"]],
      ["Mean delay", ["BOS"]],
    ]);
  });
  it.each([
    ["bos", 2],
    ["mean bos", 1],
    ["delay jfk", 0],
    ["ORIGIN", 3],
  ])("finds %s: %d", (search, found) => {
    expect(groupSeries(series, search).flatMap((g) => g.series)).toHaveLength(found);
  });
  it("steps through all, round its ends", () => {
    const groups = groupSeries(series);
    expect(neighbour(groups, "mean_delay{origin=BOS}", 1)).toBe("departures{origin=BOS}");
    expect(neighbour(groups, "departures{origin=BOS}", -1)).toBe("mean_delay{origin=BOS}");
    expect(neighbour([], "x", 1)).toBeUndefined();
  });
  it("names a series in full", () => {
    expect(fullLabel("mean_delay{origin=BOS,carrier=AA}")).toBe("Mean delay at BOS · AA");
    expect(fullLabel("revenue")).toBe("Revenue");
  });
});

describe("the chart's windows as CSV", () => {
  it("are those in range, in UTC, with nothing for what is missing", () => {
    const point = { lower: 1, median: 2, upper: 3, deviation: null, late: 0 };
    const points = [0, 1, 2].map((i) => ({ ...point, start: STORM + i * HOUR, actual: i === 1 ? null : i }));
    const columns = packChart({ series: 'a{b="x"}', every: HOUR, points, rules: [], incidents: [] });
    expect(chartCsv([columns], { from: STORM + HOUR, until: STORM + 3 * HOUR })).toBe(
      'series,window_start,actual,lower,median,upper,deviation,late\r\n"a{b=""x""}",2001-03-05T07:00:00Z,,1,2,3,,0\r\n"a{b=""x""}",2001-03-05T08:00:00Z,2,1,2,3,,0\r\n',
    );
  });
});

describe("a plan", () => {
  const changes = [
    { action: "add" as const, step: "alert" as const, what: "alarm" },
    { action: "keep" as const, step: "collect" as const, what: "stream" },
    { action: "remove" as const, step: "alert" as const, what: "old alarm" },
  ];
  it("is shown step by step, what stays only when asked", () => {
    const steps = groupSteps(changes, false);
    expect(steps.map((s) => s.step)).toEqual([
      "collect",
      "deliver",
      "prepare",
      "forecast",
      "analyze",
      "compare",
      "alert",
    ]);
    expect(steps[0]).toMatchObject({ number: 1, changes: [], unchanged: 1 });
    expect(steps[6]?.changes).toHaveLength(2);
    expect(groupSteps(changes, true)[0]?.changes).toHaveLength(1);
    expect(tally(changes)).toEqual({ add: 1, change: 0, replace: 0, remove: 1, keep: 1 });
  });
});
