import { expect, test } from "vitest";
import { DOCS } from "../../../src/ui/spec/docs.ts";
import { editorSchema, paths, pipelineSchema, type Schema } from "../../support/pipeline-schema.ts";

// `npx vitest run --project unit test/unit/ui/schema.test.ts -u` writes the files anew after a change of the schema.
test.each([
  ["pipeline.schema.json", pipelineSchema],
  ["pipeline.editor.json", editorSchema],
])("media/%s is what the schema of the pipeline file gives", async (name, make) => {
  await expect(`${JSON.stringify(make(), null, 2)}\n`).toMatchFileSnapshot(`../../../media/${name}`);
});

test("every part of the file is documented, and nothing else is", () => {
  // The entries of a list and of a map are described as a whole; their own parts have the words.
  const known = paths(pipelineSchema()).filter((path) => !["alarms.*", "targets.*"].includes(path));
  expect(Object.keys(DOCS).sort()).toEqual(known.sort());
});

test("the editor's schema cannot find anything wrong", () => {
  const judging = ["required", "pattern", "minItems", "maxItems", "propertyNames"];
  const visit = (schema: Schema): void => {
    for (const keyword of judging) expect(schema).not.toHaveProperty(keyword);
    expect(schema.additionalProperties).not.toBe(false);
    if (schema.anyOf) expect(schema.anyOf).toContainEqual({});
    else for (const keyword of ["type", "enum", "const"]) expect(schema).not.toHaveProperty(keyword);
    for (const part of Object.values(schema.properties ?? {})) visit(part);
    if (schema.items) visit(schema.items);
  };
  visit(editorSchema());
});
