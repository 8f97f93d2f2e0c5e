/**
 * How a chart's lines are told apart, however many there are: by colour, then by dash and marker too. The colours are those
 * of Okabe and Ito ("Color Universal Design", 2008), fitted to light and dark backgrounds: each has a contrast of 3 to 1 with
 * its background, and any two differ for people with each kind of colour blindness.
 */

export const PALETTES: Readonly<Record<"light" | "dark", readonly string[]>> = {
  light: ["#0072b2", "#d55e00", "#009e73", "#7b2d8b", "#5c4400", "#1a1a1a"],
  dark: ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00"],
};

/** Of each round of the colours: stroke and gap, CSS px, and a marker by Chart.js's name. */
const ROUNDS = [
  { dash: [], marker: "circle" },
  { dash: [6, 4], marker: "triangle" },
  { dash: [2, 3], marker: "rect" },
  { dash: [9, 3, 2, 3], marker: "rectRot" },
  { dash: [12, 5], marker: "cross" },
] as const;

export interface LineLook {
  readonly color: string;
  /** Empty: a whole line. */
  readonly dash: readonly number[];
  readonly marker: (typeof ROUNDS)[number]["marker"];
}

/** The look of the line at `index` in a theme's `palette`: thirty lines differ, after which they begin again. */
export function lineLook(palette: readonly string[], index: number): LineLook {
  const round = Math.floor(index / palette.length) % ROUNDS.length;
  return { color: palette[index % palette.length]!, ...ROUNDS[round]! };
}
