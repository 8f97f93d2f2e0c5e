/** A shop's three weeks, for trainings: the pipeline, the rows that Athena unloads, and what DeepAR makes of them. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Objects } from "../../../infra/lambda/ports.ts";
import { Publisher, type PublishRequest } from "../../../infra/lambda/publishing.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import type { MemoryObjects } from "./memory.ts";

const HOUR = 3_600_000;
const HOURS = 21 * 24;
export const ORIGIN = Date.UTC(2026, 10, 22);
export const RUN = "20261122000000-0a1b2c";
export const SHOP = requireSpec(
  JSON.stringify({
    name: "shop",
    source: { time: "t", fields: { t: "timestamp", store: "string", price: "double" } },
    series: {
      every: "1h",
      by: { store: ["north", "south"] },
      measures: { sales: { count: "*" }, takings: { sum: "price" }, price: { avg: "price" } },
    },
    forecast: { history: "3w", horizon: "1d", seasons: ["1d"], retrain: "1d" },
  }),
);
/** Windows of the horizon. */
export const STEPS = 24;

/** A day's rhythm with a little noise that is the same every time. */
export const sales = (store: string, hour: number) =>
  Math.round(40 + 30 * Math.sin((hour % 24) / 3.8) + ((hour * 7_919) % 11) + (store === "north" ? 20 : 0));

/** Rows as Athena's UNLOAD writes them: several files, in no order, columns in lower case, numbers as JSON has them. */
export function rows(): string[] {
  const lines: string[] = [];
  for (let hour = 0; hour < HOURS; hour++) {
    for (const store of ["north", "south"]) {
      if (store === "south" && hour % 50 === 3) continue; // A window without events has no row.
      const n = sales(store, hour);
      const window_start = ORIGIN - (HOURS - hour) * HOUR;
      lines.push(JSON.stringify({ window_start, store, sales: n, takings: n * 9.5, price: 9.5 + (hour % 5) / 10 }));
    }
  }
  return [lines.filter((_, i) => i % 2 === 1).join("\n"), lines.filter((_, i) => i % 2 === 0).join("\n")];
}

/** Puts the rows below a place in the bucket, gzipped, as Athena does. */
export async function unload(objects: MemoryObjects, place: string): Promise<void> {
  for (const [i, text] of rows().entries()) await objects.put(`${place}20261122_${i}.gz`, gzipSync(`${text}\n`));
}

/** A publisher of the shop's forecasts; `partSize` series a part, unless as many as the shop has. */
export function publisherOf(objects: Objects, partSize = 6, spec = SHOP): Publisher {
  return new Publisher({
    ...{ spec, objects, exclusions: [], partSize },
    ...{ training: "training/", forecasts: "forecasts/", current: "forecasts/current.json" },
  });
}

/** Judges all parts of a run that is laid out, and publishes them. */
export async function publishParts(
  publisher: Publisher,
  parts: number,
  request: Partial<PublishRequest> = {},
): ReturnType<Publisher["publish"]> {
  const run = { runId: RUN, origin: ORIGIN, families: [], ...request };
  for (let part = 1; part <= parts; part++) await publisher.judge({ ...run, action: "judge", part });
  return publisher.publish({ requestedBy: "schedule", ...run, action: "publish", parts });
}

export function textOf(objects: MemoryObjects, key: string): string {
  const body = objects.content.get(key)!;
  return (body[0] === 0x1f ? gunzipSync(body) : body).toString();
}

/** What the transform of a run's family writes: a file a part, two lines a series, `exact` of them the truth, the others far from it. */
export async function predict(objects: MemoryObjects, place: string, exact: (id: string) => boolean): Promise<void> {
  const line = (values: number[], off: number) =>
    JSON.stringify({
      quantiles: {
        "0.01": values.map((v) => v + off - 0.01),
        "0.5": values.map((v) => v + off),
        "0.99": values.map((v) => v + off + 0.01),
      },
    });
  for (const file of await objects.list(`${place}predict/`)) {
    const part = /part-\d+/.exec(file)![0];
    const ids = JSON.parse(textOf(objects, `${place}index/${part}.json`)) as string[];
    const asked = textOf(objects, file).trimEnd().split("\n");
    const lines = ids.flatMap((id, i) => {
      const { target } = JSON.parse(asked[2 * i + 1]!) as { target: number[] };
      const truth = target.slice(-STEPS);
      const off = exact(id) ? 0 : 500;
      return [line(truth, off), line(truth, off + 1)];
    });
    await objects.put(`${place}predicted/${part}.jsonl.out`, `${lines.join("\n")}\n`);
  }
}
