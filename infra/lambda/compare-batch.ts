/** A batch of the windows stream: what is compared, what is written, and from where on it must be brought again. */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { comparer, parseWindowRecord } from "./comparing.ts";
import type { CurrentForecast } from "./forecasts.ts";
import type { WindowRecord } from "./names.ts";
import type { Datum, MetricSink } from "./ports.ts";

export interface WindowMessage {
  readonly sequence: string;
  readonly data: Uint8Array;
}

export interface BatchOutcome {
  readonly compared: number;
  readonly forecastMissing: number;
  readonly tooOld: number;
  /** Values that CloudWatch has no room for. */
  readonly unwritable: number;
  /** Ends of windows that are closed for every group, epoch ms. */
  readonly closed: readonly number[];
  /** Records that are none of a window, as far as can be read. */
  readonly unreadable: readonly Unreadable[];
  /** Why nothing was dealt with; everything from this sequence number on comes again. */
  readonly failure?: { readonly sequence: string; readonly error: unknown };
}

export interface Unreadable {
  /** The sequence number of its message. */
  readonly sequence: string;
  readonly error: unknown;
}

const NOTHING = { compared: 0, forecastMissing: 0, tooOld: 0, unwritable: 0, closed: [], unreadable: [] };

/** Windows remembered, so that the sweep's empty one does not follow the true one. */
const REMEMBERED = 50_000;

export class CompareBatch {
  readonly #compare: ReturnType<typeof comparer>;
  readonly #forecast: CurrentForecast;
  readonly #metrics: MetricSink;
  readonly #seen = new Set<string>();

  constructor(spec: PipelineSpec, forecast: CurrentForecast, metrics: MetricSink) {
    this.#compare = comparer(spec);
    this.#forecast = forecast;
    this.#metrics = metrics;
  }

  /**
   * Deals with messages in their order, at a wall-clock time `now` (epoch ms). A record that cannot be read is passed over and
   * told of: it would be no more readable the next time, and its neighbours are whole.
   */
  async run(messages: readonly WindowMessage[], now: number): Promise<BatchOutcome> {
    const data: Datum[] = [];
    const outcome = { ...NOTHING, closed: [] as number[], unreadable: [] as Unreadable[] };
    try {
      const forecast = await this.#forecast.table(now);
      for (const message of messages) {
        for (const record of read(message, outcome.unreadable)) {
          if (record.kind === "closed") outcome.closed.push(Date.parse(record.end));
          else if (!this.#skip(record)) {
            const result = this.#compare(record, forecast, now);
            data.push(...result.data);
            outcome.compared += result.compared;
            outcome.forecastMissing += result.forecastMissing;
            outcome.tooOld += result.tooOld;
            outcome.unwritable += result.unwritable;
          }
        }
      }
      if (data.length > 0) await this.#metrics.put(data);
      return outcome;
    } catch (error) {
      // Nothing counts as done: writing the same data twice harms nothing, and a window left out would.
      return { ...NOTHING, failure: { sequence: messages[0]?.sequence ?? "", error } };
    }
  }

  /** Whether the sweep found this window empty that was compared with events after all. */
  #skip(window: Extract<WindowRecord, { kind: "window" }>): boolean {
    const id = `${window.start} ${window.key}`;
    if (window.swept) return this.#seen.has(id);
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value!);
    return false;
  }
}

/** The window records of a message, one a line; lines that hold none go to `unreadable`. */
function read({ sequence, data }: WindowMessage, unreadable: Unreadable[]): WindowRecord[] {
  const records: WindowRecord[] = [];
  for (const line of new TextDecoder().decode(data).split("\n")) {
    if (line.trim() === "") continue;
    try {
      records.push(parseWindowRecord(line));
    } catch (error) {
      unreadable.push({ sequence, error });
    }
  }
  return records;
}
