/** Worker threads that forecast series side by side; started when first needed, ended when long idle. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Fault } from "../core/fault.ts";
import type {
  BacktestOptions,
  BacktestReport,
  ForecastOptions,
  SeriesForecast,
  TimeSeries,
} from "../forecaster/index.ts";

export type TrainRequest =
  | { readonly id: number; readonly kind: "forecast"; readonly series: TimeSeries; readonly options: ForecastOptions }
  | { readonly id: number; readonly kind: "backtest"; readonly series: TimeSeries; readonly options: BacktestOptions };

export interface TrainReply {
  readonly id: number;
  readonly forecast?: SeriesForecast;
  readonly backtest?: BacktestReport;
  /** Why this series could not be forecast. */
  readonly failure?: string;
}

/** A task without its number. */
export type TrainTask = TrainRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

const IDLE_MS = 30_000;

interface Lane {
  readonly worker: Worker;
  busy: boolean;
}

export class TrainPool {
  readonly #workerFile: URL;
  readonly #size: number;
  readonly #lanes: Lane[] = [];
  readonly #waiting: ((lane: Lane | Fault) => void)[] = [];
  #idle: NodeJS.Timeout | undefined;
  #closed = false;
  #ids = 0;

  constructor(workerFile: URL, size = availableParallelism()) {
    this.#workerFile = workerFile;
    this.#size = size;
  }

  /**
   * Runs every task; `onDone` is told after each. Rejects with `cancelled` when `signal` fires: running series are let
   * finish, the rest never begins.
   */
  async run(tasks: readonly TrainTask[], signal: AbortSignal, onDone: (done: number) => void): Promise<TrainReply[]> {
    const replies = new Array<TrainReply>(tasks.length);
    let next = 0;
    let done = 0;
    const lane = async () => {
      while (next < tasks.length) {
        if (signal.aborted) throw new Fault("cancelled", "The training was cancelled.");
        const at = next++;
        replies[at] = await this.#one(tasks[at]!);
        onDone(++done);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#size, tasks.length) }, lane));
    return replies;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    for (const resolve of this.#waiting.splice(0)) resolve(new Fault("cancelled", "The engine is stopping."));
    await Promise.all(this.#lanes.splice(0).map((l) => l.worker.terminate()));
  }

  async #one(task: TrainTask): Promise<TrainReply> {
    const lane = await this.#lane();
    const id = ++this.#ids;
    try {
      return await new Promise<TrainReply>((resolve, reject) => {
        const settle = (end: () => void) => {
          lane.worker.off("message", onMessage).off("error", onError).off("exit", onExit);
          end();
        };
        const onMessage = (reply: TrainReply) => reply.id === id && settle(() => resolve(reply));
        const fail = (cause: unknown) => {
          this.#lanes.splice(this.#lanes.indexOf(lane), 1);
          settle(() =>
            reject(new Fault("forecast.failed", "The training's worker stopped.", { cause, next: "Train again." })),
          );
        };
        const onError = (error: Error) => fail(error);
        const onExit = () => fail("it exited");
        lane.worker.on("message", onMessage).on("error", onError).on("exit", onExit);
        lane.worker.postMessage({ ...task, id });
      });
    } finally {
      lane.busy = false;
      this.#handOver();
    }
  }

  #lane(): Promise<Lane> {
    if (this.#closed) return Promise.reject(new Fault("cancelled", "The engine is stopping."));
    clearTimeout(this.#idle);
    const free = this.#lanes.find((l) => !l.busy);
    if (free) {
      free.busy = true;
      return Promise.resolve(free);
    }
    if (this.#lanes.length < this.#size) {
      const lane = { worker: new Worker(this.#workerFile), busy: true };
      lane.worker.unref();
      this.#lanes.push(lane);
      return Promise.resolve(lane);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push((lane) => (lane instanceof Fault ? reject(lane) : resolve(lane)));
    });
  }

  #handOver(): void {
    const free = this.#lanes.find((l) => !l.busy);
    const waiting = free ? this.#waiting.shift() : undefined;
    if (free && waiting) {
      free.busy = true;
      waiting(free);
    }
    if (this.#lanes.every((l) => !l.busy)) {
      this.#idle = setTimeout(() => {
        for (const l of this.#lanes.splice(0)) void l.worker.terminate();
      }, IDLE_MS);
      this.#idle.unref();
    }
  }
}
