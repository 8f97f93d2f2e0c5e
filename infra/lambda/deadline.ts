/**
 * Checking records with a deadline: a record at which the user's enrich function does not come back is rejected, as on the engine,
 * and those beside it go on. There is no worker to end here; V8 itself interrupts what runs too long (Node.js, "vm", `timeout`).
 */
import { createContext, Script } from "node:vm";
import type { Delivered } from "../../src/core/deliver.ts";

/** How long enrich may take for one record, ms: the engine's measure. */
export const PATIENCE = 2_000;

export type Check = (data: Uint8Array, arrival: number) => Delivered;

export interface Unchecked {
  readonly data: Uint8Array;
  /** Epoch ms. */
  readonly arrival: number;
}

/** What becomes of each record, in their order. Ends whatever enrich does, by `patience` ms for each record that hangs, twice. */
export function checkAll(check: Check, records: readonly Unchecked[], patience = PATIENCE): Delivered[] {
  const done: Delivered[] = [];
  const next = () => {
    const { data, arrival } = records[done.length]!;
    done.push(check(data, arrival));
  };
  while (done.length < records.length) {
    // One deadline for many records, because each takes a thread to watch it.
    const came = within(patience, () => {
      while (done.length < records.length) next();
    });
    if (came) break;
    // Time ran out at this record, which may only have been the last of many slow ones: alone, it has all of it.
    const at = done.length;
    if (at === records.length || within(patience, next) || done.length > at) continue;
    const rejection = {
      reason: "enrich-timeout" as const,
      detail: `enrich did not return within ${patience} ms`,
      data: records[at]!.data,
    };
    done.push({ events: [], rejections: [rejection], dropped: 0 });
  }
  return done;
}

const context = createContext({ run: undefined as unknown });
const script = new Script("run()");

/** Runs a synchronous function; false when it was interrupted after `millis`. What it throws goes on. */
function within(millis: number, run: () => void): boolean {
  context.run = run;
  try {
    script.runInContext(context, { timeout: millis });
    return true;
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  } finally {
    context.run = undefined;
  }
}
