/** The whole series in little, with a brush: drag it or its ends, or use the arrow keys on either. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChartColumns } from "../../src/rpc/page.ts";
import { drawMiniature } from "../parts/chart/miniature.ts";
import { onThemeChange, readTheme } from "../parts/chart/theme.ts";
import { clampRange, type Range } from "../parts/chart/visible.ts";
import { formatTime, type Zone } from "../parts/format.ts";
import { type Extent, leastSpan, moved } from "./range.ts";

interface Props {
  readonly columns: ChartColumns;
  readonly extent: Extent;
  readonly range: Range;
  readonly zone: Zone;
  readonly onRange: (range: Range) => void;
}

type Part = "from" | "until" | "both";

export function Overview({ columns, extent, range, zone, onRange }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState(0);
  const [theme, setTheme] = useState(0);
  const { all } = extent;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setSize(entry?.contentRect.width ?? 0));
    observer.observe(canvas.current!);
    const release = onThemeChange(() => setTheme((n) => n + 1));
    return () => {
      observer.disconnect();
      release();
    };
  }, []);

  // Drawn again for a new size or theme
  useEffect(() => {
    if (size === 0) return;
    drawMiniature(canvas.current!, columns, readTheme(), { range: all, padding: 4, mark: 1.5 });
  }, [columns, size, theme, all.from, all.until]);

  const share = (at: number) => `${(((at - all.from) / (all.until - all.from)) * 100).toFixed(4)}%`;
  const move = (part: Part, by: number, start: Range) => {
    const least = leastSpan(extent);
    if (part === "both") return onRange(clampRange({ from: start.from + by, until: start.until + by }, all, least));
    if (part === "from")
      return onRange({ from: Math.max(all.from, Math.min(start.from + by, start.until - least)), until: start.until });
    onRange({ from: start.from, until: Math.min(all.until, Math.max(start.until + by, start.from + least)) });
  };

  const drag = (part: Part) => (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    const width = canvas.current!.clientWidth;
    const start = range;
    handle.setPointerCapture(event.pointerId);
    const onMove = (next: PointerEvent) =>
      move(part, ((next.clientX - event.clientX) / width) * (all.until - all.from), start);
    const end = () => {
      handle.removeEventListener("pointermove", onMove);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
    };
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
    event.stopPropagation();
    event.preventDefault();
    handle.focus();
  };

  const jump = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const at = all.from + ((event.clientX - box.left) / box.width) * (all.until - all.from);
    const half = (range.until - range.from) / 2;
    onRange(clampRange({ from: at - half, until: at + half }, all, leastSpan(extent)));
  };

  const keys = (part: Part) => (event: KeyboardEvent) => {
    const step = ({ ArrowLeft: -1, ArrowRight: 1 } as Record<string, number>)[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (part === "both") onRange(moved(range, { pan: step * 0.2 }, extent));
    else move(part, step * Math.max(extent.every, (range.until - range.from) / 10), range);
  };

  const slider = (part: Part, at: number, label: string) => (
    <div
      role="slider"
      tabIndex={0}
      class={`brush-${part}`}
      aria-label={label}
      aria-valuemin={all.from}
      aria-valuemax={all.until}
      aria-valuenow={Math.round(at)}
      aria-valuetext={formatTime(at, zone, { year: true })}
      onPointerDown={drag(part)}
      onKeyDown={keys(part)}
    />
  );

  return (
    <div class="overview" onPointerDown={jump}>
      <canvas ref={canvas} />
      <div class="brush-dim" style={{ left: "0", width: share(range.from) }} />
      <div class="brush-dim" style={{ left: share(range.until), right: "0" }} />
      <div class="brush" style={{ left: share(range.from), right: `calc(100% - ${share(range.until)})` }}>
        {slider("both", (range.from + range.until) / 2, "Visible range")}
        {slider("from", range.from, "Start of the visible range")}
        {slider("until", range.until, "End of the visible range")}
      </div>
    </div>
  );
}
