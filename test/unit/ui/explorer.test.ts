import { expect, test } from "vitest";
import type {
  AlarmInfo,
  IncidentSummary,
  PipelineStatus,
  SeriesInfo,
  StreamInfo,
  TrainingJob,
} from "../../../src/backend.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { HOUR } from "../../../src/core/time.ts";
import {
  buildTree,
  type Circumstances,
  type ExplorerInput,
  explorerFace,
  type PipelineFile,
} from "../../../src/ui/explorer/model.ts";
import { changedNodes, type TreeNode } from "../../../src/ui/explorer/node.ts";
import { EMPTY, type Snapshot } from "../../../src/ui/snapshot.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const STORM = Date.UTC(2001, 2, 5, 6);

const spec = requireSpec(
  JSON.stringify({
    name: "flights",
    source: { time: "at", fields: { at: "timestamp", origin: "string" } },
    series: { every: "1h", by: ["origin"], measures: { departures: { count: "*" } } },
  }),
);
const counts = { records: 1200, events: 1190, rejected: 0, dropped: 0, late: 3, windows: 48, compared: 24 };
const pipeline = (name: string, changes: Partial<PipelineStatus> = {}): PipelineStatus => ({
  name,
  state: "running",
  openIncidents: 0,
  spec,
  liveFrom: null,
  watermark: STORM,
  newestEvent: STORM + 600_000,
  behind: 0,
  counts,
  series: 2,
  ...changes,
});
const stream = (name: string): StreamInfo => ({
  name,
  pipeline: name,
  arn: `arn:aws:kinesis:local:000000000000:stream/${name}`,
  shards: 1,
  records: 1200,
  bytes: 120_000,
  rate: 850,
  newestArrival: NOW - 12_000,
  endpoint: "http://127.0.0.1:4567",
});
const series = (id: string, deviation: number | null): SeriesInfo => ({
  id,
  measure: "departures",
  by: { origin: id.slice(-4, -1) },
  last: { start: STORM, actual: 12, lower: 40, median: 61, upper: 80, deviation, late: 0 },
  method: "ensemble",
  reason: null,
});
const alarm = (state: AlarmInfo["state"], contributors: readonly string[] = []): AlarmInfo => ({
  name: "departures-low",
  pipeline: "flights",
  measure: "departures",
  state,
  since: STORM,
  reason: "3 of the last 4 windows lie below the band.",
  contributors,
  severity: 2,
  description: "",
});
const job = (changes: Partial<TrainingJob> = {}): TrainingJob => ({
  id: "j1",
  pipeline: "flights",
  state: "succeeded",
  origin: STORM,
  requestedBy: "schedule",
  startedAt: NOW - HOUR,
  endedAt: NOW - HOUR + 4_000,
  seriesDone: 2,
  seriesTotal: 2,
  accuracy: null,
  ...changes,
});
const incident = (id: string, changes: Partial<IncidentSummary> = {}): IncidentSummary => ({
  id,
  pipeline: "flights",
  title: "Departures far below forecast",
  status: "open",
  severity: 2,
  owner: null,
  rule: "departures-low",
  from: STORM,
  openedAt: STORM + 3 * HOUR,
  resolvedAt: null,
  contributors: [],
  ...changes,
});
const file = (name: string, changes: Partial<PipelineFile> = {}): PipelineFile => ({
  file: `/w/${name}.pipeline.json`,
  name,
  valid: true,
  queries: [],
  ...changes,
});
const input = (
  snapshot: Partial<Snapshot> = {},
  files: readonly PipelineFile[] = [file("flights")],
): ExplorerInput => ({
  snapshot: { ...EMPTY, ...snapshot },
  files,
  now: NOW,
  timeZone: "utc",
});
/** The tree as indented lines: `label | description`. */
const lines = (nodes: readonly TreeNode[], indent = ""): string[] =>
  nodes.flatMap((node) => [
    `${indent}${node.label}${node.description ? ` | ${node.description}` : ""}`,
    ...lines(node.children ?? [], `${indent}  `),
  ]);

test("the sections stand in the order in which data flows", () => {
  expect(buildTree(input()).map((node) => node.label)).toEqual([
    "Streams",
    "Prep queries",
    "Forecast jobs",
    "Alarms",
    "Incidents",
  ]);
});

test("a pipeline at work, whole", () => {
  const tree = buildTree(
    input(
      {
        pipelines: [pipeline("flights", { counts: { ...counts, rejected: 17 }, openIncidents: 1 })],
        streams: [stream("flights")],
        jobs: [
          job({ id: "j2", state: "training", seriesDone: 1, endedAt: null }),
          job({
            accuracy: {
              mase: 0.812,
              smape: null,
              wql: null,
              coverage: 0.975,
              msis: null,
              baseline: { mase: 1, smape: null, wql: null, coverage: null, msis: null },
            },
          }),
        ],
        series: new Map([["flights", [series("departures{origin=BOS}", -4.2), series("departures{origin=ATL}", 0.3)]]]),
        alarms: [alarm("ALARM", ["departures{origin=BOS}"])],
        incidents: [
          incident("i1"),
          incident("i2", { status: "resolved", title: "Older", resolvedAt: STORM + 30 * HOUR }),
        ],
      },
      [
        file("flights", {
          queries: [{ file: "/w/sql/storm.sql", path: "storm.sql", statements: [{ title: "By day", offset: 3 }] }],
        }),
      ],
    ),
  );
  expect(lines(tree)).toEqual([
    "Streams | 850/s",
    "  flights | 850/s · 1,200 records · 12 s ago",
    "    Rejected records | 17",
    "Prep queries",
    "  Preparation query | generated",
    "  storm.sql | 1 statement",
    "    By day",
    "Forecast jobs | MASE 0.81 · 97.5% in band",
    "  Series | 2 · 1 outside",
    "    departures BOS | 12 · −4.2 of band",
    "    departures ATL | 12 · +0.3 of band",
    "  5 Mar 2001, 06:00 | training 1 of 2",
    "  5 Mar 2001, 06:00 | MASE 0.81 · 97.5% in band",
    "Alarms | 1 in ALARM",
    "  departures-low | ALARM · 1 series · since 5 Mar 2001, 06:00",
    "    departures BOS",
    "Incidents | 1 open",
    "  Departures far below forecast | SEV 2 · since 5 Mar 2001, 06:00",
    "  Resolved | 1",
    "    Older | SEV 2 · 5 Mar 2001, 06:00 · 1 d 6 h",
  ]);
});

test("with several pipelines every line says whose it is", () => {
  const tree = buildTree(
    input(
      { pipelines: [pipeline("flights"), pipeline("orders")], alarms: [alarm("OK")], incidents: [incident("i1")] },
      [file("flights"), file("orders"), file("third", { valid: false })],
    ),
  );
  expect(lines(tree)).toContain("  third | has errors");
  expect(lines(tree)).toContain("  departures-low | flights · OK");
  expect(lines(tree)).toContain("  Departures far below forecast | SEV 2 · flights · since 5 Mar 2001, 06:00");
});

test("alarms are not all OK while one waits for data", () => {
  const [, , , alarms] = buildTree(input({ alarms: [alarm("OK"), { ...alarm("INSUFFICIENT_DATA"), name: "other" }] }));
  expect(alarms?.description).toBe("");
});

test("what people wrote cannot become markup in a tooltip", () => {
  const [, , , , incidents] = buildTree(
    input({ incidents: [incident("i1", { title: "[x](command:evil) **b** | c" })] }),
  );
  expect(incidents?.children?.[0]?.tooltip).toContain("\\[x\\]\\(command:evil\\) \\*\\*b\\*\\* \\| c");
});

test("node ids are unique", () => {
  const tree = buildTree(
    input({
      pipelines: [pipeline("flights"), pipeline("orders")],
      series: new Map(["flights", "orders"].map((name) => [name, [series("departures{origin=BOS}", 0)]])),
      alarms: [
        alarm("ALARM", ["departures{origin=BOS}"]),
        { ...alarm("ALARM", ["departures{origin=BOS}"]), name: "b" },
      ],
    }),
  );
  const ids: string[] = [];
  const collect = (nodes: readonly TreeNode[]) => {
    for (const node of nodes) {
      ids.push(node.id);
      collect(node.children ?? []);
    }
  };
  collect(tree);
  expect(new Set(ids).size).toBe(ids.length);
});

test("only what changed is drawn again", () => {
  const before = buildTree(
    input({ pipelines: [pipeline("flights")], streams: [stream("flights")], alarms: [alarm("OK")] }),
  );
  const same = buildTree(
    input({ pipelines: [pipeline("flights")], streams: [stream("flights")], alarms: [alarm("OK")] }),
  );
  expect(changedNodes(before, same)).toEqual([]);
  const raised = buildTree(
    input({ pipelines: [pipeline("flights")], streams: [stream("flights")], alarms: [alarm("INSUFFICIENT_DATA")] }),
  );
  expect(changedNodes(before, raised)).toEqual(["alarms"]);
  const joined = buildTree(
    input({
      pipelines: [pipeline("flights")],
      streams: [stream("flights")],
      alarms: [alarm("OK")],
      incidents: [incident("i1")],
    }),
  );
  expect(changedNodes(before, joined)).toEqual(["incidents"]);
});

const well: Circumstances = {
  folder: true,
  trusted: true,
  searched: true,
  target: "connected",
  read: true,
  deployed: 1,
  files: [{ valid: true }],
};
test.each<[string, Partial<Circumstances>, ReturnType<typeof explorerFace>]>([
  ["all is well", {}, "ready"],
  ["no folder", { folder: false }, "noFolder"],
  ["not trusted", { trusted: false }, "untrusted"],
  ["the engine failed", { target: "failed" }, "failed"],
  ["the engine restarts: the tree stays", { target: "restarting" }, "ready"],
  ["the engine is slow: the tree stays", { target: "slow" }, "ready"],
  ["the engine starts", { target: "starting", deployed: 0 }, "starting"],
  ["connected, not yet read", { read: false, deployed: 0 }, "starting"],
  ["not yet searched", { searched: false, deployed: 0, files: [] }, "reading"],
  ["nothing deployed", { deployed: 0 }, "notDeployed"],
  ["nothing deployed, engine not needed yet", { target: "idle", read: false, deployed: 0 }, "notDeployed"],
  ["no pipeline file", { deployed: 0, files: [] }, "noPipeline"],
  ["only broken files", { deployed: 0, files: [{ valid: false }] }, "broken"],
  ["one of two files is broken", { deployed: 0, files: [{ valid: false }, { valid: true }] }, "notDeployed"],
])("the explorer's face: %s", (_, changes, face) => {
  expect(explorerFace({ ...well, ...changes })).toBe(face);
});

test.each([
  [12, -0.4, "12 · −0.4 of band", "circle-filled"],
  [12, -4.2, "12 · −4.2 of band", "triangle-up"],
  [12, null, "12 · no forecast", "circle-outline"],
  [null, null, "no value", "circle-outline"],
])("a window of %s that deviates by %s is told as %s, and is healthy only if it was compared", (actual, deviation, words, icon) => {
  const info = series("departures{origin=BOS}", deviation);
  const last = { ...info.last!, actual };
  const tree = buildTree(
    input({ pipelines: [pipeline("flights")], series: new Map([["flights", [{ ...info, last }]]]) }),
  );
  const node = tree.flatMap(all).find((each) => each.context === "series");
  expect([node?.description, node?.icon?.id]).toEqual([words, icon]);
});

function all(node: TreeNode): TreeNode[] {
  return [node, ...(node.children ?? []).flatMap(all)];
}
