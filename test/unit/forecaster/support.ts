import type { SeriesForecast, TimeSeries } from "../../../src/forecaster/index.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const START = Date.UTC(2001, 0, 1);

/** A source of numbers in [0, 1) that repeats itself: the generator of Park and Miller. */
export function randomFrom(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A standard normal deviate from twelve uniform ones. */
export function gauss(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** A series of `windows` values from a function of the window. */
export function seriesOf(windows: number, value: (t: number) => number, every = HOUR): TimeSeries {
  return { start: START, every, values: Float64Array.from({ length: windows }, (_, t) => value(t)) };
}

/** A daily and weekly pattern around 100 with noise: the ordinary case. */
export function ordinary(windows: number, seed = 1, day = 24, noise = 4): (t: number) => number {
  const random = randomFrom(seed);
  const errors = Float64Array.from({ length: windows }, () => noise * gauss(random));
  return (t) =>
    100 + 40 * Math.sin((2 * Math.PI * t) / day) + (Math.floor(t / day) % 7 >= 5 ? -25 : 0) + errors[t % windows]!;
}

/** What is wrong with a forecast's shape: nothing, for an empty list. */
export function flaws(forecast: SeriesForecast, floor = Number.NEGATIVE_INFINITY): string[] {
  const found: string[] = [];
  if (forecast.quantiles.length !== forecast.levels.length) found.push("not one array for each level");
  forecast.quantiles.forEach((values, l) => {
    if (values.length !== forecast.horizon) found.push(`level ${l} has ${values.length} windows`);
    values.forEach((v, h) => {
      if (!Number.isFinite(v)) found.push(`level ${l} window ${h} is ${v}`);
      if (v < floor) found.push(`level ${l} window ${h} is below ${floor}: ${v}`);
      if (l > 0 && v < forecast.quantiles[l - 1]![h]!)
        found.push(`level ${l} window ${h} falls below the level before`);
    });
  });
  return found;
}

/** The mean absolute difference between the middle level and what the function says the windows really are. */
export function meanError(forecast: SeriesForecast, truth: (h: number) => number): number {
  const middle = forecast.quantiles[forecast.levels.indexOf(0.5)]!;
  return middle.reduce((sum, v, h) => sum + Math.abs(v - truth(h)) / middle.length, 0);
}
