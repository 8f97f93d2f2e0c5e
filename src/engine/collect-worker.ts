/**
 * The worker that takes records to events: parsing, the user's enrich function and the checks run here, off the engine's
 * own thread, so that an endless enrich function can be ended without losing anything.
 */
import { isAscii } from "node:buffer";
import { parentPort, workerData } from "node:worker_threads";
import { type Delivered, deliverer, type Enrich } from "../core/deliver.ts";
import type { PipelineSpec } from "../core/spec.ts";
import type { CollectReply, CollectRequest } from "./collector.ts";
import { buffersOf, ColumnsBuilder } from "./columns.ts";

const { spec, enrichUrl, progress } = workerData as {
  spec: PipelineSpec;
  enrichUrl: string | null;
  /** One cell: the index of the record being worked on, for the watchdog. */
  progress: SharedArrayBuffer;
};
const working = new Int32Array(progress);
const port = parentPort!;

let deliver: ((data: Uint8Array, text?: string) => Delivered) | undefined;
let failure: string | undefined;
try {
  const module = enrichUrl ? ((await import(enrichUrl)) as { default?: unknown }) : undefined;
  if (module && typeof module.default !== "function") failure = "it has no default export that is a function";
  else deliver = deliverer(spec, module?.default as Enrich | undefined);
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
}
port.postMessage({ ready: failure === undefined, ...(failure !== undefined && { failure }) });

port.on("message", ({ id, bytes, ends }: CollectRequest) => {
  const columns = new ColumnsBuilder(spec, ends.length);
  const rejections: CollectReply["rejections"] = [];
  let dropped = 0;
  // One decoding for all: where every character is a byte, the records' ends are those of their text.
  const text = isAscii(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    : undefined;
  for (let i = 0, from = 0; i < ends.length; i++) {
    Atomics.store(working, 0, i);
    const end = ends[i]!;
    const delivered = deliver!(bytes.subarray(from, end), text?.slice(from, end));
    from = end;
    for (const e of delivered.events) columns.add(i, e);
    // A copy: the view would carry the whole batch across.
    for (const r of delivered.rejections) rejections.push({ ...r, record: i, data: r.data.slice() });
    dropped += delivered.dropped;
  }
  Atomics.store(working, 0, -1);
  const events = columns.done();
  port.postMessage({ id, events, rejections, dropped } satisfies CollectReply, buffersOf(events));
});
