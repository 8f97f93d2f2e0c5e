/**
 * Records at which the process itself ends: enrich fills the memory, calls `process.exit`, or leaves behind what never ends, until the
 * call's time is over. Nobody is left then to reject them, and their batch comes again, whole or halved. Lambda begins the process anew
 * in the same environment and leaves /tmp as it was (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle",
 * failures during the invoke phase), so it is written down there that a call is under way. Where one did not come to its end, those after
 * it write down each record before they begin it, and the one at which the process ends then is rejected when it comes again, as on the
 * engine. Where the environment is another one, it begins again; nothing is lost by it.
 */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What lies in the file. Records are named by a digest of their bytes. */
interface Page {
  /** Whether a call is under way; of a page that is found, whether the process ended in it. */
  readonly open: boolean;
  /** For how many calls the records are written down. */
  readonly wary: number;
  /** Those at which the process ended. */
  readonly fatal: readonly string[];
  /** The one at hand. */
  readonly begun?: string;
}

/** The calls until the batch has come again: it may be halved first, and those of other shards come between. */
const WARY = 20;
/** Of each a file holds a digest. */
const MOST_FATAL = 100;

export class Journal {
  readonly #file: string;
  #page: Page = { open: false, wary: 0, fatal: [] };

  constructor(file = join(tmpdir(), "forewatch-records.json")) {
    this.#file = file;
  }

  /** Whether records are to be checked one by one, each with `at`, because the process ended not long ago. */
  get wary(): boolean {
    return this.#page.wary > 0;
  }

  /** Runs a whole call: what it does when the checks are over can show what they left behind, too. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    const last = this.#read();
    const fatal = last.open && last.begun !== undefined ? [...last.fatal, last.begun] : last.fatal;
    const wary = last.open ? WARY : last.wary;
    this.#write({ open: true, wary, fatal: fatal.slice(-MOST_FATAL) });
    try {
      return await call();
    } finally {
      this.#close();
    }
  }

  /** Whether the process ended at this record before. */
  hasEndedAt(data: Uint8Array): boolean {
    return this.#page.fatal.includes(digest(data));
  }

  /** Runs what deals with a record alone. */
  async at<T>(data: Uint8Array, run: () => Promise<T>): Promise<T> {
    const { begun: _, ...page } = this.#page;
    this.#write({ ...page, begun: digest(data) });
    const done = await run();
    // When the process ends after this, the record is not to blame: what is made of all together may be too much.
    this.#write(page);
    return done;
  }

  #close(): void {
    const { wary, fatal } = this.#page;
    if (wary > 1) this.#write({ open: false, wary: wary - 1, fatal });
    else {
      this.#page = { open: false, wary: 0, fatal: [] };
      rmSync(this.#file, { force: true });
    }
  }

  #write(page: Page): void {
    this.#page = page;
    writeFileSync(this.#file, JSON.stringify(page));
  }

  #read(): Page {
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as Page;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { open: false, wary: 0, fatal: [] };
      // The process did not survive its writing.
      if (error instanceof SyntaxError) return { open: true, wary: 0, fatal: [] };
      throw error;
    }
  }
}

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
