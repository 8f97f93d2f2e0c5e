/**
 * Records at which the process itself ends, because enrich fills the memory or calls `process.exit`. Nobody is left then to reject
 * them, and their batch comes again. Lambda begins the process anew in the same environment and leaves /tmp as it was (Lambda
 * Developer Guide, "Understanding the Lambda execution environment lifecycle", failures during the invoke phase), so it is written
 * down there what was at hand: of a batch that comes again each record before it is begun, and the next time that one is rejected,
 * as on the engine. Where the environment is another one, it begins again; nothing is lost by it.
 */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Check, rejected } from "./deadline.ts";

/** What lies in the file while a batch is at hand. Records are named by a digest of their bytes. */
interface Page {
  readonly batch: string;
  /** Those at which the process ended before. */
  readonly fatal: readonly string[];
  /** The one that was begun last, in a batch that came again. */
  readonly begun?: string;
}

export class Journal {
  readonly #file: string;
  #page: Page = { batch: "", fatal: [] };
  #again = false;

  constructor(file = join(tmpdir(), "forewatch-batch.json")) {
    this.#file = file;
  }

  /** Runs what deals with a batch, which `batch` names, the same each time it comes. */
  during<T>(batch: string, run: () => T): T {
    const last = this.#read();
    this.#again = last?.batch === batch;
    const fatal = this.#again ? [...last!.fatal, ...(last!.begun === undefined ? [] : [last!.begun])] : [];
    this.#write({ batch, fatal });
    try {
      return run();
    } finally {
      rmSync(this.#file, { force: true });
    }
  }

  /** The check, for batches that `during` runs. */
  guard(check: Check): Check {
    return (data, arrival) => {
      if (!this.#again) return check(data, arrival);
      const { batch, fatal } = this.#page;
      const record = createHash("sha256").update(data).digest("hex");
      if (fatal.includes(record)) return rejected("enrich-failed", "enrich ended its process", data);
      this.#write({ batch, fatal, begun: record });
      const delivered = check(data, arrival);
      // When the process ends after its check, it is not to blame: what is made of all records together may be too much.
      this.#write({ batch, fatal });
      return delivered;
    };
  }

  #write(page: Page): void {
    this.#page = page;
    writeFileSync(this.#file, JSON.stringify(page));
  }

  #read(): Page | undefined {
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as Page;
    } catch (error) {
      // None, or one whose writing the process did not survive.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}
