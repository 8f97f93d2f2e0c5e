/** The lags of an autoregression, in windows, ascending. */
export type Lags = readonly number[];

/**
 * Two sets of lags for seasons of the given lengths: the last windows, and the windows one season and its multiples ago. The
 * wide set looks at neighbourhoods of each, the narrow one at fewer, and one cycle farther. A season of many windows (a day of
 * minutes) gets a thinned set, so that the regressions stay small. No lag is longer than `longest`.
 */
export function seasonalLags(
  seasons: readonly number[],
  longest: number,
): { readonly wide: Lags; readonly narrow: Lags } {
  const [short, long] = seasons;
  const recent = short === undefined ? range(1, 12) : short <= DENSE_SEASON ? range(1, short - 2) : THINNED;
  const wide = new Set(recent);
  const narrow = new Set(recent);
  if (short !== undefined) {
    addAround(wide, short, 2);
    addAround(narrow, short, 2);
    const cycles = long === undefined ? 4 : Math.min(7, Math.ceil(long / short));
    for (let k = 2; k < cycles; k++) {
      addAround(wide, k * short, k === 2 ? 2 : 1);
      addAround(narrow, k * short, k === 2 ? 1 : 0);
    }
  }
  if (long !== undefined && short !== undefined) {
    addAround(wide, long, 2);
    addAround(narrow, long, 2);
    addAround(narrow, long + short, 2);
  }
  const usable = (lags: Set<number>) => [...lags].filter((lag) => lag >= 1 && lag <= longest).sort((a, b) => a - b);
  return { wide: usable(wide), narrow: usable(narrow) };
}

/** Up to this length, every lag of the season is used. */
const DENSE_SEASON = 32;

/** The last windows where a season is long. */
const THINNED: Lags = [1, 2, 3, 4, 6, 8, 12, 18, 24];

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

function addAround(lags: Set<number>, centre: number, reach: number): void {
  for (const lag of range(centre - reach, centre + reach)) lags.add(lag);
}
