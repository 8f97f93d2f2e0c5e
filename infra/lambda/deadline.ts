/**
 * Checking records within the time that a function has. A record at which the user's enrich function does not come back is
 * rejected, as on the engine, and those beside it go on. There is no worker to end here; V8 itself interrupts what runs too long
 * (Node.js, "vm", `timeout`).
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

/** What becomes of each record, in their order; of fewer than there are when the patience came to an end. Never fails. */
export type CheckAll = (records: readonly Unchecked[], patience?: Patience) => Promise<Delivered[]>;

/** How long enrich may take for one record now, with so many left, ms; 0 when there is no time for another. */
export type Patience = (left: number) => number;

/** What a slice has above the patience, so that a record that hangs behind quick ones has had all of it when the slice ends. */
const SLICE = 1.1;
/** A pause of the machine, such as V8's collecting of garbage, takes no longer, ms: who had less is tried once more. */
const PAUSE = 50;
/** How often its patience a record may cost: within a slice, and alone when it was not the slice's first. */
const COST = SLICE + 1;

/** The same of what a check does until it returns, whatever that is. */
export function checkAll(
  check: Check,
  records: readonly Unchecked[],
  patience: Patience = () => PATIENCE,
): Delivered[] {
  const done: Delivered[] = [];
  let begun = { at: -1, time: 0 };
  const next = () => {
    const { data, arrival } = records[done.length]!;
    begun = { at: done.length, time: performance.now() };
    done.push(check(data, arrival));
  };
  while (done.length < records.length) {
    const millis = Math.ceil(patience(records.length - done.length));
    if (millis <= 0) break;
    // One deadline for many records, because each takes a thread to watch it.
    const slice = Math.ceil(SLICE * millis);
    const came = within(slice, () => {
      while (done.length < records.length) next();
    });
    if (came) break;
    const at = done.length;
    if (at === records.length) break;
    // Time ran out at this record, which may only have been the last of many slow ones: alone, it has all of it.
    const had = begun.at === at ? performance.now() - begun.time : 0;
    const alone = () => within(millis, next) || done.length > at;
    if (had < millis && alone()) continue;
    if (millis < PAUSE && alone()) continue;
    const hurried = millis < PATIENCE ? "; so many records of its batch hung that no more time was left" : "";
    const detail = `enrich did not return within ${millis} ms${hurried}`;
    done.push(rejected("enrich-timeout", detail, records[at]!.data));
  }
  return done;
}

/** Whole patience as long as `millis` allow for it, then none: what is left over comes again. */
export function stopping(millis: number, now = () => performance.now()): Patience {
  const until = now() + millis;
  return () => (now() + COST * PATIENCE <= until ? PATIENCE : 0);
}

/**
 * Whole patience during the first half of `millis`, then for each record a share of the time that is left: all are dealt with in
 * time, however many hang. A record that needs more than its share is rejected for it.
 */
export function sharing(millis: number, now = () => performance.now()): Patience {
  const start = now();
  return (left) => {
    const spent = now() - start;
    if (spent < millis / 2) return PATIENCE;
    return Math.min(PATIENCE, Math.max(1, Math.floor((millis - spent) / ((COST + 1) * left))));
  };
}

/** A record that is rejected whole. */
export function rejected(reason: "enrich-timeout" | "enrich-failed", detail: string, data: Uint8Array): Delivered {
  return { events: [], rejections: [{ reason, detail, data }], dropped: 0 };
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
