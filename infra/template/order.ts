/** In which order CloudFormation makes resources: after those that they name, and after those in `DependsOn`. */
import type { Resource, Value } from "./cfn.ts";

type Resources = Readonly<Record<string, Resource>>;

/**
 * The resources with `id` made after all the others, and so taken away before them. It names only those that no other one waits
 * for: the rest follows, and CloudFormation has no use for being told twice.
 */
export function last(resources: Resources, id: string): Record<string, Resource> {
  const awaited = new Set(
    Object.entries(resources).flatMap(([other, resource]) => (other === id ? [] : waitsFor(resource))),
  );
  const own = new Set(waitsFor(resources[id]!));
  const others = Object.keys(resources).filter((other) => other !== id && !awaited.has(other) && !own.has(other));
  return { ...resources, [id]: { ...resources[id]!, DependsOn: [...(resources[id]!.DependsOn ?? []), ...others] } };
}

/** Logical ids that a resource waits for; names of pseudo parameters may be among them. */
export function waitsFor({ Properties, DependsOn = [] }: Resource): string[] {
  return [...DependsOn, ...named(Properties)];
}

function named(value: Value): string[] {
  if (typeof value !== "object") return [];
  if (isList(value)) return value.flatMap(named);
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === "Ref") return [inner as string];
    if (key === "Fn::GetAtt") return [(inner as readonly string[])[0]!];
    if (key !== "Fn::Sub") return named(inner);
    const [text, values = {}] =
      typeof inner === "string" ? [inner] : (inner as readonly [string, Record<string, Value>]);
    const names = [...text.matchAll(/\$\{([^!}.][^}.]*)/g)].map(([, name]) => name!);
    return [...names.filter((name) => !(name in values)), ...named(values)];
  });
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
