/**
 * Kills the engine again and again while producers write, windows close, trainings run and incidents open, and looks
 * whether anything is lost, doubled or different.
 *
 * The rule of exactly once: a record that was acknowledged has one place in the log, and that place stands in the lake (or
 * among the rejected) exactly once. A producer whose request ended without an answer sends the same records again, as every
 * SDK does; such a record may stand in the log twice, at two places, and then counts twice. Nothing else may.
 */
import { createServer } from "node:net";
import { expect } from "vitest";
import { pause, settled, spawnEngine, startTestEngine, type TestEngine, writePipeline } from "./engine.ts";
import { MINUTE, type Order, ordersBetween, ordersPipeline, random, START } from "./orders.ts";
import { Producer, type ProducerRecord } from "./producer.ts";
import { logOf, outcomeOf, runUndisturbed } from "./undisturbed.ts";

export const PIPELINE = "killed-shop";

export interface KillRun {
  readonly file: string;
  readonly kills: number;
  /** How often it was killed before it was ready. */
  readonly killedStarting: number;
  /** Every acknowledged record: its text, and its place in the log. */
  readonly acknowledged: readonly { readonly data: string; readonly place: number }[];
  /** Records whose request ended without an answer at least once. */
  readonly uncertain: ReadonlySet<string>;
  /** Minutes of event time that were written. */
  readonly minutes: number;
  /** What the engines warned of, all of them together. */
  readonly warnings: readonly string[];
}

const PRODUCERS = 3;
const REGIONS = ["north", "south", "west"];
/** Out of so many minutes the west has an outage of some. */
const OUTAGE_EVERY = 60;
const OUTAGE_LASTS = 8;

/** Runs the pipeline on `folder` through `kills` kills, then lets it settle and ends it in order; `onKill` is told after each. */
export async function killRepeatedly(
  folder: string,
  kills: number,
  seed: number,
  onKill: (kill: number) => void = () => {},
): Promise<KillRun> {
  const next = random(seed);
  const port = await freePort();
  const args = ["--port", String(port)];
  const file = await writePipeline(folder, ordersPipeline(PIPELINE), {});
  let engine: TestEngine = await startTestEngine(folder, { args });
  await engine.backend.stack.deploy({ file, trusted: true });
  const writing = new Writing(`http://127.0.0.1:${port}`);
  let killedStarting = 0;
  const warnings: string[] = [];
  const hear = (kill: number, log: readonly string[]) =>
    warnings.push(...log.filter((line) => /\b(warn|error)\b/.test(line)).map((line) => `engine ${kill}: ${line}`));
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await pause(next() * 1_500);
      await engine.kill();
      hear(kill, engine.log);
      // Some starts are killed too, wherever they are: reading the log, replaying the store, going on with a training.
      while (next() < 0.25) {
        const starting = await spawnEngine(folder, { args });
        await pause(next() * 1_500);
        await starting.kill();
        killedStarting++;
      }
      engine = await startTestEngine(folder, { args });
      onKill(kill);
    }
  } finally {
    await writing.stop();
  }
  await settled(engine.backend, PIPELINE);
  await engine.end();
  hear(kills + 1, engine.log);
  return {
    file,
    warnings,
    kills,
    killedStarting,
    minutes: writing.minutes,
    acknowledged: writing.acknowledged,
    uncertain: writing.uncertain,
  };
}

/** Producers that share the work minute by minute and never give a record up. */
class Writing {
  readonly acknowledged: { data: string; place: number }[] = [];
  readonly uncertain = new Set<string>();
  minutes = 0;
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(endpoint: string) {
    this.#done = Promise.all(Array.from({ length: PRODUCERS }, () => this.#produce(new Producer(endpoint, PIPELINE))));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #produce(producer: Producer): Promise<void> {
    while (!this.#stopped) {
      const records = recordsOf(this.minutes++);
      while (!(await this.#put(producer, records))) await pause(20);
      await pause(15);
    }
    producer.close();
  }

  /** Whether the records were acknowledged. */
  async #put(producer: Producer, records: readonly ProducerRecord[]): Promise<boolean> {
    let places: number[];
    try {
      places = await producer.putOnce(records);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED")
        for (const { data } of records) this.uncertain.add(String(data));
      return false;
    }
    records.forEach(({ data }, i) => {
      this.acknowledged.push({ data: String(data), place: places[i]! });
    });
    return true;
  }
}

/** A minute of orders; now and then one that is broken, one that is late, and an hour's outage of the west. */
function recordsOf(minute: number): ProducerRecord[] {
  const down = minute % OUTAGE_EVERY >= OUTAGE_EVERY - OUTAGE_LASTS;
  const orders: (Order | string)[] = ordersBetween(minute, minute + 1, down ? REGIONS.slice(0, 2) : REGIONS, 6);
  if (minute % 7 === 0) orders.push(`{"id": "broken-${minute}"`);
  if (minute % 5 === 0 && minute > 30)
    orders.push({
      at: new Date(START + (minute - 20) * MINUTE).toISOString(),
      id: `late-${minute}`,
      region: "north",
      amount: 1,
      items: 1,
    });
  return orders.map((o, i) => ({ data: typeof o === "string" ? o : JSON.stringify(o), key: `${minute}-${i}` }));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Holds what a killed engine left against the log, the producers' acknowledgements, and an undisturbed run. */
export async function expectNothingLost(folder: string, run: KillRun, undisturbed: string): Promise<KillFigures> {
  const log = await logOf(folder, PIPELINE);
  const kept = await outcomeOf(folder, PIPELINE);
  const texts = log.map((r) => Buffer.from(r.data).toString());

  // What was acknowledged stands where it was said to stand.
  expect(run.acknowledged.find(({ data, place }) => texts[place - 1] !== data)).toBeUndefined();
  // In the log twice is only what a producer had to send twice.
  const twice = doubles(texts);
  expect(twice.find((text) => !run.uncertain.has(text))).toBeUndefined();
  // Every place of the log is in the lake or among the rejected, once.
  const places = [
    ...kept.raw!.map((r) => JSON.parse(r)._sequence),
    ...kept.rejected!.map((r) => JSON.parse(r).sequence),
  ]
    .map(Number)
    .sort((a, b) => a - b);
  expect(
    firstDifference(
      places,
      log.map((r) => r.sequence),
    ),
  ).toBeUndefined();

  const expected = await runUndisturbed(folder, undisturbed, run.file);
  // The trainings first: a forecast that was not made explains what differs in all the others.
  const tables = Object.entries(expected).sort(([a], [b]) => Number(b === "training") - Number(a === "training"));
  for (const [table, rows] of tables)
    expect(
      firstDifference(kept[table]!.map(toNineDigits), rows.map(toNineDigits)),
      `table ${table}; the engines said:\n${run.warnings.slice(0, 20).join("\n")}`,
    ).toBeUndefined();
  return {
    kills: run.kills + run.killedStarting,
    records: log.length,
    acknowledged: run.acknowledged.length,
    sentTwice: twice.length,
    windows: kept.comparison!.length,
    forecasts: kept.training!.length,
    transitions: kept.alarm_transition!.length,
    incidents: kept.incident!.length,
    late: kept.late_window!.length,
  };
}

/**
 * Floating-point numbers to nine digits: a sum's last bits hang on how its rows are spread over the lake's files, which an
 * undisturbed run flushes at other moments. Everything else is compared to the letter.
 */
function toNineDigits(text: string): string {
  return text.replace(/-?\d+\.\d+(?:e[+-]?\d+)?/gi, (n) => String(Number(Number(n).toPrecision(9))));
}

/** What a run amounted to. */
export type KillFigures = Readonly<Record<string, number>>;

/** The texts that came before, once for each time they came again. */
function doubles(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((text) => seen.size === seen.add(text).size);
}

/** Where two long lists part, for a message of a few lines instead of a hundred thousand. */
function firstDifference<T>(found: readonly T[], expected: readonly T[]) {
  for (let i = 0; i < Math.max(found.length, expected.length); i++)
    if (found[i] !== expected[i])
      return { row: i, found: found[i], expected: expected[i], of: [found.length, expected.length] };
  return undefined;
}
