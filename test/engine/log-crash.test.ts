import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, it } from "vitest";
import { type LogRecord, openLog } from "../../src/engine/log/log.ts";
import { bundle } from "../support/child.ts";
import { temporaryFolder } from "../support/temporary.ts";

let program: string;
beforeAll(async () => {
  program = await bundle("test/support/appender.ts");
});

/** An acknowledged append. */
interface Acknowledged {
  readonly pid: number;
  readonly producer: number;
  readonly call: number;
  readonly sequence: number;
}

/** Runs the appender until `until` says so of the lines it printed, then kills it; answers what was acknowledged. */
async function appendUntil(
  command: readonly string[],
  until: (lines: readonly string[], pid: number) => boolean,
): Promise<Acknowledged[]> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    if (until(lines, child.pid!)) child.kill("SIGKILL");
  });
  await Promise.all([once(child, "exit"), once(reader, "close")]);
  return lines.slice(1).flatMap((line) => {
    const [producer, call, sequence] = line.split(" ").map(Number);
    return Number.isNaN(sequence) ? [] : [{ pid: child.pid!, producer: producer!, call: call!, sequence: sequence! }];
  });
}

async function everything(dir: string): Promise<LogRecord[]> {
  const log = await openLog(dir);
  const found: LogRecord[] = [];
  for (;;) {
    const records = await log.read(found.length + 1, { maxRecords: 1_000, maxBytes: 1_000_000 });
    if (records.length === 0) break;
    found.push(...records);
  }
  await log.close();
  return found;
}

/** Every acknowledged append is there, whole, where it was said to be; and nothing is there twice. */
function expectKept(records: readonly LogRecord[], acknowledged: readonly Acknowledged[]): void {
  const words = records.map((r) => Buffer.from(r.data).toString().split(" ").slice(0, 4).join(" "));
  for (const { pid, producer, call, sequence } of acknowledged) {
    for (let i = 0; i < 1 + (call % 5); i++) expect(words[sequence - 1 + i]).toBe(`${pid} ${producer} ${call} ${i}`);
  }
  expect(new Set(words).size).toBe(words.length);
  expect(records.every((r, i) => i === 0 || r.arrival >= records[i - 1]!.arrival)).toBe(true);
}

describe("a log whose process is killed", () => {
  it("keeps all that was acknowledged, once, over many kills", async () => {
    const dir = temporaryFolder();
    const acknowledged: Acknowledged[] = [];
    for (let kill = 1; kill <= 6; kill++) {
      acknowledged.push(...(await appendUntil([process.execPath, program, dir], (lines) => lines.length > kill * 150)));
    }
    expect(acknowledged.length).toBeGreaterThan(6 * 500);
    expectKept(await everything(dir), acknowledged);
  });
});

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;

describe("a disk that is full", () => {
  it.skipIf(!hasPrlimit)(
    "refuses appends with a fault, keeps none of them, and goes on when there is space (needs prlimit)",
    async () => {
      const dir = temporaryFolder();
      let full = 0;
      let afterwards = 0;
      // No file may grow beyond 100 kB, until the limit is lifted after some refusals.
      const command = ["prlimit", "--fsize=100000:unlimited", process.execPath, program, dir];
      const acknowledged = await appendUntil(command, (lines, pid) => {
        const last = lines.at(-1)!;
        if (last.endsWith("engine.disk-full") && ++full === 5) {
          execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
        }
        return full >= 5 && /\d$/.test(last) && ++afterwards === 200;
      });
      expect(full).toBeGreaterThanOrEqual(5);
      expectKept(await everything(dir), acknowledged);
      expect(acknowledged.length).toBeGreaterThan(200);
    },
  );
});
