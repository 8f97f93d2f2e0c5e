import "../parts/toolkit.ts";
import "./style.css";
import { mountPage } from "../parts/page.tsx";
import { FORECAST_STATE, ForecastPage } from "./app.tsx";

mountPage({
  page: "forecast",
  initial: FORECAST_STATE,
  // What the user asked to see becomes the page's own choice, and is theirs to change from then on.
  take: ({ pipeline, series, range }) => ({
    subject: { pipeline },
    state: {
      ...(series !== undefined && { series, view: "chart" as const }),
      ...(range !== undefined && { range, follow: false }),
    },
  }),
  view: ForecastPage,
});
