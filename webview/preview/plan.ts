/** A plan's changes in pipeline order. */
import type { PlannedChange } from "../../src/rpc/page.ts";

export type Step = PlannedChange["step"];
export type Action = PlannedChange["action"];

export const STEPS: readonly { readonly step: Step; readonly title: string }[] = [
  { step: "collect", title: "Collect" },
  { step: "deliver", title: "Deliver" },
  { step: "prepare", title: "Prepare" },
  { step: "forecast", title: "Forecast" },
  { step: "analyze", title: "Analyze" },
  { step: "compare", title: "Compare" },
  { step: "alert", title: "Alert" },
];

export interface StepChanges {
  readonly step: Step;
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly changes: readonly PlannedChange[];
  /** How many stay as they are. */
  readonly unchanged: number;
}

/** Every step with its changes; those that stay only when `all`. */
export function groupSteps(changes: readonly PlannedChange[], all: boolean): StepChanges[] {
  return STEPS.map(({ step, title }, i) => {
    const own = changes.filter((change) => change.step === step);
    return {
      step,
      number: i + 1,
      title,
      changes: own.filter((change) => all || change.action !== "keep"),
      unchanged: own.filter((change) => change.action === "keep").length,
    };
  });
}

/** How many changes there are of each kind. */
export function tally(changes: readonly PlannedChange[]): Record<Action, number> {
  const counts: Record<Action, number> = { add: 0, change: 0, replace: 0, remove: 0, keep: 0 };
  for (const { action } of changes) counts[action]++;
  return counts;
}
