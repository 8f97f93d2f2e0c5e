/** The pipeline file as users write it: its schema and its defaults, with the words for what does not fit. */
import * as v from "valibot";
import { parseDuration } from "../time.ts";
import { DIRECTIONS, FIELD_TYPES, GREATEST_DEVIATION, MISSING, STATISTICS, type Statistic } from "./model.ts";

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const NAME = /^[a-z][a-z0-9-]{0,47}$/;
/** `3 of 4`: m and n. */
export const DATAPOINTS = /^\s*(\d{1,6})\s+of\s+(\d{1,6})\s*$/;

/** How long the lake keeps events, unless the file says. */
export const LAKE_KEPT = "400d";

const ACCOUNT = "must be the account's 12 digits, in quotes";

const text = v.string();
const identifier = v.pipe(
  text,
  v.regex(IDENTIFIER, "must be letters, digits and _, not starting with a digit, at most 63 long"),
);
const name = v.pipe(
  text,
  v.regex(NAME, "must be lower-case letters, digits and -, starting with a letter, at most 48 long"),
);
const atLeastZero = durationFrom(0, 'must be a duration such as "90s", "10m" or "1h"');
const duration = durationFrom(1, 'must be a duration above zero, such as "10m", "1h" or "8w"');
const relativePath = v.pipe(
  text,
  v.check(
    (p) => p.length > 0 && !p.startsWith("/") && !/^[A-Za-z]:|\\/.test(p) && !p.split("/").includes(".."),
    "must be a path relative to the pipeline file, with / and inside its folder",
  ),
);
const measure = v.pipe(
  v.strictObject({
    ...(Object.fromEntries(STATISTICS.map((s) => [s, v.optional(text)])) as Record<
      Statistic,
      v.OptionalSchema<v.StringSchema<undefined>, undefined>
    >),
    resolution: v.optional(atLeast(0)),
  }),
  v.check(
    (m) => STATISTICS.filter((s) => m[s] !== undefined).length === 1,
    `must name exactly one of ${STATISTICS.join(", ")}`,
  ),
);
const byList = v.array(
  identifier,
  'must be a list of fields, or an object of fields and their values: {"origin": ["BOS"]}',
);
const byValues = v.record(identifier, v.pipe(v.array(text), v.minLength(1, "must list at least one value")));
const seasonList = v.pipe(
  v.array(duration),
  v.minLength(1, 'must list one or two seasons, or be "auto"'),
  v.maxLength(2, "may list two seasons at most"),
);
const auto = v.literal("auto", 'must be "auto" or a list such as ["1d", "1w"]');

/** The file's schema as users write it; also the source of the editor's JSON schema. */
export const FILE_SCHEMA = v.strictObject({
  $schema: v.optional(text),
  name,
  source: v.strictObject({
    time: identifier,
    fields: v.pipe(
      v.record(identifier, v.picklist(FIELD_TYPES)),
      v.check((f) => Object.keys(f).length > 0, "must have at least the event's time"),
    ),
    lateness: v.optional(atLeastZero, "1m"),
    idle: v.optional(duration, "2m"),
    ahead: v.optional(duration, "7d"),
    behind: v.optional(duration, "400d"),
    shards: v.optional(
      v.pipe(
        v.number(),
        v.check((n) => Number.isInteger(n) && n >= 1 && n <= 64, "must be a whole number from 1 to 64"),
      ),
      1,
    ),
  }),
  enrich: v.optional(relativePath),
  series: v.strictObject({
    every: duration,
    by: v.optional(
      either(byList, byValues, (input) => !(typeof input === "object" && input !== null) || Array.isArray(input)),
      [],
    ),
    measures: v.pipe(
      v.record(identifier, measure),
      v.check((m) => Object.keys(m).length > 0, "must have at least one measure"),
    ),
  }),
  forecast: v.optional(
    v.strictObject({
      history: v.optional(duration, "8w"),
      // Its default, and that of `retrain`, hang on other parts of the file: see `forecastDefaults`.
      horizon: v.optional(duration),
      band: v.optional(
        v.pipe(
          v.number(),
          // Beyond, the levels of `bandLevels` would fall together with each other, or with 0 and 1.
          v.check((b) => b >= 0.01 && b <= 0.9999, "must lie between 0.01 and 0.9999, such as 0.98"),
        ),
        0.98,
      ),
      seasons: v.optional(
        either(auto, seasonList, (input) => !Array.isArray(input)),
        "auto",
      ),
      retrain: v.optional(duration),
      exclude: v.optional(relativePath),
    }),
    {},
  ),
  alarms: v.optional(
    v.array(
      v.strictObject({
        name,
        measure: identifier,
        direction: v.optional(v.picklist(DIRECTIONS), "both"),
        threshold: v.optional(
          v.pipe(
            v.number(),
            v.check(
              (t) => t > 0 && t < GREATEST_DEVIATION,
              "must be a number above 0 (1 is the edge of the band) and below a million",
            ),
          ),
          1,
        ),
        datapoints: v.optional(
          v.pipe(v.string('must read like "3 of 4"'), v.regex(DATAPOINTS, 'must read like "3 of 4"')),
          "3 of 4",
        ),
        missing: v.optional(v.picklist(MISSING), "missing"),
        severity: v.optional(v.picklist([1, 2, 3, 4, 5]), 3),
        runbook: v.optional(relativePath),
        resolveAfter: v.optional(either(v.literal("never"), duration, (input) => input === "never")),
      }),
    ),
    [],
  ),
  sql: v.optional(relativePath),
  retention: v.optional(
    v.strictObject({ stream: v.optional(duration, "1d"), lake: v.optional(duration, LAKE_KEPT) }),
    {},
  ),
  targets: v.optional(
    v.record(
      text,
      v.strictObject({
        account: v.pipe(v.string(ACCOUNT), v.regex(/^\d{12}$/, ACCOUNT)),
        region: v.pipe(text, v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as "eu-west-1"')),
        profile: v.optional(text),
        incidents: v.optional(v.picklist(["auto", "incident-manager", "ops-center"]), "auto"),
      }),
    ),
    {},
  ),
});

/** A file that fits the schema, its durations in milliseconds. */
export type FileSpec = v.InferOutput<typeof FILE_SCHEMA>;

/** The keys the schema knows at a path of the file, for "did you mean". */
export function knownKeys(path: readonly (string | number)[]): string[] {
  let schema: unknown = FILE_SCHEMA;
  for (const step of path) {
    schema = unwrap(schema);
    const s = schema as { entries?: Record<string, unknown>; item?: unknown; value?: unknown };
    schema = s.entries?.[String(step)] ?? s.item ?? s.value;
  }
  return Object.keys((unwrap(schema) as { entries?: object } | undefined)?.entries ?? {});
}

function unwrap(schema: unknown): unknown {
  let s = schema as { wrapped?: unknown; pipe?: unknown[] } | undefined;
  while (s?.wrapped || s?.pipe) s = (s.wrapped ?? (s.pipe as unknown[])[0]) as typeof s;
  return s;
}

function durationFrom(least: number, message: string) {
  return v.pipe(
    v.string(message),
    v.check((t) => (parseDuration(t) ?? -1) >= least, message),
    v.transform((t) => parseDuration(t)!),
  );
}

function atLeast(least: number) {
  return v.pipe(
    v.number(),
    v.check((n) => n >= least && Number.isFinite(n), `must be a number from ${least} up`),
  );
}

/**
 * One of two schemas, chosen by what stands there: unlike a union, which only says that neither fits, it names the fault
 * inside the one that was meant. Without input (a generator of JSON schemas asks so) it is the union.
 */
function either<A extends v.GenericSchema, B extends v.GenericSchema>(a: A, b: B, isA: (input: unknown) => boolean) {
  const both = v.union([a, b]);
  return v.lazy((input): v.GenericSchema<v.InferInput<A | B>, v.InferOutput<A | B>> => {
    const chosen: v.GenericSchema = input === undefined ? both : isA(input) ? a : b;
    return chosen as v.GenericSchema<v.InferInput<A | B>, v.InferOutput<A | B>>;
  });
}
