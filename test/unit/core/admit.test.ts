import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Admission, type AdmissionState, ENOUGH_IN_A_ROW, type Place } from "../../../src/core/admit.ts";
import { Analyzer } from "../../../src/core/analyze.ts";
import { DAY, HOUR, MINUTE } from "../../../src/core/time.ts";
import { specWith } from "./sample.ts";

const START = Date.UTC(2001, 1, 1);
/** Years later: what comes is a replay of old data. */
const NOW = START + 9_000 * DAY;
const SPEC = specWith({ source: { ahead: "7d", behind: "400d" } });

interface Told {
  readonly time: number;
  readonly verdict: string;
}

/** Admits events at these times, each in its turn, through the JSON of a restart each time; answers what was told, in order. */
function admit(times: readonly number[], then: (admission: Admission<Place>) => void = () => {}) {
  const told: Told[] = [];
  const analyzer = new Analyzer(SPEC);
  let state: AdmissionState<Place> | undefined;
  for (const time of times) {
    const admission = new Admission(analyzer, state);
    admission.admit(
      { time, values: [time, "a", null, 1, null, null, null] },
      { arrival: NOW },
      1,
      (event, _, verdict) => told.push({ time: event.time, verdict }),
    );
    state = JSON.parse(JSON.stringify(admission.state())) as AdmissionState<Place>;
  }
  const last = new Admission(analyzer, state);
  then(last);
  return { told, analyzer, held: last.state().held.length, last };
}

const hours = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i * HOUR);
const verdicts = (told: readonly Told[]) => told.map((t) => t.verdict);

describe("a stream that jumps a holiday", () => {
  const before = hours(START, 5);
  const after = hours(START + 12 * DAY, 3 * ENOUGH_IN_A_ROW);

  test("loses nothing of it: what was held is taken in its order", () => {
    const { told, held, analyzer } = admit([...before, ...after]);
    expect(told).toEqual([...before, ...after].map((time) => ({ time, verdict: "counted" })));
    expect(held).toBe(0);
    expect(analyzer.newest).toBe(after.at(-1));
  });

  test("waits for enough events to be sure", () => {
    const { told, held, analyzer } = admit([...before, ...after.slice(0, ENOUGH_IN_A_ROW - 1)]);
    expect(told).toHaveLength(before.length);
    expect(held).toBe(ENOUGH_IN_A_ROW - 1);
    expect(analyzer.newest).toBe(before.at(-1));
  });

  test("may jump again at once", () => {
    const third = hours(START + 40 * DAY, ENOUGH_IN_A_ROW);
    const { told, held } = admit([...before, ...after.slice(0, ENOUGH_IN_A_ROW), ...third]);
    expect(new Set(verdicts(told))).toEqual(new Set(["counted"]));
    expect(told).toHaveLength(before.length + 2 * ENOUGH_IN_A_ROW);
    expect(held).toBe(0);
  });

  test("may hold a wrong time among the right ones, wherever it stands", () => {
    for (let place = 0; place < ENOUGH_IN_A_ROW; place++) {
      const wrong = START + 3_650 * DAY;
      const { told, analyzer } = admit([...before, ...after.slice(0, place), wrong, ...after.slice(place)]);
      expect(
        told.filter((t) => t.verdict !== "counted"),
        `at ${place}`,
      ).toEqual([{ time: wrong, verdict: "ahead" }]);
      expect(told).toHaveLength(before.length + after.length + 1);
      expect(analyzer.newest).toBe(after.at(-1));
    }
  });

  test("tells of late events after the jump as ever", () => {
    const late = START + 11 * DAY;
    expect(admit([...before, ...after, late]).told.at(-1)).toEqual({ time: late, verdict: "late" });
  });
});

describe("a wrong time", () => {
  const wrong = START + 3_650 * DAY;

  test("is turned away by the next right one, before it is taken", () => {
    const { told, analyzer } = admit([START, wrong, wrong, START + MINUTE]);
    expect(told).toEqual([
      { time: START, verdict: "counted" },
      { time: wrong, verdict: "ahead" },
      { time: wrong, verdict: "ahead" },
      { time: START + MINUTE, verdict: "counted" },
    ]);
    expect(analyzer.newest).toBe(START + MINUTE);
  });

  test("beyond the wall clock is turned away at once, and says nothing about others", () => {
    const future = NOW + 30 * DAY;
    const run = hours(START + 20 * DAY, ENOUGH_IN_A_ROW);
    const mixed = run.flatMap((time) => [time, future, START - 4_000 * DAY]);
    const { told, analyzer } = admit([START, ...mixed]);
    expect(told.filter((t) => t.verdict === "counted").map((t) => t.time)).toEqual([START, ...run]);
    expect(analyzer.newest).toBe(run.at(-1));
  });

  test("is given up after a silence; a stream so slow that all are given up is believed in the end", () => {
    const told: string[] = [];
    const analyzer = new Analyzer(SPEC);
    const admission = new Admission<Place>(analyzer);
    const take = (_: unknown, __: unknown, verdict: string) => told.push(verdict);
    const add = (time: number, arrival: number) =>
      admission.admit({ time, values: [time, null, null, null, null, null, null] }, { arrival }, 1, take);
    add(START, NOW);
    for (let i = 0; i < ENOUGH_IN_A_ROW; i++) {
      add(wrong + i, NOW + i);
      expect(admission.heldSince).toBe(i === ENOUGH_IN_A_ROW - 1 ? undefined : NOW + i);
      admission.giveUp(take);
    }
    expect(told).toEqual(["counted", ...Array(ENOUGH_IN_A_ROW - 1).fill("ahead"), "counted"]);
  });
});

test("every event is told of once or held, whatever comes", () => {
  const time = fc.oneof(
    fc.integer({ min: 0, max: 48 }).map((h) => START + h * HOUR),
    fc.integer({ min: 0, max: 40 }).map((d) => START + d * DAY),
    fc.constantFrom(START + 3_650 * DAY, START - 900 * DAY, NOW + 100 * DAY),
  );
  fc.assert(
    fc.property(fc.array(time, { maxLength: 80 }), (times) => {
      const { told, last } = admit(times);
      const all = [...told.map((t) => t.time), ...last.state().held.map((h) => h.event.time)];
      expect(all.sort((a, b) => a - b)).toEqual([...times].sort((a, b) => a - b));
      expect(last.state().held.length).toBeLessThan(ENOUGH_IN_A_ROW);
    }),
  );
});
