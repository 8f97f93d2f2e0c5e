/** Small multiples: every series of a measure as a small chart over the same range; a click opens one. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChartColumns, SeriesInfo } from "../../src/rpc/page.ts";
import { type ChartSource, useLiveChart } from "../parts/chart/live.ts";
import { drawMiniature } from "../parts/chart/miniature.ts";
import { onThemeChange, readTheme } from "../parts/chart/theme.ts";
import type { Range } from "../parts/chart/visible.ts";
import { formatDeviation, formatNumber, formatPercent } from "../parts/format.ts";
import { type SeriesGroup, shortLabel } from "../parts/series.ts";

interface Props {
  readonly source: ChartSource;
  readonly pipeline: string;
  readonly group: SeriesGroup;
  readonly range: Range;
  readonly selected: string | null;
  readonly onOpen: (series: string) => void;
}

export function Multiples({ source, pipeline, group, range, selected, onOpen }: Props) {
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
}

/** One small chart; it is read when it first comes into view. */
function Multiple({ source, pipeline, series, range, selected, onOpen }: MultipleProps) {
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

  const { last } = series;
  const out = last?.deviation != null && Math.abs(last.deviation) > 1;
  return (
    <button ref={element} type="button" class={`multiple${selected ? " selected" : ""}`} onClick={onOpen}>
      <span class="multiple-head">
        <i class={`dot ${last?.deviation == null ? "none" : out ? "out" : "in"}`} />
        <span class="grow ellipsis">{shortLabel(series.id)}</span>
        <span class="number">{formatNumber(last?.actual)}</span>
        <span class={`number ${out ? "bad" : "muted"}`}>{formatPercent(last?.actual, last?.median)}</span>
        <span class="visually-hidden">
          , {out ? "outside" : "inside"} the band, deviation {formatDeviation(last?.deviation)}. Open
        </span>
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
