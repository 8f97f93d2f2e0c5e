/**
 * Shapes of requests, checked as the service checks them: first types (SerializationException), then all constraints
 * at once (ValidationException, at most ten). Members that a shape does not name are ignored.
 */
import { type Codec, wrongType } from "./codec.ts";
import { ServiceFailure, serialization } from "./failure.ts";

interface Presence {
  readonly required?: true;
}
interface Length {
  readonly min?: number;
  readonly max?: number;
}
export type Shape = (
  | ({ readonly type: "string"; readonly pattern?: string; readonly values?: readonly string[] } & Length)
  | ({ readonly type: "integer" } & Length)
  | { readonly type: "timestamp" }
  | ({ readonly type: "blob" } & Length)
  | ({ readonly type: "list"; readonly of: Shape } & Length)
  | { readonly type: "structure"; readonly members: Members }
) &
  Presence;
export type Members = { readonly [name: string]: Shape };

/** What a shape's values are here: timestamps are epoch ms, blobs bytes. */
export type Value<S> = S extends { type: "string" }
  ? string
  : S extends { type: "integer" | "timestamp" }
    ? number
    : S extends { type: "blob" }
      ? Uint8Array
      : S extends { type: "list"; of: infer E }
        ? Value<E>[]
        : S extends { type: "structure"; members: infer M }
          ? Structure<M>
          : never;
type RequiredNames<M> = { [K in keyof M]: M[K] extends { required: true } ? K : never }[keyof M];
export type Structure<M> = { readonly [K in RequiredNames<M>]: Value<M[K]> } & {
  readonly [K in Exclude<keyof M, RequiredNames<M>>]?: Value<M[K]>;
};

const MAX_ERRORS = 10;

/** A decoded body as the value of a structure. @throws ServiceFailure SerializationException, ValidationException */
export function readStructure<const M extends Members>(members: M, body: unknown, codec: Codec): Structure<M> {
  if (typeof body !== "object" || body === null) throw serialization("");
  const errors: string[] = [];
  const value = readMembers(members, body, "", { codec, errors });
  if (errors.length > 0) {
    const count = errors.length === 1 ? "1 validation error" : `${errors.length} validation errors`;
    throw new ServiceFailure("ValidationException", `${count} detected: ${errors.join("; ")}`);
  }
  // The walk above has established every member that the type names.
  return value as Structure<M>;
}

interface Context {
  readonly codec: Codec;
  readonly errors: string[];
}

function readMembers(members: Members, body: unknown, path: string, context: Context): Record<string, unknown> {
  if (Array.isArray(body)) throw serialization("Start of list found where not expected");
  if (typeof body !== "object" || body === null) throw serialization("Expected null");
  const given = body as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const name in members) {
    const shape = members[name]!;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined && value !== null) {
      result[name] = readValue(shape, value, path, name, context);
    } else if (shape.required) {
      fail(context, "null", path, name, "Member must not be null");
    }
  }
  return result;
}

function readValue(shape: Shape, value: unknown, path: string, name: string, context: Context): unknown {
  switch (shape.type) {
    case "string":
      if (typeof value !== "string") throw wrongType(value, "an String");
      checkString(shape, value, path, name, context);
      return value;
    case "integer": {
      if (typeof value !== "number") throw wrongType(value, "an Integer");
      const integer = Math.floor(value);
      const { min = -Infinity, max = Infinity } = shape;
      if (integer < min)
        fail(context, `'${integer}'`, path, name, `Member must have value greater than or equal to ${min}`);
      if (integer > max)
        fail(context, `'${integer}'`, path, name, `Member must have value less than or equal to ${max}`);
      return integer;
    }
    case "timestamp":
      return context.codec.readTime(value);
    case "blob": {
      const bytes = context.codec.readBlob(value);
      checkLength(shape, bytes.length, () => heapBuffer(bytes.length), path, name, context);
      return bytes;
    }
    case "list": {
      if (!Array.isArray(value)) throw listExpected(value);
      checkLength(shape, value.length, () => `[${value.length} members]`, path, name, context);
      const parent = `${at(path, name)}.`;
      return value.map((item, i) => readItem(shape.of, item, `${parent}${i + 1}`, context));
    }
    case "structure":
      return readMembers(shape.members, value, at(path, name), context);
  }
}

function readItem(shape: Shape, item: unknown, path: string, context: Context): unknown {
  if (item === null || item === undefined) {
    fail(context, "null", path, "member", "Member must not be null");
    return undefined;
  }
  return readValue(shape, item, path, "member", context);
}

function checkString(
  shape: Extract<Shape, { type: "string" }>,
  value: string,
  path: string,
  name: string,
  context: Context,
): void {
  checkLength(shape, value.length, () => value, path, name, context);
  if (shape.pattern !== undefined && !compiled(shape.pattern).test(value)) {
    fail(context, `'${value}'`, path, name, `Member must satisfy regular expression pattern: ${shape.pattern}`);
  }
  if (shape.values !== undefined && !shape.values.includes(value)) {
    fail(context, `'${value}'`, path, name, `Member must satisfy enum value set: [${shape.values.join(", ")}]`);
  }
}

function checkLength(
  { min = 0, max = Infinity }: Length,
  length: number,
  shown: () => string,
  path: string,
  name: string,
  context: Context,
): void {
  if (length < min)
    fail(context, `'${shown()}'`, path, name, `Member must have length greater than or equal to ${min}`);
  if (length > max) fail(context, `'${shown()}'`, path, name, `Member must have length less than or equal to ${max}`);
}

function fail({ errors }: Context, shown: string, path: string, name: string, constraint: string): void {
  if (errors.length < MAX_ERRORS) {
    errors.push(`Value ${shown} at '${at(path, name)}' failed to satisfy constraint: ${constraint}`);
  }
}

/** A member's path as the service writes it: `records.3.member.partitionKey`. */
function at(path: string, name: string): string {
  const member = name[0]!.toLowerCase() + name.slice(1);
  return path === "" ? member : `${path}.${member}`;
}

/** How the service shows bytes. */
export function heapBuffer(length: number): string {
  return `java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]`;
}

function listExpected(value: unknown): ServiceFailure {
  return serialization(
    typeof value === "object" ? "Start of structure or map found where not expected." : "Expected list or null",
  );
}

const patterns = new Map<string, RegExp>();
function compiled(pattern: string): RegExp {
  let regex = patterns.get(pattern);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${pattern})$`);
    patterns.set(pattern, regex);
  }
  return regex;
}
