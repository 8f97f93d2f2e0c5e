import { fillForward, toHistory } from "./history.ts";
import type { TimeSeries } from "./types.ts";

/**
 * The seasons of a series, in windows: none, one, or two in ascending order. Candidates are the lengths at which the
 * series resembles itself most (peaks of its autocorrelation), an hour, a day and a week being preferred to a near miss. A
 * candidate becomes a season when the mean of the other cycles predicts a window clearly better than what was known before.
 */
export function findSeasons(series: TimeSeries): number[] {
  const { values, every } = toHistory(series, []);
  return findSeasonsIn(values, every);
}

/** As `findSeasons`, for values that begin with an observed one. */
export function findSeasonsIn(values: Float64Array, every: number): number[] {
  const calendar = calendarLengths(every);
  // A peak beside a calendar length is a near miss of it.
  const measured = (from: Float64Array) =>
    autocorrelationPeaks(from).filter((lag) => !calendar.some((m) => lag !== m && Math.abs(lag - m) <= NEAR * m));
  const first = bestSeason(values, [...calendar, ...measured(values)], FIRST_SHARE);
  if (first === undefined) return [];
  const rest = withoutSeason(values, first);
  const longer = [...calendar, ...measured(rest)].filter((m) => m > first && m % first === 0);
  const second = bestSeason(rest, longer, SECOND_SHARE);
  return second === undefined ? [first] : [first, second];
}

/** The shortest candidate that explains nearly as much as the best: any multiple of a season explains what the season does. */
function bestSeason(values: Float64Array, candidates: readonly number[], share: number): number | undefined {
  const gains = [...new Set(candidates)]
    .filter((length) => values.length >= 2 * length + 2)
    .sort((a, b) => a - b)
    .map((length) => ({ length, gain: seasonalGain(values, length) }));
  const best = Math.max(LEAST_GAIN, ...gains.map(({ gain }) => gain));
  return gains.find(({ gain }) => gain >= LEAST_GAIN && gain >= share * best)?.length;
}

/** A season explains at least this share of the variance. */
const LEAST_GAIN = 0.1;
/** How much of the best candidate's gain a shorter one must have: a day with a weak week is still the first season. */
const FIRST_SHARE = 0.5;
const SECOND_SHARE = 0.8;
const NEAR = 0.05;
const HOUR = 3_600_000;
const CALENDAR = [HOUR, 24 * HOUR, 7 * 24 * HOUR];

/** Hour, day and week in windows, where they are whole numbers of them. */
function calendarLengths(every: number): number[] {
  return CALENDAR.map((ms) => ms / every).filter((m) => Number.isInteger(m) && m >= 2);
}

/** The share of the variance that the mean of the other cycles explains, window by window (leave-one-out). */
function seasonalGain(values: Float64Array, length: number): number {
  const { sums, counts, total, count } = phaseSums(values, length);
  let unexplained = 0;
  let variance = 0;
  let used = 0;
  for (let t = 0; t < values.length; t++) {
    const v = values[t]!;
    const others = counts[t % length]! - 1;
    if (Number.isNaN(v) || others < 1) continue;
    unexplained += (v - (sums[t % length]! - v) / others) ** 2;
    variance += (v - (total - v) / (count - 1)) ** 2;
    used++;
  }
  return used >= length && variance > 0 ? 1 - unexplained / variance : 0;
}

function withoutSeason(values: Float64Array, length: number): Float64Array {
  const { sums, counts } = phaseSums(values, length);
  return values.map((v, t) => v - sums[t % length]! / Math.max(1, counts[t % length]!));
}

function phaseSums(values: Float64Array, length: number) {
  const sums = new Float64Array(length);
  const counts = new Float64Array(length);
  let total = 0;
  let count = 0;
  for (let t = 0; t < values.length; t++) {
    const v = values[t]!;
    if (Number.isNaN(v)) continue;
    sums[t % length]! += v;
    counts[t % length]! += 1;
    total += v;
    count++;
  }
  return { sums, counts, total, count };
}

/** The lags of the highest local maxima of the autocorrelation, strongest first. */
function autocorrelationPeaks(values: Float64Array): number[] {
  // The newest windows suffice, and keep the sum of products small; longer seasons must be those of the calendar.
  const filled = fillForward(values.subarray(Math.max(0, values.length - MOST_POINTS)), []);
  const mean = filled.reduce((a, v) => a + v / filled.length, 0);
  const centred = filled.map((v) => v - mean);
  const reach = Math.floor(filled.length / 3);
  const correlation = new Float64Array(reach + 1);
  for (let lag = 0; lag <= reach; lag++) {
    let sum = 0;
    for (let t = lag; t < centred.length; t++) sum += centred[t]! * centred[t - lag]!;
    correlation[lag] = sum;
  }
  const peaks: number[] = [];
  for (let lag = 2; lag < reach; lag++) {
    const c = correlation[lag]!;
    if (c > correlation[lag - 1]! && c >= correlation[lag + 1]! && c > LEAST_CORRELATION * correlation[0]!)
      peaks.push(lag);
  }
  return peaks.sort((a, b) => correlation[b]! - correlation[a]!).slice(0, 8);
}

const MOST_POINTS = 4096;
const LEAST_CORRELATION = 0.1;
