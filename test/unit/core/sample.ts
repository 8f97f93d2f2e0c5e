/** The pipeline file of the documentation, and small variations of it for the domain's tests. */
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";

export const SAMPLE = `{
  "name": "flights",
  "source": {
    "time": "scheduled", // event time: ISO 8601, or epoch s/ms
    "fields": { "scheduled": "timestamp", "origin": "string", "destination": "string", "delay": "double", "distance": "double" },
    "lateness": "10m",
    "idle": "2m"
  },
  "enrich": "enrich.mjs",
  "series": {
    "every": "1h",
    "by": { "origin": ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"] },
    "measures": {
      "departures": { "count": "*" },
      "mean_delay": { "avg": "delay" },
      "delay_spread": { "stddev": "delay" }
    }
  },
  "forecast": { "history": "8w", "horizon": "48h", "band": 0.98, "seasons": ["1d", "1w"], "retrain": "1d", "exclude": "labels.json" },
  "alarms": [
    { "name": "departures-low", "measure": "departures", "direction": "below", "threshold": 1.0,
      "datapoints": "3 of 4", "missing": "breaching", "severity": 2, "runbook": "runbooks/departures.md" }
  ],
  "sql": "sql/",
  "targets": { "prod": { "account": "123456789012", "region": "eu-west-1", "profile": "analytics", "incidents": "auto" } }
}
`;

/** What a test changes of the file: parts given take the place of the sample's. */
export interface Changes {
  readonly source?: object;
  readonly series?: object;
  readonly forecast?: object;
  readonly alarms?: readonly object[];
}

/** A complete spec: one text, one number and one whole-number field, hourly windows, unless changed. */
export function specWith({ source, series, forecast, alarms }: Changes = {}): PipelineSpec {
  return requireSpec(
    JSON.stringify({
      name: "test",
      source: {
        time: "t",
        fields: { t: "timestamp", g: "string", h: "string", x: "double", n: "integer", ok: "boolean", u: "timestamp" },
        lateness: "10m",
        ...source,
      },
      series: { every: "1h", measures: { events: { count: "*" } }, ...series },
      ...(forecast && { forecast }),
      ...(alarms && { alarms }),
    }),
  );
}
