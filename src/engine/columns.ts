/**
 * Events by column: how a batch crosses from the worker that reads records to the pump, and on to the lake. A batch is then
 * a few buffers that change hands, not an object for every event; and the lake takes columns anyway.
 */
import type { Event, Value } from "../core/collect.ts";
import type { FieldType, PipelineSpec } from "../core/spec.ts";

/** A batch's events in their order. Row i of every column belongs to event i. */
export interface EventColumns {
  readonly count: number;
  /** The record in the batch that each event came in. */
  readonly record: Uint32Array;
  /** Event times, epoch ms. */
  readonly time: Float64Array;
  /** A column a field, in the spec's order. */
  readonly fields: readonly FieldColumn[];
}

/** Text: places in `words`, of which the first is null. Else numbers, times in epoch ms, truth as 0 and 1: NaN is null. */
export type FieldColumn =
  | { readonly kind: "text"; readonly words: readonly (string | null)[]; readonly at: Uint32Array }
  | { readonly kind: "number" | "truth"; readonly at: Float64Array };

function valueAt(column: FieldColumn, i: number): Value {
  if (column.kind === "text") return column.words[column.at[i]!]!;
  const value = column.at[i]!;
  if (Number.isNaN(value)) return null;
  return column.kind === "truth" ? value === 1 : value;
}

/** The event in row `i`. */
export function eventAt({ time, fields }: EventColumns, i: number): Event {
  const values = new Array<Value>(fields.length);
  for (let f = 0; f < fields.length; f++) values[f] = valueAt(fields[f]!, i);
  return { time: time[i]!, values };
}

/** The buffers that can be handed over to another thread. */
export function buffersOf(columns: EventColumns): ArrayBuffer[] {
  return [columns.record, columns.time, ...columns.fields.map((f) => f.at)].map((a) => a.buffer as ArrayBuffer);
}

/** Collects events into columns. */
export class ColumnsBuilder {
  readonly #fields: readonly FieldBuilder[];
  #record: Uint32Array;
  #time: Float64Array;
  #count = 0;

  /** @param expected about how many events there will be. */
  constructor(spec: PipelineSpec, expected: number) {
    const room = Math.max(16, expected);
    this.#record = new Uint32Array(room);
    this.#time = new Float64Array(room);
    this.#fields = Object.values(spec.source.fields).map((type) => new FieldBuilder(type, room));
  }

  add(record: number, event: Event): void {
    const i = this.#count++;
    if (i === this.#record.length) this.#grow();
    this.#record[i] = record;
    this.#time[i] = event.time;
    for (let f = 0; f < this.#fields.length; f++) this.#fields[f]!.set(i, event.values[f]!);
  }

  /** Adds all of `columns`, whose records are counted from `first` on. */
  addAll(columns: EventColumns, first: number): void {
    for (let i = 0; i < columns.count; i++) this.add(first + columns.record[i]!, eventAt(columns, i));
  }

  done(): EventColumns {
    const count = this.#count;
    return {
      count,
      record: this.#record.subarray(0, count),
      time: this.#time.subarray(0, count),
      fields: this.#fields.map((field) => field.done(count)),
    };
  }

  #grow(): void {
    const room = 2 * this.#record.length;
    const [record, time] = [this.#record, this.#time];
    this.#record = new Uint32Array(room);
    this.#record.set(record);
    this.#time = new Float64Array(room);
    this.#time.set(time);
    for (const field of this.#fields) field.grow(room);
  }
}

class FieldBuilder {
  readonly #type: FieldType;
  readonly #words: (string | null)[] = [null];
  readonly #known = new Map<string, number>();
  #at: Float64Array | Uint32Array;

  constructor(type: FieldType, room: number) {
    this.#type = type;
    this.#at = type === "string" ? new Uint32Array(room) : new Float64Array(room);
  }

  set(i: number, value: Value): void {
    if (typeof value === "string") this.#at[i] = this.#known.get(value) ?? this.#learn(value);
    else if (value === null) this.#at[i] = this.#type === "string" ? 0 : Number.NaN;
    else this.#at[i] = Number(value);
  }

  grow(room: number): void {
    const old = this.#at;
    this.#at = this.#type === "string" ? new Uint32Array(room) : new Float64Array(room);
    this.#at.set(old);
  }

  done(count: number): FieldColumn {
    const at = this.#at.subarray(0, count);
    if (at instanceof Uint32Array) return { kind: "text", words: this.#words, at };
    return { kind: this.#type === "boolean" ? "truth" : "number", at };
  }

  #learn(word: string): number {
    const at = this.#words.push(word) - 1;
    this.#known.set(word, at);
    return at;
  }
}
