/**
 * An endpoint in a process of its own, for tests that kill it and for the bench. Arguments: folder, shards, port (0: any).
 * Prints one line of JSON when it listens; on SIGTERM it closes in order.
 */
import { startEndpoint } from "../../src/engine/endpoint/endpoint.ts";
import { openLog } from "../../src/engine/log/log.ts";

const [dir, shards = "1", port = "0"] = process.argv.slice(2);
if (dir === undefined) throw new Error("usage: endpoint-process FOLDER [SHARDS] [PORT]");

const log = await openLog(dir, { onWarning: (message) => console.error(message) });
const stream = {
  name: "flights",
  arn: "arn:aws:kinesis:us-east-1:000000000000:stream/flights",
  shardCount: Number(shards),
  createdAt: 1_700_000_000_000,
  retentionHours: 24,
  log,
};
const endpoint = await startEndpoint({
  streams: { list: () => [stream], get: (name) => (name === stream.name ? stream : undefined) },
  port: Number(port),
  onFailure: (error) => console.error(error),
});
console.log(JSON.stringify({ port: endpoint.port, nextSequence: log.nextSequence }));
process.on("SIGTERM", async () => {
  await endpoint.close();
  await log.close();
  process.exit(0);
});
