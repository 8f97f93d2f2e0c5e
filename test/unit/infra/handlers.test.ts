/**
 * The functions as they are deployed, bundled, on events of the shapes that the services document (Lambda Developer Guide, "Using
 * Lambda with Kinesis"; Firehose Developer Guide, "Transform source data"), with services that answer, refuse and fail. The aggregate
 * among them was packed by AWS's own library (aws-kinesis-agg 1.2.3).
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FirehoseAnswer, FirehoseEvent, KinesisStreamEvent } from "../../../infra/lambda/events.ts";
import { functionArchives } from "../../../infra/synth/bundle.ts";
import { FUNCTIONS, type FunctionName } from "../../../infra/template/context.ts";
import { FLIGHTS } from "./pipelines.ts";
import { Services } from "./services.ts";

const ROOT = join(import.meta.dirname, "../../..");
const EVENTS = join(ROOT, "test/infra/events");
const eventOf = <T>(file: string) => JSON.parse(readFileSync(join(EVENTS, file), "utf8")) as T;
const RECORDS = eventOf<KinesisStreamEvent>("kinesis-records.json");
const WINDOWS = eventOf<KinesisStreamEvent>("kinesis-windows.json");
const DELIVERY = eventOf<FirehoseEvent>("firehose-records.json");
/** Five minutes after the events' arrival. */
const NOW = Date.UTC(2026, 10, 22, 10, 5);

const ENRICH = `
export default (event) => {
  if (event.origin === "DROP") return null;
  if (event.destination === "EXIT") process.exit(3);
  if (event.destination === "LOOP") for (;;);
  BEHIND[event.destination]?.();
  if (event.destination === "LISTED") return [1, 2].map(fail);
  return event;
};
const fail = async () => { throw new Error("no network"); };
const BEHIND = {
  FORGOTTEN: fail,
  TIMER: () => setTimeout(() => { throw new Error("no network"); }, 0),
  ENDLESS: () => Promise.resolve().then(() => { process.stderr.write("ENDLESS"); for (;;); }),
};`;

/** What else enrich does at a destination, and as what its record is rejected, when it was called so often. */
const BEHIND: [string, { readonly calls: number; readonly reason: string; readonly detail: string }][] = [
  [
    "LISTED",
    {
      calls: 1,
      reason: "enrich-invalid",
      detail: "enrich returned a list with a promise in it; it must be a plain function, without async",
    },
  ],
  ...["FORGOTTEN", "TIMER"].map((kind): (typeof BEHIND)[number] => [
    kind,
    { calls: 1, reason: "enrich-failed", detail: "enrich failed outside its function: Error: no network" },
  ]),
  ["ENDLESS", { calls: 3, reason: "enrich-failed", detail: "enrich ended its process" }],
];

const ENVIRONMENT = {
  DATA_BUCKET: "bucket",
  REJECTED_PREFIX: "lake/rejected/",
  TRAINING_PREFIX: "training/",
  FORECASTS_PREFIX: "forecasts/",
  FORECAST_KEY: "forecasts/current.json",
  RAW_STREAM: "flights",
  EVENTS_STREAM: "flights-events",
  METRIC_NAMESPACE: "Forewatch/flights",
  HEALTH_NAMESPACE: "Forewatch/flights/Health",
  POWERTOOLS_SERVICE_NAME: "fw-flights",
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "x",
  AWS_SECRET_ACCESS_KEY: "x",
};

const folder = mkdtempSync(join(tmpdir(), "forewatch-functions-"));
const services = new Services();
let endpoint: string;

beforeAll(async () => {
  endpoint = await services.start();
  const archives = await functionArchives(ROOT, FLIGHTS, { enrich: ENRICH, exclusions: [] });
  for (const name of FUNCTIONS) {
    for (const [path, content] of Object.entries(archives[name].files)) {
      const file = join(folder, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
});
beforeEach(() => services.reset());
afterAll(() => {
  services.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  /** Undefined when the call failed. */
  readonly answer: unknown;
  /** Its log, and its error. */
  readonly log: string;
}

/** Calls a function once, in a process of its own. `place` is its /tmp. */
async function call(name: FunctionName, event: object, millis = 60_000, place = mkdtempSync(join(folder, "tmp-"))) {
  const child = spawn(process.execPath, [join(ROOT, "test/infra/run-handler.mjs"), join(folder, name, "index.mjs")], {
    env: {
      ...process.env,
      ...ENVIRONMENT,
      AWS_ENDPOINT_URL: endpoint,
      TMPDIR: place,
      TEMP: place,
      HANDLER_NOW: String(NOW),
      HANDLER_MILLIS: String(millis),
    },
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => {
      parts.push(part);
      // Lambda ends a call whose time is over; this one's never would be.
      if (part.includes("ENDLESS")) child.kill("SIGKILL");
    });
  child.stdin.end(JSON.stringify(event));
  await new Promise((resolve) => child.on("close", resolve));
  const log = Buffer.concat(parts).toString();
  const answer = /^ANSWER (.*)$/m.exec(log)?.[1];
  return { answer: answer === undefined ? undefined : (JSON.parse(answer) as unknown), log } satisfies Outcome;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");
const flight = (over: object) => ({ scheduled: "2026-11-22T09:59:30Z", origin: "BOS", delay: 1, ...over });
/** The batch of records with others' data in it. */
const batchOf = (...data: object[]): KinesisStreamEvent => ({
  Records: RECORDS.Records.slice(0, data.length).map((r, i) => ({
    ...r,
    kinesis: { ...r.kinesis, data: encode(data[i]!) },
  })),
});
const sequences = RECORDS.Records.map((r) => r.kinesis.sequenceNumber);
const failures = (...itemIdentifiers: string[]) => ({
  batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })),
});
const delays = () =>
  services
    .records()
    .flatMap((text) => (JSON.parse(text) as { fields: { delay: number } }[]).map((e) => e.fields.delay));
/** A function's own metric, from its log. */
const metric = (log: string, name: string) => Number(new RegExp(`"${name}":\\[?([\\d.]+)`).exec(log)?.[1] ?? "NaN");

describe("relay", () => {
  test("passes on the events of single records, of lines and of an aggregate, in their order", async () => {
    const { answer, log } = await call("relay", RECORDS);
    expect(answer).toEqual(failures());
    expect(delays()).toEqual([1, 2, 3, 10, 11, 12, 4]);
    expect(["Events", "Rejected", "Dropped"].map((name) => metric(log, name))).toEqual([7, 2, 1]);
  });

  test("has the batch brought again from what the stream of events keeps refusing, and says so", async () => {
    services.refuses = () => true;
    // As long as its call has time, of which it keeps six seconds.
    const { answer, log } = await call("relay", RECORDS, 8_000);
    expect(answer).toEqual(failures(sequences[0]!));
    expect(log).toContain("keeps refusing");
    expect(services.records().length).toBeGreaterThan(2);
    expect(metric(log, "Events")).toBe(0);
  });

  test("fails where the stream of events cannot be written, so that the whole batch comes again", async () => {
    services.fails = ({ operation }) => operation === "PutRecord";
    const { answer, log } = await call("relay", RECORDS);
    expect(answer).toBeUndefined();
    expect(log).toContain("KMSDisabledException");
  });

  test("goes on from where its time ran out", async () => {
    const batch = batchOf(flight({ delay: 1 }), flight({ destination: "LOOP" }), flight({ delay: 3 }));
    const { answer, log } = await call("relay", batch, 22_000);
    expect(answer).toEqual(failures(sequences[1]!));
    expect(log).toContain("brought again");
    expect(delays()).toEqual([1]);
    const rest = await call("relay", { Records: batch.Records.slice(1) }, 45_000);
    expect(rest.answer).toEqual(failures());
    expect(metric(rest.log, "Rejected")).toBe(1);
    expect(delays()).toEqual([1, 3]);
  });

  test("rejects the record that ended its process, once it stands alone", async () => {
    const place = mkdtempSync(join(folder, "tmp-"));
    // As Lambda halves a batch that its function did not survive.
    for (const batch of [batchOf(flight({ delay: 1 }), flight({ destination: "EXIT" })), batchOf(flight({ delay: 1 }))])
      await call("relay", batch, 60_000, place);
    const alone = { Records: batchOf(flight({}), flight({ destination: "EXIT" })).Records.slice(1) };
    expect((await call("relay", alone, 60_000, place)).answer).toBeUndefined();
    const { answer, log } = await call("relay", alone, 60_000, place);
    expect(answer).toEqual(failures());
    expect(metric(log, "Rejected")).toBe(1);
    expect(delays()).toEqual([1]);
  });

  test.each(BEHIND)("rejects the record at which enrich leaves %s behind, and no other", async (kind, { calls }) => {
    const place = mkdtempSync(join(folder, "tmp-"));
    const batch = batchOf(flight({ delay: 1 }), flight({ destination: kind }), flight({ delay: 3 }));
    for (let i = 1; i < calls; i++) expect((await call("relay", batch, 60_000, place)).answer).toBeUndefined();
    const { answer, log } = await call("relay", batch, 60_000, place);
    expect(answer).toEqual(failures());
    expect(delays()).toEqual([1, 3]);
    expect(["Events", "Rejected"].map((name) => metric(log, name))).toEqual([2, 1]);
  });
});

describe("enrich", () => {
  const text = (base64: string) => Buffer.from(base64, "base64").toString();
  const rows = (base64: string) =>
    text(base64)
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l) as Record<string, unknown>);
  const kept = () =>
    services.of("PUT /bucket/lake/rejected/dt=2026-11-22/").flatMap(({ body }) =>
      bodyOf(body)
        .trim()
        .split("\n")
        .map((l) => JSON.parse(l) as Record<string, string>),
    );

  test("answers with rows that name their place in the stream, and keeps what it rejects", async () => {
    const { records } = (await call("enrich", DELIVERY)).answer as FirehoseAnswer;
    expect(records.map((r) => r.recordId)).toEqual(DELIVERY.records.map((r) => r.recordId));
    expect(records.map((r) => r.result)).toEqual(["Ok", "Ok", "Ok", "Ok", "Dropped", "Ok", "Dropped", "Ok"]);
    const delivered = records.flatMap((r) => (r.result === "Ok" ? rows(r.data) : []));
    const at = (i: number) => DELIVERY.records[i]!.kinesisRecordMetadata!.sequenceNumber;
    expect(delivered.map((r) => [r.delay, r._sequence])).toEqual([
      [1, at(0)],
      [2, at(1)],
      [3, at(1)],
      [10, at(2)],
      [11, `${at(2)}.1`],
      [12, `${at(2)}.3`],
      [4, at(7)],
    ]);
    // When the stream received them, which is what the relay reads; Firehose did a while later.
    const arrivals = [0, 1, 1, 2, 3, 5, 7].map((i) => DELIVERY.records[i]!.kinesisRecordMetadata!);
    expect(delivered.map((r) => Date.parse(`${r._arrival as string}Z`))).toEqual(
      arrivals.map((m) => m.approximateArrivalTimestamp),
    );
    expect(kept().map((k) => [k.reason, k.sequence, text(k.data!)])).toEqual([
      ["malformed-json", `${at(2)}.2`, "{broken"],
      ["not-utf8", at(6), text(DELIVERY.records[6]!.data)],
    ]);
  });

  test("fails where what it rejects cannot be kept, so that Firehose brings the batch again", async () => {
    services.fails = ({ operation }) => operation.startsWith("PUT");
    const { answer, log } = await call("enrich", DELIVERY);
    expect(answer).toBeUndefined();
    expect(log).toContain("SlowDown");
  });

  test("rejects the record that ended its process, and delivers those beside it", async () => {
    const place = mkdtempSync(join(folder, "tmp-"));
    const data = [flight({ delay: 1 }), flight({ destination: "EXIT" }), flight({ delay: 3 })].map(encode);
    const batch = { ...DELIVERY, records: DELIVERY.records.slice(0, 3).map((r, i) => ({ ...r, data: data[i]! })) };
    // Firehose calls four times at most.
    expect((await call("enrich", batch, 60_000, place)).answer).toBeUndefined();
    expect((await call("enrich", batch, 60_000, place)).answer).toBeUndefined();
    const { records } = (await call("enrich", batch, 60_000, place)).answer as FirehoseAnswer;
    expect(records.map((r) => r.result)).toEqual(["Ok", "Dropped", "Ok"]);
    expect(kept().map((k) => [k.reason, k.detail, k.data])).toEqual([
      ["enrich-failed", "enrich ended its process", data[1]],
    ]);
  });

  test.each(BEHIND)("rejects the record at which enrich leaves %s behind, and no other", async (kind, {
    calls,
    ...told
  }) => {
    const place = mkdtempSync(join(folder, "tmp-"));
    const data = [flight({ delay: 1 }), flight({ destination: kind }), flight({ delay: 3 })].map(encode);
    const batch = { ...DELIVERY, records: DELIVERY.records.slice(0, 3).map((r, i) => ({ ...r, data: data[i]! })) };
    for (let i = 1; i < calls; i++) expect((await call("enrich", batch, 60_000, place)).answer).toBeUndefined();
    const { records } = (await call("enrich", batch, 60_000, place)).answer as FirehoseAnswer;
    expect(records.map((r) => r.result)).toEqual(["Ok", "Dropped", "Ok"]);
    expect(kept()).toMatchObject([{ ...told, data: data[1] }]);
  });
});

describe("compare", () => {
  test("writes metrics of the windows, and passes over what is none", async () => {
    const { answer, log } = await call("compare", WINDOWS);
    expect(answer).toEqual(failures());
    const written = services
      .of("PutMetricData")
      .map(({ body }) => bodyOf(body))
      .join("");
    for (const id of ["departures{origin=BOS}", "mean_delay{origin=JFK}"]) expect(written).toContain(id);
    expect(metric(log, "UnreadableWindows")).toBe(1);
    expect(metric(log, "ClosedWindow")).toBe(Date.UTC(2026, 10, 22, 10) / 1_000);
  });

  test.each([
    ["the forecast cannot be read", "GET /bucket/forecasts/"],
    ["the metrics cannot be written", "PutMetricData"],
  ])("has the batch brought again when %s, and says why", async (_, operation) => {
    services.fails = (failing) => failing.operation.startsWith(operation);
    const { answer, log } = await call("compare", WINDOWS);
    expect(answer).toEqual(failures(WINDOWS.Records[0]!.kinesis.sequenceNumber));
    expect(log).toContain("brought again");
    expect(services.of(operation).length).toBeGreaterThan(1);
  });
});

describe("what the services call without records", () => {
  test.each<[FunctionName, object, string]>([
    ["sweep", {}, "GetMetricData"],
    ["publish", { action: "stage", runId: "run-1", origin: Date.UTC(2026, 10, 22) }, "GET /bucket"],
  ])("%s fails where it cannot read, and says why", async (name, event, operation) => {
    services.fails = (failing) => failing.operation.startsWith(operation);
    const { answer, log } = await call(name, event);
    expect(answer).toBeUndefined();
    expect(log).toMatch(/Error|SlowDown|Exception/);
    expect(services.of(operation).length).toBeGreaterThan(1);
    expect(services.of("Put")).toEqual([]);
  });

  test("sweep has nothing to do before the first event", async () => {
    expect((await call("sweep", {})).answer).toBeNull();
    expect(services.of("PutRecord")).toEqual([]);
  });
});

/** A body's text, whether it was packed or not. */
function bodyOf(body: Buffer): string {
  return (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString();
}
