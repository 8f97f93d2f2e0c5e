/**
 * Appends to a log until it is stopped, and says what was acknowledged: for tests that kill it, or take its disk away.
 * Arguments: folder, producers. Each acknowledged append is a line `producer call firstSequence`; a failed one
 * `producer call CODE`, and the producer tries the same call again.
 */
import { writeSync } from "node:fs";
import { Fault } from "../../src/core/fault.ts";
import { openLog } from "../../src/engine/log/log.ts";

const [dir, producers = "4"] = process.argv.slice(2);
if (dir === undefined) throw new Error("usage: appender FOLDER [PRODUCERS]");
// With a handler a file that reaches the size limit is an error of the write, not the end of the process.
process.on("SIGXFSZ", () => {});

const log = await openLog(dir, { segmentBytes: 200_000 });
writeSync(1, "open\n");
await Promise.all(
  Array.from({ length: Number(producers) }, async (_, producer) => {
    for (let call = 0; ; ) {
      const records = Array.from({ length: 1 + (call % 5) }, (_, i) => ({
        shard: producer,
        partitionKey: `${process.pid}`,
        data: Buffer.from(`${process.pid} ${producer} ${call} ${i} `.padEnd(100 + (call % 7) * 40, "x")),
      }));
      try {
        const appended = await log.append(records);
        // Synchronous: the line is with the reader before the process can be killed for it.
        writeSync(1, `${producer} ${call} ${appended[0]!.sequence}\n`);
        call++;
      } catch (error) {
        writeSync(1, `${producer} ${call} ${Fault.from(error).code}\n`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }),
);
