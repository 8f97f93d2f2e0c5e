/** What is written into the lake is where Athena looks for it: the places of files held against the tables' projection. */
import { describe, expect, test } from "vitest";
import type { Value } from "../../../infra/template/cfn.ts";
import { PREFIX } from "../../../infra/template/context.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { prepareSql } from "../../../src/core/prepare.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";
import { DAY, formatDay } from "../../../src/core/time.ts";
import { options, PIPELINES } from "./pipelines.ts";

/** A time as a pattern of Java's says it: years, months, days, hours. Another letter is no pattern that anybody here reads. */
function formatted(pattern: string, time: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    hourCycle: "h23",
  }).formatToParts(time);
  const part = (type: string) => parts.find((p) => p.type === type)!.value;
  const letters: Record<string, string> = { yyyy: part("year"), MM: part("month"), dd: part("day"), HH: part("hour") };
  return pattern.replace(/[a-z]+/gi, (letter) => {
    if (!(letter in letters)) throw new Error(`${letter} is no part of a time`);
    return letters[letter]!;
  });
}

interface Delivery {
  readonly Prefix: string;
  readonly ErrorOutputPrefix: string;
  readonly CustomTimeZone: string;
  readonly DataFormatConversionConfiguration: {
    readonly InputFormatConfiguration: { readonly Deserializer: { readonly OpenXJsonSerDe: Record<string, unknown> } };
  };
}

/** Where Firehose puts what arrived at a time. */
const keyOf = ({ Prefix, CustomTimeZone }: Delivery, time: number) =>
  `${Prefix.replace(/!\{timestamp:([^}]+)\}/g, (_, pattern: string) => formatted(pattern, time, CustomTimeZone))}part.parquet`;

interface Table {
  readonly Parameters: Readonly<Record<string, Value>>;
  readonly PartitionKeys: readonly { readonly Name: string; readonly Type: string }[];
  readonly StorageDescriptor: { readonly Location: { readonly "Fn::Sub": string } };
}

/** The places that Athena looks into for a table's partitions, by their value: the dates of its projection, seen at `now`. */
function projected({ Parameters }: Table, now: number): Map<string, string> {
  const of = (name: string) => String(Parameters[`projection.dt.${name}`]);
  expect([Parameters["projection.enabled"], of("type"), of("interval.unit")]).toEqual(["true", "date", "DAYS"]);
  const [from, until] = of("range")
    .split(",")
    .map((end) => {
      const [, sign = "+", days = "0"] = /^NOW(?:([+-])(\d+)DAYS)?$/.exec(end)!;
      return now + Number(`${sign}${days}`) * DAY;
    }) as [number, number];
  const template = (Parameters["storage.location.template"] as { "Fn::Sub": string })["Fn::Sub"];
  const places = new Map<string, string>();
  for (let time = from; time <= until; time += Number(of("interval")) * DAY) {
    const dt = formatted(of("format"), time, "UTC");
    places.set(dt, template.replace("${!dt}", dt).replace("s3://${DataBucket}/", ""));
  }
  return places;
}

/** The partition in which Athena finds a file; undefined where it does not look. */
const partitionOf = (places: ReadonlyMap<string, string>, key: string) =>
  [...places].find(([, place]) => key.startsWith(place))?.[0];

describe.each(Object.entries(PIPELINES))("%s", (_, spec: PipelineSpec) => {
  const { Resources } = synthesize(spec, options()).template;
  const delivery = Resources.Delivery!.Properties.ExtendedS3DestinationConfiguration as unknown as Delivery;
  const table = (id: string) => Resources[id]!.Properties.TableInput as unknown as Table;
  // Late in the evening of one day in UTC, which is another day in most places.
  const now = Date.UTC(2026, 10, 22, 23, 30);
  const kept = Math.floor(spec.retention.lake / DAY);

  test.each([
    ["today", 0],
    ["early today", 23 / 24],
    ["yesterday", 1],
    ["as long ago as the lake keeps", kept],
    // A clock that is ahead of Athena's.
    ["in an hour", -1 / 24],
  ])("a file of %s is found, in the partition of its day", (_when, daysAgo) => {
    const time = now - daysAgo * DAY;
    expect(partitionOf(projected(table("RawTable"), now), keyOf(delivery, time))).toBe(formatDay(time));
    // As the transform names what it rejects.
    const rejected = `${PREFIX.rejected}dt=${formatDay(time)}/batch.json.gz`;
    expect(partitionOf(projected(table("RejectedTable"), now), rejected)).toBe(formatDay(time));
  });

  test("no place is another partition's, and all lie where the table does", () => {
    for (const [id, prefix] of [["RawTable", PREFIX.lake] as const, ["RejectedTable", PREFIX.rejected] as const]) {
      const places = [...projected(table(id), now).values()];
      expect(new Set(places).size).toBe(places.length);
      expect(places.filter((place) => !place.startsWith(prefix) || !place.endsWith("/"))).toEqual([]);
      expect(table(id).StorageDescriptor.Location["Fn::Sub"]).toBe(`s3://\${DataBucket}/${prefix}`);
      expect(table(id).PartitionKeys.map(({ Name, Type }) => [Name, Type])).toEqual([["dt", "string"]]);
    }
  });

  test("the preparation query names partitions as the projection does", () => {
    const from = now - (now % DAY) - 7 * DAY;
    const [, dt] = /dt >= '([^']+)'/.exec(prepareSql(spec, { from, until: from + DAY }))!;
    expect([...projected(table("RawTable"), now).keys()]).toContain(dt);
  });

  test("fields are found whatever their case: the table has none, the pipeline file may", () => {
    const { OpenXJsonSerDe } = delivery.DataFormatConversionConfiguration.InputFormatConfiguration.Deserializer;
    expect(OpenXJsonSerDe).toEqual({ CaseInsensitive: true });
  });

  test("what Firehose cannot write lies outside of every table", () => {
    const key = delivery.ErrorOutputPrefix;
    for (const prefix of [PREFIX.lake, PREFIX.rejected]) expect(key.startsWith(prefix)).toBe(false);
    expect(key.startsWith(PREFIX.failed)).toBe(true);
  });
});
