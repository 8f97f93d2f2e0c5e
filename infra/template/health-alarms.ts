/** All ways in which a pipeline can fail without any series showing it, as alarms. */
import type { Context } from "./context.ts";
import { analysisAlarms } from "./health-analysis.ts";
import { intakeAlarms } from "./health-intake.ts";
import { type HealthAlarm, sourcesOf } from "./health-metrics.ts";
import { windowAlarms } from "./health-windows.ts";

/** All health alarms of a pipeline, in the data's order. */
export function healthAlarms(context: Context): HealthAlarm[] {
  const sources = sourcesOf(context);
  return [...intakeAlarms(sources), ...analysisAlarms(context.spec, sources), ...windowAlarms(context, sources)];
}

/** A name with dashes as a logical id: `relay-behind` is `RelayBehind`. */
export function pascal(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
