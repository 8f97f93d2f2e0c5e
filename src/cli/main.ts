/**
 * The command line: runs the sample, or a pipeline of one's own, without an editor. A front end like any other: it talks to
 * the engine over the same connection as the editor does.
 */
import { parseArgs } from "node:util";
import { describeFault, Fault } from "../core/fault.ts";
import { parseInstant } from "../core/time.ts";
import { type HeadlessOptions, runHeadless } from "./headless.ts";

const HELP = `Forewatch with the sample

  npm start                          VS Code in the browser, the sample replayed at an hour a second
    -- --vscode                      in the installed desktop VS Code instead
    -- --again                       forget what was replayed, and start anew

Forewatch without an editor

  npm start -- --headless            run the sample: three months of flights, until the snowstorm opens an incident
    --json                           print the summary as JSON (progress goes to stderr)
    --until TIME                     stop at this event time (sample: 2001-03-12)
    --live-from TIME                 compare windows from here on; before it is history (sample: 2001-03-01)
    --speed N                        replay the live part at N times real time (default: as fast as it goes)
    --data DIR                       keep the pipeline's data in DIR/.forewatch and go on from there next time
    --pipeline FILE                  run your own pipeline file
    --input FILE                     send this Parquet, CSV or JSON-lines file through it
    --serve                          keep the Kinesis-compatible endpoint up until Ctrl+C
    --port N                         port of the endpoint (default: any free one)
`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`forewatch: ${describeFault(Fault.from(error))}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  // Ended early, with calls under way that nobody will answer; for a served run that is the usual end.
  if (!(await runHeadless(options))) process.exit(options.serve ? 0 : 130);
  return 0;
}

/** The options given; undefined when help was asked for. */
function readOptions(): HeadlessOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  let values: ReturnType<typeof parse>["values"];
  function parse() {
    return parseArgs({
      options: {
        headless: flag,
        json: flag,
        serve: flag,
        help: { ...flag, short: "h" },
        until: text,
        "live-from": text,
        speed: text,
        data: text,
        pipeline: text,
        input: text,
        port: text,
      },
    });
  }
  try {
    values = parse().values;
  } catch (error) {
    throw new Fault("input.invalid", (error as Error).message, { next: "See npm start -- --help." });
  }
  if (values.help) return undefined;
  const port = values.port === undefined ? 0 : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalid("--port", "a number up to 65535");
  const speed = values.speed === undefined ? ("max" as const) : Number(values.speed);
  if (speed !== "max" && !(speed > 0)) throw invalid("--speed", "a number above 0");
  const until = instant("--until", values.until);
  const liveFrom = instant("--live-from", values["live-from"]);
  return {
    json: values.json,
    serve: values.serve,
    port,
    speed,
    ...(until !== undefined && { until }),
    ...(liveFrom !== undefined && { liveFrom }),
    ...(values.data !== undefined && { data: values.data }),
    ...(values.pipeline !== undefined && { pipeline: values.pipeline }),
    ...(values.input !== undefined && { input: values.input }),
  };
}

function instant(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = parseInstant(text);
  if (Number.isNaN(time)) throw invalid(option, "a time such as 2001-03-12 or 2001-03-12T06:00Z");
  return time;
}

function invalid(option: string, what: string): Fault {
  return new Fault("input.invalid", `${option} takes ${what}.`, { next: "See npm start -- --help." });
}
