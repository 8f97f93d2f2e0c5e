/**
 * The same windows in plain Chart.js with its own decimation, to compare with: actual, median and the band as three lines
 * and a fill. Runs in the browser.
 */
import { Chart, Decimation, Filler, LinearScale, LineController, LineElement, PointElement } from "chart.js";

Chart.register(Decimation, Filler, LinearScale, LineController, LineElement, PointElement);

/** Of the browser, which the other benches do not know. */
declare function requestAnimationFrame(then: (at: number) => void): number;

type Line = "actual" | "median" | "lower" | "upper";

/** The windows' starts, epoch ms, and their values; null where there is none. */
export type PeerColumns = Readonly<{ start: readonly number[] } & Record<Line, readonly (number | null)[]>>;

let lines: Record<Line, { x: number; y: number }[]>;
let chart: Chart<"line", { x: number; y: number }[]>;

/** Takes the data over in Chart.js's own form, which is not measured. */
export function load(columns: PeerColumns): void {
  const line = (values: readonly (number | null)[]) => columns.start.map((x, i) => ({ x, y: values[i] ?? Number.NaN }));
  const { actual, median, lower, upper } = columns;
  lines = { actual: line(actual), median: line(median), lower: line(lower), upper: line(upper) };
}

/** Draws the range for the first time, marking its beginning and the frame's end. */
export function show(canvas: ConstructorParameters<typeof Chart>[0], from: number, until: number): void {
  performance.mark("peer:received");
  const plain = { pointRadius: 0, borderWidth: 1, parsing: false as const };
  chart = new Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        { ...plain, data: lines.actual, borderColor: "#3794ff" },
        { ...plain, data: lines.median, borderColor: "#999" },
        { ...plain, data: lines.lower, borderColor: "#357" },
        { ...plain, data: lines.upper, borderColor: "#357", fill: "-1", backgroundColor: "rgba(55, 148, 255, 0.15)" },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: { decimation: { enabled: true, algorithm: "min-max" } },
      scales: { x: { type: "linear", min: from, max: until }, y: { type: "linear" } },
    },
  });
  requestAnimationFrame(() => setTimeout(() => performance.mark("peer:painted")));
}

/** Moves the range a little with every frame. */
export async function pan(from: number, until: number, frames: number): Promise<void> {
  for (let i = 0; i < frames; i++) {
    const shift = ((until - from) / 250) * (i < frames * 0.6 ? i : frames * 1.2 - i);
    Object.assign(chart.options.scales!.x!, { min: from - shift, max: until - shift });
    chart.update("none");
    chart.ctx.getImageData(0, 0, 1, 1);
    await new Promise(requestAnimationFrame);
  }
}
