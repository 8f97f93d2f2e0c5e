/** Writes a commented pipeline file from the answers of the guided steps. Pure. */
import type { FieldType } from "../../core/spec.ts";
import { DAY, formatDuration, MINUTE, WEEK } from "../../core/time.ts";
import type { MeasureGuess } from "./infer.ts";

export interface Draft {
  readonly name: string;
  readonly time: string;
  readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
  readonly by: readonly string[];
  readonly measures: readonly MeasureGuess[];
  /** Window length, ms. */
  readonly every: number;
}

/** The file's text: every part that one may want to change is there, with a comment that says what it means. */
export function writePipelineFile(draft: Draft): string {
  const { every } = draft;
  const short = every <= 5 * MINUTE;
  const horizon = every >= DAY ? 4 * WEEK : short ? DAY : 2 * DAY;
  const history = every >= DAY ? 52 * WEEK : 8 * WEEK;
  const fields = draft.fields.map(({ name, type }) => `      ${text(name)}: ${text(type)}`);
  const measures = draft.measures.map((m) => `      ${text(m.name)}: { ${text(m.statistic)}: ${text(m.field)} }`);
  const first = draft.measures[0]!.name;
  return `{
  "name": ${text(draft.name)},
  "source": {
    // The field that tells when an event happened: ISO 8601 text, or epoch seconds or milliseconds.
    "time": ${text(draft.time)},
    "fields": {
${fields.join(",\n")}
    },
    // A window closes when the newest event is this much past its end; later events are counted, not compared.
    "lateness": ${text(formatDuration(Math.min(10 * MINUTE, every)))},
    // After this long without any event the clock moves on by itself: silence must alarm, too.
    "idle": "2m"
  },
  "series": {
    // The length of a window.
    "every": ${text(formatDuration(every))},
    // One series for each value of these fields${draft.by.length === 0 ? "; none: one series a measure" : ""}.
    "by": [${draft.by.map(text).join(", ")}],
    "measures": {
${measures.join(",\n")}
    }
  },
  "forecast": {
    // How much history is learned from, and how far ahead the forecast reaches.
    "history": ${text(formatDuration(history))},
    "horizon": ${text(formatDuration(horizon))},
    // 0.98: one window in fifty lies outside the band when all is well.
    "band": 0.98,
    "seasons": "auto",
    "retrain": "1d"
  },
  "alarms": [
    // ALARM while 3 of the last 4 windows of any series lie beyond the band, on either side.
    {
      "name": ${text(`${first.replaceAll("_", "-").toLowerCase()}-unusual`)},
      "measure": ${text(first)},
      "direction": "both",
      "threshold": 1.0,
      "datapoints": "3 of 4",
      "severity": 3
    }
  ],
  // Prep queries: each statement of the .sql files in this folder.
  "sql": "sql/"
}
`;
}

/** Letters that a pipeline's name may have. */
const LONGEST = 48;

/** A name that a pipeline may have, from a file's or a stream's. */
export function pipelineName(from: string): string {
  const name = from
    .toLowerCase()
    .replace(/\.[a-z]+$/, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, LONGEST);
  return name || "pipeline";
}

/** `name` if it is free, else the first of `name-2`, `name-3`, ... that is. */
export function freeName(name: string, isFree: (name: string) => boolean): string {
  for (let n = 1; ; n++) {
    const ending = n === 1 ? "" : `-${n}`;
    const numbered = name.slice(0, LONGEST - ending.length) + ending;
    if (isFree(numbered)) return numbered;
  }
}

function text(value: string): string {
  return JSON.stringify(value);
}
