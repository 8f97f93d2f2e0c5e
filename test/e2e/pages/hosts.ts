/** Hosts for the pages: the handlers of a page over recorded data, whole or in the states that a user may meet. */
import type { SeriesChart } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import { type PageHandlers, type PageSettings, packChart } from "../../../src/rpc/page.ts";
import type { Recorded } from "./flights.ts";

export const SETTINGS: PageSettings = { timeZone: "utc", author: "Ada", target: "local" };

/** How a host answers what it is asked for: with data, with nothing, never, or with a failure. */
export type Mood = "full" | "empty" | "loading" | "failing";

export const LOST = new Fault("engine.unreachable", "The engine does not answer.", {
  next: "It restarts by itself; try again in a moment.",
  cause: "connect ECONNREFUSED 127.0.0.1:41873",
});

/** What a host was asked, in order. */
export type Log = { readonly method: string; readonly params: unknown }[];

const never = () => new Promise<never>(() => {});

export function moody<T>(mood: Mood, full: () => T, empty: T): T | Promise<T> {
  if (mood === "loading") return never();
  if (mood === "failing") throw LOST;
  return mood === "empty" ? empty : full();
}

export function slice(chart: SeriesChart, from = 0, until = Number.POSITIVE_INFINITY): SeriesChart {
  return { ...chart, points: chart.points.filter((point) => point.start >= from && point.start < until) };
}

export function forecastHost(
  data: Recorded,
  { mood = "full", log = [], series = "departures{origin=BOS}" }: { mood?: Mood; log?: Log; series?: string } = {},
): PageHandlers<"forecast"> {
  const note = (method: string) => (params: unknown) => {
    log.push({ method, params });
    return null;
  };
  return {
    "page.open": () => ({ subject: { pipeline: "flights", series }, state: null, settings: SETTINGS }),
    "clipboard.write": note("clipboard.write"),
    "files.save": (params) => {
      log.push({ method: "files.save", params });
      return { saved: true };
    },
    "forecasts.series": () => moody(mood, () => data.series, []),
    "forecasts.chart": (request) => {
      log.push({ method: "forecasts.chart", params: request });
      const chart = data.charts.get(request.series);
      if (!chart) throw new Fault("forecast.not-found", `There is no series ${request.series}.`);
      return packChart(slice(chart, request.from, request.until));
    },
    "forecasts.train": note("forecasts.train"),
    "incidents.open": note("incidents.open"),
    "incidents.declare": note("incidents.declare"),
  };
}
