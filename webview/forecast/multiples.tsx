/** Small multiples: every series of a measure as a small chart over the same range; a click opens one. */
import type { Ref } from "preact";
import { useCallback, useEffect, useImperativeHandle, useRef, useState } from "preact/hooks";
import type { ChartColumns, SeriesInfo } from "../../src/rpc/page.ts";
import { type ChartSource, useLiveChart } from "../parts/chart/live.ts";
import { drawMiniature } from "../parts/chart/miniature.ts";
import { onThemeChange, readTheme } from "../parts/chart/theme.ts";
import type { Range } from "../parts/chart/visible.ts";
import { formatDeviation, formatNumber, formatPercent, type Zone } from "../parts/format.ts";
import { healthOf } from "../parts/health.ts";
import { type SeriesGroup, shortLabel } from "../parts/series.ts";
import { multiplesPng } from "./picture.ts";

/** What the small multiples can be asked for: of those that have been read, which are those that were in view. */
export interface MultiplesHandle {
  /** One picture of them all, as a PNG data URL. */
  toPng(): string;
  /** Their charts, in their order. */
  shown(): readonly ChartColumns[];
}

interface Props {
  readonly source: ChartSource;
  readonly pipeline: string;
  readonly group: SeriesGroup;
  readonly range: Range;
  readonly zone: Zone;
  readonly selected: string | null;
  readonly onOpen: (series: string) => void;
  readonly handle: Ref<MultiplesHandle>;
}

export function Multiples({ source, pipeline, group, range, zone, selected, onOpen, handle }: Props) {
  const read = useRef(new Map<string, ChartColumns>());
  const onRead = useCallback((series: string, columns: ChartColumns | null) => {
    if (columns) read.current.set(series, columns);
    else read.current.delete(series);
  }, []);
  useImperativeHandle(handle, () => {
    const tiles = () =>
      group.series.flatMap((series) => {
        const columns = read.current.get(series.id);
        return columns ? [{ series, columns }] : [];
      });
    return {
      shown: () => tiles().map(({ columns }) => columns),
      toPng: () => multiplesPng(group, tiles(), { range, zone, theme: readTheme() }),
    };
  }, [group, range, zone]);
  return (
    <section class="multiples" aria-label={`${group.title}: all series`}>
      {group.series.map((each) => (
        <Multiple
          key={each.id}
          source={source}
          pipeline={pipeline}
          series={each}
          range={range}
          selected={each.id === selected}
          onOpen={() => onOpen(each.id)}
          onRead={onRead}
        />
      ))}
    </section>
  );
}

interface MultipleProps {
  readonly source: ChartSource;
  readonly pipeline: string;
  readonly series: SeriesInfo;
  readonly range: Range;
  readonly selected: boolean;
  readonly onOpen: () => void;
  /** Told of the chart that has been read, and with null that it is there no more. */
  readonly onRead: (series: string, columns: ChartColumns | null) => void;
}

/** One small chart; it is read when it first comes into view. */
function Multiple({ source, pipeline, series, range, selected, onOpen, onRead }: MultipleProps) {
  const element = useRef<HTMLButtonElement>(null);
  const [seen, setSeen] = useState(false);
  const { columns, fault } = useLiveChart(source, pipeline, seen ? series.id : null);

  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    onRead(series.id, columns);
    return () => onRead(series.id, null);
  }, [series.id, columns, onRead]);

  const { last } = series;
  const { health, said } = healthOf(last);
  return (
    <button ref={element} type="button" class={`multiple${selected ? " selected" : ""}`} onClick={onOpen}>
      <span class="multiple-head">
        <i class={`dot ${health}`} />
        <span class="grow ellipsis">{shortLabel(series.id)}</span>
        {last?.actual != null && <span class="number">{formatNumber(last.actual)}</span>}
        {health === "none" ? (
          <span class="muted">{said}</span>
        ) : (
          <>
            <span class={`number ${health === "out" ? "bad" : "muted"}`}>
              {formatPercent(last?.actual, last?.median)}
            </span>
            <span class="visually-hidden">
              , {said}, deviation {formatDeviation(last?.deviation)}
            </span>
          </>
        )}
        <span class="visually-hidden">. Open</span>
      </span>
      {fault ? (
        <span class="multiple-fault muted">{fault.message}</span>
      ) : columns ? (
        <Picture columns={columns} range={range} />
      ) : (
        <span class="multiple-wait skeleton" />
      )}
    </button>
  );
}

function Picture({ columns, range }: { readonly columns: ChartColumns; readonly range: Range }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(() => setRound((n) => n + 1));
    observer.observe(canvas.current!);
    const release = onThemeChange(() => setRound((n) => n + 1));
    return () => {
      observer.disconnect();
      release();
    };
  }, []);
  // Drawn again for a new size or theme
  useEffect(() => {
    if (round === 0) return;
    drawMiniature(canvas.current!, columns, readTheme(), { range, padding: 6, mark: 2 });
  }, [columns, range.from, range.until, round]);
  return <canvas ref={canvas} />;
}
