/** The engine's memory: the peak of its process while a million records pass through the whole pipeline. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause, startTestEngine, writePipeline } from "../support/engine-process.ts";
import { ALL_MEASURES, MINUTE, ordersPipeline, random, START } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";
import type { BenchRow } from "./endpoint.ts";

const NAME = "million-shop";
const RECORDS = 1_000_000;
const PER_REQUEST = 500;
/** Records in a minute of event time: a million fill 1,000 windows. */
const PER_MINUTE = 1_000;
const REGIONS = 20;
/** Requests in flight. */
const PRODUCERS = 4;
const TARGET = 1_024 * 1024 * 1024;

export async function benchMemory(): Promise<{ rows: BenchRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-bench-"));
  const engine = await startTestEngine(folder);
  try {
    const file = await writePipeline(
      folder,
      ordersPipeline(NAME, {
        series: { every: "1m", by: ["region"], measures: ALL_MEASURES },
        forecast: { history: "4h", horizon: "4h", band: 0.98, seasons: ["30m"], retrain: "4h" },
      }),
    );
    await engine.backend.stack.deploy({ file, trusted: true });
    const before = memoryOf(engine.pid);
    const begun = performance.now();
    await putAll(engine.endpoint);
    let status = await engine.backend.stack.get(NAME);
    while (status.behind > 0) {
      await pause(200);
      status = await engine.backend.stack.get(NAME);
    }
    const seconds = (performance.now() - begun) / 1_000;
    if (status.counts.events !== RECORDS) throw new Error(`${status.counts.events} of ${RECORDS} records came through`);
    const { peak, now } = memoryOf(engine.pid);
    return {
      rows: [
        {
          name: "Engine: peak memory while a million records pass, lake, windows and trainings included",
          value: `${mebibytes(peak)} (idle ${mebibytes(before.now)}, after ${mebibytes(now)})`,
          target: `<= ${mebibytes(TARGET)}`,
          ok: peak <= TARGET,
        },
        {
          name: "Engine: the whole pipeline, record to closed window",
          value: `${Math.round(RECORDS / seconds).toLocaleString("en")} records/s`,
        },
      ],
    };
  } finally {
    await engine.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Sends the million in order of time, but for the few requests that are in flight at once. */
async function putAll(endpoint: string): Promise<void> {
  let next = 0;
  const produce = async () => {
    const producer = new Producer(endpoint, NAME);
    for (let at = next; at < RECORDS; at = next) {
      next += PER_REQUEST;
      await producer.putOnce(Array.from({ length: PER_REQUEST }, (_, i) => ({ data: order(at + i), key: String(i) })));
    }
    producer.close();
  };
  await Promise.all(Array.from({ length: PRODUCERS }, produce));
}

const number = random(1);

function order(n: number): string {
  return JSON.stringify({
    at: START + Math.floor((n / PER_MINUTE) * MINUTE),
    id: String(n),
    region: `region-${n % REGIONS}`,
    amount: Math.round(number() * 10_000) / 100,
    items: 1 + (n % 5),
    gift: n % 7 === 0,
  });
}

/** Resident memory of a process and its highest so far, bytes. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) * 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
