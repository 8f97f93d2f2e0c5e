/**
 * What enrich leaves behind when it returns: promises that nobody waits for, timers. Where they fail, Node.js raises that with the
 * process, and Lambda's runtime ends it: it listens to both events from before it loads a function's module (aws-lambda-nodejs-runtime-
 * interface-client, src/index.mjs). One record would fail its batch, again and again. So its listeners make room for these, which know
 * the record by the context that Node.js carries along (Node.js, "Asynchronous context tracking"). Nothing is lost where a runtime
 * listens all the same: the process ends then, and the journal finds the record.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate, setTimeout } from "node:timers/promises";
import { errorText } from "../../src/core/deliver.ts";
import type { Check } from "./deadline.ts";

/** What failed after a record's check, by the record's bytes (the very array); under undefined what carried no context. */
export type Failures = ReadonlyMap<Uint8Array | undefined, string>;

/** A timer of no time takes a millisecond; this much is waited for what checks left behind, ms. */
const WAIT = 2;

export class Strays {
  readonly #late: (failure: string) => void;
  readonly #record = new AsyncLocalStorage<Uint8Array | undefined>();
  /** Records that were checked since it was last waited. */
  readonly #open = new Set<Uint8Array>();
  #failures = new Map<Uint8Array | undefined, string>();
  #told = false;

  /** @param late is told what fails when its record is done with: once from a wait to the next, because it may be each record's. */
  constructor(late: (failure: string) => void) {
    this.#late = late;
  }

  /** From now on hears what fails in this process, and alone. */
  listen(): void {
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.removeAllListeners(event);
      process.on(event, (error: unknown) => this.#note(errorText(error)));
    }
  }

  /** The check, so that what it leaves behind is known for its record's. */
  guard(check: Check): Check {
    return (data, arrival) => {
      this.#open.add(data);
      return this.#record.run(data, () => check(data, arrival));
    };
  }

  /** Waits a little, and tells what failed meanwhile of what the checks since the last time left behind. */
  async settled(): Promise<Failures> {
    // A check that was interrupted has not put the context back.
    this.#record.enterWith(undefined);
    if (this.#open.size > 0) {
      await setTimeout(WAIT);
      await setImmediate();
    }
    const failures = this.#failures;
    this.#failures = new Map();
    this.#open.clear();
    this.#told = false;
    return failures;
  }

  #note(failure: string): void {
    const record = this.#record.getStore();
    if (record === undefined ? this.#open.size > 0 : this.#open.has(record)) this.#failures.set(record, failure);
    else if (!this.#told) {
      this.#told = true;
      this.#late(failure);
    }
  }
}
