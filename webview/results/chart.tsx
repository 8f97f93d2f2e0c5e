/** A result as a chart: lines over time, bars over names. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Legend,
  type LegendItem,
  LinearScale,
  LineController,
  LineElement,
  type LineOptions,
  PointElement,
  TimeScale,
  Tooltip,
} from "chart.js";
import "chartjs-adapter-luxon";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type LineLook, lineLook } from "../parts/chart/palette.ts";
import { onThemeChange, readTheme } from "../parts/chart/theme.ts";
import { formatNumber, type Zone } from "../parts/format.ts";
import { Empty, FaultNotice, Loading } from "../parts/notice.tsx";
import { useAsked } from "../parts/page.tsx";
import type { ResultColumn } from "./columns.ts";
import { type ChartData, type ChartPlan, chartData, chartPlan, leftOut, whyEmpty } from "./lines.ts";
import type { Rows } from "./rows.ts";

Chart.register(BarController, BarElement, LineController, LineElement, PointElement);
Chart.register(CategoryScale, LinearScale, TimeScale, Legend, Tooltip);

/** Rows that are read for a chart; a result that is longer should be aggregated in SQL. */
const MOST_ROWS = 20_000;
/** Bars that can be told apart. */
const MOST_BARS = 200;

interface Props {
  /** Names the rows: a new key reads anew. */
  readonly name: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: Rows;
  readonly zone: Zone;
}

export function ResultChart({ name, columns, rows, zone }: Props) {
  const plan = useMemo(() => chartPlan(columns), [columns]);
  const most = plan?.x.kind === "name" ? MOST_BARS : MOST_ROWS;
  const asked = useAsked(name, (signal) => rows.read(0, Math.min(rows.rowCount, most), signal));
  const read = asked.value;
  const data = useMemo(() => (plan && read ? chartData(plan, columns, read) : null), [plan, columns, read]);
  if (!plan) return <Nothing why="A chart needs a column of numbers, and a time or a name to put them by." />;
  if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
  if (!read || !data) return <Loading label="Reading the rows" />;
  const why = whyEmpty(plan, columns, read, data);
  if (why) return <Nothing why={why} />;
  const missing = leftOut(data, { read: read.length, all: rows.rowCount });
  return (
    <div class="result-chart">
      <Canvas plan={plan} columns={columns} data={data} zone={zone} />
      {missing && <p class="muted result-chart-note">{missing}</p>}
    </div>
  );
}

function Nothing({ why }: { readonly why: string }) {
  return (
    <Empty icon="chart" title="Nothing to draw">
      <p>{why}</p>
    </Empty>
  );
}

interface CanvasProps {
  readonly plan: ChartPlan;
  readonly columns: readonly ResultColumn[];
  readonly data: ChartData;
  readonly zone: Zone;
}

function Canvas({ plan, columns, data, zone }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    // Lines named by a column do not say what they measure: the axis does.
    const value = plan.split === null ? null : (columns[plan.values[0] ?? -1]?.name ?? null);
    let chart = draw(canvas.current!, plan, data, zone, value);
    const release = onThemeChange(() => {
      chart.destroy();
      chart = draw(canvas.current!, plan, data, zone, value);
    });
    return () => {
      release();
      chart.destroy();
    };
  }, [plan, columns, data, zone]);
  const x = columns[plan.x.column]?.name ?? "";
  return (
    <div class="result-canvas">
      <canvas ref={canvas} role="img" aria-label={`${data.lines.map((line) => line.label).join(", ")} by ${x}`} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, plan: ChartPlan, data: ChartData, zone: Zone, value: string | null): Chart {
  const theme = readTheme();
  const time = plan.x.kind === "time";
  const few = data.lines.every((line) => line.points.length < 60);
  const font = { family: theme.font, size: 11 };
  const ticks = { color: theme.muted, padding: 6, font };
  return new Chart<"line" | "bar", { x: number; y: number }[]>(canvas, {
    type: time ? "line" : "bar",
    data: {
      labels: time ? [] : [...data.names],
      datasets: data.lines.map((line, i) => ({
        label: line.label,
        data: [...line.points],
        ...(time
          ? { ...lineStyle(lineLook(theme.palette, i)), pointRadius: few ? 2.5 : 0 }
          : barStyle(lineLook(theme.palette, i))),
      })),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: {
          display: data.lines.length > 1 || plan.split !== null,
          align: "start",
          labels: {
            color: theme.text,
            font: { family: theme.font, size: 12 },
            // A line's sample is as long as two of the longest dashes; a bar's is a square.
            ...(time
              ? { usePointStyle: true, pointStyle: "line", pointStyleWidth: 34, generateLabels: lineLabels }
              : { boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 2 }),
          },
        },
        tooltip: { callbacks: { label: (item) => ` ${item.dataset.label}: ${formatNumber(item.parsed.y)}` } },
      },
      scales: {
        x: time
          ? {
              type: "time",
              adapters: { date: { zone, locale: "en-GB" } },
              time: {
                displayFormats: { hour: "HH:mm", day: "d MMM", week: "d MMM", month: "MMM yyyy" },
                tooltipFormat: "d MMM yyyy HH:mm",
              },
              grid: { color: theme.grid, drawTicks: false },
              ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 28, major: { enabled: true } },
            }
          : { type: "category", grid: { display: false }, ticks: { ...ticks, maxRotation: 40 } },
        y: {
          beginAtZero: true,
          title: { display: value !== null, text: value ?? "", color: theme.muted, font },
          border: { display: false },
          grid: { color: theme.grid, drawTicks: false },
          ticks: { ...ticks, maxTicksLimit: 7, callback: (value) => formatNumber(Number(value)) },
        },
      },
    },
  }) as Chart;
}

/** The legend's labels with the lines' own dashes: Chart.js takes those of the points, which have none. */
function lineLabels(chart: Chart): LegendItem[] {
  const labels = Chart.defaults.plugins.legend.labels.generateLabels(chart);
  return labels.map((label) => {
    const { borderDash = [], borderWidth = 1 } = chart.data.datasets[label.datasetIndex ?? 0] as LineOptions;
    return { ...label, lineDash: [...borderDash], lineWidth: borderWidth };
  });
}

function lineStyle({ color, dash, marker }: LineLook) {
  return {
    borderColor: color,
    backgroundColor: color,
    borderWidth: 1.75,
    borderDash: [...dash],
    pointStyle: marker,
    pointHitRadius: 8,
  };
}

/** Bars have no dashes: those of the second round of the colours are outlined, not filled. */
function barStyle({ color, dash }: LineLook) {
  const outlined = dash.length > 0;
  return {
    borderColor: color,
    backgroundColor: outlined ? "transparent" : color,
    borderWidth: outlined ? 1.5 : 0,
    borderRadius: 3,
    maxBarThickness: 48,
  };
}
