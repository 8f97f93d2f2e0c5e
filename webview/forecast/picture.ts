/** The small multiples as one picture, for a report: what they are, which time, and each series beneath its label. */
import type { ChartColumns, SeriesInfo } from "../../src/rpc/page.ts";
import { drawLittle } from "../parts/chart/miniature.ts";
import type { ChartTheme } from "../parts/chart/theme.ts";
import type { Range } from "../parts/chart/visible.ts";
import { formatFullTime, formatNumber, formatPercent, type Zone } from "../parts/format.ts";
import { healthOf } from "../parts/health.ts";
import { type SeriesGroup, shortLabel } from "../parts/series.ts";

export interface Tile {
  readonly series: SeriesInfo;
  readonly columns: ChartColumns;
}

interface Options {
  readonly range: Range;
  readonly zone: Zone;
  readonly theme: ChartTheme;
}

// CSS px.
const TILE = { width: 320, height: 170 };
const GAP = 12;
const MARGIN = 20;
const PADDING = 10;
/** Room of the title and the time above the tiles. */
const HEADING = 50;
/** Room of a tile's label. */
const LABEL = 24;
/** Pixels of the picture to a CSS px: sharp on paper too, unless that makes it larger than a canvas can be. */
const SHARPNESS = 2;
const MOST_PIXELS = 16_000;

/** The tiles in as many columns as rows, on the theme's background, as a PNG data URL. */
export function multiplesPng(group: SeriesGroup, tiles: readonly Tile[], options: Options): string {
  const across = Math.ceil(Math.sqrt(tiles.length));
  const down = Math.ceil(tiles.length / across);
  const width = 2 * MARGIN + across * (TILE.width + GAP) - GAP;
  const height = 2 * MARGIN + HEADING + down * (TILE.height + GAP) - GAP;
  const scale = Math.min(SHARPNESS, MOST_PIXELS / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  context.fillStyle = options.theme.background;
  context.fillRect(0, 0, width, height);
  context.textBaseline = "middle";
  drawHeading(context, width, group, tiles.length, options);
  tiles.forEach((tile, i) => {
    const left = MARGIN + (i % across) * (TILE.width + GAP);
    const top = MARGIN + HEADING + Math.floor(i / across) * (TILE.height + GAP);
    drawTile(context, left, top, tile, options);
  });
  return canvas.toDataURL("image/png");
}

type Context = CanvasRenderingContext2D;

function drawHeading(context: Context, width: number, group: SeriesGroup, count: number, options: Options): void {
  const { range, zone, theme } = options;
  const which = count === group.series.length ? "all series" : `${count} of ${group.series.length} series`;
  const time = `${formatFullTime(range.from, zone)} to ${formatFullTime(range.until, zone)}`;
  const room = width - 2 * MARGIN;
  write(context, `${group.title}: ${which}`, MARGIN, MARGIN + 8, room, { color: theme.text, font: bold(theme, 15) });
  write(context, time, MARGIN, MARGIN + 29, room, { color: theme.muted, font: plain(theme, 12) });
}

function drawTile(context: Context, left: number, top: number, { series, columns }: Tile, options: Options): void {
  const { range, theme } = options;
  const { last } = series;
  const { health, said } = healthOf(last);
  context.strokeStyle = theme.kind === "contrast" ? theme.text : theme.grid;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(left + 0.5, top + 0.5, TILE.width - 1, TILE.height - 1, 6);
  context.stroke();

  const middle = top + PADDING + 7;
  context.beginPath();
  context.arc(left + PADDING + 3.5, middle, 3.5 - (health === "none" ? 0.5 : 0), 0, 2 * Math.PI);
  context.strokeStyle = theme.muted;
  context.fillStyle = health === "out" ? theme.breach : theme.good;
  if (health === "none") context.stroke();
  else context.fill();

  const right = left + TILE.width - PADDING;
  const share = health === "none" ? said : formatPercent(last?.actual, last?.median);
  const figures = [
    { text: share, color: health === "out" ? theme.breach : theme.muted },
    { text: last?.actual == null ? "" : formatNumber(last.actual), color: theme.text },
  ].filter(({ text }) => text !== "");
  context.textAlign = "right";
  let end = right;
  for (const { text, color } of figures)
    end -= 8 + write(context, text, end, middle, TILE.width / 3, { color, font: plain(theme, 12) });
  context.textAlign = "left";
  const begin = left + PADDING + 14;
  const label = { color: theme.text, font: bold(theme, 12) };
  write(context, shortLabel(series.id), begin, middle, end - begin, label);

  const bottom = top + TILE.height - PADDING;
  const place = { left: left + PADDING, right, top: top + PADDING + LABEL - 4, bottom };
  drawLittle(context, place, columns, theme, { range, padding: 6, mark: 2 });
}

const plain = ({ font }: ChartTheme, size: number) => `${size}px ${font}`;
const bold = ({ font }: ChartTheme, size: number) => `600 ${size}px ${font}`;

interface Look {
  readonly color: string;
  readonly font: string;
}

/** Writes the text, cut to the room there is for it; gives the width it takes. */
function write(context: Context, text: string, x: number, y: number, room: number, { color, font }: Look): number {
  context.fillStyle = color;
  context.font = font;
  const width = (shown: string) => context.measureText(shown).width;
  let shown = text;
  for (let end = text.length - 1; end > 0 && width(shown) > room; end--) shown = `${text.slice(0, end)}…`;
  context.fillText(shown, x, y);
  return width(shown);
}
