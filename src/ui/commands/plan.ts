/** A deployment's plan in one line. Pure. */
import type { PlannedChange, StackPlan } from "../../backend.ts";

const WORDS: readonly (readonly [PlannedChange["action"], string])[] = [
  ["add", "added"],
  ["change", "changed"],
  ["replace", "replaced"],
  ["remove", "removed"],
];

/** Such as `5 added, 1 changed; $214 a month`. */
export function planSummary(plan: StackPlan): string {
  const counts = WORDS.map(([action, word]) => {
    const count = plan.changes.filter((c) => c.action === action).length;
    return count === 0 ? undefined : `${count} ${word}`;
  }).filter((part) => part !== undefined);
  const changes = counts.length > 0 ? counts.join(", ") : "nothing changes";
  const cost = plan.monthlyCost === null ? "no cost" : `$${Math.round(plan.monthlyCost.total)} a month`;
  return `${changes}; ${cost}`;
}
