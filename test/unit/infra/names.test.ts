/** Names of what one pipeline makes on AWS are no other pipeline's. */
import { describe, expect, test } from "vitest";
import type { Template } from "../../../infra/template/cfn.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { FLIGHTS, options } from "./pipelines.ts";

/** Properties that name a resource in its account and region. */
const NAMED = /^(Name|\w+Name|DeliveryStreamName)$/;
const namesOf = ({ Resources }: Template) =>
  Object.values(Resources).flatMap(({ Type, Properties }) =>
    Object.entries(Properties).flatMap(([key, value]) =>
      NAMED.test(key) && typeof value === "string" && value.includes("orders") ? [`${Type} ${value}`] : [],
    ),
  );
const template = (name: string) => synthesize({ ...FLIGHTS, name }, options()).template;
/** What a name ends with that is made of a pipeline's. */
const suffixes = new Set(namesOf(template("orders")).flatMap((name) => /orders-(\w+)$/.exec(name)?.[1] ?? []));

describe.each([...suffixes])("a pipeline called orders-%s", (suffix) => {
  test("shares no name with one called orders, or is refused with the reason", () => {
    const name = `orders-${suffix}`;
    let other: Template;
    try {
      other = template(name);
    } catch (error) {
      expect(error).toMatchObject({
        code: "target.unsupported",
        message: expect.stringContaining(`"${name}"`),
        next: expect.stringContaining("name"),
      });
      return;
    }
    const taken = new Set(namesOf(template("orders")));
    expect(namesOf(other).filter((own) => taken.has(own))).toEqual([]);
  });
});

test("only what would collide is refused", () => {
  expect([...suffixes].sort()).toEqual(expect.arrayContaining(["events", "relay", "training", "windows"]));
  for (const name of ["orders-relay", "events", "training-events-2", "orders-events-eu"])
    expect(() => template(name), name).not.toThrow();
  for (const name of ["orders-events", "orders-windows", "orders-training"])
    expect(() => template(name), name).toThrow(`"${name}"`);
});
