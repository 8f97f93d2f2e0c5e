import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { versionName } from "../../src/core/forecast.ts";
import { Store } from "../../src/engine/store.ts";
import {
  dataFolder,
  faultOf,
  select,
  settled,
  sharedEngine,
  startTestEngine,
  writePipeline,
} from "../support/engine.ts";
import { MINUTE, ordersBetween, ordersPipeline, START, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();

async function deploy(name: string, change: Record<string, unknown> = {}, liveFrom?: number) {
  const file = await writePipeline(engine().folder, ordersPipeline(name, change));
  await engine().backend.stack.deploy({ file, trusted: true, ...(liveFrom !== undefined && { liveFrom }) });
  return new Producer(engine().endpoint, name);
}

describe("a pipeline without a forecast", () => {
  it("raises forecast-missing and no incident, until a training gives it one", async () => {
    const name = "no-history";
    // Its rule takes missing data for a breach: silence would be that, a window without a forecast is not.
    const producer = await deploy(name, {}, START);
    await producer.put(toRecords(ordersBetween(0, 15)));
    await settled(engine().backend, name);
    const [job] = await engine().backend.forecasts.jobs(name, 5);
    expect(job).toMatchObject({ state: "failed", origin: START, fault: { code: "forecast.failed" } });
    const { alarms } = engine().backend;
    const own = async () => (await alarms.list(name)).find((a) => a.name === "forecast-missing")!;
    expect(await own()).toMatchObject({ state: "ALARM", measure: null, since: START + MINUTE });
    expect((await own()).contributors).toContain("revenue{region=south}");
    expect(await engine().backend.incidents.list({ pipeline: name })).toEqual([]);

    await producer.put(toRecords(ordersBetween(15, 25)));
    await settled(engine().backend, name);
    expect(await own()).toMatchObject({ state: "OK", since: START + 21 * MINUTE, contributors: [] });
    expect((await alarms.history(name, "forecast-missing", 5)).map((t) => [t.from, t.to])).toEqual([
      ["ALARM", "OK"],
      ["INSUFFICIENT_DATA", "ALARM"],
    ]);
  });

  it("of a short history names its fallback and why", async () => {
    const name = "short-history";
    const producer = await deploy(name);
    // "west" is three minutes old when the first training comes.
    await producer.put(toRecords([...ordersBetween(0, 17), ...ordersBetween(17, 23, ["north", "south", "west"])]));
    await settled(engine().backend, name);
    const west = (await engine().backend.forecasts.series(name)).find((s) => s.id === "orders{region=west}");
    expect(west!.method).not.toBe("ensemble");
    expect(west!.reason).toMatch(/short|few|history|season/i);
    expect(west!.last!.median).not.toBeNull();
    const methods = await select(engine().backend, name, "SELECT DISTINCT method FROM forecast ORDER BY 1");
    expect(methods.flat()).toContain(west!.method);
  });
});

describe("trainings that an engine left unfinished", () => {
  it("are all taken up by the next, also hundreds of them", { timeout: 300_000 }, async () => {
    const name = "backlog";
    const folder = dataFolder();
    const first = await startTestEngine(folder);
    const file = await writePipeline(folder, ordersPipeline(name));
    await first.backend.stack.deploy({ file, trusted: true });
    await new Producer(first.endpoint, name).put(toRecords(ordersBetween(0, 35)));
    await settled(first.backend, name);
    const [pattern] = await first.backend.forecasts.jobs(name, 1);
    await first.end();

    // What a pump leaves behind that has caught up with hours of events before the first training was through.
    const store = await Store.open(join(folder, ".forewatch", "store.duckdb"));
    for (let i = 1; i <= 130; i++) {
      const job = {
        ...pattern!,
        id: `${name}-${i}`,
        state: "queued",
        startedAt: pattern!.startedAt + i,
        endedAt: null,
      };
      await store.writer.run(`INSERT INTO "_${name}".training VALUES ($1, $2, $3, $4, $5, $6)`, [
        job.id,
        versionName(job.origin),
        BigInt(job.origin),
        BigInt(job.startedAt),
        job.state,
        JSON.stringify({ job, version: versionName(job.origin) }),
      ]);
    }
    await store.close();
    const second = await startTestEngine(folder);
    onTestFinished(() => second.kill());
    await settled(second.backend, name);
    const jobs = await second.backend.forecasts.jobs(name, 1_000);
    expect(jobs).toHaveLength(131);
    expect(new Set(jobs.map((j) => j.state))).toEqual(new Set(["succeeded"]));
  });
});

describe("a training by hand", () => {
  it("learns what is closed now and is in use at once", async () => {
    const name = "trained";
    const producer = await deploy(name);
    await producer.put(toRecords(ordersBetween(0, 33)));
    await settled(engine().backend, name);
    const progress: number[] = [];
    const job = await engine().backend.forecasts.train(name, { onProgress: (p) => progress.push(p.done ?? 0) });
    expect(job).toMatchObject({
      state: "succeeded",
      origin: START + 31 * MINUTE,
      requestedBy: "person",
      seriesTotal: 4,
    });
    expect(progress.length).toBeGreaterThan(0);
    await producer.put(toRecords(ordersBetween(33, 36)));
    await settled(engine().backend, name);
    const versions = await select(
      engine().backend,
      name,
      "SELECT DISTINCT version FROM comparison WHERE window_start >= timestamp '2024-03-01 00:32:00'",
    );
    expect(versions).toEqual([["2024-03-01T00:31:00Z"]]);
    expect((await engine().backend.forecasts.train(name)).id).not.toBe(job.id);
  });

  it("stops when it is cancelled, by its signal or by its job, and the forecast before it stays", async () => {
    const name = "cancelled";
    const producer = await deploy(name);
    const regions = Array.from({ length: 60 }, (_, i) => `region-${i}`);
    await producer.put(toRecords(ordersBetween(0, 23, regions, 1)));
    await settled(engine().backend, name);
    const abort = new AbortController();
    // 120 series take a while; the second one waits for the first, so that both are there to be cancelled.
    const first = engine().backend.forecasts.train(name, { signal: abort.signal, onProgress: () => abort.abort() });
    const second = engine().backend.forecasts.train(name);
    const waiting = (await engine().backend.forecasts.jobs(name, 10)).filter((j) => j.endedAt === null);
    expect(await first).toMatchObject({ state: "cancelled" });
    const left = (await engine().backend.forecasts.jobs(name, 10)).find((j) => j.endedAt === null) ?? waiting.at(-1);
    if (left)
      await engine()
        .backend.forecasts.cancel(left.id)
        .catch((error: unknown) => expect(error).toMatchObject({ code: "forecast.not-found" }));
    expect(["cancelled", "succeeded"]).toContain((await second).state);
    expect((await settled(engine().backend, name)).state).toBe("running");
    expect((await engine().backend.forecasts.series(name))[0]!.method).not.toBeNull();
    expect((await faultOf(engine().backend.forecasts.cancel("nothing"))).code).toBe("forecast.not-found");
  });

  it("needs something to learn from", async () => {
    await deploy("empty");
    expect(await faultOf(engine().backend.forecasts.train("empty"))).toMatchObject({ code: "forecast.failed" });
  });
});

describe("a backtest", () => {
  it("measures accuracy beside the baseline, and refuses a span without history", async () => {
    const name = "tested";
    const producer = await deploy(name);
    await producer.put(toRecords(ordersBetween(0, 62)));
    await settled(engine().backend, name);
    const { forecasts } = engine().backend;
    const report = await forecasts.backtest(name, { from: START + 40 * MINUTE, until: START + 60 * MINUTE });
    expect(report.windows).toBe(4 * 20);
    expect(report.series).toHaveLength(4);
    expect(report.coverage).toBeGreaterThan(0.5);
    expect(report.baseline.mase).toBeGreaterThan(0);
    const fault = await faultOf(forecasts.backtest(name, { from: START - 40 * MINUTE, until: START - 20 * MINUTE }));
    expect(fault.code).toBe("forecast.failed");
  });
});
