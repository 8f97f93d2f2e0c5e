/**
 * Step 2, deliver: the user's enrich function is applied, the result is checked against the fields, and the event gets
 * its partition in the lake. The same code runs in the engine and in the Firehose transform.
 */
import { type Event, eventReader, parseRecord, type Rejection, type RejectReason } from "./collect.ts";
import type { PipelineSpec } from "./spec.ts";
import { formatDay } from "./time.ts";

/** What the enrich module exports by default: the event changed, several in its place, or null to drop it. */
export type Enrich = (event: Record<string, unknown>) => Record<string, unknown> | Record<string, unknown>[] | null;

/** What became of one record. */
export interface Delivered {
  readonly events: Event[];
  readonly rejections: Rejection[];
  /** Events that enrich dropped on purpose. */
  dropped: number;
}

/** Why an event that fits the pipeline file is turned away all the same; undefined when it is not. */
export type Judge = (event: Event) => Omit<Rejection, "data"> | undefined;

/**
 * A function that takes a record's bytes, and their text where the caller has it, to events and rejections by the
 * pipeline's rules, and by those of `judge`. Never throws.
 */
export function deliverer(
  spec: PipelineSpec,
  enrich?: Enrich,
): (data: Uint8Array, text?: string, judge?: Judge) => Delivered {
  const readFields = eventReader(spec.source);
  return (record, text, judge) => {
    const delivered: Delivered = { events: [], rejections: [], dropped: 0 };
    const read = (object: Readonly<Record<string, unknown>>): Reading => {
      const reading = readFields(object);
      return "reason" in reading ? reading : (judge?.(reading) ?? reading);
    };
    for (const { object, data } of parseRecord(record, (rejection) => delivered.rejections.push(rejection), text)) {
      if (!enrich) take(delivered, read(object), data);
      else enrichInto(delivered, enrich, object, data, read);
    }
    return delivered;
  };
}

/** The lake's partition of an event: the UTC day of its event time, in the column `dt`. */
export function partition(time: number): string {
  return formatDay(time);
}

type Reading = ReturnType<ReturnType<typeof eventReader>>;

function take(delivered: Delivered, reading: Reading, data: Uint8Array): void {
  if ("reason" in reading) delivered.rejections.push({ ...reading, data });
  else delivered.events.push(reading);
}

function enrichInto(
  delivered: Delivered,
  enrich: Enrich,
  object: Readonly<Record<string, unknown>>,
  data: Uint8Array,
  read: (object: Readonly<Record<string, unknown>>) => Reading,
): void {
  let readings: Reading[];
  try {
    // The object is this event's alone: enrich may change it in place.
    const result: unknown = enrich(object as Record<string, unknown>);
    const list = result === null ? [] : Array.isArray(result) ? result : [result];
    const fault = faultIn(result, list);
    // Reading may run code of enrich's too: what it returns can have getters.
    readings = fault ? [{ reason: "enrich-invalid", detail: fault }] : list.map(read);
  } catch (error) {
    readings = [{ reason: "enrich-failed", detail: errorText(error) }];
  }
  if (readings.length === 0) delivered.dropped++;
  const away = new TurnedAway();
  for (const reading of readings) {
    if ("reason" in reading) away.add(reading);
    else delivered.events.push(reading);
  }
  delivered.rejections.push(...away.rejections(data));
}

/** Details that a rejection of several events tells. */
const MOST_DETAILS = 3;

/**
 * What is turned away of the events that enrich made of one. All have the bytes of that one, so that those with the same reason share
 * a rejection: each with the bytes again would be their number times the record.
 */
class TurnedAway {
  readonly #byReason = new Map<RejectReason, { count: number; readonly details: Set<string> }>();

  add({ reason, detail }: Omit<Rejection, "data">): void {
    let same = this.#byReason.get(reason);
    if (!same) {
      same = { count: 0, details: new Set() };
      this.#byReason.set(reason, same);
    }
    same.count++;
    if (same.details.size < MOST_DETAILS) same.details.add(detail);
  }

  rejections(data: Uint8Array): Rejection[] {
    return Array.from(this.#byReason, ([reason, { count, details }]) => {
      const detail = [...details].join("; ");
      if (count === 1) return { reason, detail, data };
      return {
        reason,
        detail: `${detail} (${count.toLocaleString("en")} events that enrich made of this one)`,
        data,
        count,
      };
    });
  }
}

/** What is wrong with a result of enrich, if anything. */
function faultIn(result: unknown, list: readonly unknown[]): string | undefined {
  if (result === undefined) return "enrich returned nothing; to drop an event, it returns null";
  if (isThenable(result)) return "enrich returned a promise; it must be a plain function, without async";
  let fault: string | undefined;
  // By index: `every` would pass over the holes of a sparse list. And to the end: each promise in it is to harm nobody.
  for (let i = 0; i < list.length; i++) {
    const e = list[i];
    if (isThenable(e))
      fault = "enrich returned a list with a promise in it; it must be a plain function, without async";
    else if (typeof e !== "object" || e === null || Array.isArray(e))
      fault ??= "enrich must return an object, a list of objects, or null";
  }
  return fault;
}

/** Whether a value is a promise or what is awaited like one. A promise's failure is taken: it belongs to this event, and nobody waits for it. */
function isThenable(value: unknown): boolean {
  if (value instanceof Promise) {
    value.catch(() => undefined);
    return true;
  }
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** An error in a rejection's words; of whatever was thrown. */
export function errorText(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`;
  } catch {
    return "threw something that has no text";
  }
}
