import type { Fault } from "../core/fault.ts";
import type { StreamLog } from "./log/log.ts";

/** Stands in for a stream whose files cannot be read: refuses everything with the reason, so that its pipeline alone fails. */
export function brokenStream(reason: Fault): StreamLog {
  const refuse = () => Promise.reject(reason);
  return {
    nextSequence: 1,
    firstSequence: 1,
    append: refuse,
    read: refuse,
    readShard: refuse,
    seekTime: refuse,
    waitForMore: refuse,
    trim: refuse,
    retain: refuse,
    stats: () => ({ records: 0, bytes: 0, segments: 0, oldestArrival: undefined, newestArrival: undefined }),
    close: async () => {},
  };
}
