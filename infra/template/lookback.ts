/**
 * How far back the alarm of a rule looks, so that it sees the rule's n windows whenever it looks.
 *
 * The data of a window bear the time of its end. They are written when it closes, which is `lateness` later, and can be read a little
 * later still. CloudWatch looks, each minute, at the last periods before that minute: the newest of them have no data yet, and
 * where they are n or more, those that count have slid out of sight before there is anything to be read. So an alarm looks at as
 * many periods more as may be empty, and m, of "m of n", stays what it is.
 *
 * All but one: CloudWatch retrieves more than it is asked for, and where that makes up for what lacks, it judges the newest that
 * there are (User Guide, "Configuring how CloudWatch alarms treat missing data"). Where data come within a period the alarm
 * therefore looks at exactly n windows. Where they come later it looks at n at least; at up to as many more as it looks further
 * back where they come earlier than that (events with times that lie ahead), and at one or two more by what CloudWatch retrieves.
 */
import { Fault } from "../../src/core/fault.ts";
import type { AlarmRule, PipelineSpec } from "../../src/core/spec.ts";
import { DAY, formatDuration, HOUR, MINUTE, WEEK } from "../../src/core/time.ts";

type Timing = {
  readonly source: Pick<PipelineSpec["source"], "lateness">;
  readonly series: { readonly every: number };
};

/** From a window's close until its data can be read, ms: in silence the beat that closes it comes a minute or two after its time. */
const TRANSPORT = 3 * MINUTE;

/** How long after a window's end its data can be read at the latest, ms. */
export function dataDelay({ source }: Timing): number {
  return source.lateness + TRANSPORT;
}

/** How far back from now the oldest of a rule's n windows may end, ms. */
export function reachOf(spec: Timing, { periods }: Pick<AlarmRule, "periods">): number {
  return periods * spec.series.every + dataDelay(spec);
}

/** All periods of an alarm together, ms (CloudWatch API reference, PutMetricAlarm): a day, of hours and longer ones seven. */
export function longestLook(period: number): number {
  return period < HOUR ? DAY : WEEK;
}

/**
 * Periods that the alarm of a rule evaluates.
 * @throws Fault `target.unsupported` when they are more than CloudWatch looks back.
 */
export function evaluationPeriods(spec: Timing, rule: Pick<AlarmRule, "name" | "periods">): number {
  const { every } = spec.series;
  const periods = rule.periods + Math.max(0, Math.ceil(dataDelay(spec) / every) - 1);
  const limit = longestLook(every);
  if (periods * every <= limit) return periods;
  const longer = every < HOUR ? ", or make the windows an hour long or longer: of those it looks back seven days" : "";
  throw new Fault(
    "target.unsupported",
    `The alarm "${rule.name}" would be blind: its ${rule.periods} windows of ${formatDuration(every)} can be read up to ${formatDuration(dataDelay(spec))} after their end, which is ${formatDuration(periods * every)} to look back; CloudWatch looks back ${limit === DAY ? "one day" : "seven days"} at most.`,
    {
      next: `Lower "lateness" (${formatDuration(spec.source.lateness)}) or the n of "datapoints" by ${formatDuration(periods * every - limit)} in all${longer}.`,
    },
  );
}

/**
 * What windows without data are to the alarm of a rule.
 *
 * `breaching`: silence is a datum (`watchedMetric`). Windows that nothing was written for are the pipeline's own failure, which neither
 * begins an outage of the business nor ends one.
 *
 * `missing`: CloudWatch alarms at once when the one datum that it finds breaches and is m periods old. Of data that come late the
 * first of a series is that, whatever follows. As what does not breach, windows without data end an alarm just as they would,
 * and begin none: the composite above makes no difference between "insufficient data" and "OK".
 */
export function treatMissing({ missing }: Pick<AlarmRule, "missing">): "ignore" | "notBreaching" {
  return missing === "breaching" || missing === "ignore" ? "ignore" : "notBreaching";
}
