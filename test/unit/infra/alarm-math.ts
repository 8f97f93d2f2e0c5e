/**
 * What an alarm of CloudWatch computes, as far as the templates use it: statistics of a period's samples, metric math (User Guide,
 * "Using math expressions": IF, FILL, DIFF, arithmetic, comparisons, AND, OR), and datapoints against a threshold, missing ones among
 * them (User Guide, "Configuring how CloudWatch alarms treat missing data").
 */
import type { Value } from "../../../infra/template/cfn.ts";

/** Samples of a metric, period by period, oldest first; an empty period has no datum. */
export type Samples = readonly (readonly number[])[];

/** `Namespace Name Dimension=value` to samples. */
export type Metrics = ReadonlyMap<string, Samples>;

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: Value }[];
}

/** An alarm's properties, as the template has them. */
export interface AlarmProperties extends Partial<Metric> {
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
  readonly Statistic?: string;
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: Metric; readonly Stat: string };
  }[];
}

export type Series = readonly (number | undefined)[];

/** What stands for the word that makes FILL repeat the last datum. */
const REPEAT: Series = [];

/** How a metric is called in `Metrics`. */
export function nameOf({ Namespace, MetricName, Dimensions }: Metric): string {
  const dimensions = Dimensions.map(({ Name, Value }) => `${Name}=${resolved(Value)}`);
  return [Namespace, MetricName, ...dimensions].join(" ");
}

/** The metrics that an alarm reads. */
export function metricsOf(alarm: AlarmProperties): string[] {
  const stats = alarm.Metrics?.flatMap((m) => m.MetricStat?.Metric ?? []) ?? [alarm as Metric];
  return stats.map(nameOf);
}

export type State = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** Periods that CloudWatch retrieves beyond those it was asked for, as the User Guide's tables show it; how many is not documented. */
export const EXTRA = 2;

/** Whether the alarm is on after the last period; `before` is whether it was when nothing says anything. */
export function fires(alarm: AlarmProperties, metrics: Metrics, before = false): boolean {
  return stateOf(alarm, computed(alarm, metrics), before ? "ALARM" : "OK") === "ALARM";
}

/**
 * The state that a metric's data put an alarm into: as many of the newest as it evaluates, when that many exist in the range that
 * CloudWatch retrieves; else all that exist, and for each that lacks what the alarm says of missing data.
 * @param range oldest first.
 */
export function stateOf(
  alarm: Pick<
    AlarmProperties,
    "Threshold" | "ComparisonOperator" | "EvaluationPeriods" | "DatapointsToAlarm" | "TreatMissingData"
  >,
  range: Series,
  before: State,
): State {
  const points = range.map((value) => (value === undefined ? undefined : breaches(alarm, value)));
  const existing = points.filter((p) => p !== undefined).slice(-alarm.EvaluationPeriods);
  const breaching = existing.filter((p) => p).length;
  const enough = (count: number) => (count >= alarm.DatapointsToAlarm ? "ALARM" : "OK");
  const lacking = alarm.EvaluationPeriods - existing.length;
  if (lacking === 0 || enough(breaching) === "ALARM") return enough(breaching);
  const healthy = breaching < existing.length;
  switch (alarm.TreatMissingData) {
    case "breaching":
      return enough(breaching + lacking);
    case "notBreaching":
      return "OK";
    case "ignore":
      return healthy ? "OK" : before;
    case "missing":
      if (healthy) return "OK";
      // Nothing but breaches, the oldest as old as m periods: that alone is an alarm.
      return existing.length > 0 && enough(points.length - points.indexOf(true)) === "ALARM"
        ? "ALARM"
        : "INSUFFICIENT_DATA";
    default:
      throw new Error(`No treatment ${alarm.TreatMissingData}`);
  }
}

function breaches({ ComparisonOperator: how, Threshold }: Parameters<typeof stateOf>[0], value: number): boolean {
  if (how === "GreaterThanThreshold") return value > Threshold;
  if (how === "GreaterThanOrEqualToThreshold") return value >= Threshold;
  if (how === "LessThanThreshold") return value < Threshold;
  throw new Error(`No comparison ${how}`);
}

function computed(alarm: AlarmProperties, metrics: Metrics): Series {
  const read = (metric: Metric, stat: string) => {
    const samples = metrics.get(nameOf(metric));
    if (!samples) throw new Error(`There is no metric ${nameOf(metric)}`);
    return samples.slice(-(alarm.EvaluationPeriods + EXTRA)).map((period) => statistic(stat, period));
  };
  if (!alarm.Metrics) return read(alarm as Metric, alarm.Statistic!);
  const known = new Map<string, Series>();
  for (const { Id, MetricStat } of alarm.Metrics)
    if (MetricStat) known.set(Id, read(MetricStat.Metric, MetricStat.Stat));
  const expression = alarm.Metrics.find((m) => m.Expression !== undefined)!.Expression!;
  return evaluate(expression, known);
}

function statistic(stat: string, samples: readonly number[]): number | undefined {
  if (samples.length === 0) return undefined;
  const sum = samples.reduce((a, b) => a + b, 0);
  if (stat === "Sum") return sum;
  if (stat === "Average") return sum / samples.length;
  if (stat === "SampleCount") return samples.length;
  if (stat === "Maximum") return Math.max(...samples);
  if (stat === "Minimum") return Math.min(...samples);
  throw new Error(`No statistic ${stat}`);
}

/** An expression over series of equal length. */
export function evaluate(expression: string, known: ReadonlyMap<string, Series>): Series {
  const length = Math.max(...[...known.values()].map((s) => s.length));
  const tokens = expression.match(/[A-Za-z_]\w*|\d+(\.\d+)?|>=|<=|==|!=|[-+*/()<>,]/g)!;
  let at = 0;
  const next = () => tokens[at++];
  const expect = (token: string) => {
    if (next() !== token) throw new Error(`"${token}" is due at ${at} in ${expression}`);
  };
  const each = (f: (...v: number[]) => number | undefined, ...operands: Series[]): Series =>
    Array.from({ length }, (_, i) => {
      const values = operands.map((o) => o[i]);
      return values.every((v) => v !== undefined) ? f(...(values as number[])) : undefined;
    });
  /** Operators of one level, left to right, over what `inner` reads. */
  const level =
    (operators: Readonly<Record<string, (a: number, b: number) => number | undefined>>, inner: () => Series) =>
    (): Series => {
      let left = inner();
      for (let f = operators[tokens[at] ?? ""]; f; f = operators[tokens[at] ?? ""]) {
        at++;
        left = each(f, left, inner());
      }
      return left;
    };
  const argumentsOf = (): Series[] => {
    expect("(");
    const values = [any()];
    while (tokens[at] === ",") {
      at++;
      values.push(any());
    }
    expect(")");
    return values;
  };
  const primary = (): Series => {
    const token = next();
    if (token === undefined) throw new Error(`${expression} ends too early`);
    if (token === "(") {
      const inner = any();
      expect(")");
      return inner;
    }
    if (/^\d/.test(token)) return new Array<number>(length).fill(Number(token));
    if (token === "REPEAT") return REPEAT;
    if (tokens[at] !== "(") {
      const series = known.get(token);
      if (!series) throw new Error(`${token} is unknown in ${expression}`);
      return series;
    }
    const [first, second, third] = argumentsOf();
    if (token === "FILL" && second === REPEAT)
      return first!.map((_, i) => first!.slice(0, i + 1).findLast((v) => v !== undefined));
    if (token === "FILL") return Array.from({ length }, (_, i) => first![i] ?? second![i]);
    if (token === "IF")
      return Array.from({ length }, (_, i) => (first![i] === undefined ? undefined : first![i] ? second : third)?.[i]);
    // The difference of each datum to the one before it.
    if (token === "DIFF") return each((a, b) => a - b, first!, [undefined, ...first!]);
    throw new Error(`${token} is unknown in ${expression}`);
  };
  const product = level({ "*": (a, b) => a * b, "/": (a, b) => (b === 0 ? undefined : a / b) }, primary);
  const sum = level({ "+": (a, b) => a + b, "-": (a, b) => a - b }, product);
  const comparison = level(
    {
      ">": (a, b) => +(a > b),
      "<": (a, b) => +(a < b),
      ">=": (a, b) => +(a >= b),
      "<=": (a, b) => +(a <= b),
    },
    sum,
  );
  const any: () => Series = level({ AND: (a, b) => +(!!a && !!b), OR: (a, b) => +(!!a || !!b) }, comparison);
  const result = any();
  if (at !== tokens.length) throw new Error(`${expression} goes on after ${tokens.slice(0, at).join(" ")}`);
  return result;
}

/** A dimension's value as text: what a reference stands for is its logical id. */
function resolved(value: Value): string {
  if (typeof value === "string") return value;
  const { Ref, "Fn::GetAtt": attribute } = value as {
    readonly Ref?: string;
    readonly "Fn::GetAtt"?: readonly string[];
  };
  return Ref ?? attribute!.join(".");
}
