/** Checks and formats SQL in a worker, which starts when it is first needed and again when it has died. No `vscode` here. */
import { Worker } from "node:worker_threads";
import { Fault } from "../../core/fault.ts";
import type { Catalogue, Diagnostic } from "../../sql/index.ts";

/** What the worker is asked. Catalogues are handed over once, by name. */
export type CheckRequest =
  | { readonly kind: "catalogue"; readonly name: string; readonly catalogue: Catalogue }
  | { readonly kind: "forget"; readonly document: string }
  | { readonly kind: "format"; readonly id: number; readonly text: string }
  | {
      readonly kind: "check";
      readonly id: number;
      readonly document: string;
      readonly text: string;
      readonly catalogue?: string;
    };

export type CheckReply =
  | { readonly id: number; readonly diagnostics: readonly Diagnostic[] }
  | { readonly id: number; readonly superseded: true }
  /** It is not done yet: a sign of life. */
  | { readonly id: number; readonly working: true }
  | { readonly id: number; readonly text: string }
  | { readonly id: number; readonly failure: string };

/** A worker that says nothing for this long hangs, ms. */
const PATIENCE = 20_000;

interface Pending {
  readonly resolve: (reply: CheckReply) => void;
  readonly reject: (fault: Fault) => void;
}

export class Checker {
  readonly #file: string;
  readonly #catalogues = new Map<string, Catalogue>();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #watch: NodeJS.Timeout | undefined;
  #count = 0;

  /** @param file the worker's bundle */
  constructor(file: string) {
    this.#file = file;
  }

  /** Tells the tables of a pipeline; checks that name it use them from now on. */
  setCatalogue(name: string, catalogue: Catalogue): void {
    if (this.#catalogues.get(name) === catalogue) return;
    this.#catalogues.set(name, catalogue);
    this.#worker?.postMessage({ kind: "catalogue", name, catalogue } satisfies CheckRequest);
  }

  /** The diagnostics of a text; undefined when a newer text of the same document came meanwhile. */
  async check(document: string, text: string, catalogue?: string): Promise<readonly Diagnostic[] | undefined> {
    const reply = await this.#ask((id) => ({
      kind: "check",
      id,
      document,
      text,
      ...(catalogue !== undefined && { catalogue }),
    }));
    return "diagnostics" in reply ? reply.diagnostics : undefined;
  }

  /** The text, formatted. */
  async format(text: string): Promise<string> {
    const reply = await this.#ask((id) => ({ kind: "format", id, text }));
    return "text" in reply ? reply.text : text;
  }

  /** Lets go of what is remembered of a document. */
  forget(document: string): void {
    this.#worker?.postMessage({ kind: "forget", document } satisfies CheckRequest);
  }

  dispose(): void {
    this.#end("The editor closes.");
  }

  #ask(request: (id: number) => CheckRequest): Promise<CheckReply> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#running().postMessage(request(id));
      this.#watch ??= setTimeout(() => this.#end("It did not answer."), PATIENCE);
    });
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#file);
    worker.unref();
    worker.on("message", (reply: CheckReply) => this.#take(reply));
    worker.on("error", (error) => {
      if (this.#worker === worker) this.#end(error.message);
    });
    for (const [name, catalogue] of this.#catalogues)
      worker.postMessage({ kind: "catalogue", name, catalogue } satisfies CheckRequest);
    this.#worker = worker;
    return worker;
  }

  #take(reply: CheckReply): void {
    const pending = this.#pending.get(reply.id);
    if (!("working" in reply)) this.#pending.delete(reply.id);
    clearTimeout(this.#watch);
    this.#watch = this.#pending.size === 0 ? undefined : setTimeout(() => this.#end("It did not answer."), PATIENCE);
    if ("working" in reply) return;
    if ("failure" in reply)
      pending?.reject(new Fault("unexpected", "The SQL could not be checked.", { cause: reply.failure }));
    else pending?.resolve(reply);
  }

  /** Ends the worker; what it was asked is not answered any more. */
  #end(why: string): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    void this.#worker?.terminate();
    this.#worker = undefined;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(new Fault("unexpected", "The SQL could not be checked.", { cause: why }));
  }
}
