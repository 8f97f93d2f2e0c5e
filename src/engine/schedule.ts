/** When trainings are due, by the stream's own clock. */
import { windowStart } from "../core/series.ts";
import type { PipelineSpec } from "../core/spec.ts";
import { DAY } from "../core/time.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** The state with the origin of its first training, as soon as the data say when that can be. */
export function withSchedule(state: Checkpoint, { series: { every }, forecast }: PipelineSpec): Checkpoint {
  if (state.nextTraining !== null) return state;
  const { retrain, history, seasons } = forecast;
  if (state.liveFrom !== null) return { ...state, nextTraining: windowStart(state.liveFrom, every) };
  const first = state.pending[0]?.start ?? null;
  if (first === null) return state;
  const season = seasons === "auto" ? DAY : (seasons[0] ?? every);
  const enough = first + Math.min(history, 2 * Math.max(season, every));
  const origin = Math.ceil(enough / retrain) * retrain;
  return { ...state, liveFrom: origin, nextTraining: origin };
}

/** The origin of the training that is due; undefined when none is. Of several that are due, the newest stands for all. */
export function trainingDue(state: Checkpoint, spec: PipelineSpec, watermark: number | null): number | undefined {
  const { nextTraining } = withSchedule(state, spec);
  if (nextTraining === null || watermark === null || watermark < nextTraining) return undefined;
  const { retrain } = spec.forecast;
  return nextTraining + Math.floor((watermark - nextTraining) / retrain) * retrain;
}
