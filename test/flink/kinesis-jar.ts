/** The connector's jar for tests that go through Kinesis, or why there is none. FOREWATCH_KINESIS_JAR names one that is there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import connector from "../../infra/flink/connector.json" with { type: "json" };
import { cacheFolder, fetchConnector } from "../../infra/synth/connector.ts";
import { Fault } from "../../src/core/fault.ts";

export async function kinesisJar(): Promise<{ readonly jar: string } | { readonly lacking: string }> {
  const given = process.env.FOREWATCH_KINESIS_JAR;
  if (given !== undefined) return existsSync(given) ? { jar: given } : { lacking: `${given} does not exist` };
  try {
    // Tests do not wait for a slow network as a deployment would.
    await fetchConnector(undefined, undefined, 90_000);
    return { jar: join(cacheFolder(), "flink", connector.file) };
  } catch (error) {
    return { lacking: Fault.from(error).message };
  }
}
