/**
 * One series on a canvas with axes. Chart.js owns the canvas, its size and its axes; pan (drag), zoom (wheel, pinch) and
 * selecting (shift-drag) are chartjs-plugin-zoom's; the series itself is drawn between by `draw.ts`, from what is `visible`,
 * for a hundred thousand windows within a frame.
 */
import { Chart, type ChartConfiguration, LinearScale } from "chart.js";
import zoom from "chartjs-plugin-zoom";
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { formatNumber, type Zone } from "../format.ts";
import { drawIncidents, drawNow, drawSeries, type Frame } from "./draw.ts";
import { type ChartTheme, readTheme } from "./theme.ts";
import { type Instant, roundInstants, roundValues } from "./ticks.ts";
import { alarmEdges, extent, type Range, type Visible, valueRange, visible } from "./visible.ts";

Chart.register(LinearScale, zoom);

export interface PlotOptions {
  readonly zone: Zone;
  /** False: a still picture. */
  readonly interactive: boolean;
  /** Told when the user panned or zoomed, not when `setRange` was called. */
  readonly onRange?: (range: Range) => void;
  /** Told after every drawing, for what lies over the canvas. */
  readonly onDraw?: () => void;
}

/** The narrowest range that zooming reaches, in windows. */
export const LEAST_WINDOWS = 6;
/** Room of the value axis, px: fixed, so that the plot does not jump while panning. */
const AXIS_WIDTH = 52;
/** Values named on the value axis. */
const MOST_TICKS = 6;
/** CSS px that the name of an instant takes, with the room about it. */
const INSTANT_WIDTH = 66;
/** Radius of the marks, CSS px. */
const MARK = 4;
/** CSS px that a window must have to be drawn as lines while the picture rests. */
const LINE_ROOM = 1.25;
/** Windows that are drawn as lines even in motion. */
const LINES_IN_MOTION = 60;
/** CSS px of a column while the picture moves: every peak is in one, and half as many are drawn in half the time. */
const COLUMN_IN_MOTION = 2;
/** Ms without a change after which the picture rests. */
const REST = 150;

type Picture = Chart<"line", never[]>;

export class SeriesPlot {
  private readonly chart: Picture;
  private readonly options: PlotOptions;
  private columns: ChartColumns;
  private range: Range;
  private theme: ChartTheme = readTheme();
  private part: Visible;
  /** Set while the picture moves. */
  private moving: ReturnType<typeof setTimeout> | undefined;
  private instants: readonly Instant[] = [];

  /** Draws `columns` over `range` at once. */
  constructor(canvas: HTMLCanvasElement, options: PlotOptions, columns: ChartColumns, range: Range) {
    this.options = options;
    this.columns = columns;
    this.range = range;
    this.part = visible(columns, range, { columns: 1, lines: 0 });
    this.rest(0);
    this.chart = new Chart(canvas, this.configuration());
  }

  /** Whether these are the columns that are drawn. */
  shows(columns: ChartColumns): boolean {
    return this.columns === columns;
  }

  /** Draws other columns. */
  show(columns: ChartColumns, range: Range): void {
    this.columns = columns;
    this.chart.options.plugins!.zoom = this.zoomOptions();
    this.setRange(range);
  }

  setRange(range: Range): void {
    this.range = range;
    const x = this.chart.options.scales!.x!;
    x.min = range.from;
    x.max = range.until;
    this.chart.update("none");
  }

  /** Takes up the document's colours again. */
  restyle(): void {
    this.theme = readTheme();
    this.chart.options = this.configuration().options!;
    this.chart.update("none");
  }

  /** The plotting area within the canvas, CSS px. */
  area(): { left: number; right: number; top: number; bottom: number } {
    return this.chart.chartArea ?? { left: 0, right: 0, top: 0, bottom: 0 };
  }

  /** The canvas's x of an instant. */
  pixelOf(at: number): number {
    return this.chart.scales.x?.getPixelForValue(at) ?? 0;
  }

  /** The canvas's y of a value. */
  pixelOfValue(value: number): number {
    return this.chart.scales.y?.getPixelForValue(value) ?? 0;
  }

  /** The instant at the canvas's x. */
  timeAt(pixel: number): number {
    return this.chart.scales.x?.getValueForPixel(pixel) ?? 0;
  }

  /** The picture as a PNG data URL, on the theme's background. */
  toPng(): string {
    const { canvas } = this.chart;
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext("2d")!;
    context.fillStyle = this.theme.background;
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(canvas, 0, 0);
    return copy.toDataURL("image/png");
  }

  destroy(): void {
    clearTimeout(this.moving);
    this.chart.destroy();
  }

  /** Before each update: the range that is asked for, and what of the series is in it. */
  private refill(chart: Picture): void {
    const { min, max } = chart.options.scales!.x!;
    this.range = { from: Number(min), until: Number(max) };
    const width = Math.max(50, Math.round(chart.width - AXIS_WIDTH));
    // Lines through many windows take more than a frame to fill: in motion they are columns, which look much the same.
    const room =
      this.moving === undefined
        ? { columns: width, lines: width / LINE_ROOM }
        : { columns: width / COLUMN_IN_MOTION, lines: LINES_IN_MOTION };
    this.part = visible(this.columns, this.range, room);
    this.instants = roundInstants(this.range, this.options.zone, Math.max(2, Math.floor(width / INSTANT_WIDTH)));
    this.rest(width);
  }

  /** Draws narrow columns in place of wide ones, or lines if there is room for them, when nothing has changed for a while. */
  private rest(width: number): void {
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      this.moving = undefined;
      const still = visible(this.columns, this.range, { columns: width, lines: width / LINE_ROOM });
      if (still.bucket === this.part.bucket) return;
      this.part = still;
      this.chart.draw();
    }, REST);
  }

  private draw(chart: Picture): void {
    const { columns, part, theme } = this;
    const y = chart.scales.y!;
    const { left, right, top, bottom } = chart.chartArea;
    const frame: Frame = { left, right, top, bottom, range: this.range, low: y.min, high: y.max };
    drawIncidents(chart.ctx, frame, columns, theme);
    drawSeries(chart.ctx, frame, part, { theme, whole: true, mark: MARK });
    drawNow(chart.ctx, frame, columns, theme);
  }

  private configuration(): ChartConfiguration<"line", never[]> {
    const { theme } = this;
    const ticks = { padding: 8, maxRotation: 0, autoSkip: false, font: { family: theme.font, size: 11 } };
    return {
      type: "line",
      data: { datasets: [] },
      plugins: [
        {
          id: "series",
          beforeUpdate: (chart) => this.refill(chart as Picture),
          beforeDatasetsDraw: (chart) => this.draw(chart as Picture),
          afterDraw: () => this.options.onDraw?.(),
        },
      ],
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 22, right: 12 } },
        plugins: { zoom: this.zoomOptions() },
        scales: {
          x: {
            type: "linear",
            min: this.range.from,
            max: this.range.until,
            grid: { color: theme.grid, drawTicks: false },
            border: { color: theme.grid },
            ticks: {
              ...ticks,
              color: ({ index }) => (this.instants[index]?.major ? theme.text : theme.muted),
              callback: (_, i) => this.instants[i]?.label ?? "",
            },
            afterBuildTicks: (scale) => {
              scale.ticks = this.instants.map(({ at }) => ({ value: at }));
            },
          },
          y: {
            type: "linear",
            bounds: "data",
            grid: { color: theme.grid, drawTicks: false },
            border: { display: false },
            ticks: { ...ticks, color: theme.muted, callback: (value) => formatNumber(Number(value)) },
            // Here, not as options: those of this update are settled before the visible part is known.
            afterDataLimits: (scale) => {
              [scale.min, scale.max] = valueRange(this.part);
            },
            // Round values within the range; Chart.js would either widen it to them or begin at its odd edge.
            afterBuildTicks: (scale) => {
              scale.ticks = roundValues(scale.min, scale.max, MOST_TICKS).map((value) => ({ value }));
            },
            afterFit: (scale) => {
              scale.width = AXIS_WIDTH;
            },
          },
        },
      },
    };
  }

  private zoomOptions() {
    const { interactive, onRange } = this.options;
    if (!interactive) return { pan: { enabled: false }, zoom: { wheel: { enabled: false } } };
    const tell = () => onRange?.(this.range);
    const least = this.columns.every * LEAST_WINDOWS;
    const all = extent(this.columns) ?? this.range;
    const limits = { from: Math.min(all.from, this.range.from), until: Math.max(all.until, this.range.until) };
    return {
      limits: { x: { min: limits.from, max: limits.until, minRange: least } },
      pan: {
        enabled: true,
        mode: "x" as const,
        threshold: 2,
        // Shift-drag selects a range instead.
        onPanStart: ({ event }: { event: { srcEvent?: { shiftKey?: boolean } } }) => !event.srcEvent?.shiftKey,
        onPan: tell,
      },
      zoom: {
        mode: "x" as const,
        wheel: { enabled: true, speed: 0.12 },
        pinch: { enabled: true },
        drag: {
          enabled: true,
          modifierKey: "shift" as const,
          backgroundColor: this.theme.band,
          borderColor: this.theme.actual,
          borderWidth: 1,
        },
        onZoom: tell,
      },
    };
  }
}

/** The names of what the plot draws, for its legend. */
export function legendOf(columns: ChartColumns): { readonly edge: string | null; readonly late: boolean } {
  const edges = alarmEdges(columns.rules);
  const signed = edges.map(({ side, threshold }) => `${side === "below" ? "−" : "+"}${threshold}`);
  return {
    edge: edges.length > 0 ? `Alarm edge ${signed.join(", ")}` : null,
    late: columns.late.some((n) => n > 0),
  };
}
