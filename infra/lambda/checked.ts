/**
 * A record's way through collect and deliver, as both the Firehose transform and the relay take it: the engine's functions, and
 * the plausibility of the event's time, which the engine measures by the stream's clock and AWS by the record's arrival.
 */
import type { Event, Rejection } from "../../src/core/collect.ts";
import { deliverer, type Enrich } from "../../src/core/deliver.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { formatDuration, formatInstant } from "../../src/core/time.ts";
import type { Check } from "./deadline.ts";

/** A function from a record's bytes and arrival (epoch ms) to its events and rejections. Never throws. */
export function checker(spec: PipelineSpec, enrich?: Enrich): Check {
  const deliver = deliverer(spec, enrich);
  const { ahead, behind } = spec.source;
  return (data, arrival) => {
    const delivered = deliver(data);
    const events: Event[] = [];
    const rejections: Rejection[] = [...delivered.rejections];
    for (const event of delivered.events) {
      if (event.time > arrival + ahead) {
        const detail = `${formatInstant(event.time)} is more than ${formatDuration(ahead)} ahead of its arrival`;
        rejections.push({ reason: "time-ahead", detail, data });
      } else if (event.time < arrival - behind) {
        const detail = `${formatInstant(event.time)} is more than ${formatDuration(behind)} behind its arrival`;
        rejections.push({ reason: "time-behind", detail, data });
      } else events.push(event);
    }
    return { events, rejections, dropped: delivered.dropped };
  };
}

/** An instant as Hive reads it: `2026-11-22 10:00:00.000`, UTC. */
export function hiveTimestamp(millis: number): string {
  return new Date(millis).toISOString().replace("T", " ").replace("Z", "");
}
