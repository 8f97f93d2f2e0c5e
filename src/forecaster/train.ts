import { Band, calibrate, conformalQuantile } from "./band.ts";
import { betterSeason, RobustMean, SeasonalNaive } from "./baseline.ts";
import { Ensemble } from "./ensemble.ts";
import { observed } from "./history.ts";
import type { Member } from "./member.ts";
import { seasonalScale } from "./metrics.ts";
import type { Settings } from "./options.ts";
import { choosePlan, type Plan } from "./plan.ts";

/** Mean absolute errors on held-out windows, each divided by the in-sample error of seasonal naive: as MASE is. */
export interface Holdout {
  readonly mase: number;
  /** Of repeating the last season on the same windows. */
  readonly baseline: number;
}

/** A model and its band, learned from the first windows of a history. */
export interface Trained {
  readonly plan: Plan;
  /** How the method did on the windows held out for calibration; undefined where none were. */
  readonly holdout?: Holdout;
  /** For each origin the quantiles of the windows from there on: `[origin][level][step]`. Reads nothing from the origin on. */
  forecast(origins: readonly number[]): Float64Array[][];
}

/**
 * Learns from `values[0, end)`, which must begin with an observed value. What lies beyond `end` is read only as the past of later
 * origins.
 */
export function train(values: Float64Array, end: number, every: number, settings: Settings, given?: Plan): Trained {
  let plan = given ?? choosePlan(values, end, every, settings);
  const { horizon, levels } = settings;
  // Squares of values at the ends of the floating-point range would overflow or vanish: such series are scaled.
  const unit = unitOf(values, end);
  const own = unit === 1 ? values : values.map((v) => v / unit);
  const known = observed(own, 0, end);
  const resolution = settings.resolution / unit;
  const floor = hasFloor(settings.kind, known) ? 0 : Number.NEGATIVE_INFINITY;
  const band = {
    levels,
    horizon,
    season: plan.seasons[0] ?? 1,
    floor,
    resolution,
    whole: settings.kind === "count" && unit === 1,
  };

  let model: Member;
  let around: Band;
  let holdout: Holdout | undefined;
  switch (plan.method) {
    case "ensemble":
      model = new Ensemble(own, plan.calibrateFrom, end, { seasons: plan.seasons, horizon, resolution, floor });
      around = calibrate(model, own, plan.calibrateFrom, end, band);
      {
        // A model that does worse than repeating the last season is not put to use.
        const season = betterSeason(own, end, plan.seasons);
        const naive = new SeasonalNaive(own, season);
        const aroundNaive = calibrate(naive, own, Math.max(season, plan.calibrateFrom), end, band);
        const scale = seasonalScale(own, end, plan.seasons[0] ?? 1);
        holdout = { mase: around.error / scale, baseline: aroundNaive.error / scale };
        if (around.error > aroundNaive.error) {
          const reason = `On the held-out windows the ensemble erred more (MASE ${holdout.mase.toFixed(2)}) than repeating the last ${season === 1 ? "value" : `season of ${season} windows`} (${holdout.baseline.toFixed(2)}).`;
          plan = { ...plan, method: "seasonal-naive", seasons: season === 1 ? [] : [season], reason };
          [model, around] = [naive, aroundNaive];
        }
      }
      break;
    case "seasonal-naive":
      model = new SeasonalNaive(own, plan.seasons[0] ?? 1);
      around = calibrate(model, own, plan.calibrateFrom, end, band);
      break;
    case "robust-mean":
    case "constant":
      model = new RobustMean(own);
      around = new Band(band, deviations(known, levels), Float64Array.of(1));
      break;
  }
  return {
    plan,
    ...(holdout && Number.isFinite(holdout.mase) && Number.isFinite(holdout.baseline) && { holdout }),
    forecast: (origins) =>
      model.forecast(origins, horizon).map((path, o) => {
        const quantiles = around.around(path, origins[o]!);
        return unit === 1 ? quantiles : quantiles.map((q) => q.map((v) => clampFinite(v * unit)));
      }),
  };
}

function hasFloor(kind: Settings["kind"], known: Float64Array): boolean {
  if (kind === "real") return false;
  return kind === "count" || known.every((v) => v >= 0);
}

/** Offsets of the levels from the median of all observed values, the same for every step. */
function deviations(known: Float64Array, levels: readonly number[]): Float64Array[] {
  const sorted = known.toSorted();
  const middle = sorted.length === 0 ? 0 : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return levels.map((p) => Float64Array.of(sorted.length === 0 ? 0 : conformalQuantile(sorted, p) - middle));
}

/** 1 for ordinary values; else the largest magnitude. */
function unitOf(values: Float64Array, end: number): number {
  let most = 0;
  for (let t = 0; t < end; t++) if (Math.abs(values[t]!) > most) most = Math.abs(values[t]!);
  return most === 0 || (most > 1e-100 && most < 1e100) ? 1 : most;
}

function clampFinite(value: number): number {
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}
