/** What the forecast page asks. */
import { packChart } from "../../rpc/columns.ts";
import { run } from "../commands.ts";
import type { Context } from "../context.ts";
import { inFileOrder } from "../snapshot.ts";
import type { OwnHandlers } from "./panel.ts";

/** All windows there are: the port's ranges are half open and in ms, so these bounds hold every instant. */
const BEGINNING = 0;
const END = 8.64e15;

export function forecastHandlers(context: Context): OwnHandlers<"forecast"> {
  return {
    "forecasts.series": async ({ pipeline }) => {
      const backend = await context.session.backend();
      const [series, { spec }] = await Promise.all([backend.forecasts.series(pipeline), backend.stack.get(pipeline)]);
      return inFileOrder(series, spec);
    },
    "forecasts.chart": (request) => readChart(context, request),
    "forecasts.train": ({ pipeline }) => {
      void run("train", { pipeline });
      return null;
    },
    "incidents.open": async ({ incident }) => {
      await run("showIncident", { incident });
      return null;
    },
    "incidents.declare": async ({ pipeline, series, from }) => {
      await run("declareIncident", { pipeline, series, from });
      return null;
    },
  };
}

/** A series' chart as the pages take it. */
export async function readChart(
  { session }: Context,
  request: { readonly pipeline: string; readonly series: string; readonly from?: number; readonly until?: number },
) {
  const backend = await session.backend();
  const range = { from: request.from ?? BEGINNING, until: request.until ?? END };
  return packChart(await backend.forecasts.chart(request.pipeline, request.series, range));
}
