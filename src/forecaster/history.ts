import type { Span, TimeSeries } from "./types.ts";

/** A series made ready for learning: it begins at its first observed window, and excluded windows are missing. */
export interface History {
  /** Start of window 0, epoch ms. */
  readonly start: number;
  readonly every: number;
  /** The values in their own unit; NaN where missing or excluded. */
  readonly values: Float64Array;
  /** Windows before the first observed one, which were cut off. */
  readonly trimmed: number;
}

/** Cuts the leading gap off, and masks excluded spans and values that are no finite number. */
export function toHistory(series: TimeSeries, exclude: readonly Span[]): History {
  const masked = series.values.map((v) => (Number.isFinite(v) ? v : Number.NaN));
  for (const span of exclude) {
    // A window is excluded when any part of it lies in the span.
    const first = Math.max(0, Math.floor((span.from - series.start) / series.every));
    const end = Math.min(masked.length, Math.ceil((span.to - series.start) / series.every));
    if (first < end) masked.fill(Number.NaN, first, end);
  }
  const found = masked.findIndex((v) => !Number.isNaN(v));
  const trimmed = found < 0 ? masked.length : found;
  return {
    start: series.start + trimmed * series.every,
    every: series.every,
    values: masked.subarray(trimmed),
    trimmed,
  };
}

/** The observed values among `values[from, end)`, in order. */
export function observed(values: Float64Array, from = 0, end = values.length): Float64Array {
  return values.subarray(from, end).filter((v) => !Number.isNaN(v));
}

/**
 * Fills gaps only from what came before them, so that a forecast made at a window never sees past it, and the filled
 * history of a prefix is the prefix of the filled history. A missing window gets the seasonal profile so far (longest season
 * first), moved by the recent deviation from it.
 */
export function fillForward(values: Float64Array, seasons: readonly number[]): Float64Array {
  const profiles = [...seasons].reverse().map((m) => new Float64Array(m).fill(Number.NaN));
  const filled = new Float64Array(values.length);
  let deviation = 0;
  let last = 0;
  for (let t = 0; t < values.length; t++) {
    const profile = profiles.find((p) => !Number.isNaN(p[t % p.length]!));
    const expected = profile ? profile[t % profile.length]! : last - deviation;
    const value = values[t]!;
    if (Number.isNaN(value)) {
      filled[t] = expected + deviation;
      continue;
    }
    filled[t] = value;
    deviation += DEVIATION_GAIN * (value - expected - deviation);
    last = value;
    for (const p of profiles) {
      const phase = t % p.length;
      const before = p[phase]!;
      p[phase] = Number.isNaN(before) ? value : before + PROFILE_GAIN * (value - before);
    }
  }
  return filled;
}

/** How fast the filler's seasonal profile and its deviation from it follow new values. */
const PROFILE_GAIN = 0.4;
const DEVIATION_GAIN = 0.2;
