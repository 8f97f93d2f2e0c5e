/** What becomes of the data when a stack goes, and that it can be said anew of one that is there. */
import { expect, test } from "vitest";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { FLIGHTS, options } from "./pipelines.ts";

// CloudFormation User Guide, "DeletionPolicy attribute": it cannot be updated by itself.
test("to keep the data or not changes the resources, not their policies alone", () => {
  const kept = synthesize(FLIGHTS, options()).template.Resources;
  const discarded = synthesize(FLIGHTS, options({ keepData: false })).template.Resources;
  const changed = Object.keys(kept).filter((id) => kept[id]!.DeletionPolicy !== discarded[id]!.DeletionPolicy);
  expect(changed).toEqual(["DataKey", "DataBucket"]);
  for (const id of changed) {
    const [now, then] = [kept[id]!.Properties.Tags, discarded[id]!.Properties.Tags] as { Key: string }[][];
    expect(now, id).not.toEqual(then);
    // The same tags, of which one has another value: nothing else about them changes.
    expect(now!.map(({ Key }) => Key)).toEqual(then!.map(({ Key }) => Key));
    const { Tags: _, ...properties } = kept[id]!.Properties;
    expect(discarded[id]!.Properties).toMatchObject(properties);
  }
});
