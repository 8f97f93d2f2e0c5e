/** What the page reads: the pipeline's series, and where its charts come from. */
import { useEffect, useMemo } from "preact/hooks";
import type { SeriesInfo } from "../../src/rpc/page.ts";
import type { ChartSource } from "../parts/chart/live.ts";
import { type Asked, type Page, useAsked } from "../parts/page.tsx";

/** The charts by this page's client; the same object as long as the client is. */
export function useChartSource({ client }: Page<"forecast">): ChartSource {
  return useMemo(
    () => ({
      chart: (request, signal) => client.request("forecasts.chart", request, signal),
      onChange: (listener) => client.on("change", listener),
      onRestored: (listener) => client.on("connection", ({ state }) => state === "restored" && listener()),
    }),
    [client],
  );
}

/** The pipeline's series, read again when a forecast or a window changes, at most once in two seconds. */
export function useSeries(page: Page<"forecast">): Asked<readonly SeriesInfo[]> {
  const { client, subject } = page;
  const asked = useAsked(subject.pipeline, (signal) =>
    client.request("forecasts.series", { pipeline: subject.pipeline }, signal),
  );
  const { reload } = asked;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = client.on("change", (change) => {
      if (change.pipeline !== subject.pipeline || (change.noun !== "window" && change.noun !== "forecast")) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        reload();
      }, 2_000);
    });
    const restored = client.on("connection", ({ state }) => state === "restored" && reload());
    return () => {
      clearTimeout(timer);
      changed.dispose();
      restored.dispose();
    };
  }, [client, subject.pipeline, reload]);
  return asked;
}
