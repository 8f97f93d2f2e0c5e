/**
 * What an alarm of CloudWatch computes, as far as the templates use it: statistics of a period's samples, metric math (User Guide,
 * "Using math expressions": IF, FILL, DIFF, arithmetic, comparisons, AND, OR), and datapoints against a threshold.
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

type Series = readonly (number | undefined)[];

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

/** Whether the alarm is on after the last period; `before` is its state when nothing says anything. */
export function fires(alarm: AlarmProperties, metrics: Metrics, before = false): boolean {
  const series = computed(alarm, metrics).slice(-alarm.EvaluationPeriods);
  const breaching = (value: number) => {
    if (alarm.ComparisonOperator === "GreaterThanThreshold") return value > alarm.Threshold;
    if (alarm.ComparisonOperator === "GreaterThanOrEqualToThreshold") return value >= alarm.Threshold;
    if (alarm.ComparisonOperator === "LessThanThreshold") return value < alarm.Threshold;
    throw new Error(`No comparison ${alarm.ComparisonOperator}`);
  };
  const points = series.map((value) => (value === undefined ? alarm.TreatMissingData : breaching(value)));
  if (points.every((p) => p === "ignore")) return before;
  return points.filter((p) => p === true || p === "breaching").length >= alarm.DatapointsToAlarm;
}

function computed(alarm: AlarmProperties, metrics: Metrics): Series {
  const read = (metric: Metric, stat: string) => {
    const samples = metrics.get(nameOf(metric));
    if (!samples) throw new Error(`There is no metric ${nameOf(metric)}`);
    return samples.map((period) => statistic(stat, period));
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
    if (tokens[at] !== "(") {
      const series = known.get(token);
      if (!series) throw new Error(`${token} is unknown in ${expression}`);
      return series;
    }
    const [first, second, third] = argumentsOf();
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
