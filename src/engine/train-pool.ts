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
/** How often a series is begun whose worker ends in the middle of it: it may not have been the series' fault. */
const ATTEMPTS = 2;

interface Lane {
  readonly worker: Worker;
  busy: boolean;
  /** Told the reply, or why the worker has ended, while a series is in work. */
  listener: ((outcome: TrainReply | { readonly ended: string }) => void) | undefined;
}

export class TrainPool {
  readonly #workerFile: URL;
  readonly #size: number;
  readonly #lanes: Lane[] = [];
  readonly #waiting: { readonly take: (lane: Lane) => void; readonly refuse: (fault: Fault) => void }[] = [];
  #idle: NodeJS.Timeout | undefined;
  #closed = false;
  #ids = 0;

  constructor(workerFile: URL, size = availableParallelism()) {
    this.#workerFile = workerFile;
    this.#size = size;
  }

  /**
   * Runs every task; `onDone` is told after each. A series whose worker ends comes back as a failure; the others go on.
   * Rejects with `cancelled` when `signal` fires: running series are let finish, the rest never begins.
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
    const lanes = Array.from({ length: Math.min(this.#size, tasks.length) }, async () => {
      try {
        await lane();
      } catch (error) {
        // Nobody waits for the rest any more.
        next = tasks.length;
        throw error;
      }
    });
    await Promise.all(lanes);
    return replies;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    for (const { refuse } of this.#waiting.splice(0)) refuse(stopping());
    await Promise.all(this.#lanes.splice(0).map((l) => l.worker.terminate()));
  }

  async #one(task: TrainTask): Promise<TrainReply> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(task);
      if (!("ended" in outcome)) return outcome;
      if (this.#closed) throw stopping();
      if (attempt === ATTEMPTS) return { id: 0, failure: `its worker ended: ${outcome.ended}` };
    }
  }

  async #attempt(task: TrainTask): Promise<TrainReply | { readonly ended: string }> {
    const lane = await this.#lane();
    const id = ++this.#ids;
    try {
      return await new Promise((resolve, reject) => {
        lane.listener = (outcome) => {
          if ("ended" in outcome || outcome.id === id) resolve(outcome);
        };
        try {
          lane.worker.postMessage({ ...task, id });
        } catch (error) {
          reject(error);
        }
      });
    } finally {
      lane.listener = undefined;
      lane.busy = false;
      this.#handOver();
    }
  }

  /** A worker that nobody uses: an idle one, a new one, or, when all are busy, the next that is free. */
  #lane(): Promise<Lane> {
    if (this.#closed) return Promise.reject(stopping());
    const lane = this.#free();
    if (lane) return Promise.resolve(lane);
    return new Promise((take, refuse) => {
      this.#waiting.push({ take, refuse });
    });
  }

  #free(): Lane | undefined {
    clearTimeout(this.#idle);
    const lane =
      this.#lanes.find((l) => !l.busy) ??
      (this.#lanes.length < this.#size && !this.#closed ? this.#begin() : undefined);
    if (lane) lane.busy = true;
    return lane;
  }

  #begin(): Lane {
    const lane: Lane = { worker: new Worker(this.#workerFile), busy: false, listener: undefined };
    // For as long as it lives, also between two series: a worker may end whenever it likes. What it answered before is told
    // before its exit, but not always before its error.
    let why: string | undefined;
    const leave = () => {
      const at = this.#lanes.indexOf(lane);
      if (at >= 0) this.#lanes.splice(at, 1);
    };
    lane.worker
      .on("message", (reply: TrainReply) => lane.listener?.(reply))
      .on("error", (error) => {
        why = error.message;
        leave();
      })
      .on("exit", (code) => {
        leave();
        lane.listener?.({ ended: why ?? `it exited with ${code}` });
      });
    lane.worker.unref();
    this.#lanes.push(lane);
    return lane;
  }

  /** Gives whoever waits a worker, which may be a new one in the place of one that ended. */
  #handOver(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#free();
      if (!lane) return;
      this.#waiting.shift()!.take(lane);
    }
    if (this.#lanes.every((l) => !l.busy)) {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => {
        for (const l of this.#lanes.splice(0)) void l.worker.terminate();
      }, IDLE_MS);
      this.#idle.unref();
    }
  }
}

function stopping(): Fault {
  return new Fault("cancelled", "The engine is stopping.");
}
