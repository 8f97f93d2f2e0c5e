/** Where the parts of a pipeline file stand that lenses and hovers belong to; from broken text, as far as it goes. Pure. */
import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";

export interface Part {
  readonly name: string;
  /** Offset of the part's first character. */
  readonly offset: number;
  readonly length: number;
}

export interface Outline {
  /** The pipeline's name and where it is given. */
  readonly name?: Part;
  readonly fields: readonly Part[];
  readonly measures: readonly Part[];
  readonly alarms: readonly (Part & { readonly measure?: string })[];
}

export function outline(text: string): Outline {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const at = (...path: (string | number)[]) => tree && findNodeAtLocation(tree, path);
  const name = at("name");
  return {
    ...(name?.type === "string" && { name: part(String(name.value), name.parent ?? name) }),
    fields: keys(at("source", "fields")),
    measures: keys(at("series", "measures")),
    alarms: (at("alarms")?.children ?? []).flatMap((node, i) => {
      const alarm = at("alarms", i, "name");
      const measure = at("alarms", i, "measure")?.value as unknown;
      if (typeof alarm?.value !== "string") return [];
      return [{ ...part(alarm.value, node), ...(typeof measure === "string" && { measure }) }];
    }),
  };
}

function keys(node: Node | undefined): Part[] {
  return (node?.children ?? []).flatMap((property) => {
    const key = property.children?.[0];
    return typeof key?.value === "string" ? [part(key.value, property)] : [];
  });
}

function part(name: string, node: Node): Part {
  return { name, offset: node.offset, length: node.length };
}
