/** A series' chart, read once as a whole; after that only its tail, when a window closes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Fault, type FaultData } from "../../../src/core/fault.ts";
import type { Change, ChartColumns, ChartRequest } from "../../../src/rpc/page.ts";
import { mergeTail, newestActual } from "./visible.ts";

/** Windows before the newest actual that are read again with the tail: comparisons may still have been on their way. */
const OVERLAP = 8;

export interface LiveChart {
  readonly columns: ChartColumns | null;
  readonly fault: FaultData | null;
  readonly loading: boolean;
  reload(): void;
}

interface Loaded {
  readonly series: string | null;
  readonly columns: ChartColumns | null;
  readonly fault: FaultData | null;
  readonly loading: boolean;
}

/** Where charts come from: a page's client, whichever page it is. */
export interface ChartSource {
  chart(request: ChartRequest, signal: AbortSignal): Promise<ChartColumns>;
  onChange(listener: (change: Change) => void): { dispose(): void };
  onRestored(listener: () => void): { dispose(): void };
}

/** A series' whole chart, kept up to date; `series` null reads nothing. */
export function useLiveChart(source: ChartSource, pipeline: string, series: string | null): LiveChart {
  const [loaded, setLoaded] = useState<Loaded>({ series, columns: null, fault: null, loading: series !== null });
  const [round, setRound] = useState(0);
  const columns = useRef<ChartColumns | null>(null);

  // A new round reads the same again
  useEffect(() => {
    if (series === null) return;
    const abort = new AbortController();
    columns.current = null;
    setLoaded({ series, columns: null, fault: null, loading: true });

    const put = (next: ChartColumns) => {
      columns.current = next;
      setLoaded({ series, columns: next, fault: null, loading: false });
    };
    const fail = (error: unknown) => {
      if (!abort.signal.aborted)
        setLoaded({ series, columns: columns.current, fault: Fault.from(error).toData(), loading: false });
    };
    source.chart({ pipeline, series }, abort.signal).then((all) => {
      if (abort.signal.aborted) return;
      performance.mark("forewatch:received");
      put(all);
    }, fail);

    let asking = false;
    let again = false;
    const readTail = async () => {
      const { current } = columns;
      if (!current || abort.signal.aborted) return;
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      const from = (newestActual(current) ?? current.start[0] ?? 0) - OVERLAP * current.every;
      try {
        const tail = await source.chart({ pipeline, series, from }, abort.signal);
        if (!abort.signal.aborted && columns.current) put(mergeTail(columns.current, tail));
      } catch (error) {
        fail(error);
      } finally {
        asking = false;
        if (again) {
          again = false;
          void readTail();
        }
      }
    };
    const changed = source.onChange(({ noun, pipeline: where }) => {
      if (where === pipeline && (noun === "window" || noun === "forecast" || noun === "incident")) void readTail();
    });
    const restored = source.onRestored(() => void readTail());
    return () => {
      abort.abort();
      changed.dispose();
      restored.dispose();
    };
  }, [source, pipeline, series, round]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  const stale = loaded.series !== series;
  return {
    columns: stale ? null : loaded.columns,
    fault: stale ? null : loaded.fault,
    loading: stale || loaded.loading,
    reload,
  };
}
