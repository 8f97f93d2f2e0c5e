import { Fault } from "../core/fault.ts";
import { betterSeason } from "./baseline.ts";
import { toHistory } from "./history.ts";
import { type Accuracy, AccuracyTally, seasonalScale } from "./metrics.ts";
import { check, settle } from "./options.ts";
import type { Plan } from "./plan.ts";
import { type Trained, train } from "./train.ts";
import type { ForecastMethod, ForecastOptions, TimeSeries } from "./types.ts";

/** Which forecasts of the past to try. Times are epoch ms. */
export interface BacktestOptions extends ForecastOptions {
  /** The first origin: the start of the first window that is forecast. Default: the middle of the series. */
  readonly from?: number;
  /** No window from here on is forecast. Default: the end of the series. */
  readonly to?: number;
  /** Windows from one origin to the next. Default: the horizon. */
  readonly step?: number;
  /** Windows after which the model is trained again; between, it forecasts from newer values. Default: at each origin. */
  readonly refitEvery?: number;
}

/** One forecast of the past. */
export interface BacktestOrigin {
  /** Start of the first window forecast, epoch ms. */
  readonly start: number;
  readonly method: ForecastMethod;
  /** Whether the model was trained for this origin. */
  readonly refitted: boolean;
  /** What came, NaN where nothing did: as many windows as were forecast before `to`. */
  readonly actual: Float64Array;
  /** For each level, the forecast of the same windows. */
  readonly quantiles: readonly Float64Array[];
  /** The same from the seasonal naive baseline. */
  readonly baseline: readonly Float64Array[];
  readonly accuracy: Accuracy;
}

/** How well past windows would have been forecast, beside the seasonal naive forecast with its own conformal band. */
export interface BacktestReport {
  readonly every: number;
  readonly levels: readonly number[];
  readonly seasons: readonly number[];
  readonly accuracy: Accuracy;
  readonly baseline: Accuracy;
  /** The season of the baseline, in windows: the one of the series' seasons that is better in sample; 1 if it has none. */
  readonly baselineSeason: number;
  readonly origins: readonly BacktestOrigin[];
}

/**
 * Forecasts the past from rolling origins, each from what was known then, and compares with what came. Excluded spans count
 * neither in training nor in the accuracy. Throws Fault "forecast.invalid" when the options leave no origin with a history.
 */
export function backtest(series: TimeSeries, options: BacktestOptions): BacktestReport {
  const settings = settle(series, options);
  const { values, every, start } = toHistory(series, settings.exclude);
  const { step = settings.horizon, refitEvery = 1 } = options;
  check(Number.isInteger(step) && step >= 1, `A step of ${step} windows is not possible.`, "Give 1 or more.");
  check(
    Number.isInteger(refitEvery) && refitEvery >= 1,
    `Training every ${refitEvery} windows is not possible.`,
    "Give 1 or more.",
  );
  const middle = series.start + Math.floor(series.values.length / 2) * every;
  const first = Math.max(1, Math.ceil(((options.from ?? middle) - start) / every));
  const end = Math.min(values.length, Math.floor(((options.to ?? Number.POSITIVE_INFINITY) - start) / every));
  if (first >= end) {
    throw new Fault("forecast.invalid", "The backtest has no window to forecast that has a history before it.", {
      next: "Choose from and to within the series, after its first value.",
    });
  }

  const { levels, horizon } = settings;
  const total = new AccuracyTally(levels);
  const totalBaseline = new AccuracyTally(levels);
  const origins: BacktestOrigin[] = [];
  let trained: Trained | undefined;
  let naive: Trained | undefined;
  let trainedAt = Number.NEGATIVE_INFINITY;
  let baselineSeason = 1;
  let scale = 1;
  for (let origin = first; origin < end; origin += step) {
    const refitted = origin - trainedAt >= refitEvery || trained === undefined || naive === undefined;
    if (refitted || trained === undefined || naive === undefined) {
      trained = train(values, origin, every, settings);
      const { seasons } = trained.plan;
      baselineSeason = betterSeason(values, origin, seasons);
      scale = seasonalScale(values, origin, seasons[0] ?? 1);
      naive = train(values, origin, every, settings, naivePlan(baselineSeason, trained.plan));
      trainedAt = origin;
    }
    const windows = Math.min(horizon, end - origin);
    const quantiles = trained.forecast([origin])[0]!.map((q) => q.slice(0, windows));
    const baseline = naive.forecast([origin])[0]!.map((q) => q.slice(0, windows));
    const actual = values.slice(origin, origin + windows);
    const own = new AccuracyTally(levels);
    for (const tally of [own, total]) compare(tally, actual, quantiles, levels, scale);
    compare(totalBaseline, actual, baseline, levels, scale);
    const { method } = trained.plan;
    const at = start + origin * every;
    origins.push({ start: at, method, refitted, actual, quantiles, baseline, accuracy: own.accuracy });
  }
  return {
    every,
    levels,
    seasons: trained?.plan.seasons ?? [],
    accuracy: total.accuracy,
    baseline: totalBaseline.accuracy,
    baselineSeason,
    origins,
  };
}

function compare(
  tally: AccuracyTally,
  actual: Float64Array,
  quantiles: readonly Float64Array[],
  levels: readonly number[],
  scale: number,
): void {
  // Without a level of 0.5, the level nearest to it stands for the point forecast.
  const nearest = levels.reduce((best, p, l) => (Math.abs(p - 0.5) < Math.abs(levels[best]! - 0.5) ? l : best), 0);
  actual.forEach((value, h) => {
    tally.add(value, quantiles[nearest]![h]!, (l) => quantiles[l]![h]!, scale);
  });
}

function naivePlan(season: number, { calibrateFrom }: Plan): Plan {
  return { method: "seasonal-naive", seasons: [season], calibrateFrom: Math.max(season, calibrateFrom) };
}
