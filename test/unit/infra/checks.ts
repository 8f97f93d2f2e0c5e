/** Checks as the relay and the transform take them, without what enrich leaves behind. */
import { checker } from "../../../infra/lambda/checked.ts";
import { type CheckAll, checkAll } from "../../../infra/lambda/deadline.ts";
import type { Enrich } from "../../../src/core/deliver.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";

export function checks(spec: PipelineSpec, enrich?: Enrich): CheckAll {
  const check = checker(spec, enrich);
  return async (records, patience) => checkAll(check, records, patience);
}
