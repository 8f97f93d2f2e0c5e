/**
 * Checking a batch so that none of its records can do the others harm, neither by what enrich does nor by what it leaves behind: code
 * that runs when the check is over, and that fails, never ends, or ends the process.
 */
import type { Delivered } from "../../src/core/deliver.ts";
import { type Check, type CheckAll, checkAll, PATIENCE, type Patience, rejected, type Unchecked } from "./deadline.ts";
import type { Journal } from "./journal.ts";
import type { Failures, Strays } from "./strays.ts";

/** Checks all records and then waits once; one by one, where otherwise it could not be told whose fault something was. */
export function watched(check: Check, journal: Journal, strays: Strays): CheckAll {
  const guarded = strays.guard(check);
  return async (records, patience = () => PATIENCE) => {
    if (!journal.wary) {
      const delivered = checkAll(guarded, records, patience);
      const failures = await strays.settled();
      if (!failures.has(undefined)) return delivered.map((one, i) => blamed(one, records[i]!, failures));
    }
    return oneByOne(guarded, records, patience, journal, strays);
  };
}

async function oneByOne(
  check: Check,
  records: readonly Unchecked[],
  patience: Patience,
  journal: Journal,
  strays: Strays,
): Promise<Delivered[]> {
  const done: Delivered[] = [];
  for (const [i, record] of records.entries()) {
    const delivered = journal.hasEndedAt(record.data)
      ? rejected("enrich-failed", "enrich ended its process", record.data)
      : await journal.at(record.data, async () => {
          const [one] = checkAll(check, [record], () => patience(records.length - i));
          const failures = await strays.settled();
          return one && blamed(one, record, failures);
        });
    if (!delivered) break;
    done.push(delivered);
  }
  return done;
}

/** What became of a record, seen from what failed after its check. */
function blamed(delivered: Delivered, { data }: Unchecked, failures: Failures): Delivered {
  const failure = failures.get(data) ?? failures.get(undefined);
  if (failure === undefined) return delivered;
  return rejected("enrich-failed", `enrich failed outside its function: ${failure}`, data);
}
