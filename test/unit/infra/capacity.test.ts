/** What one training can publish, and that more is refused before it costs anything. */
import { expect, test } from "vitest";
import { Publisher } from "../../../infra/lambda/publishing.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { mostSeries } from "../../../infra/workflow/capacity.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { MemoryObjects } from "./memory.ts";
import { options, PIPELINES } from "./pipelines.ts";

const HOUR = 3_600_000;
const ORIGIN = Date.UTC(2026, 10, 22);

function pipeline(groups: number | undefined, forecast: object = {}): PipelineSpec {
  const values = Array.from({ length: groups ?? 0 }, (_, i) => `g${i}`);
  return requireSpec(
    JSON.stringify({
      name: "wide",
      source: { time: "t", fields: { t: "timestamp", g: "string" } },
      series: { every: "1h", by: groups === undefined ? ["g"] : { g: values }, measures: { n: { count: "*" } } },
      forecast: { history: "8w", horizon: "48h", retrain: "1d", ...forecast },
    }),
  );
}

test("every pipeline of the tests fits, and one at the limit does", () => {
  for (const spec of Object.values(PIPELINES)) synthesize(spec, options());
  const most = mostSeries(pipeline(1));
  expect(most).toBeGreaterThan(1_000);
  expect(() => synthesize(pipeline(most), options())).not.toThrow();
});

test("more listed groups than a training publishes are refused, with how many it would", () => {
  const most = mostSeries(pipeline(1));
  expect(() => synthesize(pipeline(most + 1), options())).toThrow(`${most + 1} series are more than a training`);
});

test("a shorter history or horizon lets more series be published, a longer one fewer", () => {
  const most = (forecast: object) => mostSeries(pipeline(1, forecast));
  expect(most({ history: "3w" })).toBeGreaterThan(most({}));
  expect(most({ horizon: "36h" })).toBeGreaterThan(most({}));
  expect(most({ history: "520w" })).toBeLessThan(most({}));
});

test("more discovered groups are refused when they are laid out, before anything is trained", async () => {
  const spec = pipeline(undefined);
  const objects = new MemoryObjects();
  const rows = Array.from({ length: mostSeries(spec) + 1 }, (_, i) =>
    JSON.stringify({ window_start: ORIGIN - HOUR, g: `g${i}`, n: 1 }),
  );
  await objects.put("training/r/rows/1.json", `${rows.join("\n")}\n`);
  const publisher = new Publisher({
    ...{ spec, objects, exclusions: [], training: "training/", forecasts: "forecasts/" },
    current: "forecasts/current.json",
  });
  const staged = publisher.stage({ action: "stage", runId: "r", origin: ORIGIN });
  await expect(staged).rejects.toMatchObject({ code: "target.unsupported" });
  expect(await objects.list("training/r/")).toEqual(["training/r/rows/1.json"]);
});
