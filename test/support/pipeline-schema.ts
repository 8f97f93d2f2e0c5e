/**
 * The JSON schemas of the pipeline file, made from the schema that reads it. `media/pipeline.schema.json` says everything, for
 * any editor and for `$schema`. `media/pipeline.editor.json` is what VS Code's own JSON support works with: it completes and
 * documents the same, but finds nothing wrong, because Forewatch's own diagnostics do that better and would say it twice.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import { FILE_SCHEMA } from "../../src/core/spec.ts";
import { DOCS } from "../../src/ui/spec/docs.ts";

/** A JSON schema as far as it is handled here. */
export interface Schema {
  $id?: string;
  $ref?: string;
  $defs?: Record<string, Schema>;
  title?: string;
  description?: string;
  markdownDescription?: string;
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  [keyword: string]: unknown;
}

/** The complete schema, with descriptions. */
export function pipelineSchema(): Schema {
  const raw = toJsonSchema(FILE_SCHEMA, { errorMode: "ignore", typeMode: "input" }) as Schema;
  const { $defs = {}, ...root } = raw;
  const schema = describe(root, [], $defs);
  return { title: "Forewatch pipeline", ...schema };
}

/** The same schema for completion and hovers only: it accepts everything. */
export function editorSchema(): Schema {
  return { ...accepting(pipelineSchema()), allowComments: true, allowTrailingCommas: true };
}

/** The paths of a schema's parts, as DOCS names them. */
export function paths(schema: Schema, path: readonly string[] = []): string[] {
  return [path.join("."), ...parts(schema).flatMap(([key, part]) => paths(part, key === "" ? path : [...path, key]))];
}

function parts(schema: Schema): [key: string, part: Schema][] {
  return [
    ...Object.entries(schema.properties ?? {}),
    ...(typeof schema.additionalProperties === "object"
      ? [["*", schema.additionalProperties] as [string, Schema]]
      : []),
    ...(schema.items?.type === "object" ? [["*", schema.items] as [string, Schema]] : []),
  ];
}

/** References in place, and every part with its description. */
function describe(schema: Schema, path: readonly string[], definitions: Record<string, Schema>): Schema {
  const { $ref, ...own } = schema;
  const target = $ref === undefined ? own : { ...definitions[$ref.replace("#/$defs/", "")], ...own };
  const doc = DOCS[path.join(".")];
  const inner = (part: Schema, key: string) => describe(part, [...path, key], definitions);
  const { properties, additionalProperties, items, anyOf, ...rest } = target;
  return {
    ...rest,
    ...(doc !== undefined && {
      description: doc.replace(/[*`]{1,2}([^*`]+)[*`]{1,2}/g, "$1"),
      markdownDescription: doc,
    }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, inner(part, key)])),
    }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === "object" ? inner(additionalProperties, "*") : additionalProperties,
    }),
    ...(items && { items: inner(items, "*") }),
    ...(anyOf && { anyOf: anyOf.map((part) => describe(part, [...path, "?"], definitions)) }),
  };
}

/** Keywords that can find a value wrong and have no part in completion. */
const JUDGING = ["required", "pattern", "minItems", "maxItems", "minimum", "maximum", "propertyNames"];

/** The schema without any power to reject. */
function accepting(schema: Schema): Schema {
  const { properties, additionalProperties, items, anyOf, type, enum: values, const: value, ...rest } = schema;
  const kept = Object.fromEntries(Object.entries(rest).filter(([keyword]) => !JUDGING.includes(keyword)));
  const leaf = { ...(type && { type }), ...(values && { enum: values }), ...(value !== undefined && { const: value }) };
  const isLeaf = !properties && !items && !anyOf && typeof additionalProperties !== "object";
  return {
    ...kept,
    // An alternative that accepts everything stands beside each judgement.
    ...(isLeaf && { anyOf: [leaf, {}] }),
    ...(anyOf && { anyOf: [...anyOf.map(accepting), {}] }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, accepting(part)])),
    }),
    ...(typeof additionalProperties === "object" && { additionalProperties: accepting(additionalProperties) }),
    ...(items && { items: accepting(items) }),
  };
}
