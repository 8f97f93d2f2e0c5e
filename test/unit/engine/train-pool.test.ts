import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { TrainPool, type TrainTask } from "../../../src/engine/train-pool.ts";

/**
 * A worker that obeys the first value of its series: 1 answers, 2 exits, 3 throws outside of any message, 4 exits the first
 * time and answers the second, 5 answers and then throws, 6 answers late.
 */
const OBEDIENT = `
import { existsSync, writeFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
parentPort.on("message", ({ id, series: { start, values } }) => {
  const answer = () => parentPort.postMessage({ id, failure: "order " + start });
  const [order] = values;
  if (order === 1) answer();
  if (order === 2) process.exit(7);
  if (order === 3) setImmediate(() => { throw new Error("out of memory"); });
  if (order === 4) {
    const been = new URL("been", import.meta.url);
    if (existsSync(been)) answer();
    else { writeFileSync(been, ""); process.exit(1); }
  }
  if (order === 5) { answer(); setImmediate(() => { throw new Error("later"); }); }
  if (order === 6) setTimeout(answer, 50);
});
`;

/** A pool of such workers. */
function pool(size: number): TrainPool {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-pool-"));
  const file = join(folder, "worker.mjs");
  writeFileSync(file, OBEDIENT);
  const made = new TrainPool(pathToFileURL(file), size);
  onTestFinished(async () => {
    await made.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return made;
}

const tasks = (...orders: number[]): TrainTask[] =>
  orders.map((order, start) => ({
    kind: "forecast",
    series: { start, every: 1, values: Float64Array.of(order) },
    options: { horizon: 1 },
  }));
const NEVER = new AbortController().signal;
const failures = async (run: Promise<readonly { readonly failure?: string }[]>) => (await run).map((r) => r.failure);

describe.each([1, 2])("a pool of %d", (size) => {
  it.each([
    2, 3,
  ])("goes on with whoever waits when a worker ends (%d), and tells the series that it was at", async (order) => {
    const made = pool(size);
    const first = made.run(tasks(1, order, 1), NEVER, () => {});
    // Another pipeline's, which waits for the same workers.
    const second = made.run(tasks(1, 1, 1), NEVER, () => {});
    const why = order === 2 ? /^its worker ended: it exited with 7/ : /^its worker ended: out of memory/;
    expect(await failures(first)).toEqual(["order 0", expect.stringMatching(why), "order 2"]);
    expect(await failures(second)).toEqual(["order 0", "order 1", "order 2"]);
  });

  it("begins a series again once, for its worker may have ended for another reason", async () => {
    expect(await failures(pool(size).run(tasks(4, 1), NEVER, () => {}))).toEqual(["order 0", "order 1"]);
  });

  it("outlives a worker that ends between two series", async () => {
    const made = pool(size);
    for (let round = 0; round < 3; round++)
      expect(await failures(made.run(tasks(5), NEVER, () => {}))).toEqual(["order 0"]);
  });

  it("begins nothing more once it is cancelled", async () => {
    const abort = new AbortController();
    const done: number[] = [];
    const run = pool(size).run(tasks(6, 6, 6, 6, 6, 6), abort.signal, (n) => {
      done.push(n);
      abort.abort();
    });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    expect(done.length).toBeLessThanOrEqual(size);
  });

  it("refuses those that run and those that wait when it is closed", async () => {
    const made = pool(size);
    const runs = [made.run(tasks(6, 6, 6), NEVER, () => {}), made.run(tasks(6, 6, 6), NEVER, () => {})];
    const ended = Promise.allSettled(runs);
    await made.close();
    for (const run of await ended)
      expect(run).toMatchObject({
        status: "rejected",
        reason: { code: "cancelled", message: "The engine is stopping." },
      });
    await expect(made.run(tasks(1), NEVER, () => {})).rejects.toMatchObject({ code: "cancelled" });
  });
});
