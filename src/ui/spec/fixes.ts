/** What to offer for a problem in a pipeline file: edits of its text. Pure. */
import { findNodeAtLocation, parseTree } from "jsonc-parser";
import { forecastDefaults, type SpecProblem } from "../../core/spec.ts";
import { formatDuration, HOUR, parseDuration } from "../../core/time.ts";

/** An edit that mends a problem: `length` characters at `offset` become `text`. */
export interface Fix {
  readonly title: string;
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** The edits that mend `problem` in `source`, the likeliest first. */
export function fixesFor(problem: SpecProblem, source: string): readonly Fix[] {
  const { suggestion, at, path } = problem;
  if (suggestion !== undefined) {
    const quoted = source[at.offset] === '"';
    return [
      {
        title: `Change to "${suggestion}"`,
        offset: at.offset,
        length: at.length,
        text: quoted ? JSON.stringify(suggestion) : suggestion,
      },
    ];
  }
  if (/^forecast\.seasons(\.|$)/.test(path))
    return replaceValue(source, ["forecast", "seasons"], '"auto"', AUTO_SEASONS);
  if (path === "forecast.retrain") {
    const horizon = valueAt(source, ["forecast", "horizon"]) ?? formatDuration(defaultHorizon(source));
    return replaceValue(
      source,
      ["forecast", "retrain"],
      JSON.stringify(horizon),
      `Retrain once a horizon (${horizon})`,
    );
  }
  return [];
}

/** What the horizon is when the file does not say. */
function defaultHorizon(source: string): number {
  const every = valueAt(source, ["series", "every"]);
  return forecastDefaults((typeof every === "string" && parseDuration(every)) || HOUR).horizon;
}

const AUTO_SEASONS = 'Let Forewatch find the seasons in the data ("auto")';

function replaceValue(source: string, path: readonly string[], text: string, title: string): readonly Fix[] {
  const tree = parseTree(source, [], { allowTrailingComma: true });
  const node = tree && findNodeAtLocation(tree, [...path]);
  return node ? [{ title, offset: node.offset, length: node.length, text }] : [];
}

function valueAt(source: string, path: readonly string[]): unknown {
  const tree = parseTree(source, [], { allowTrailingComma: true });
  return tree && findNodeAtLocation(tree, [...path])?.value;
}
