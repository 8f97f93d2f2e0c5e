/**
 * What every Backend promises, whatever the target and whichever way its calls travel. A Backend's own test hands in how to
 * open one; the suite checks the port: shapes that JSON carries unchanged, Faults with codes, cancellation, progress,
 * changes.
 */
import { describe, expect, it } from "vitest";
import { type Backend, type Change, PORT } from "../../src/backend.ts";
import { Fault, type FaultCode } from "../../src/core/fault.ts";
import { eventually, faultOf, writePipeline } from "../support/engine.ts";
import { MINUTE, ordersBetween, ordersPipeline, START } from "../support/orders.ts";

/** A Backend to be held to the port, opened anew for each test. */
export interface Subject {
  readonly backend: Backend;
  /** A folder for pipeline files. */
  readonly folder: string;
  /** Closes the Backend and what stands behind it. */
  close(): Promise<void>;
}

/** What a target can do; what it cannot must reject with `target.unsupported`. */
export interface Capabilities {
  readonly send: boolean;
  readonly exportTo: boolean;
  /** Does it bill by bytes, and tell the price of a query before? */
  readonly estimate: boolean;
}

const LIMIT = 240_000;

export function backendSuite(name: string, open: () => Promise<Subject>, can: Capabilities): void {
  /** Runs a test with a Backend of its own. */
  const promise = (title: string, check: (subject: Subject) => Promise<void>) =>
    it(title, { timeout: LIMIT }, async () => {
      const subject = await open();
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    });

  /** Deploys a small pipeline with an hour of orders, and waits until they are compared. */
  async function deployed({ backend, folder }: Subject, minutes = 45): Promise<string> {
    const file = await writePipeline(folder, ordersPipeline("contract-shop"));
    await backend.stack.deploy({ file, trusted: true });
    const records = ordersBetween(0, minutes).map((o) => ({ data: JSON.stringify(o), partitionKey: o.region }));
    expect(await backend.streams.put("contract-shop", records)).toEqual({ accepted: records.length });
    await eventually(async () => {
      const { behind, counts } = await backend.stack.get("contract-shop");
      const trained = (await backend.forecasts.jobs("contract-shop", 10)).every((j) => j.endedAt !== null);
      return behind === 0 && trained && counts.compared === counts.windows ? true : undefined;
    }, "the orders to be compared");
    return "contract-shop";
  }

  describe(`${name} keeps the port's promises`, () => {
    promise("it has every noun and every method of the port", async ({ backend }) => {
      for (const [noun, methods] of Object.entries(PORT)) {
        const handlers = backend[noun as keyof typeof PORT] as unknown as Record<string, unknown>;
        for (const method of methods) expect(typeof handlers[method], `${noun}.${method}`).toBe("function");
      }
      expectJson(backend.target);
    });

    promise("before a deployment there is nothing, and a preview changes nothing", async ({ backend, folder }) => {
      expect(await backend.stack.list()).toEqual([]);
      expect(await backend.streams.list()).toEqual([]);
      expect(await backend.incidents.list()).toEqual([]);
      const file = await writePipeline(folder, ordersPipeline("contract-shop"));
      const plan = expectJson(await backend.stack.preview({ file, trusted: true }));
      expect(plan).toMatchObject({ pipeline: "contract-shop", lacks: [] });
      expect(plan.changes.map((c) => c.step)).toEqual(
        expect.arrayContaining(["collect", "deliver", "prepare", "forecast", "analyze", "compare", "alert"]),
      );
      expect(plan.changes.every((c) => c.action === "add")).toBe(true);
      expect(await backend.stack.list()).toEqual([]);
    });

    promise("a pipeline runs from records to charts, in shapes that JSON carries", async (subject) => {
      const { backend } = subject;
      const pipeline = await deployed(subject);
      const status = expectJson(await backend.stack.get(pipeline));
      expect(status).toMatchObject({ name: pipeline, state: "running", behind: 0 });
      expectJson(await backend.stack.list());
      const [stream] = expectJson(await backend.streams.list());
      expect(stream).toMatchObject({ name: pipeline, pipeline, shards: 1, records: status.counts.records });
      const peeked = expectJson(await backend.streams.peek(pipeline, { limit: 3 }));
      expect(peeked.map((p) => BigInt(p.sequence))).toEqual(
        peeked.map((p) => BigInt(p.sequence)).sort((a, b) => (a < b ? 1 : -1)),
      );
      expectJson(await backend.streams.rejected(pipeline, { limit: 3 }));
      for (const table of expectJson(await backend.queries.catalogue(pipeline)))
        expect(table.columns.length, table.name).toBeGreaterThan(0);
      const series = expectJson(await backend.forecasts.series(pipeline));
      expect(series.map((s) => s.id)).toContain("orders{region=north}");
      const range = { from: START, until: START + 120 * MINUTE };
      const chart = expectJson(await backend.forecasts.chart(pipeline, "orders{region=north}", range));
      const starts = chart.points.map((p) => p.start);
      expect(starts).toEqual([...starts].sort((a, b) => a - b));
      expect(new Set(starts).size).toBe(starts.length);
      expect(chart.points.some((p) => p.actual === null && p.median !== null)).toBe(true);
      expectJson(await backend.forecasts.jobs(pipeline, 5));
      const alarms = expectJson(await backend.alarms.list(pipeline));
      expect(alarms.map((a) => a.name)).toEqual(["orders-low", "forecast-missing"]);
      expectJson(await backend.alarms.history(pipeline, "orders-low", 5));
    });

    promise("a query pages, and what it gave is kept until it is released", async (subject) => {
      const { queries } = subject.backend;
      const pipeline = await deployed(subject, 3);
      const sql = "SELECT id, amount, at FROM raw ORDER BY at, id";
      const result = expectJson(await queries.run(pipeline, { sql, pageSize: 10 }));
      expect(result.columns.map((c) => c.type)).toEqual(["varchar", "double", "timestamp(3)"]);
      expect(result.rows).toHaveLength(10);
      expect(result.rowCount).toBe(ordersBetween(0, 3).length);
      const rest = expectJson(await queries.rows(result.query, 10, 1_000));
      expect([...result.rows, ...rest].map(([id]) => id)).toEqual(ordersBetween(0, 3).map((o) => o.id));
      expect((await queries.history(pipeline, 1))[0]).toMatchObject({ query: result.query, state: "succeeded" });
      const ids = ordersBetween(0, 3).map((o) => o.id);
      const newest = { order: { column: 2, descending: true }, filter: ids[0]! };
      const view = expectJson(await queries.view(result.query, newest));
      const found = ids.filter((id) => id.toLowerCase().includes(ids[0]!.toLowerCase()));
      expect(view.rowCount).toBe(found.length);
      expect((await queries.rows(view.query, 0, 1_000)).map(([id]) => id).sort()).toEqual(found.sort());
      await queries.release(result.query);
      expect((await faultOf(queries.rows(result.query, 0, 1))).code).toBe("query.failed");
    });

    promise("what fails is a Fault with its code, its words and the next step", async (subject) => {
      const { backend, folder } = subject;
      const pipeline = await deployed(subject, 3);
      const failures: [FaultCode, () => Promise<unknown>][] = [
        ["stack.not-found", () => backend.stack.get("nothing")],
        ["stack.not-found", () => backend.queries.run("nothing", { sql: "SELECT 1" })],
        ["spec.not-found", () => backend.stack.preview({ file: `${folder}/nothing.pipeline.json`, trusted: true })],
        ["stack.not-found", () => backend.stack.remove("nothing", { deleteData: false })],
        ["stack.not-found", () => backend.streams.peek("nothing", { limit: 1 })],
        ["query.refused", () => backend.queries.run(pipeline, { sql: "SELECT" })],
        ["query.refused", () => backend.queries.run(pipeline, { sql: "SELECT 1; SELECT 2" })],
        ["query.refused", () => backend.queries.run(pipeline, { sql: "SELECT :day" })],
        ["forecast.not-found", () => backend.forecasts.chart(pipeline, "nothing{}", { from: 0, until: 1 })],
        ["forecast.not-found", () => backend.forecasts.cancel("nothing")],
        ["alarm.not-found", () => backend.alarms.history(pipeline, "nothing", 1)],
        ["incident.not-found", () => backend.incidents.get("nothing")],
        ["incident.not-found", () => backend.incidents.note("nothing", "text", "ann")],
      ];
      for (const [code, call] of failures) {
        const fault = await faultOf(call());
        expect(fault, fault.message).toBeInstanceOf(Fault);
        expect(fault.code, fault.message).toBe(code);
        expect(fault.message.length).toBeGreaterThan(10);
        expectJson(fault.toData());
      }
    });

    promise("a syntax error says where it is", async (subject) => {
      const pipeline = await deployed(subject, 1);
      const fault = await faultOf(subject.backend.queries.run(pipeline, { sql: "SELECT id\nFRM raw" }));
      expect(fault.at).toMatchObject({ line: 2 });
    });

    promise("long calls can be cancelled before and while they run", async (subject) => {
      const { backend } = subject;
      const pipeline = await deployed(subject, 10);
      const before = await faultOf(backend.queries.run(pipeline, { sql: "SELECT 1" }, { signal: AbortSignal.abort() }));
      expect(["cancelled", "query.cancelled"]).toContain(before.code);
      const abort = new AbortController();
      const endless =
        "SELECT count(*) FROM raw a, raw b, raw c, raw d WHERE a.amount + b.amount + c.amount + d.amount < 0";
      const running = faultOf(backend.queries.run(pipeline, { sql: endless }, { signal: abort.signal }));
      await eventually(
        async () => (await backend.queries.history(pipeline, 1)).find((r) => r.sql === endless),
        "the query to be entered",
      );
      abort.abort();
      expect((await running).code).toBe("query.cancelled");
      await eventually(
        async () => (await backend.queries.history(pipeline, 1)).find((r) => r.state === "cancelled"),
        "the query to be entered as cancelled",
      );
    });

    promise("progress is told, and a training by hand ends in use", async (subject) => {
      const { backend } = subject;
      const pipeline = await deployed(subject, 30);
      const told: string[] = [];
      const job = expectJson(await backend.forecasts.train(pipeline, { onProgress: (p) => told.push(p.message) }));
      expect(job).toMatchObject({ pipeline, state: "succeeded", requestedBy: "person" });
      expect(job.endedAt).toBeGreaterThanOrEqual(job.startedAt);
      expect(told.length).toBeGreaterThan(0);
      expect(told.every((message) => message.length > 0)).toBe(true);
    });

    promise("changes tell what to read again, until the listener is disposed", async (subject) => {
      const { backend } = subject;
      const changes: Change[] = [];
      const silent: Change[] = [];
      const subscription = backend.onChange((change) => changes.push(change));
      backend.onChange((change) => silent.push(change)).dispose();
      const pipeline = await deployed(subject, 30);
      await eventually(
        () => changes.find((c) => c.noun === "window" && c.pipeline === pipeline && (c.until ?? 0) > START),
        "a change of windows",
      );
      expect(changes).toContainEqual({ noun: "stack", pipeline, kind: "added" });
      expect(changes.some((c) => c.noun === "stream")).toBe(true);
      expect(changes.some((c) => c.noun === "forecast" && c.id !== undefined)).toBe(true);
      for (const change of changes) expectJson(change);
      expect(silent).toEqual([]);
      subscription.dispose();
      const count = changes.length;
      await backend.stack.remove(pipeline, { deleteData: true });
      expect(changes.length).toBe(count);
    });

    promise("an incident goes through its life", async (subject) => {
      const { incidents } = subject.backend;
      const pipeline = await deployed(subject, 5);
      const request = {
        pipeline,
        title: "Down",
        severity: 3,
        series: ["orders{region=north}"],
        from: START,
        author: "ann",
      } as const;
      const { id } = expectJson(await incidents.declare(request));
      expectJson(await incidents.note(id, "A note", "ann"));
      await incidents.setSeverity(id, 1, "ann");
      await incidents.setOwner(id, null, "ann");
      await incidents.pin(id, { title: "Rows", sql: "SELECT 1", columns: ["a"], rows: [[1]] }, "ann");
      expect(await incidents.resolve(id, { author: "ann" })).toMatchObject({ status: "resolved" });
      expect((await faultOf(incidents.resolve(id, { author: "ann" }))).code).toBe("incident.closed");
      expect(await incidents.reopen(id, "ann")).toMatchObject({ status: "open", severity: 1, owner: null });
      expect(await incidents.list({ pipeline, status: "open" })).toMatchObject([{ id }]);
      expect(await incidents.postmortem(id)).toContain("A note");
    });

    promise(can.send ? "a file's rows are sent" : "sending files is refused in words", async (subject) => {
      const pipeline = await deployed(subject, 1);
      const call = subject.backend.streams.send(pipeline, { file: "/nothing.csv", speed: "max" });
      expect((await faultOf(call)).code).toBe(can.send ? "input.invalid" : "target.unsupported");
    });

    promise(can.estimate ? "a query's price is told" : "estimating is refused in words", async (subject) => {
      const pipeline = await deployed(subject, 1);
      const call = subject.backend.queries.estimate(pipeline, { sql: "SELECT id FROM raw" });
      if (can.estimate) expect((await call).bytes).toBeGreaterThanOrEqual(0);
      else expect((await faultOf(call)).code).toBe("target.unsupported");
    });

    promise(can.exportTo ? "a result is written to a file" : "exporting is refused in words", async (subject) => {
      const { queries } = subject.backend;
      const pipeline = await deployed(subject, 1);
      const { query } = await queries.run(pipeline, { sql: "SELECT id FROM raw ORDER BY id" });
      const call = queries.exportTo(query, { file: `${subject.folder}/ids.csv`, format: "csv" });
      if (can.exportTo) expect((await call).bytes).toBeGreaterThan(3);
      else expect((await faultOf(call)).code).toBe("target.unsupported");
    });
  });
}

/** The value, once JSON has carried it unchanged: no undefined, NaN, bigint, date or class in it. */
function expectJson<T>(value: T): T {
  expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
  return value;
}
