/**
 * A record's way through collect and deliver, as both the Firehose transform and the relay take it: the engine's functions, and what
 * AWS asks besides: the plausibility of the event's time, which the engine measures by the stream's clock and AWS by the record's
 * arrival, and a group that the streams have room for.
 */
import { deliverer, type Enrich, type Judge } from "../../src/core/deliver.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { formatDuration, formatInstant } from "../../src/core/time.ts";
import type { Check } from "./deadline.ts";

/**
 * Letters that a group's values may have together. A record of a stream holds a megabyte, and a letter takes six bytes at most on
 * its way to the analysis; one record that no stream takes would hold up all behind it.
 */
const GROUP_LETTERS = 100_000;

/** A function from a record's bytes and arrival (epoch ms) to its events and rejections. Never throws. */
export function checker(spec: PipelineSpec, enrich?: Enrich): Check {
  const deliver = deliverer(spec, enrich);
  const { ahead, behind, fields } = spec.source;
  const names = Object.keys(fields);
  const by = byFields(spec).map((field) => names.indexOf(field));
  return (data, arrival) => {
    const judge: Judge = ({ time, values }) => {
      if (time > arrival + ahead)
        return {
          reason: "time-ahead",
          detail: `${formatInstant(time)} is more than ${formatDuration(ahead)} ahead of its arrival`,
        };
      if (time < arrival - behind)
        return {
          reason: "time-behind",
          detail: `${formatInstant(time)} is more than ${formatDuration(behind)} behind its arrival`,
        };
      let letters = 0;
      for (const at of by) if (typeof values[at] === "string") letters += values[at].length;
      if (letters <= GROUP_LETTERS) return undefined;
      const [has, most] = [letters, GROUP_LETTERS].map((n) => n.toLocaleString("en"));
      return { reason: "too-large", detail: `the values of the event's group have ${has} letters; ${most} at most` };
    };
    return deliver(data, undefined, judge);
  };
}

/** An instant as Hive reads it: `2026-11-22 10:00:00.000`, UTC. */
export function hiveTimestamp(millis: number): string {
  return new Date(millis).toISOString().replace("T", " ").replace("Z", "");
}
