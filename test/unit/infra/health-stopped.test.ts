/**
 * Alarms on what comes and nobody fetches, minute by minute, for producers that send often, hourly and nightly: CloudWatch looks each
 * minute at the periods before it, of which the function's own metric may be told minutes after the stream's.
 */
import { describe, expect, test } from "vitest";
import { contextOf } from "../../../infra/template/context.ts";
import { health } from "../../../infra/template/health.ts";
import { type AlarmProperties, EXTRA, fires, type Samples } from "./alarm-math.ts";
import { kinesis, lambda } from "./health-scenarios.ts";
import { FLIGHTS, options } from "./pipelines.ts";

const ALARM = health(contextOf(FLIGHTS, options())).Resources.HealthRelayStopped!
  .Properties as unknown as AlarmProperties;
const PERIOD = 5;
const DAY = 24 * 60;

/** Minutes at which something happens, and how long after it a metric tells of it, minutes. */
interface Told {
  readonly at: readonly number[];
  readonly delay: number;
}

/** The minutes up to `until` at which the alarm is on. */
function minutesOn(incoming: Told, calls: Told, until: number): number[] {
  const samples = ({ at, delay }: Told, now: number): Samples =>
    Array.from({ length: ALARM.EvaluationPeriods + EXTRA }, (_, back) => {
      const end = now - back * PERIOD;
      const seen = at.filter((minute) => minute >= end - PERIOD && minute < end && minute + delay < now);
      return seen.map(() => 1);
    }).reverse();
  const on: number[] = [];
  let before = false;
  for (let now = 0; now < until; now++) {
    const metrics = new Map([
      [kinesis("RawStream", "IncomingRecords"), samples(incoming, now)],
      [lambda("relay", "Invocations"), samples(calls, now)],
    ]);
    before = fires(ALARM, metrics, before);
    if (before) on.push(now);
  }
  return on;
}

const every = (minutes: number, from: number, until: number) =>
  Array.from({ length: Math.ceil((until - from) / minutes) }, (_, i) => from + i * minutes);
const PRODUCERS = [
  { producer: "every minute", minutes: 1 },
  { producer: "every seven minutes", minutes: 7 },
  { producer: "hourly", minutes: 60 },
  { producer: "nightly", minutes: DAY },
];

describe.each(PRODUCERS)("a producer that sends $producer", ({ minutes }) => {
  const until = Math.max(2 * minutes, 240) + 200;
  const sent = every(minutes, 30, until);

  test.each([
    { after: 0, delay: 1 },
    { after: 1, delay: 1 },
    { after: 1, delay: 3 },
    { after: 4, delay: 0 },
  ])("raises no alarm when each record is fetched $after minutes later, and told $delay later", ({ after, delay }) => {
    const fetched = { at: sent.map((minute) => minute + after), delay };
    expect(minutesOn({ at: sent, delay: 1 }, fetched, until)).toEqual([]);
  });

  test("raises one within a quarter of an hour of the first record that nobody fetches, which a fetch ends", () => {
    const off = sent[1]!;
    const again = off + 150;
    const fetched = [...sent.filter((minute) => minute < off), ...every(1, again, until)];
    const on = minutesOn({ at: sent, delay: 1 }, { at: fetched, delay: 1 }, until);
    expect(on[0]! - off).toBeGreaterThan(PERIOD);
    expect(on[0]! - off).toBeLessThanOrEqual(15);
    expect(on.at(-1)! - again).toBeLessThanOrEqual(2 * PERIOD);
    // Without a break, though nothing comes meanwhile.
    expect(on).toEqual(every(1, on[0]!, on.at(-1)! + 1));
  });
});
