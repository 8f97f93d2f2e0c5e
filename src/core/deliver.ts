/**
 * Step 2, deliver: the user's enrich function is applied, the result is checked against the fields, and the event gets
 * its partition in the lake. The same code runs in the engine and in the Firehose transform.
 */
import { type Event, eventReader, parseRecord, type Rejection } from "./collect.ts";
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
  let result: unknown;
  let readings: Reading[];
  try {
    // The object is this event's alone: enrich may change it in place.
    result = enrich(object as Record<string, unknown>);
    const list = result === null ? [] : Array.isArray(result) ? result : [result];
    const fault = faultIn(result, list);
    // Reading may run code of enrich's too: what it returns can have getters.
    readings = fault ? [{ reason: "enrich-invalid", detail: fault }] : list.map(read);
  } catch (error) {
    readings = [{ reason: "enrich-failed", detail: errorText(error) }];
  }
  if (readings.length === 0) delivered.dropped++;
  for (const reading of readings) take(delivered, reading, data);
}

/** What is wrong with a result of enrich, if anything. */
function faultIn(result: unknown, list: readonly unknown[]): string | undefined {
  if (result === undefined) return "enrich returned nothing; to drop an event, it returns null";
  if (typeof (result as { then?: unknown } | null)?.then === "function") {
    // Its failure, too, belongs to this event: nobody else waits for it.
    Promise.resolve(result).catch(() => undefined);
    return "enrich returned a promise; it must be a plain function, without async";
  }
  // By index: `every` would pass over the holes of a sparse list.
  for (let i = 0; i < list.length; i++) {
    const e = list[i];
    if (typeof e !== "object" || e === null || Array.isArray(e))
      return "enrich must return an object, a list of objects, or null";
  }
  return undefined;
}

function errorText(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`;
  } catch {
    return "threw something that has no text";
  }
}
