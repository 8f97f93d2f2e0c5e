import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Batch, Producer } from "../../src/engine/producer.ts";
import { serve } from "../support/endpoint.ts";

const MIB = 1024 * 1024;

/** Batches of numbered records, `each` of them in a batch. */
function batches(total: number, each: number): Batch[] {
  return Array.from({ length: total / each }, (_, b) => ({
    count: each,
    records: Array.from({ length: each }, (_, i) =>
      JSON.stringify({ Data: Buffer.from(`${b * each + i}`).toString("base64"), PartitionKey: `${i}` }),
    ).join(","),
  }));
}

async function sentTo(served: Awaited<ReturnType<typeof serve>>, sent: readonly Batch[]): Promise<number> {
  let told = 0;
  const producer = new Producer(`http://127.0.0.1:${served.port}`, "flights", (records) => {
    told += records;
  });
  try {
    for (const batch of sent) await producer.put(batch);
    await producer.flush();
  } finally {
    await producer.close();
  }
  return told;
}

async function numbersIn(served: Awaited<ReturnType<typeof serve>>): Promise<number[]> {
  const records = await served.streams[0]!.log.read(1, { maxRecords: 100_000, maxBytes: MIB });
  return records.map((r) => Number(Buffer.from(r.data).toString()));
}

describe("a replay's producer", () => {
  it("keeps the order of the records with several calls under way", async () => {
    const served = await serve({ flights: 3 });
    expect(await sentTo(served, batches(10_000, 100))).toBe(10_000);
    expect(await numbersIn(served)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  it("sends again what the stream refused for now, and nothing else", async () => {
    let clock = 0;
    // Each look at the clock is a moment later, so that the shard takes some more with each call.
    const served = await serve(
      { flights: 1 },
      { shardRate: { recordsPerSecond: 40, bytesPerSecond: MIB }, now: () => (clock += 15) },
    );
    expect(await sentTo(served, batches(300, 50))).toBe(300);
    expect((await numbersIn(served)).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it("says so when the stream does not take the records, also of a batch before the last", async () => {
    const served = await serve({ flights: 1 });
    const producer = new Producer(`http://127.0.0.1:${served.port}`, "elsewhere", () => {});
    const [first, second] = batches(2, 1);
    await producer.put(first!);
    await expect(
      (async () => {
        await producer.put(second!);
        await producer.flush();
      })(),
    ).rejects.toThrow("The stream refused the records.");
    await producer.close();
  });

  it("sends nothing twice when its connection breaks: what was under way may have been taken", async () => {
    const bodies: string[] = [];
    const server = createServer((request) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        bodies.push(body);
        // Two calls were taken, and neither is answered.
        if (bodies.length >= 2) request.socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const producer = new Producer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "flights", () => {});
    const sending = (async () => {
      for (const batch of batches(4, 1)) await producer.put(batch);
      await producer.flush();
    })();
    await expect(sending).rejects.toThrow();
    await producer.close();
    expect(new Set(bodies).size).toBe(bodies.length);
  });
});
