import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Analyzer, type AnalyzerState, type ClosedWindow, type Verdict } from "../../../src/core/analyze.ts";
import type { Event } from "../../../src/core/collect.ts";
import { groupKey } from "../../../src/core/series.ts";
import type { PipelineSpec, Statistic } from "../../../src/core/spec.ts";
import { DAY, HOUR, MINUTE, WEEK } from "../../../src/core/time.ts";
import { specWith } from "./sample.ts";

const START = Date.UTC(2001, 2, 1);
const MEASURES = {
  events: { count: "*" },
  values: { count: "x" },
  total: { sum: "x" },
  mean: { avg: "x" },
  least: { min: "x" },
  most: { max: "x" },
  spread: { stddev: "x" },
  whole: { sum: "n" },
};

interface Plain {
  readonly time: number;
  readonly g?: string | null;
  readonly h?: string | null;
  readonly x?: number | null;
  readonly n?: number | null;
}

/** In the order of the fields of `specWith`: t, g, h, x, n, ok, u. */
const event = ({ time, g = null, h = null, x = null, n = null }: Plain): Event => ({
  time,
  values: [time, g, h, x, n, null, null],
});
const at = (hours: number, rest: Omit<Plain, "time"> = {}): Event => event({ time: START + hours * HOUR, ...rest });

/** Feeds events that arrive when they happen, closing after each; then closes what `until` allows by a last event. */
function feed(analyzer: Analyzer, events: readonly Event[]): { windows: ClosedWindow[]; verdicts: Verdict[] } {
  const windows: ClosedWindow[] = [];
  const verdicts = events.map((e) => {
    const verdict = analyzer.add(e, e.time);
    windows.push(...analyzer.close());
    return verdict;
  });
  return { windows, verdicts };
}

function statisticOf(statistic: Statistic, xs: readonly number[]): number {
  const sum = xs.reduce((a, b) => a + b, 0);
  const squares = xs.reduce((a, b) => a + (b - sum / xs.length) ** 2, 0);
  const none = xs.length === 0;
  return {
    count: xs.length,
    sum,
    avg: none ? Number.NaN : sum / xs.length,
    min: none ? Number.NaN : Math.min(...xs),
    max: none ? Number.NaN : Math.max(...xs),
    stddev: xs.length < 2 ? Number.NaN : Math.sqrt(squares / (xs.length - 1)),
  }[statistic];
}

/** The watermark's and the windows' definition, read literally: everything is kept, and computed from scratch. */
function naive(spec: PipelineSpec, events: readonly Event[]): { windows: ClosedWindow[]; verdicts: Verdict[] } {
  const { every, by, measures } = spec.series;
  const names = Object.keys(spec.source.fields);
  const counted: { start: number; key: string | undefined; event: Event }[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  const verdicts = events.map((e): Verdict => {
    const start = Math.floor(e.time / every) * every;
    if (start + every <= newest - spec.source.lateness) return "late";
    newest = Math.max(newest, e.time);
    const parts = by.map((b) => e.values[names.indexOf(b.field)]);
    const member = by.every((b, i) => parts[i] !== null && (b.values?.includes(String(parts[i])) ?? true));
    counted.push({ start, key: member ? groupKey(parts.map(String)) : undefined, event: e });
    return "counted";
  });
  const first = Math.min(...counted.map((c) => c.start));
  const listed = by.every((b) => b.values);
  const combos = by.reduce<string[][]>((all, b) => all.flatMap((c) => (b.values ?? []).map((x) => [...c, x])), [[]]);
  const windows: ClosedWindow[] = [];
  for (let start = first; start + every <= newest - spec.source.lateness; start += every) {
    const known = listed
      ? combos.map(groupKey)
      : [...new Set(counted.flatMap((c) => (c.key !== undefined && c.start <= start ? [c.key] : [])))];
    const groups = known
      .sort((a, b) => (a < b ? -1 : 1))
      .map((key) => {
        const own = counted.filter((c) => c.start === start && c.key === key).map((c) => c.event);
        const values = measures.map((m) => {
          if (m.field === "*") return own.length;
          const xs = own.map((e) => e.values[names.indexOf(m.field)]).filter((x) => x !== null) as number[];
          return statisticOf(m.statistic, xs);
        });
        return { key, events: own.length, values };
      });
    windows.push({ start, end: start + every, groups });
  }
  return { windows, verdicts };
}

/** Everything equal but the values, which may differ by rounding: the definition adds up in another order. */
function expectSame(actual: readonly ClosedWindow[], expected: readonly ClosedWindow[]): void {
  const frame = (windows: readonly ClosedWindow[]) =>
    windows.map((w) => [w.start, w.end, ...w.groups.map((g) => `${g.key}: ${g.events}`)]);
  const values = (windows: readonly ClosedWindow[]) => windows.flatMap((w) => w.groups.flatMap((g) => g.values));
  expect(frame(actual)).toEqual(frame(expected));
  const right = values(expected);
  const wrong = values(actual).filter(
    (value, i) => !Object.is(value, right[i]) && !(Math.abs(value - right[i]!) < 1e-9),
  );
  expect(wrong).toEqual([]);
}

const SPLITS: Record<string, object> = {
  "no split": {},
  "a listed field": { by: { g: ["a", "b", "c|d"] } },
  "a discovered field": { by: ["g"] },
  "two listed fields": { by: { g: ["a", "c|d"], h: ["x", "\\"] } },
  "two discovered fields": { by: ["h", "g"] },
};

/** A stream over half a day: mostly forward, at times back by up to an hour and a half; lateness is ten minutes. */
const stream = fc
  .array(
    fc.record({
      step: fc.integer({ min: 0, max: 15 * MINUTE }),
      back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 90 * MINUTE })),
      g: fc.constantFrom("a", "b", "c|d", "unlisted", null),
      h: fc.constantFrom("x", "\\", null),
      x: fc.oneof(
        fc.constant(null),
        fc.integer({ min: -1_000, max: 1_000 }).map((i) => i / 8),
      ),
      n: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 100 })),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let clock = START;
    return steps.map(({ step, back, ...rest }) => {
      clock += step;
      return event({ time: clock - back, ...rest });
    });
  });

describe.each(Object.entries(SPLITS))("split by %s", (_, split) => {
  const spec = specWith({ series: { measures: MEASURES, ...split } });

  test("windows and verdicts are those of the definition", () => {
    fc.assert(
      fc.property(stream, (events) => {
        const actual = feed(new Analyzer(spec), events);
        const expected = naive(spec, events);
        expect(actual.verdicts).toEqual(expected.verdicts);
        expectSame(actual.windows, expected.windows);
      }),
    );
  });

  test("the order of events within the lateness changes nothing", () => {
    const close = at(4, { g: "a", h: "x" });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(10 * MINUTE), fc.nat(), fc.constantFrom("a", "b"), fc.nat(99)), { minLength: 1 }),
        (raw) => {
          // All lie within ten minutes of each other, so that none can be late.
          const events = raw.map(([offset, , g, n]) =>
            event({ time: START + 55 * MINUTE + offset, g, h: "x", n, x: n }),
          );
          const shuffled = raw
            .map(([, order], i) => [order, events[i]!] as const)
            .sort(([a], [b]) => a - b)
            .map(([, e]) => e);
          expectSame(
            feed(new Analyzer(spec), [...shuffled, close]).windows,
            feed(new Analyzer(spec), [...events, close]).windows,
          );
        },
      ),
    );
  });

  test("a restart at any moment changes nothing", () => {
    fc.assert(
      fc.property(stream, fc.nat(), (events, cut) => {
        const undisturbed = feed(new Analyzer(spec), events);
        const before = new Analyzer(spec);
        const n = events.length === 0 ? 0 : cut % (events.length + 1);
        const first = feed(before, events.slice(0, n));
        const state = JSON.parse(JSON.stringify(before.state())) as AnalyzerState;
        const after = new Analyzer(spec, state);
        expect(after.state()).toEqual(before.state());
        const second = feed(after, events.slice(n));
        // Exactly: not a bit of any sum may differ.
        expect([...first.windows, ...second.windows]).toEqual(undisturbed.windows);
        expect([...first.verdicts, ...second.verdicts]).toEqual(undisturbed.verdicts);
      }),
    );
  });
});

describe("the watermark", () => {
  test("closes a window when the newest event is `lateness` past its end, not a millisecond earlier", () => {
    const analyzer = new Analyzer(specWith());
    expect(feed(analyzer, [at(0.5), event({ time: START + HOUR + 10 * MINUTE - 1 })]).windows).toEqual([]);
    expect(analyzer.closable).toBe(false);
    const { windows } = feed(analyzer, [event({ time: START + HOUR + 10 * MINUTE })]);
    expect(windows).toEqual([{ start: START, end: START + HOUR, groups: [{ key: "", events: 1, values: [1] }] }]);
    expect(analyzer.watermark).toBe(START + HOUR);
  });

  test("late events are told and change no closed window, nor the clock", () => {
    const analyzer = new Analyzer(specWith());
    feed(analyzer, [at(0.5), at(1.5)]);
    const before = analyzer.state();
    expect(analyzer.add(at(0.9), START + 2 * HOUR)).toBe("late");
    expect(analyzer.state()).toEqual(before);
  });

  test("an old event whose window is still open counts", () => {
    const analyzer = new Analyzer(specWith());
    // The watermark stands at 1:50: 0:30 is late, but 1:10 lies before it in a window that it has not passed.
    expect(feed(analyzer, [at(2), event({ time: START + 70 * MINUTE }), at(0.5)]).verdicts).toEqual([
      "counted",
      "counted",
      "late",
    ]);
  });
});

describe("empty windows", () => {
  test("listed groups have one from the first window of all on, discovered ones from their own first", () => {
    const events = [at(0, { g: "a", x: 1 }), at(2, { g: "b", x: 2 }), at(4, { g: "a" })];
    const measures = { n: { count: "*" }, total: { sum: "x" }, mean: { avg: "x" } };
    const windowsOf = (by: object) => feed(new Analyzer(specWith({ series: { by, measures } })), events).windows;
    const none = [0, 0, Number.NaN];
    expect(windowsOf({ g: ["a", "b"] }).map((w) => w.groups.map((g) => g.values))).toEqual([
      [[1, 1, 1], none],
      [none, none],
      [none, [1, 2, 2]],
    ]);
    expect(windowsOf(["g"]).map((w) => w.groups.map((g) => [g.key, ...g.values]))).toEqual([
      [["a", 1, 1, 1]],
      [["a", ...none]],
      [
        ["a", ...none],
        ["b", 1, 2, 2],
      ],
    ]);
  });

  test("a discovered group is forgotten after a whole history of silence, a listed one never", () => {
    const forecast = { history: "4d", horizon: "1d", retrain: "1d" };
    const days = (by: object) => {
      const analyzer = new Analyzer(specWith({ series: { by, every: "1d" }, forecast }));
      const events = [at(0, { g: "a" }), ...Array.from({ length: 8 }, (_, i) => at(24 * i + 25, { g: "b" }))];
      return feed(analyzer, events).windows.map((w) => w.groups.map((g) => g.key).join());
    };
    expect(days(["g"])).toEqual(["a", "a,b", "a,b", "a,b", "a,b", "b", "b", "b"]);
    expect(new Set(days({ g: ["a", "b"] }))).toEqual(new Set(["a,b"]));
  });

  test("of a field without bounds the first groups are watched, until some are forgotten", () => {
    const forecast = { history: "2d", horizon: "1d", retrain: "1d" };
    const analyzer = new Analyzer(
      specWith({ series: { by: ["g"], every: "1h", measures: { n: { count: "*" } } }, forecast }),
    );
    const many = (from: number, count: number, hours: number) =>
      Array.from({ length: count }, (_, i) => at(hours, { g: `customer ${from + i}` }));
    const first = feed(analyzer, [...many(0, 10_000, 0), ...many(0, 10, 0.5)]);
    expect(analyzer.crowded).toBe(false);
    const beyond = feed(analyzer, [...many(10_000, 500, 0.6), ...many(0, 1, 1.5), at(3, { g: "customer 0" })]);
    expect(analyzer.crowded).toBe(true);
    expect(new Set([...first.verdicts, ...beyond.verdicts])).toEqual(new Set(["counted"]));
    const [window] = [...first.windows, ...beyond.windows];
    expect(window!.groups).toHaveLength(10_000);
    expect(window!.groups.reduce((n, g) => n + g.events, 0)).toBe(10_010);
    const later = Array.from({ length: 60 }, (_, i) => at(4 + i, { g: "customer 0" }));
    expect(
      feed(analyzer, later)
        .windows.at(-1)!
        .groups.map((g) => g.key),
    ).toEqual(["customer 0"]);
    expect(analyzer.crowded).toBe(false);
  });

  test("events of no group move the clock but make no window of their own", () => {
    const spec = specWith({ series: { by: { g: ["a"] } } });
    const { windows, verdicts } = feed(new Analyzer(spec), [at(0), at(1.5, { g: "zzz" }), at(3)]);
    expect(verdicts).toEqual(["counted", "counted", "counted"]);
    expect(windows.map((w) => w.groups)).toEqual([
      [{ key: "a", events: 0, values: [0] }],
      [{ key: "a", events: 0, values: [0] }],
    ]);
  });

  test("after a silence longer than the history, the windows of the silence are skipped, those with events are not", () => {
    const spec = specWith({ forecast: { history: "2d", horizon: "1d", retrain: "1d" }, source: { ahead: "100d" } });
    const { windows } = feed(new Analyzer(spec), [at(0), at(0.5), at(24 * 30 + 1)]);
    expect(windows[0]).toMatchObject({ start: START, groups: [{ events: 2 }] });
    // From 48 hours before the watermark, 0:50 of day 30, on.
    expect(windows[1]!.start).toBe(START + 28 * DAY);
    expect(windows.at(-1)!.end).toBe(START + 30 * DAY);
    expect(windows).toHaveLength(1 + 48);
  });
});

describe("the idle clock", () => {
  const ahead = (minutes: number) => START + minutes * MINUTE;
  const spec = specWith({ source: { idle: "5m" } });

  test("stands still until nothing has come for `idle`, then moves with the wall", () => {
    const analyzer = new Analyzer(spec);
    feed(analyzer, [at(0.5)]);
    analyzer.tick(ahead(34), ahead(30));
    expect(analyzer.watermark).toBe(ahead(20));
    analyzer.tick(ahead(35), ahead(30));
    expect(analyzer.watermark).toBe(ahead(25));
    analyzer.tick(ahead(70), ahead(30));
    expect([...analyzer.close()]).toMatchObject([{ start: START, groups: [{ events: 1 }] }]);
    analyzer.tick(ahead(190), ahead(30));
    expect([...analyzer.close()].map((w) => w.groups[0]!.events)).toEqual([0, 0]);
  });

  test("what comes after the clock has moved on is late", () => {
    const analyzer = new Analyzer(spec);
    feed(analyzer, [at(0.5)]);
    analyzer.tick(ahead(70), ahead(30));
    expect(analyzer.add(at(0.9), ahead(71))).toBe("late");
    expect(analyzer.add(at(1.1), ahead(71))).toBe("counted");
    expect(analyzer.watermark).toBe(ahead(60));
  });

  test("after a restart, the silence counts from the start", () => {
    const analyzer = new Analyzer(spec);
    feed(analyzer, [at(0.5)]);
    analyzer.tick(ahead(304), ahead(300));
    expect(analyzer.watermark).toBe(ahead(20));
    analyzer.tick(ahead(305), ahead(300));
    expect(analyzer.watermark).toBe(ahead(295));
  });

  test("does nothing before the first event", () => {
    const analyzer = new Analyzer(spec);
    analyzer.tick(ahead(600), 0);
    expect([analyzer.watermark, analyzer.newest, analyzer.closable]).toEqual([null, null, false]);
  });

  test("runs as fast as a replay does", () => {
    const analyzer = new Analyzer(spec);
    analyzer.add(at(0.5), START, 3_600);
    // 200 ms at an hour a second are twelve minutes.
    analyzer.tick(START + 200, START, 3_600);
    expect(analyzer.watermark).toBe(ahead(32));
  });
});

describe("events too far from the clock", () => {
  const spec = specWith({ source: { ahead: "7d", behind: "30d" } });

  test.each<[string, number, Verdict]>([
    ["ten years ahead", START + 3_650 * DAY, "ahead"],
    ["just beyond `ahead`", START + WEEK + 1, "ahead"],
    ["as far as `ahead`", START + WEEK, "counted"],
    ["as far back as `behind`", START - 30 * DAY, "late"],
    ["just beyond `behind`", START - 30 * DAY - 1, "behind"],
    ["ten years back", START - 3_650 * DAY, "behind"],
  ])("%s", (_, time, verdict) => {
    const analyzer = new Analyzer(spec);
    analyzer.add(at(0), START);
    expect(analyzer.add(event({ time }), START)).toBe(verdict);
    if (verdict !== "counted") expect(analyzer.newest).toBe(START);
  });

  test("the first event may lie in the past, as history does, but not in the future", () => {
    expect(new Analyzer(spec).add(at(0), START + 3_650 * DAY)).toBe("counted");
    expect(new Analyzer(spec).add(event({ time: START + WEEK + 1 }), START)).toBe("ahead");
  });

  test("while nothing comes, the clock moves with the wall, so an outage of months ends by itself", () => {
    const analyzer = new Analyzer(spec);
    analyzer.add(at(0), START);
    expect(analyzer.add(event({ time: START + 90 * DAY }), START + 90 * DAY)).toBe("counted");
  });

  test("one that a longer silence would explain is a suspect, which changes nothing", () => {
    const late = START + 1_000 * DAY;
    const analyzer = new Analyzer(spec);
    analyzer.add(at(0), late);
    const before = JSON.stringify(analyzer.state());
    expect(analyzer.add(event({ time: START + 900 * DAY }), late)).toBe("suspect");
    expect(JSON.stringify(analyzer.state())).toBe(before);
    analyzer.moveOn(START + 899 * DAY, late);
    expect(analyzer.add(event({ time: START + 900 * DAY }), late)).toBe("counted");
  });

  test("the future never becomes the stream", () => {
    const analyzer = new Analyzer(spec);
    analyzer.add(at(0), START);
    for (let i = 0; i < 500; i++) expect(analyzer.add(event({ time: START + 30 * DAY }), START)).toBe("ahead");
  });
});

describe("state", () => {
  test("is JSON, whatever has been folded", () => {
    const analyzer = new Analyzer(specWith({ series: { by: ["g"], measures: MEASURES } }));
    for (const x of [null, 1.7e308, 1.7e308]) analyzer.add(at(0, { g: "a", x }), START);
    const state = analyzer.state();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    const restored = new Analyzer(specWith({ series: { by: ["g"], measures: MEASURES } }), state);
    const end = at(3, { g: "a" });
    expect(feed(restored, [end]).windows).toEqual(feed(analyzer, [end]).windows);
  });

  test.each<[string, object]>([
    ["other measures", { measures: { most: { max: "n" } } }],
    ["another split", { by: ["h"] }],
    ["another window", { every: "15m" }],
  ])("of a pipeline that now has %s gives the clock; windows begin anew with the next whole one", (_, series) => {
    const before = new Analyzer(specWith({ series: { by: ["g"] } }));
    feed(before, [at(0, { g: "a" }), at(1.6, { g: "a" })]);
    const spec = specWith({ series: { by: ["g"], ...series } });
    const after = new Analyzer(spec, before.state());
    expect(after.newest).toBe(START + 1.6 * HOUR);
    const next = spec.series.every === HOUR ? START + 2 * HOUR : START + 1.75 * HOUR;
    expect(after.add(event({ time: next - 1, g: "a", h: "x" }), next)).toBe("late");
    const { windows } = feed(after, [event({ time: next, g: "a", h: "x" }), at(3.5, { g: "a", h: "x" })]);
    expect(windows[0]).toMatchObject({ start: next, groups: [{ events: 1 }] });
  });
});

test("groups are told with the window each first appeared in, and events with the group they belong to", () => {
  const analyzer = new Analyzer(specWith({ series: { by: ["g", "h"] } }));
  feed(analyzer, [at(1, { g: "a", h: "x|y" }), at(0.99, { g: "a", h: "x|y" }), at(1.2, { g: "b", h: "x" })]);
  expect(analyzer.groups()).toEqual([
    { key: "a|x\\|y", since: START },
    { key: "b|x", since: START + HOUR },
  ]);
  expect(analyzer.keyOf(at(0, { g: "b", h: "z" }).values)).toBe("b|z");
  expect(analyzer.keyOf(at(0, { g: "b" }).values)).toBeUndefined();
});
