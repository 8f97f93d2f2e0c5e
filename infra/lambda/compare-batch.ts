/** A batch of the windows stream: what is compared, what is written, and from where on it must be brought again. */
import type { ForecastTable } from "../../src/core/forecast.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { comparer, emptyWindows, firstWhole, type GroupWindow, parseWindowRecord, takesTime } from "./comparing.ts";
import type { CurrentForecast } from "./forecasts.ts";
import { WatchedGroups } from "./known.ts";
import type { WindowRecord } from "./names.ts";
import type { Datum, MetricSink } from "./ports.ts";
import { windowShape } from "./shapes.ts";

export interface WindowMessage {
  readonly sequence: string;
  readonly data: Uint8Array;
}

export interface BatchOutcome {
  /** Series windows that were compared, empty ones among them. */
  readonly compared: number;
  /** Series windows without a forecast; of groups that appeared after the newest training none is missing. */
  readonly forecastMissing: number;
  /** Windows of groups that CloudWatch takes no data of, too far back or too far ahead, or that lie too far back in a silence. */
  readonly tooOld: number;
  /** Values that are no numbers, or that CloudWatch has no room for. */
  readonly unwritable: number;
  /** Records of a job that another pipeline file made, which are passed over. */
  readonly outgrown: number;
  /** Windows of groups from the beginning of a job, which may lack events. */
  readonly partial: number;
  /** Windows of known groups that had no event. */
  readonly filled: number;
  /** Windows of groups beyond those that are watched. */
  readonly turnedAway: number;
  /** Keys of groups that were compared and have no alarm. */
  readonly withoutAlarm: readonly string[];
  /** Ends of windows that are closed for every group, epoch ms. */
  readonly closed: readonly number[];
  /** Records that are none of a window, as far as can be read. */
  readonly unreadable: readonly Unreadable[];
  /** The sequence number of the first message that there was no time for. */
  readonly left?: string;
  /** Why nothing was dealt with; everything from this sequence number on comes again. */
  readonly failure?: { readonly sequence: string; readonly error: unknown };
}

export interface Unreadable {
  /** The sequence number of its message. */
  readonly sequence: string;
  readonly error: unknown;
}

const NOTHING = {
  compared: 0,
  forecastMissing: 0,
  tooOld: 0,
  unwritable: 0,
  outgrown: 0,
  partial: 0,
  filled: 0,
  turnedAway: 0,
};

/** What has been compared is written within this time, ms. */
const WRITING = 15_000;

export class CompareBatch {
  readonly #spec: PipelineSpec;
  readonly #compare: ReturnType<typeof comparer>;
  readonly #forecast: CurrentForecast;
  readonly #metrics: MetricSink;
  readonly #groups: WatchedGroups;
  readonly #shape: string;
  readonly #withAlarms: ReadonlySet<string> | undefined;

  /** @param withAlarms keys of the groups that alarms were made for; unset: of every group. */
  constructor(spec: PipelineSpec, forecast: CurrentForecast, metrics: MetricSink, withAlarms?: ReadonlySet<string>) {
    this.#withAlarms = withAlarms;
    this.#spec = spec;
    this.#shape = windowShape(spec);
    this.#compare = comparer(spec);
    this.#forecast = forecast;
    this.#metrics = metrics;
    this.#groups = new WatchedGroups(spec);
  }

  /**
   * Deals with messages in their order, at a wall-clock time `now` (epoch ms). A record that cannot be read is passed over and
   * told of: it would be no more readable the next time, and its neighbours are whole.
   * @param remaining how much of the call's time is left, ms. The first message is dealt with whatever it takes, so that each call
   *   gets on; where the time runs out at a later one, it and those after it come again.
   */
  async run(
    messages: readonly WindowMessage[],
    now: number,
    remaining: () => number = () => Number.POSITIVE_INFINITY,
  ): Promise<BatchOutcome> {
    try {
      const forecast = await this.#forecast.table(now);
      this.#groups.use(forecast);
      const tally = new Tally();
      // Written while it is made: the data of ten thousand groups' windows are more than a function has memory for.
      await this.#metrics.put(this.#data(messages, forecast, now, remaining, tally));
      return tally.outcome;
    } catch (error) {
      // Nothing counts as done: writing the same data twice harms nothing, and a window left out would.
      const failure = { sequence: messages[0]?.sequence ?? "", error };
      return { ...NOTHING, withoutAlarm: [], closed: [], unreadable: [], failure };
    }
  }

  /** The data of all messages; what becomes of them is told to `tally` on the way. */
  *#data(
    messages: readonly WindowMessage[],
    forecast: ForecastTable,
    now: number,
    remaining: () => number,
    tally: Tally,
  ): Generator<Datum> {
    for (const message of messages) {
      for (const record of read(message, tally)) {
        for (const window of this.#windows(record, now, tally)) {
          if (message !== messages[0] && remaining() < WRITING) {
            tally.left = message.sequence;
            return;
          }
          const { data, forecastMissing, unwritable } = this.#compare(window, forecast);
          tally.compared += this.#spec.series.measures.length;
          if (this.#withAlarms?.has(window.key) === false) tally.without.add(window.key);
          if (!this.#groups.isNew(window.key)) tally.forecastMissing += forecastMissing;
          tally.unwritable += unwritable;
          yield* data;
        }
      }
    }
  }

  /** What there is to compare of a record. */
  *#windows(record: WindowRecord, now: number, tally: Tally): Generator<GroupWindow> {
    if (typeof record.shape === "string" && record.shape !== this.#shape) {
      tally.outgrown++;
      return;
    }
    const end = Date.parse(record.end);
    if (record.kind === "closed") {
      const empty = emptyWindows(this.#spec, record, this.#groups.known, now);
      let next = empty.next();
      for (; !next.done; next = empty.next()) {
        yield next.value;
        tally.filled++;
      }
      tally.tooOld += next.value;
      tally.closed.push(end);
      return;
    }
    const start = Date.parse(record.start);
    if (!takesTime(end, now)) tally.tooOld++;
    else if (start < firstWhole(this.#spec, record)) tally.partial++;
    else {
      if (this.#groups.admit(record.key, start)) yield { start, end, key: record.key, measures: record.measures };
      else tally.turnedAway++;
    }
  }
}

/** What becomes of a batch, while it is dealt with. */
class Tally {
  compared = 0;
  forecastMissing = 0;
  tooOld = 0;
  unwritable = 0;
  outgrown = 0;
  partial = 0;
  filled = 0;
  turnedAway = 0;
  readonly without = new Set<string>();
  readonly closed: number[] = [];
  readonly unreadable: Unreadable[] = [];
  left: string | undefined;

  get outcome(): BatchOutcome {
    const { left, without, ...rest } = this;
    return { ...rest, withoutAlarm: [...without], ...(left !== undefined && { left }) };
  }
}

/** The window records of a message, one a line; lines that hold none are told of. */
function read({ sequence, data }: WindowMessage, tally: Tally): WindowRecord[] {
  const records: WindowRecord[] = [];
  for (const line of new TextDecoder().decode(data).split("\n")) {
    if (line.trim() === "") continue;
    try {
      records.push(parseWindowRecord(line));
    } catch (error) {
      tally.unreadable.push({ sequence, error });
    }
  }
  return records;
}
