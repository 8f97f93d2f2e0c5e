/** Folders that stand for streams: they need no connector's jar, and the SQL, the clock, the windows and the arithmetic are the deployment's. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FlinkConnectors } from "../../infra/flink/job.ts";
import { recordsOf, type Stage } from "./core.ts";

export interface Folders {
  readonly connectors: FlinkConnectors;
  /** For a job that does not end: it finds new files, and what a checkpoint finds written is committed at once. */
  readonly watched: { readonly connectors: FlinkConnectors; readonly settings: Readonly<Record<string, string>> };
  /** Adds records to the stream of events. */
  write(one: Stage): void;
  /** Lets the oldest records go: all of the first `write` that is there. */
  trim(): void;
  /** What a checkpoint has committed to the stream of windows. */
  read(): string[];
  /** Until the readers of a watched stream of events wait for it. */
  ready(): boolean;
  /** The same events, and another stream of windows. */
  elsewhere(): Folders;
}

/** A folder below `folder` for the stream of events, and one for the stream of windows. */
export function folders(folder: string, outputs = 1): Folders {
  const input = join(folder, "in");
  const output = join(folder, `out-${outputs}`);
  const checkpoints = join(folder, `checkpoints-${outputs}`);
  for (const path of [input, output, checkpoints]) mkdirSync(path, { recursive: true });
  const format = { connector: "filesystem", format: "json" };
  const connectors: FlinkConnectors = {
    source: { ...format, path: `file://${input}`, "json.ignore-parse-errors": "true" },
    sink: { ...format, path: `file://${output}`, "json.timestamp-format.standard": "ISO-8601" },
  };
  return {
    connectors,
    watched: {
      connectors: {
        source: { ...connectors.source, "source.monitor-interval": "200 ms" },
        sink: {
          ...connectors.sink,
          "sink.rolling-policy.rollover-interval": "100 ms",
          "sink.rolling-policy.check-interval": "100 ms",
        },
      },
      // A job that fails has failed: it would be started again for ever.
      settings: {
        "execution.checkpointing.interval": "500 ms",
        "execution.checkpointing.dir": `file://${checkpoints}`,
        "restart-strategy.type": "none",
      },
    },
    /** A line stands for a record, of which the format takes each event. Flink sees a file whole or not at all. */
    write(one) {
      const part = `part-${++parts}`;
      const text = recordsOf(one)
        .map((record) => `${record}\n`)
        .join("");
      writeFileSync(join(folder, part), text);
      renameSync(join(folder, part), join(input, `${part}.json`));
    },
    trim: () => rmSync(join(input, readdirSync(input).sort((a, b) => a.localeCompare(b, "en", { numeric: true }))[0]!)),
    read: () =>
      readdirSync(output, { recursive: true, encoding: "utf8" })
        .filter((file) => /(^|[\\/])part-/.test(file))
        .flatMap((file) => readFileSync(join(output, file), "utf8").split("\n"))
        .filter((line) => line !== ""),
    // A checkpoint takes part of every reader; before the second of them each has asked for its first file.
    ready: () =>
      readdirSync(checkpoints, { recursive: true, encoding: "utf8" }).some((file) => /chk-([2-9]|\d\d)/.test(file)),
    elsewhere: () => folders(folder, outputs + 1),
  };
}
/** Over all folders: a name is no other file's, though that one is gone. */
let parts = 0;
