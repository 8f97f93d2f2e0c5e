/**
 * The worker that takes records to events: parsing, the user's enrich function and the checks run here, off the engine's
 * own thread, so that an endless enrich function can be ended without losing anything.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Delivered, deliverer, type Enrich } from "../core/deliver.ts";
import type { PipelineSpec } from "../core/spec.ts";
import type { CollectReply, CollectRequest } from "./collector.ts";

const { spec, enrichUrl, progress } = workerData as {
  spec: PipelineSpec;
  enrichUrl: string | null;
  /** One cell: the index of the record being worked on, for the watchdog. */
  progress: SharedArrayBuffer;
};
const working = new Int32Array(progress);
const port = parentPort!;

let deliver: ((data: Uint8Array) => Delivered) | undefined;
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
  const reply: CollectReply = { id, events: [], rejections: [], dropped: 0 };
  for (let i = 0; i < ends.length; i++) {
    Atomics.store(working, 0, i);
    const delivered = deliver!(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!));
    for (const e of delivered.events) reply.events.push({ record: i, time: e.time, values: e.values });
    // A copy: the view would carry the whole batch across.
    for (const r of delivered.rejections)
      reply.rejections.push({ record: i, reason: r.reason, detail: r.detail, data: r.data.slice() });
    reply.dropped += delivered.dropped;
  }
  Atomics.store(working, 0, -1);
  port.postMessage(reply);
});
