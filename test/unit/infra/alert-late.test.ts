/**
 * What a rule's alarm makes of windows whose data come late, as they always do: CloudWatch is played minute by minute over windows
 * that breach and windows that do not, each written when it closes, and held against "m of the last n windows".
 */
import { describe, expect, test } from "vitest";
import { createdFor } from "../../../infra/cost/created.ts";
import { alarmShape } from "../../../infra/template/alert.ts";
import { contextOf } from "../../../infra/template/context.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { HOUR, MINUTE } from "../../../src/core/time.ts";
import { type AlarmProperties, EXTRA, type State, stateOf } from "./alarm-math.ts";
import { options } from "./pipelines.ts";

interface Late {
  readonly every: string;
  readonly lateness: string;
  readonly datapoints?: string;
  readonly missing?: string;
  readonly idle?: string;
  readonly discovered?: boolean;
}

function pipeline({ every, lateness, datapoints = "3 of 4", missing = "missing", idle = "2m", discovered }: Late) {
  return requireSpec(
    JSON.stringify({
      name: "late",
      source: { time: "t", fields: { t: "timestamp", g: "string", v: "double" }, lateness, idle },
      series: { every, by: discovered ? ["g"] : { g: ["a"] }, measures: { level: { avg: "v" } } },
      forecast: every === "1d" ? { history: "52w", horizon: "14d", retrain: "1d" } : {},
      alarms: [{ name: "high", measure: "level", direction: "above", datapoints, missing }],
    }),
  );
}

/** The one alarm below the rule's composite. */
function alarmOf(spec: PipelineSpec): AlarmProperties & { readonly Period: number } {
  const alarms = Object.entries(synthesize(spec, options()).template.Resources).filter(
    ([id, { Type }]) => Type === "AWS::CloudWatch::Alarm" && id.startsWith("RuleHigh"),
  );
  expect(alarms).toHaveLength(1);
  const properties = alarms[0]![1].Properties as unknown as AlarmProperties & { readonly Period?: number };
  const query = properties.Metrics?.[0] as { readonly Period: number } | undefined;
  return { ...properties, Period: properties.Period ?? query!.Period };
}

/** A window that breaches, or does not, and when its data can be read; ms since the first one's end, at which there are none yet. */
interface Written {
  readonly breaches: boolean;
  readonly at: number;
}

interface Look {
  readonly at: number;
  readonly state: State;
  /** What could be read by then, oldest first. */
  readonly read: readonly boolean[];
}

/**
 * The states of an alarm as CloudWatch evaluates it, each minute (of days each half hour), from the time that it could look at
 * windows alone.
 * @param windows one a period, of which the i-th ends at i periods; undefined is never written.
 * @param extra periods that are retrieved beyond those that the alarm evaluates.
 */
function play(alarm: ReturnType<typeof alarmOf>, windows: readonly (Written | undefined)[], extra = EXTRA): Look[] {
  const every = alarm.Period * 1_000;
  const insights = alarm.Metrics !== undefined;
  const looks: Look[] = [];
  let state: State = "INSUFFICIENT_DATA";
  let read: readonly boolean[] = [];
  let next = 0;
  for (let now = 0; now < windows.length * every; now += stepOf(every)) {
    const range = Array.from({ length: alarm.EvaluationPeriods + extra }, (_, back) => {
      // The last periods before this minute, wherever the windows begin; a query sees three hours of them.
      const until = now - back * every;
      if (insights && now - (until - every) > 3 * HOUR) return undefined;
      const i = Math.ceil(until / every) - 1;
      const window = windows[i];
      return window === undefined || window.at > now ? undefined : window.breaches ? 2 : 0;
    }).reverse();
    state = stateOf(alarm, range, state);
    for (; next < windows.length && (windows[next]?.at ?? 0) <= now; next++)
      if (windows[next] !== undefined) read = [...read, windows[next]!.breaches];
    looks.push({ at: now, state, read });
  }
  return looks;
}

const stepOf = (every: number) => (every > HOUR ? 30 * MINUTE : MINUTE);

/** Windows from a text: X breaches, 0 does not, - is never written. Each can be read `delay` ms after its end. */
function written(text: string, every: number, delay: number): (Written | undefined)[] {
  return Array.from(text, (c, i) => (c === "-" ? undefined : { breaches: c === "X", at: i * every + delay }));
}

const TABLE: readonly Late[] = [
  { every: "5m", lateness: "1h" },
  { every: "5m", lateness: "30m" },
  { every: "1m", lateness: "10m" },
  { every: "1m", lateness: "1m" },
  { every: "1h", lateness: "3h" },
  { every: "1h", lateness: "10m" },
  { every: "5m", lateness: "1m" },
  { every: "1d", lateness: "2d" },
  { every: "5m", lateness: "2h", discovered: true },
  { every: "1m", lateness: "2h", discovered: true, datapoints: "3 of 20" },
  { every: "5m", lateness: "1h", datapoints: "4 of 4", missing: "breaching" },
  { every: "1m", lateness: "10m", datapoints: "1 of 1" },
];
const CASES = [
  ...TABLE,
  ...["ignore", "breaching", "notBreaching"].flatMap((missing) => [
    { ...TABLE[0]!, missing },
    { ...TABLE[5]!, missing },
  ]),
];

describe.each(CASES.map((late) => ({ name: JSON.stringify(late).replace(/[{}"]/g, ""), late })))("windows of $name", ({
  late,
}) => {
  const spec = pipeline(late);
  const { every } = spec.series;
  const { datapoints: m, periods: n } = spec.alarms[0]!;
  const alarm = alarmOf(spec);
  const before = "0".repeat(alarm.EvaluationPeriods + 6);
  const after = "0".repeat(alarm.EvaluationPeriods + n + 8);

  test("are all in sight when they count, and no others for long", () => {
    const rare = `X${"0".repeat(alarm.EvaluationPeriods + 4)}`;
    const text = `${before}${rare}XX0X000X0XX0XX00${after}`;
    for (const { minutes, extra } of [
      { minutes: 3, extra: 1 },
      { minutes: 2, extra: EXTRA },
      { minutes: 0, extra: 4 },
    ]) {
      const delay = spec.source.lateness + minutes * MINUTE;
      // What CloudWatch judges at most: what it was asked for, and of what it retrieves no more than there can be.
      const most = Math.min(alarm.EvaluationPeriods, alarm.EvaluationPeriods + extra + 1 - Math.ceil(delay / every));
      for (const { at, state, read } of play(alarm, written(text, every, delay), extra)) {
        if (read.length < before.length) continue;
        const where = `${at / MINUTE} minutes, ${minutes} minutes on the way, ${extra} periods more`;
        const breaching = (count: number) => read.slice(-count).filter((b) => b).length >= m;
        const alarms = state === "ALARM";
        if (breaching(n) && !alarms) expect.fail(`Blind: ${where}`);
        if (!breaching(Math.max(n, most)) && alarms) expect.fail(`An alarm of what is past: ${where}`);
      }
    }
  });

  test("raise the alarm with the m-th that breaches, and let it end", () => {
    const delay = spec.source.lateness + 2 * MINUTE;
    const looks = play(alarm, written(`${before}${"X".repeat(m)}${after}`, every, delay));
    const first = looks.find((l) => l.state === "ALARM")!;
    const due = (before.length + m - 1) * every + delay;
    expect(first.at - due).toBeGreaterThanOrEqual(0);
    expect(first.at - due).toBeLessThan(stepOf(every));
    const end = looks.find((l) => l.at > first.at && l.state !== "ALARM")!;
    expect(end.state).toBe("OK");
    expect(end.read.slice(-(n - m + 1)).some((b) => b)).toBe(false);
    expect(looks.filter((l) => l.at >= end.at && l.state === "ALARM")).toEqual([]);
  });

  test("raise it also where CloudWatch retrieves no more than it is asked for", () => {
    for (const minutes of [1, 2]) {
      const delay = spec.source.lateness + minutes * MINUTE;
      const looks = play(alarm, written(`${before}${"X".repeat(n + 1)}${after}`, every, delay), 0);
      expect(looks.some((l) => l.state === "ALARM")).toBe(true);
      expect(looks.at(-1)!.state).toBe("OK");
    }
  });

  test("begin no alarm with a series' first one alone", () => {
    const looks = play(alarm, written(`${"-".repeat(9)}X${after}`, every, spec.source.lateness + 2 * MINUTE));
    expect(looks.some((l) => l.state === "ALARM")).toBe(m === 1);
  });

  test("that nobody writes any more begin no alarm, and end one unless that is to be kept", () => {
    const delay = spec.source.lateness + 2 * MINUTE;
    const still = "-".repeat(2 * alarm.EvaluationPeriods + 8);
    expect(play(alarm, written(`${before}${still}`, every, delay)).some((l) => l.state === "ALARM")).toBe(false);
    const kept = play(alarm, written(`${before}${"X".repeat(alarm.EvaluationPeriods + 8)}${still}`, every, delay));
    const keeps = late.missing === "ignore" || late.missing === "breaching";
    expect(kept.at(-1)!.state).toBe(keeps ? "ALARM" : "OK");
  });
});

test("silence alarms when the clock moves on, however long it waited, and ends with the first windows that are well", () => {
  const spec = pipeline({ every: "5m", lateness: "1m", idle: "1h", missing: "breaching" });
  const alarm = alarmOf(spec);
  const every = 5 * MINUTE;
  const silent = 40;
  // After twenty windows nothing comes for so long that the clock moves on by itself; then all is well again.
  const until = 20 * every;
  const windows = Array.from({ length: 100 }, (_, i): Written => {
    const closes = i * every + 3 * MINUTE;
    const silence = i > 20 && i <= 20 + silent;
    return { breaches: silence, at: silence ? Math.max(closes, until + HOUR + 3 * MINUTE) : closes };
  });
  const looks = play(alarm, windows);
  const on = looks.filter((l) => l.state === "ALARM").map((l) => l.at / MINUTE);
  expect(on[0]).toBe(until / MINUTE + 63);
  expect(on).toEqual(Array.from({ length: on.length }, (_, i) => on[0]! + i));
  // Two of four are well.
  expect(on.at(-1)).toBe(((20 + silent + 2) * every + 3 * MINUTE) / MINUTE - 1);
});

describe("windows that lie further back than CloudWatch looks", () => {
  test.each([
    {
      every: "5m",
      lateness: "1d",
      numbers: /4 windows of 5m .* 1443m after .* 1460m to look back; .* one day at most/,
    },
    { every: "1m", lateness: "1d", numbers: /1443m after their end, which is 1446m to look back/ },
    {
      every: "1h",
      lateness: "7d",
      numbers: /4 windows of 1h .* 172h to look back; .* seven days at most/,
      lowered: "1w",
    },
    { every: "1d", lateness: "6d", numbers: /4 windows of 1d .* 10d to look back/ },
  ])("$lateness later for windows of $every are refused with the numbers, and what to lower", ({
    numbers,
    lowered,
    ...late
  }) => {
    expect(() => synthesize(pipeline(late), options())).toThrow(
      expect.objectContaining({
        code: "target.unsupported",
        message: expect.stringMatching(numbers),
        next: expect.stringMatching(`^Lower "lateness" \\(${lowered ?? late.lateness}\\) or the n of "datapoints" by `),
      }),
    );
  });

  test.each([
    { every: "5m", lateness: "23h", periods: 280 },
    { every: "1h", lateness: "6d", periods: 148 },
    { every: "1d", lateness: "3d", periods: 7 },
  ])("are watched up to the limit: $lateness for windows of $every", ({ periods, ...late }) => {
    const alarm = alarmOf(pipeline(late));
    expect(alarm.EvaluationPeriods).toBe(periods);
    expect(alarm.DatapointsToAlarm).toBe(3);
    expect(alarm.EvaluationPeriods * alarm.Period).toBeLessThanOrEqual(alarm.Period < 3_600 ? 86_400 : 604_800);
  });

  test.each([
    { every: "1h", lateness: "1m", datapoints: "2 of 2", shape: "insights", next: "" },
    {
      every: "1h",
      lateness: "1m",
      datapoints: "3 of 3",
      shape: "per-series",
      next: ', or let "datapoints" be of the last 2 windows at most',
    },
    {
      every: "1h",
      lateness: "1h",
      datapoints: "2 of 2",
      shape: "per-series",
      next: ', or let "datapoints" be of the last window at most',
    },
    { every: "5m", lateness: "2h", datapoints: "3 of 11", shape: "insights", next: "" },
    {
      every: "5m",
      lateness: "2h",
      datapoints: "3 of 12",
      shape: "per-series",
      next: ', or let "datapoints" be of the last 11 windows at most',
    },
    { every: "5m", lateness: "3h", datapoints: "1 of 1", shape: "per-series", next: "" },
  ])("$datapoints of $every, $lateness late, is $shape, and so it is priced", ({ shape, next, ...late }) => {
    const listed = pipeline(late);
    expect(alarmShape(contextOf(listed, options()), listed.alarms[0]!)).toBe(shape);
    const discovered = pipeline({ ...late, discovered: true });
    // Of forty groups a query is one composite, and so are forty alarms; of 140 those are three.
    const { composites } = createdFor(discovered, 140, { given: 140 });
    expect(composites).toBe(shape === "insights" ? 1 : 3);
    if (shape === "insights") expect(alarmOf(discovered).Metrics).toBeDefined();
    else
      expect(() => synthesize(discovered, options())).toThrow(
        expect.objectContaining({ next: expect.stringMatching(new RegExp(`\\(--groups\\)${next}\\.$`)) }),
      );
  });
});

describe("the state of an alarm is that of the User Guide's tables", () => {
  const rows = [
    // Three of three, then two of three; of the five newest data.
    { m: 3, range: "0-X-X", states: ["OK", "OK", "OK", "OK"] },
    { m: 3, range: "0----", states: ["OK", "OK", "OK", "OK"] },
    { m: 3, range: "-----", states: ["INSUFFICIENT_DATA", "before", "ALARM", "OK"] },
    { m: 3, range: "0XX-X", states: ["ALARM", "ALARM", "ALARM", "ALARM"] },
    { m: 3, range: "----X", states: ["INSUFFICIENT_DATA", "before", "ALARM", "OK"] },
    { m: 3, range: "X----", states: ["ALARM", "before", "ALARM", "OK"] },
    { m: 2, range: "0-X-X", states: ["ALARM", "ALARM", "ALARM", "ALARM"] },
    { m: 2, range: "00X0X", states: ["ALARM", "ALARM", "ALARM", "ALARM"] },
    { m: 2, range: "0-X--", states: ["OK", "OK", "ALARM", "OK"] },
    { m: 2, range: "----0", states: ["OK", "OK", "ALARM", "OK"] },
    { m: 2, range: "----X", states: ["INSUFFICIENT_DATA", "before", "ALARM", "OK"] },
  ];
  test.each(rows)("$m of 3: $range", ({ m, range, states }) => {
    const points = Array.from(range, (c) => ({ "0": 0, X: 2 })[c]);
    for (const [i, TreatMissingData] of ["missing", "ignore", "breaching", "notBreaching"].entries())
      for (const before of ["OK", "ALARM", "INSUFFICIENT_DATA"] as const) {
        const alarm = { EvaluationPeriods: 3, DatapointsToAlarm: m, Threshold: 1, TreatMissingData };
        const state = stateOf({ ...alarm, ComparisonOperator: "GreaterThanThreshold" }, points, before);
        expect(state, TreatMissingData).toBe(states[i] === "before" ? before : states[i]);
      }
  });
});
