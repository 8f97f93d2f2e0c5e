/**
 * Pipelines whose lists are as long as a pipeline file takes, or whose names are: what the services are asked fits them, or the
 * pipeline is refused with the reason.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { unloadSql } from "../../../infra/workflow/unload.ts";
import { type PreparedRow, prepareSql, type Span, toSeries } from "../../../src/core/prepare.ts";
import { byFields, type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { SESSION } from "../../../src/sql/index.ts";
import { options } from "./pipelines.ts";

/** Athena User Guide, "Service Quotas": a statement's bytes of UTF-8. */
const STATEMENT = 262_144;
/** Step Functions Developer Guide, "Service quotas": bytes of UTF-8 that a task takes, and those of a definition. */
const TASK = 262_144;
const DEFINITION = 1_048_576;

function pipeline(by: Record<string, readonly string[]>, measures: object = { n: { count: "*" } }): PipelineSpec {
  const fields = { t: "timestamp", x: "double", ...Object.fromEntries(Object.keys(by).map((f) => [f, "string"])) };
  return requireSpec(
    JSON.stringify({ name: "wide", source: { time: "t", fields }, series: { every: "1h", by, measures } }),
  );
}

const values = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));
const uuid = (i: number) => `${(i * 2_654_435_761).toString(16).padStart(12, "0")}-4ac0-8fd2-9b5d-0123456789ab`;
const long = (name: string, i: number) => `${name}_${i}_`.padEnd(63, "x");

const BIG: Readonly<Record<string, PipelineSpec>> = {
  "as many ids as there may be series": pipeline({ id: values(10_000, uuid) }),
  "names that take three bytes a letter": pipeline({ id: values(3_000, (i) => `北館鹿児島市立中央保育園${i}`) }),
  "values of nothing but quotes": pipeline({ id: values(2_000, (i) => `${`"'\\`.repeat(20)}${i}`) }),
  "two lists": pipeline({ a: values(5_000, uuid), b: ["x", "y"] }),
  "lists that just fit": pipeline({ id: values(1_500, uuid) }),
};

/** What the workflow asks of Athena, without what is filled in when it runs. */
function argumentsOf(spec: PipelineSpec): string {
  const { States } = synthesize(spec, options()).template.Resources.Training!.Properties.Definition as unknown as {
    States: { Prepare: { Arguments: { QueryString: string } } };
  };
  return JSON.stringify({
    ...States.Prepare.Arguments,
    QueryString: unloadSql(spec, SPAN, `s3://${"b".repeat(200)}/`),
  });
}

const bytes = (text: string) => Buffer.byteLength(text);
const HOUR = 3_600_000;
const SPAN: Span = { from: Date.UTC(2026, 0, 1), until: Date.UTC(2026, 0, 1, 6) };

describe.each(Object.entries(BIG))("%s", (_, spec) => {
  test("are asked for in statements that Athena takes", () => {
    const { template } = synthesize(spec, options());
    expect(bytes(template.Resources.SeriesQuery!.Properties.QueryString as string)).toBeLessThanOrEqual(STATEMENT);
    expect(bytes(unloadSql(spec, SPAN, "s3://bucket/"))).toBeLessThanOrEqual(STATEMENT);
  });
  test("make a workflow that Step Functions takes", () => {
    const { Definition } = synthesize(spec, options()).template.Resources.Training!.Properties;
    expect(bytes(JSON.stringify(Definition))).toBeLessThan(DEFINITION);
    expect(bytes(argumentsOf(spec))).toBeLessThan(TASK);
  });
});

test("lists that fit stay in the statement, so that nothing is read for nothing", () => {
  expect(unloadSql(BIG["lists that just fit"]!, SPAN, "s3://bucket/")).toContain(`IN ('${uuid(0)}'`);
});

test("measures that make too long a statement are refused with its bytes", () => {
  const many = Object.fromEntries(values(2_000, (i) => long("measure", i)).map((name) => [name, { sum: "x" }]));
  expect(() => synthesize(pipeline({}, many), options())).toThrow(
    expect.objectContaining({
      code: "target.unsupported",
      message: expect.stringMatching(/has [\d,]+ bytes of UTF-8.*262,144/),
      next: expect.stringContaining("measures"),
    }),
  );
});

describe("without its list, the statement", () => {
  let db: DuckDBConnection;
  beforeAll(async () => {
    db = await (await DuckDBInstance.create(":memory:")).connect();
    for (const setting of SESSION) await db.run(setting);
    // Listed ones, others, one that differs in case alone, and none.
    await db.run(`CREATE TABLE raw AS SELECT TIMESTAMP '2026-01-01 00:10:00' + to_seconds(i * 600) AS t, i * 1.5 AS x,
      [${[0, 1, 2].map((i) => `'${uuid(i)}'`).join(", ")}, 'another', upper('${uuid(1)}'), NULL][1 + i % 6] AS id,
      '2026-01-01' AS dt FROM (SELECT (i * 7) % 30 AS i FROM range(60) AS r(i))`);
  });
  afterAll(() => db.closeSync());

  test("gives the same series as with it", async () => {
    const spec = pipeline({ id: values(3_300, uuid) }, { n: { count: "*" }, total: { sum: "x" }, most: { max: "x" } });
    const rows = async (sql: string): Promise<PreparedRow[]> => {
      const found = (await (await db.run(sql)).getRowsJS()) as readonly (readonly unknown[])[];
      const by = byFields(spec).length;
      return found.map(([start, ...rest]) => ({
        start: (start as Date).getTime(),
        group: rest.slice(0, by).map(String),
        values: rest.slice(by).map((v) => (v === null ? null : Number(v))),
      }));
    };
    const asked = /FROM \(\n([\s\S]*)\n\)\n\) TO /.exec(unloadSql(spec, SPAN, "s3://bucket/"))![1]!;
    const listed = await rows(prepareSql(spec, SPAN));
    const all = await rows(asked);
    expect(asked).not.toContain(uuid(0));
    expect(all.length).toBeGreaterThan(listed.length);
    expect(listed.length).toBeGreaterThan(10);
    const series = toSeries(spec, all, SPAN);
    expect(series).toEqual(toSeries(spec, listed, SPAN));
    expect(series).toHaveLength(3_300 * 3);
    expect(series[0]!.every).toBe(HOUR);
  });
});
