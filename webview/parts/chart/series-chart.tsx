/** A series' chart with what lies over it: crosshair, reading, and the incidents' flags. */
import type { Ref } from "preact";
import { useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { formatDeviation, formatFullTime, formatNumber, formatPercent, type Zone } from "../format.ts";
import { Icon } from "../icon.tsx";
import { SeriesPlot } from "./plot.ts";
import { onThemeChange } from "./theme.ts";
import { alarmEdges, isBreaching, nearestIndex, newestActual, type Range } from "./visible.ts";

/** What the chart can be asked for. */
export interface ChartHandle {
  toPng(): string;
  /** Moves the reading by windows; from the newest actual when there is none yet. */
  readBy(windows: number): void;
}

interface Props {
  readonly columns: ChartColumns;
  readonly range: Range;
  readonly zone: Zone;
  /** What the chart shows, for screen readers. */
  readonly label: string;
  readonly interactive?: boolean;
  /** The columns are still being read. */
  readonly waiting?: boolean;
  readonly onRange?: (range: Range) => void;
  readonly onIncident?: (id: string) => void;
  readonly handle?: Ref<ChartHandle>;
}

export function SeriesChart(props: Props) {
  const { columns, range, zone, label, interactive = true, waiting = false, onRange, onIncident, handle } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const plot = useRef<SeriesPlot | null>(null);
  const told = useRef(onRange);
  // A gesture on what is not there yet means nothing.
  told.current = waiting ? undefined : onRange;
  const [reading, setReading] = useState<number | null>(null);
  const [, drawn] = useState(0);
  const own = useRef<Range | null>(null);

  const shown = useRef({ columns, range });
  shown.current = { columns, range };

  // Before the frame is shown, not after it.
  useLayoutEffect(() => {
    const options = {
      zone,
      interactive,
      onRange(next: Range) {
        own.current = next;
        told.current?.(next);
      },
      onDraw: () => drawn((n) => n + 1),
    };
    const made = new SeriesPlot(canvas.current!, options, shown.current.columns, shown.current.range);
    own.current = shown.current.range;
    plot.current = made;
    const release = onThemeChange(() => made.restyle());
    return () => {
      release();
      made.destroy();
      plot.current = null;
    };
  }, [zone, interactive]);

  useLayoutEffect(() => {
    if (plot.current?.shows(columns)) return;
    own.current = shown.current.range;
    plot.current?.show(columns, shown.current.range);
  }, [columns]);

  useLayoutEffect(() => {
    setReading(null);
    if (!waiting) onceShown(() => performance.mark("forewatch:painted"));
  }, [columns.series, waiting]);

  useLayoutEffect(() => {
    const { current } = own;
    // What the user's own gesture set is drawn already.
    if (current?.from === range.from && current.until === range.until) return;
    own.current = range;
    plot.current?.setRange(range);
  }, [range]);

  useImperativeHandle(
    handle ?? null,
    () => ({
      toPng: () => plot.current?.toPng() ?? "",
      readBy: (windows) =>
        setReading((at) => {
          const newest = (newestActual(columns) ?? 0) - columns.every;
          const index = at ?? nearestIndex(columns.start, newest) - windows;
          return Math.max(0, Math.min(columns.start.length - 1, index + windows));
        }),
    }),
    [columns],
  );

  const area = plot.current?.area();
  const readAt = (event: PointerEvent) => {
    const { current } = plot;
    if (!current || event.buttons > 0) return setReading(null);
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = event.clientX - box.left;
    const { left, right } = current.area();
    const index = x < left || x > right ? -1 : nearestIndex(columns.start, current.timeAt(x));
    setReading(index < 0 ? null : index);
  };

  return (
    <div
      class={`series-chart${waiting ? " waiting" : ""}`}
      onPointerMove={readAt}
      onPointerLeave={() => setReading(null)}
    >
      <canvas ref={canvas} role="img" aria-label={label} />
      {waiting && <div class="chart-wait-over skeleton" role="status" aria-label="Reading the chart" />}
      {plot.current && area && !waiting && (
        <div class="chart-over">
          <Flags columns={columns} range={range} plot={plot.current} onIncident={onIncident} />
          {reading !== null && <Reading columns={columns} index={reading} plot={plot.current} zone={zone} />}
        </div>
      )}
      <div class="visually-hidden" aria-live="polite">
        {reading !== null && readingText(columns, reading, zone)}
      </div>
    </div>
  );
}

/** Calls `then` after the next frame has been drawn: a message is handled only when the frame is done. */
function onceShown(then: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      then();
    };
    port2.postMessage(null);
  });
}

interface FlagsProps {
  readonly columns: ChartColumns;
  readonly range: Range;
  readonly plot: SeriesPlot;
  readonly onIncident: ((id: string) => void) | undefined;
}

/** A flag at each incident's beginning; a button, so that the keyboard reaches it. */
function Flags({ columns, plot, onIncident }: FlagsProps) {
  if (!onIncident) return null;
  const { left, right } = plot.area();
  return (
    <>
      {columns.incidents.map(({ id, title, from, until }) => {
        const start = plot.pixelOf(from);
        const end = plot.pixelOf(until ?? newestActual(columns) ?? from);
        if (end < left || start > right) return null;
        return (
          <button
            type="button"
            key={id}
            class="flag"
            style={{ left: `${Math.max(left, start)}px`, maxWidth: `${Math.max(20, right - Math.max(left, start))}px` }}
            title={`${title}: open the incident`}
            onClick={() => onIncident(id)}
          >
            <Icon name="flag" size={11} />
            <span>{title}</span>
          </button>
        );
      })}
    </>
  );
}

interface ReadingProps {
  readonly columns: ChartColumns;
  readonly index: number;
  readonly plot: SeriesPlot;
  readonly zone: Zone;
}

function Reading({ columns, index, plot, zone }: ReadingProps) {
  const { left, right, top, bottom } = plot.area();
  const at = columns.start[index];
  if (at === undefined) return null;
  const x = plot.pixelOf(at);
  if (x < left - 1 || x > right + 1) return null;
  const value = (column: Float64Array) => column[index] ?? Number.NaN;
  const actual = value(columns.actual);
  const median = value(columns.median);
  const deviation = value(columns.deviation);
  const breaching = isBreaching(deviation, alarmEdges(columns.rules));
  const dot = Number.isNaN(actual) ? median : actual;
  const flip = x > (left + right) / 2;
  return (
    <>
      <div class="crosshair" style={{ left: `${x}px`, top: `${top}px`, height: `${bottom - top}px` }} />
      {!Number.isNaN(dot) && (
        <div
          class={`crosshair-dot${breaching ? " breaching" : ""}`}
          style={{ left: `${x}px`, top: `${plot.pixelOfValue(dot)}px` }}
        />
      )}
      <div
        class={`reading${flip ? " flip" : ""}`}
        style={{ left: `${flip ? x - 14 : x + 14}px`, top: `${top + 6}px` }}
        aria-hidden="true"
      >
        <div class="reading-time">{formatFullTime(at, zone)}</div>
        <dl>
          <dt>
            <i class="key actual" />
            Actual
          </dt>
          <dd class={breaching ? "breaching" : ""}>{formatNumber(actual)}</dd>
          <dt>
            <i class="key expected" />
            Expected
          </dt>
          <dd>{formatNumber(median)}</dd>
          <dt>
            <i class="key band" />
            Band
          </dt>
          <dd>
            {formatNumber(value(columns.lower))} – {formatNumber(value(columns.upper))}
          </dd>
          <dt>
            <i class="key" />
            Deviation
          </dt>
          <dd class={breaching ? "breaching" : ""}>
            {formatDeviation(deviation)} <span class="muted">{formatPercent(actual, median)}</span>
          </dd>
          {value(columns.late) > 0 && (
            <>
              <dt>
                <i class="key late" />
                Came late
              </dt>
              <dd>{formatNumber(value(columns.late))}</dd>
            </>
          )}
        </dl>
      </div>
    </>
  );
}

function readingText(columns: ChartColumns, i: number, zone: Zone): string {
  const late = columns.late[i] ?? 0;
  return [
    formatFullTime(columns.start[i] ?? 0, zone),
    `actual ${formatNumber(columns.actual[i])}`,
    `expected ${formatNumber(columns.median[i])}`,
    `band ${formatNumber(columns.lower[i])} to ${formatNumber(columns.upper[i])}`,
    `deviation ${formatDeviation(columns.deviation[i])}`,
    ...(late > 0 ? [`${late} came late`] : []),
  ].join(", ");
}
