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

/** A function that takes a record's bytes to events and rejections by the pipeline's rules. Never throws. */
export function deliverer(spec: PipelineSpec, enrich?: Enrich): (data: Uint8Array) => Delivered {
  const read = eventReader(spec.source);
  return (data) => {
    const delivered: Delivered = { events: [], rejections: [], dropped: 0 };
    for (const parsed of parseRecord(data, (rejection) => delivered.rejections.push(rejection))) {
      const enriched = enrich ? applyEnrich(enrich, parsed.object) : [parsed.object];
      if (typeof enriched === "string") {
        delivered.rejections.push({ ...splitReason(enriched), data: parsed.data });
        continue;
      }
      if (enriched.length === 0) delivered.dropped++;
      for (const object of enriched) {
        const event = read(object);
        if ("reason" in event) delivered.rejections.push({ ...event, data: parsed.data });
        else delivered.events.push(event);
      }
    }
    return delivered;
  };
}

/** The lake's partition of an event: the UTC day of its event time, in the column `dt`. */
export function partition(time: number): string {
  return formatDay(time);
}

/** The events that enrich makes of one, or what went wrong as `reason:detail`. */
function applyEnrich(
  enrich: Enrich,
  object: Readonly<Record<string, unknown>>,
): readonly Record<string, unknown>[] | string {
  let result: unknown;
  try {
    result = enrich(object as Record<string, unknown>);
  } catch (error) {
    return `enrich-failed:${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  }
  if (result === null || result === undefined) return [];
  const list = Array.isArray(result) ? result : [result];
  if (result instanceof Promise) return "enrich-invalid:enrich returned a promise; it must be a plain function";
  if (!list.every((e) => typeof e === "object" && e !== null && !Array.isArray(e))) {
    return "enrich-invalid:enrich must return an object, a list of objects, or null";
  }
  return list;
}

function splitReason(text: string): Omit<Rejection, "data"> {
  const colon = text.indexOf(":");
  return { reason: text.slice(0, colon) as Rejection["reason"], detail: text.slice(colon + 1) };
}
