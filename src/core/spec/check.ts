/** What the schema cannot say of a pipeline file: names that must exist, numbers that must fit each other. */
import { MOST_SERIES } from "../series.ts";
import { DAY, formatDuration, HOUR, MINUTE, parseDuration, WEEK } from "../time.ts";
import { FORECAST_MISSING, HORIZON_WINDOWS, type PipelineSpec } from "./model.ts";
import { nearest } from "./nearest.ts";
import type { Path, Report } from "./report.ts";
import { type FileSpec, LAKE_KEPT } from "./schema.ts";

/** The names that the file declares, whether or not what they stand for is right. */
export interface Declared {
  readonly fields: readonly string[];
  readonly measures: readonly string[];
}

/** Columns that the lake's tables have besides the fields. */
const LAKE_COLUMNS = ["dt", "_sequence", "_arrival", "_late"];
/** The column of the preparation query besides the `by` fields and the measures. */
const WINDOW_START = "window_start";

/** Reports everything in a file that fits the schema but not itself. */
export function checkMeaning(spec: PipelineSpec, file: FileSpec, declared: Declared, report: Report): void {
  checkSource(spec, declared, report);
  checkSeries(spec, file, declared, report);
  if (isRegular(spec.series.every)) {
    checkForecast(spec, file, report);
    checkPeriods(spec, report);
  }
  checkAlarms(spec, declared, report);
  checkRetention(spec, report);
}

function checkSource({ source: { fields, time } }: PipelineSpec, declared: Declared, report: Report): void {
  reportClashes(declared.fields, ["source", "fields"], "field", LAKE_COLUMNS, report);
  if (!declared.fields.includes(time)) report(["source", "time"], ...unknown("field", time, declared.fields));
  else if (fields[time] !== undefined && fields[time] !== "timestamp")
    report(["source", "fields", time], `"${time}" is the event time, so it must be a "timestamp".`, {
      suggestion: "timestamp",
    });
}

function checkSeries(spec: PipelineSpec, file: FileSpec, declared: Declared, report: Report): void {
  const { every, by, measures } = spec.series;
  const { fields } = spec.source;
  if (!isRegular(every))
    report(
      ["series", "every"],
      "A window lasts whole minutes, from one minute to one day, and fits evenly into a day: 5m, 15m, 1h or 1d, for example.",
    );
  let listed = 1;
  by.forEach(({ field, values = [] }, i) => {
    const path: Path = Array.isArray(file.series.by) ? ["series", "by", i] : ["series", "by", field];
    const before = listed * measures.length;
    listed *= Math.max(1, values.length);
    // At the list that makes them too many.
    if (before <= MOST_SERIES && listed * measures.length > MOST_SERIES)
      report(
        path,
        tooMany(
          by.map((b) => b.values?.length ?? 1),
          measures.length,
        ),
      );
    const seen = new Set<string>();
    const type = fields[field];
    if (!declared.fields.includes(field)) report(path, ...unknown("field", field, declared.fields, true));
    else if (type === "timestamp" || type === "double")
      report(path, `"${field}" is a ${type}: split by text, whole numbers or truth values.`, { key: true });
    if (field.toLowerCase() === WINDOW_START)
      report(path, `"${WINDOW_START}" is a column of the prepared series: split by a field of another name.`);
    values.forEach((value, j) => {
      if (seen.has(value)) report([...path, j], `${JSON.stringify(value)} stands here twice.`);
      seen.add(value);
      if (type === "integer" && String(Number(value)) !== value)
        report([...path, j], `"${field}" is an integer, so it is never ${JSON.stringify(value)}.`);
      if (type === "boolean" && value !== "true" && value !== "false")
        report([...path, j], `"${field}" is a boolean: "true" or "false".`);
    });
    if (by.findIndex((b) => b.field === field) < i) report(path, `"${field}" stands here twice.`);
  });
  const taken = [WINDOW_START, ...by.map((b) => b.field)];
  reportClashes(declared.measures, ["series", "measures"], "measure", taken, report);
  for (const m of measures) {
    const path = ["series", "measures", m.name, m.statistic];
    const type = fields[m.field];
    if (m.field === "*") {
      if (m.statistic !== "count") report(path, `Only count takes "*": name the field whose ${m.statistic} you want.`);
    } else if (!declared.fields.includes(m.field)) report(path, ...unknown("field", m.field, declared.fields));
    else if (m.statistic !== "count" && type !== undefined && type !== "double" && type !== "integer")
      report(path, `"${m.field}" is a ${type}: ${m.statistic} needs a double or an integer.`);
  }
}

function tooMany(lengths: readonly number[], measures: number): string {
  const words = (n: number) => n.toLocaleString("en");
  const groups = lengths.reduce((n, length) => n * length, 1);
  const lists = lengths.filter((n) => n > 1);
  const product = lists.length > 1 ? ` (${lists.map(words).join(" times ")})` : "";
  const each = measures > 1 ? `, ${words(groups * measures)} series with ${measures} measures` : "";
  return `The values listed make ${words(groups)} groups${product}${each}: at most ${words(MOST_SERIES)} series are watched.`;
}

function checkForecast(spec: PipelineSpec, file: FileSpec, report: Report): void {
  const { every } = spec.series;
  const { history, horizon, retrain } = spec.forecast;
  const seasons = file.forecast.seasons === "auto" ? [] : file.forecast.seasons;
  if (horizon % every !== 0) report(["forecast", "horizon"], "The horizon is a whole number of windows.");
  else if (horizon / every > HORIZON_WINDOWS)
    report(["forecast", "horizon"], `The horizon is at most ${HORIZON_WINDOWS.toLocaleString("en")} windows.`);
  if (retrain % every !== 0) report(["forecast", "retrain"], "Training recurs every whole number of windows.");
  if (retrain > horizon)
    report(
      ["forecast", "retrain"],
      "The forecast would run out before the next training: retrain at least once a horizon.",
    );
  if (history < 2 * every) report(["forecast", "history"], "The history holds at least two windows.");
  seasons.forEach((season, i) => {
    const path: Path = ["forecast", "seasons", i];
    if (season % every !== 0 || season < 2 * every)
      report(path, "A season is a whole number of windows, at least two.");
    else if (season * 2 > history) report(path, "The history must hold at least two of this season.");
    if (seasons.indexOf(season) < i) report(path, "This season stands here twice.");
  });
  const [shorter = 1, longer = shorter] = [...seasons].sort((a, b) => a - b);
  if (longer % shorter !== 0)
    report(["forecast", "seasons"], "The longer season must be a whole multiple of the shorter.");
}

function checkAlarms(spec: PipelineSpec, declared: Declared, report: Report): void {
  spec.alarms.forEach((a, i) => {
    if (spec.alarms.findIndex((b) => b.name === a.name) < i)
      report(["alarms", i, "name"], `There is another alarm named "${a.name}".`);
    if (a.name === FORECAST_MISSING)
      report(["alarms", i, "name"], `"${FORECAST_MISSING}" is the pipeline's own alarm: choose another name.`);
    if (!declared.measures.includes(a.measure))
      report(["alarms", i, "measure"], ...unknown("measure", a.measure, declared.measures));
    if (a.datapoints < 1 || a.periods < a.datapoints)
      report(
        ["alarms", i, "datapoints"],
        `"m of n" needs 1 <= m <= n: ${a.datapoints} of ${a.periods} windows can never be.`,
      );
  });
}

/** A forecast that learns from more than the lake keeps would learn from less than it says, and say nothing of it. */
function checkRetention({ forecast: { history }, retention: { lake } }: PipelineSpec, report: Report): void {
  if (lake >= history) return;
  // Whichever is not its default stands in the file; the lake's is the longer one.
  const path = lake < parseDuration(LAKE_KEPT)! ? ["retention", "lake"] : ["forecast", "history"];
  report(
    path,
    `The forecast learns from ${formatDuration(history)} and the lake keeps ${formatDuration(lake)}: let retention.lake be as long as forecast.history, or longer.`,
  );
}

/** CloudWatch's limit: n periods lie within a day where a period is below an hour, within seven days from there. */
function checkPeriods({ alarms, series: { every } }: PipelineSpec, report: Report): void {
  const limit = every < HOUR ? DAY : WEEK;
  alarms.forEach((a, i) => {
    if (a.periods * every > limit)
      report(
        ["alarms", i, "datapoints"],
        `The n windows span at most ${limit === DAY ? "one day" : "seven days"}: n is at most ${limit / every} here.`,
      );
  });
}

/** Whether windows of this length tile the day, as both targets need. */
function isRegular(every: number): boolean {
  return every >= MINUTE && every <= DAY && DAY % every === 0 && every % MINUTE === 0;
}

/** SQL takes names that differ only in case for one, and has some columns of its own. */
function reportClashes(
  names: readonly string[],
  at: Path,
  noun: "field" | "measure",
  taken: readonly string[],
  report: Report,
): void {
  const lower = names.map((n) => n.toLowerCase());
  names.forEach((name, i) => {
    const other = names[lower.indexOf(lower[i]!)]!;
    const column = taken.find((t) => t.toLowerCase() === lower[i]);
    if (other !== name)
      report([...at, name], `"${name}" and "${other}" differ only in case: SQL takes them for one.`, { key: true });
    if (column !== undefined)
      report(
        [...at, name],
        noun === "field"
          ? `"${name}" is a column that Forewatch adds itself: choose another name.`
          : `"${column}" is a column of the prepared series already: choose another name.`,
        { key: true },
      );
  });
}

/** The arguments of a Report for a name that is not there; `key`: it stands as a property's name. */
function unknown(
  noun: "field" | "measure",
  name: string,
  names: readonly string[],
  key = false,
): [string, { suggestion?: string; key: boolean }] {
  const suggestion = nearest(name, names);
  const hint = suggestion ? `Did you mean "${suggestion}"?` : `There are: ${names.join(", ")}.`;
  return [`There is no ${noun} "${name}". ${hint}`, suggestion ? { suggestion, key } : { key }];
}
