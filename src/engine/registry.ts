import { Fault } from "../core/fault.ts";
import type { Pipeline } from "./pipeline.ts";

/** The pipelines that run, by name. */
export class Registry {
  readonly #pipelines = new Map<string, Pipeline>();

  list(): Pipeline[] {
    return [...this.#pipelines.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  find(name: string): Pipeline | undefined {
    return this.#pipelines.get(name);
  }

  /** The pipeline of that name, or a fault that says which there are. */
  get(name: string): Pipeline {
    const found = this.#pipelines.get(name);
    if (found) return found;
    const names = [...this.#pipelines.keys()];
    throw new Fault("stack.not-found", `No pipeline "${name}" is deployed here.`, {
      next: names.length > 0 ? `Deployed: ${names.join(", ")}.` : "Deploy it first.",
    });
  }

  /** The pipeline, if its pump runs. */
  running(name: string): Pipeline {
    const pipeline = this.get(name);
    const { fault } = pipeline.summary();
    if (!pipeline.started) throw Fault.from(fault ?? new Fault("stack.failed", `The pipeline "${name}" does not run.`));
    return pipeline;
  }

  put(pipeline: Pipeline): void {
    this.#pipelines.set(pipeline.spec.name, pipeline);
  }

  drop(name: string): void {
    this.#pipelines.delete(name);
  }
}
