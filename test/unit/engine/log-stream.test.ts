import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { type LogOptions, openLog, type StreamLog } from "../../../src/engine/log/log.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const ALL = { maxRecords: 1_000_000, maxBytes: Number.POSITIVE_INFINITY };

async function opened(dir: string, options: LogOptions = {}): Promise<StreamLog> {
  const log = await openLog(dir, options);
  onTestFinished(() => log.close());
  return log;
}

function texts(count: number, text = "record", shard = 0) {
  return Array.from({ length: count }, (_, i) => ({
    shard,
    partitionKey: `key-${i}`,
    data: Buffer.from(`${text} ${i}`),
  }));
}

/** All data as text, read in pages; nothing may be skipped or repeated within or between them. */
async function contents(log: StreamLog, from = 1, page = 7): Promise<string[]> {
  const found: string[] = [];
  for (let next = Math.max(from, log.firstSequence); ; ) {
    const records = await log.read(next, { maxRecords: page, maxBytes: 1_000_000 });
    if (records.length === 0) return found;
    expect(records.map((r) => r.sequence)).toEqual(records.map((_, i) => next + i));
    found.push(...records.map((r) => Buffer.from(r.data).toString()));
    next += records.length;
  }
}

function lastFile(dir: string): string {
  return join(dir, readdirSync(dir).sort().at(-1)!);
}

describe("appending and reading", () => {
  it("numbers records from 1 without gaps, in the order of the calls", async () => {
    const log = await opened(temporaryFolder());
    const answers = await Promise.all([log.append(texts(2, "a")), log.append(texts(3, "b")), log.append([])]);
    expect(answers.map((a) => a.map((r) => r.sequence))).toEqual([[1, 2], [3, 4, 5], []]);
    expect(log.firstSequence).toBe(1);
    expect(log.nextSequence).toBe(6);
    expect(await contents(log)).toEqual(["a 0", "a 1", "b 0", "b 1", "b 2"]);
    expect((await log.read(2, ALL))[0]!.partitionKey).toBe("key-1");
  });

  it("lets many producers write at once and loses no record of any", async () => {
    const dir = temporaryFolder();
    const log = await opened(dir, { segmentBytes: 20_000 });
    const producers = Array.from({ length: 20 }, async (_, producer) => {
      for (let call = 0; call < 20; call++) await log.append(texts(5, `${producer}.${call}`));
    });
    await Promise.all(producers);
    const found = await contents(log, 1, 100);
    expect(found.length).toBe(2_000);
    expect(new Set(found).size).toBe(2_000);
    for (let producer = 0; producer < 20; producer++) {
      const own = found.filter((text) => text.startsWith(`${producer}.`));
      expect(own).toEqual(
        Array.from({ length: 20 }, (_, call) => texts(5, `${producer}.${call}`))
          .flat()
          .map((r) => r.data.toString()),
      );
    }
    expect(log.stats().segments).toBeGreaterThan(1);
  });

  it("reads the same from memory and from files, wherever one begins and however large the pages are", async () => {
    const dir = temporaryFolder();
    const log = await opened(dir, { segmentBytes: 3_000, tailBytes: 2_000 });
    for (let call = 0; call < 40; call++) await log.append(texts(1 + (call % 7), `call ${call}`));
    const all = await contents(log);
    await log.close();
    const reopened = await opened(dir, { segmentBytes: 3_000, tailBytes: 0 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: all.length + 5 }),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(log, reopened),
        async (from, page, which) => {
          expect(await contents(which, from, page)).toEqual(all.slice(Math.max(from, 1) - 1));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("keeps to the limits of a read, but always returns a record", async () => {
    const log = await opened(temporaryFolder());
    await log.append(Array.from({ length: 10 }, () => ({ shard: 0, partitionKey: "k", data: Buffer.alloc(100) })));
    for (const [maxRecords, maxBytes, expected] of [
      [3, 10_000, 3],
      [100, 250, 2],
      [100, 300, 3],
      [100, 1, 1],
      [100, 10_000, 10],
    ] as const) {
      expect((await log.read(1, { maxRecords, maxBytes })).length, `${maxRecords}, ${maxBytes}`).toBe(expected);
    }
    expect(await log.read(11, ALL)).toEqual([]);
  });

  it("reads one shard among many and passes over the others", async () => {
    const log = await opened(temporaryFolder(), { segmentBytes: 2_000 });
    for (let i = 0; i < 60; i++) await log.append(texts(2, `${i}`, i % 3));
    const found: number[] = [];
    let from = 1;
    for (let reads = 0; reads < 100 && from < log.nextSequence; reads++) {
      const { records, nextFrom } = await log.readShard(1, from, { maxRecords: 3, maxBytes: 1_000 });
      expect(records.every((r) => r.shard === 1)).toBe(true);
      found.push(...records.map((r) => r.sequence));
      from = nextFrom;
    }
    const expected = Array.from({ length: 120 }, (_, i) => i + 1).filter((s) => Math.floor((s - 1) / 2) % 3 === 1);
    expect(found).toEqual(expected);
    expect((await log.readShard(1, log.nextSequence, ALL)).millisBehindLatest).toBe(0);
    expect(await log.readShard(9, 1, ALL)).toMatchObject({ records: [], nextFrom: 121, millisBehindLatest: 0 });
  });

  it("copies what it is given: the caller may use its buffers again", async () => {
    const log = await opened(temporaryFolder());
    const data = Buffer.from("before");
    const appended = log.append([{ shard: 0, partitionKey: "k", data }]);
    data.write("after!");
    await appended;
    expect(await contents(log)).toEqual(["before"]);
  });

  it("takes an append of more than a block holds", async () => {
    const dir = temporaryFolder();
    const log = await opened(dir);
    const large = Array.from({ length: 5 }, (_, i) => ({
      shard: 0,
      partitionKey: "k",
      data: Buffer.alloc(5_000_000, i),
    }));
    const appended = await log.append(large);
    expect(appended.map((r) => r.sequence)).toEqual([1, 2, 3, 4, 5]);
    await log.close();
    const reopened = await opened(dir);
    const records = await reopened.read(1, ALL);
    expect(records.map((r) => [r.data.length, r.data[4_999_999]])).toEqual([0, 1, 2, 3, 4].map((i) => [5_000_000, i]));
  });

  it("refuses what cannot be framed, and when too much waits", async () => {
    const log = await opened(temporaryFolder());
    const wide = [{ shard: 70_000, partitionKey: "k", data: Buffer.alloc(1) }];
    await expect(log.append(wide)).rejects.toMatchObject({ code: "input.invalid" });
    const large = [{ shard: 0, partitionKey: "k", data: Buffer.alloc(30_000_000) }];
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => log.append(large)));
    expect(results.map((r) => (r.status === "fulfilled" ? "kept" : Fault.from(r.reason).code))).toEqual([
      "kept",
      "kept",
      "stream.busy",
      "stream.busy",
    ]);
    expect(log.nextSequence).toBe(3);
  });
});

describe("time", () => {
  it("never goes backwards, whatever the wall clock does, nor over a restart", async () => {
    const dir = temporaryFolder();
    const clock = [5_000, 7_000, 3_000, 9_000];
    const log = await opened(dir, { now: () => clock.shift() ?? 0 });
    const arrivals: number[] = [];
    for (let i = 0; i < 4; i++) arrivals.push((await log.append(texts(1)))[0]!.arrival);
    await log.trim(log.nextSequence);
    await log.close();
    const reopened = await opened(dir, { now: () => 1_000 });
    arrivals.push((await reopened.append(texts(1)))[0]!.arrival);
    expect(arrivals).toEqual([5_000, 7_000, 7_000, 9_000, 9_000]);
  });

  it("is found: the first record at or after it", async () => {
    const dir = temporaryFolder();
    let now = 0;
    const log = await opened(dir, { segmentBytes: 500, now: () => now });
    for (let i = 1; i <= 50; i++) {
      now = i * 10;
      await log.append(texts(2));
    }
    const check = async (which: StreamLog) => {
      for (let time = 0; time <= 520; time += 5) {
        const step = Math.max(1, Math.ceil(time / 10));
        expect(await which.seekTime(time), `${time}`).toBe(step > 50 ? 101 : step * 2 - 1);
      }
    };
    await check(log);
    await log.close();
    await check(await opened(dir));
  });
});

describe("waiting for more", () => {
  it("ends when a record comes, at once when there is one, and with a fault when cancelled or closed", async () => {
    const log = await opened(temporaryFolder());
    const { signal } = new AbortController();
    const waiting = log.waitForMore(1, signal);
    await log.append(texts(1));
    await waiting;
    await log.waitForMore(1, signal);
    const cancel = new AbortController();
    const cancelled = log.waitForMore(2, cancel.signal);
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    await expect(log.waitForMore(2, cancel.signal)).rejects.toMatchObject({ code: "cancelled" });
    const closing = log.waitForMore(2, signal);
    const check = expect(closing).rejects.toMatchObject({ code: "cancelled" });
    await log.close();
    await check;
    await expect(log.append(texts(1))).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("retention", () => {
  it("removes whole segments, never what is needed, and carries the counter on", async () => {
    const dir = temporaryFolder();
    const log = await opened(dir, { segmentBytes: 1_000 });
    for (let i = 0; i < 50; i++) await log.append(texts(2));
    const { segments } = log.stats();
    expect(segments).toBeGreaterThan(3);
    expect(await log.trim(40)).toBe(log.firstSequence - 1);
    expect(log.firstSequence).toBeLessThanOrEqual(40);
    expect(log.firstSequence).toBeGreaterThan(1);
    const kept = await contents(log, 0);
    expect(kept.length).toBe(log.nextSequence - log.firstSequence);
    await log.trim(log.nextSequence);
    expect(log.stats()).toMatchObject({ records: 0, segments: 1, oldestArrival: undefined, newestArrival: undefined });
    expect(readdirSync(dir).length).toBe(1);
    await log.close();
    const reopened = await opened(dir);
    expect((await reopened.append(texts(1)))[0]!.sequence).toBe(101);
    expect(await contents(reopened, 0)).toEqual(["record 0"]);
  });

  it("goes by age and by bytes, and stops at the sequence that is still needed", async () => {
    let now = 0;
    const log = await opened(temporaryFolder(), { segmentBytes: 500, now: () => now });
    for (let i = 1; i <= 40; i++) {
      now = i * 1_000;
      await log.append(texts(2));
    }
    await log.retain({ maxAgeMs: 20_000, keepFrom: Number.POSITIVE_INFINITY });
    expect(log.stats().oldestArrival).toBeLessThanOrEqual(20_000);
    expect(log.stats().oldestArrival).toBeGreaterThan(14_000);
    const first = log.firstSequence;
    expect(await log.retain({ maxBytes: 0, keepFrom: first })).toBe(0);
    await log.retain({ maxBytes: 1_200, keepFrom: 75 });
    expect(log.stats().bytes).toBeLessThanOrEqual(1_200);
    await log.retain({ maxBytes: 0, keepFrom: 75 });
    expect(log.firstSequence).toBeLessThanOrEqual(75);
    now = 100_000;
    await log.retain({ maxAgeMs: 1_000, keepFrom: Number.POSITIVE_INFINITY });
    expect(log.stats().records).toBe(0);
  });

  it("does not disturb a reader that is on its way", async () => {
    const log = await opened(temporaryFolder(), { segmentBytes: 1_000, tailBytes: 0 });
    for (let i = 0; i < 100; i++) await log.append(texts(2));
    const [first] = await log.read(1, { maxRecords: 1, maxBytes: 1 });
    expect(first!.sequence).toBe(1);
    const reading = log.read(2, ALL);
    const trimming = log.trim(150);
    const sequences = (await reading).map((r) => r.sequence);
    await trimming;
    expect(sequences.at(-1)).toBe(200);
    expect(sequences.every((s, i) => i === 0 || s > sequences[i - 1]!)).toBe(true);
    expect((await log.read(2, ALL))[0]!.sequence).toBe(log.firstSequence);
  });
});

describe("recovery", () => {
  it("keeps every whole append after a cut at any byte, and goes on", async () => {
    const dir = temporaryFolder();
    const log = await openLog(join(dir, "whole"));
    const ends: number[] = [];
    for (let i = 0; i < 4; i++) {
      await log.append(texts(1 + (i % 3), `${i}`));
      ends.push(log.stats().bytes);
    }
    const all = await contents(log);
    const counts = [1, 3, 6, 7];
    await log.close();
    const source = lastFile(join(dir, "whole"));
    const size = statSync(source).size;
    for (let length = 32; length <= size; length++) {
      const copy = join(dir, `cut-${length}`);
      mkdirSync(copy);
      const file = join(copy, "0000000000000001.log");
      copyFileSync(source, file);
      truncateSync(file, length);
      const warnings: string[] = [];
      const recovered = await openLog(copy, { onWarning: (w) => warnings.push(w) });
      const whole = ends.filter((end) => end <= length).length;
      const kept = counts[whole - 1] ?? 0;
      expect(recovered.nextSequence, `${length}`).toBe(kept + 1);
      expect(warnings.length).toBe(length === 32 || ends.includes(length) ? 0 : 1);
      expect((await recovered.append(texts(1, "next")))[0]!.sequence).toBe(kept + 1);
      expect(await contents(recovered, 1, 100)).toEqual([...all.slice(0, kept), "next 0"]);
      await recovered.close();
      rmSync(copy, { recursive: true });
    }
  });

  it("cuts off garbage behind the last append", async () => {
    const dir = temporaryFolder();
    const log = await openLog(dir);
    await log.append(texts(3));
    await log.close();
    const file = lastFile(dir);
    const sound = readFileSync(file);
    for (const garbage of [
      Buffer.alloc(5_000),
      Buffer.alloc(3, 0xff),
      Buffer.from("FWB1FWB1FWB1"),
      sound.subarray(32, 60),
    ]) {
      writeFileSync(file, Buffer.concat([sound, garbage]));
      const recovered = await openLog(dir);
      expect(recovered.nextSequence).toBe(4);
      await recovered.close();
      expect(readFileSync(file).equals(sound)).toBe(true);
    }
  });

  it("reports damage to acknowledged records with file and offset, and changes nothing", async () => {
    const dir = temporaryFolder();
    const log = await openLog(dir);
    await log.append(texts(3, "first"));
    const middle = log.stats().bytes;
    await log.append(texts(3, "second"));
    await log.append(texts(3, "third"));
    await log.close();
    const file = lastFile(dir);
    const bytes = readFileSync(file);
    bytes[middle + 60]! ^= 1;
    writeFileSync(file, bytes);
    const failure = await openLog(dir).catch((error: unknown) => Fault.from(error));
    expect(failure).toMatchObject({ code: "stream.corrupt" });
    expect((failure as Fault).message).toContain(`${file} is damaged at byte ${middle}`);
    expect((failure as Fault).next).toContain("backup");
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it.each([
    [
      "a turned bit in an older segment",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 3]! ^= 1;
        writeFileSync(file, bytes);
      },
      "is damaged at byte",
    ],
    ["an older segment cut short", (file: string) => truncateSync(file, statSync(file).size - 1), "is damaged at byte"],
    ["a missing segment", (file: string) => rmSync(file), "is missing"],
  ])("reports %s when a reader gets there", async (_, harm, words) => {
    const dir = temporaryFolder();
    const log = await openLog(dir, { segmentBytes: 1_000 });
    for (let i = 0; i < 40; i++) await log.append(texts(2));
    await log.close();
    const second = join(dir, readdirSync(dir).sort()[1]!);
    harm(second);
    const reopened = await opened(dir);
    const failure = await reopened.read(1, ALL).catch((error: unknown) => Fault.from(error));
    expect(failure).toMatchObject({ code: "stream.corrupt" });
    expect((failure as Fault).message).toContain(words);
    // What lies behind the damage can still be read.
    expect((await reopened.read(80, ALL)).length).toBe(1);
  });

  it.each([
    ["a damaged header", 20, "stream.corrupt"],
    ["a foreign file", 0, "stream.corrupt"],
    ["a later format", 8, "engine.version"],
  ])("refuses %s", async (_, offset, code) => {
    const dir = temporaryFolder();
    await (await openLog(dir)).close();
    const file = lastFile(dir);
    const bytes = readFileSync(file);
    bytes[offset]! ^= 0x40;
    writeFileSync(file, bytes);
    await expect(openLog(dir)).rejects.toMatchObject({ code });
  });

  it("clears away a segment that was being made", async () => {
    const dir = temporaryFolder();
    const log = await openLog(dir);
    await log.append(texts(2));
    await log.close();
    writeFileSync(join(dir, "0000000000000003.log.new"), "FWST");
    const reopened = await opened(dir);
    expect(reopened.nextSequence).toBe(3);
    expect(readdirSync(dir).length).toBe(1);
  });
});
