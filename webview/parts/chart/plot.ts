/**
 * One series drawn by Chart.js: actual, median, band, alarm edges, breaching and late windows, incidents, the newest window.
 * Chart.js only ever gets the visible part (`visible`), taken anew before each update; so it draws a hundred thousand
 * windows as fast as a thousand. Pan (drag), zoom (wheel, pinch) and selecting (shift-drag) are chartjs-plugin-zoom's.
 */
import {
  Chart,
  type ChartConfiguration,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  TimeScale,
} from "chart.js";
import "chartjs-adapter-luxon";
import annotation, { type AnnotationOptions } from "chartjs-plugin-annotation";
import zoom from "chartjs-plugin-zoom";
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { formatNumber, type Zone } from "../format.ts";
import { type ChartTheme, readTheme } from "./theme.ts";
import {
  alarmEdges,
  extent,
  newestActual,
  type Point,
  type Range,
  roundValues,
  type Visible,
  visible,
} from "./visible.ts";

Chart.register(LineController, LineElement, PointElement, LinearScale, TimeScale, Filler, annotation, zoom);

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
/** Where lines are among the datasets. */
const UPPER = 0;
const LOWER = 1;
const MEDIAN = 2;
const ACTUAL = 3;
const EDGES = [6, 7];
/** Dashes of the median and of the alarm edges. */
const DASHES = { median: [5, 4], edge: [2, 3] };
/** CSS px that a bucket of merged windows takes. */
const BUCKET_WIDTH = 2;

export class SeriesPlot {
  private readonly chart: Chart<"line", Point[]>;
  private readonly options: PlotOptions;
  private columns: ChartColumns;
  private range: Range;
  private theme: ChartTheme = readTheme();
  /** What is drawn now. */
  shown: Visible | undefined;

  /** Draws `columns` over `range` at once. */
  constructor(canvas: HTMLCanvasElement, options: PlotOptions, columns: ChartColumns, range: Range) {
    this.options = options;
    this.columns = columns;
    this.range = range;
    this.chart = new Chart(canvas, this.configuration());
  }

  /** Whether these are the columns that are drawn. */
  shows(columns: ChartColumns): boolean {
    return this.columns === columns;
  }

  /** Draws other columns. */
  show(columns: ChartColumns, range: Range): void {
    this.columns = columns;
    this.chart.options.plugins!.annotation = { annotations: this.annotations(columns) };
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
    const { options, data } = this.configuration();
    this.chart.options = options!;
    this.chart.data = data;
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
    this.chart.destroy();
  }

  /** Before each update: the range that is asked for, and the windows in it. */
  private refill(chart: Chart<"line", Point[]>): void {
    const { columns } = this;
    const x = chart.options.scales!.x!;
    this.range = { from: Number(x.min), until: Number(x.max) };
    const buckets = Math.max(50, Math.round((chart.chartArea?.right ?? chart.width) / BUCKET_WIDTH));
    const part = visible(columns, this.range, buckets);
    this.shown = part;
    const lines = [part.upper, part.lower, part.median, part.actual, part.breaching, part.late, ...part.edges];
    chart.data.datasets.forEach((dataset, i) => {
      dataset.data = (lines[i] ?? []) as Point[];
    });
    const roomy = !part.thinned && part.actual.length < chart.width / 12;
    chart.data.datasets[ACTUAL]!.pointRadius = roomy ? 2 : 0;
    // Dashes and outlines of thousands of short segments cost most of a frame, and no one can tell them from plain lines.
    const line = (at: number, look: { borderDash?: number[]; borderWidth?: number }) =>
      Object.assign(chart.data.datasets[at]!, look);
    line(MEDIAN, { borderDash: part.thinned ? [] : DASHES.median });
    for (const at of EDGES) line(at, { borderDash: part.thinned ? [] : DASHES.edge });
    for (const at of [UPPER, LOWER]) line(at, { borderWidth: part.thinned ? 0 : 1 });
  }

  private configuration(): ChartConfiguration<"line", Point[]> {
    const { theme } = this;
    const thick = theme.kind === "contrast" ? 1 : 0;
    const none = { data: [] as Point[], pointRadius: 0, pointHitRadius: 0, tension: 0 };
    const edge = {
      ...none,
      label: "Alarm edge",
      borderColor: theme.edge,
      borderWidth: 1,
      borderDash: [2, 3],
      order: 4,
    };
    const mark = { ...none, showLine: false, borderWidth: 1.5, borderColor: theme.background };
    return {
      type: "line",
      plugins: [
        {
          id: "visible",
          beforeUpdate: (chart) => this.refill(chart as Chart<"line", Point[]>),
          afterDraw: () => this.options.onDraw?.(),
        },
      ],
      data: {
        datasets: [
          {
            ...none,
            label: "Upper",
            borderColor: theme.bandLine,
            borderWidth: 1,
            backgroundColor: theme.band,
            fill: "+1",
            order: 6,
          },
          { ...none, label: "Lower", borderColor: theme.bandLine, borderWidth: 1, order: 6 },
          {
            ...none,
            label: "Expected",
            borderColor: theme.expected,
            borderWidth: 1.25 + thick,
            borderDash: DASHES.median,
            order: 3,
          },
          {
            ...none,
            label: "Actual",
            borderColor: theme.actual,
            backgroundColor: theme.actual,
            borderWidth: 1.75 + thick,
            borderJoinStyle: "round",
            order: 2,
          },
          { ...mark, label: "Breaching", backgroundColor: theme.breach, pointRadius: 4, order: 1 },
          { ...mark, label: "Late", backgroundColor: theme.late, pointRadius: 5, pointStyle: "rectRot", order: 0 },
          { ...edge },
          { ...edge },
        ],
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        events: [],
        layout: { padding: { top: 22, right: 12 } },
        font: { family: theme.font, size: 11 },
        plugins: { zoom: this.zoomOptions(), annotation: { annotations: this.annotations(this.columns) } },
        scales: {
          x: {
            type: "time",
            min: this.range.from,
            max: this.range.until,
            adapters: { date: { zone: this.options.zone, locale: "en-GB" } },
            time: {
              displayFormats: { minute: "HH:mm", hour: "HH:mm", day: "d MMM", week: "d MMM", month: "MMM yyyy" },
              isoWeekday: true,
            },
            grid: { color: theme.grid, drawTicks: false },
            border: { color: theme.grid },
            ticks: {
              color: ({ tick }) => (tick?.major ? theme.text : theme.muted),
              padding: 8,
              maxRotation: 0,
              autoSkipPadding: 28,
              major: { enabled: true },
            },
          },
          y: {
            bounds: "data",
            grid: { color: theme.grid, drawTicks: false },
            border: { display: false },
            ticks: {
              color: theme.muted,
              padding: 8,
              callback: (value) => formatNumber(Number(value)),
            },
            // Here, not as options: those of this update are settled before the visible part is known.
            afterDataLimits: (scale) => {
              if (this.shown) [scale.min, scale.max] = valueRange(this.shown);
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

  private annotations(columns: ChartColumns): Record<string, AnnotationOptions> {
    const { theme } = this;
    const newest = newestActual(columns);
    const out: Record<string, AnnotationOptions> = {};
    for (const { id, from, until } of columns.incidents) {
      const end = until ?? newest ?? from;
      out[`incident-${id}`] = {
        type: "box",
        drawTime: "beforeDatasetsDraw",
        xMin: from,
        xMax: Math.max(end, from + columns.every),
        backgroundColor: theme.incident,
        borderWidth: theme.kind === "contrast" ? 1 : 0,
        borderColor: theme.breach,
      };
    }
    const last = extent(columns)?.until ?? 0;
    if (newest !== null && newest < last) {
      out.now = {
        type: "line",
        scaleID: "x",
        value: newest - columns.every,
        borderColor: theme.now,
        borderWidth: 1,
        borderDash: [3, 3],
      };
    }
    return out;
  }
}

/** From the lowest to the highest visible value, with a little room; zero is not forced into it. */
function valueRange(part: Visible): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const line of [part.actual, part.lower, part.upper]) {
    for (const { y } of line) {
      if (y < low) low = y;
      if (y > high) high = y;
    }
  }
  if (!Number.isFinite(low)) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
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
