/** Apache Flink as a child process that runs deployed jobs: their `main.py` and `job.json`, with connectors of the test's choice. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type FlinkConnectors, flinkJob } from "../../infra/flink/job.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";

export interface JobOptions {
  readonly connectors: FlinkConnectors;
  /** Settings of the table environment besides the job's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The application's properties: ARNs and region. */
  readonly properties?: Readonly<Record<string, string>>;
}

export const MINUTES = 60_000;

export class Cluster {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #replies: ((reply: { result?: unknown; error?: string }) => void)[] = [];
  readonly #errors: string[] = [];
  #jobs = 0;
  #gone: Error | undefined;

  /** @param python an interpreter with PyFlink. @param folder where jobs and the log are laid out. */
  constructor(python: string, folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.#process = spawn(python, [join(import.meta.dirname, "driver.py")], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
        FLINK_LOG_DIR: folder,
        // Python functions, of which there are none, would run in processes of their own: no server for them in this one.
        _python_worker_execution_mode: "process",
      },
    });
    createInterface({ input: this.#process.stdout! }).on("line", (line) => {
      if (line.startsWith("reply ")) this.#replies.shift()?.(JSON.parse(line.slice("reply ".length)));
    });
    createInterface({ input: this.#process.stderr! }).on("line", (line) => {
      this.#errors.push(line);
      if (this.#errors.length > 200) this.#errors.shift();
    });
    this.#process.once("exit", (code, signal) => {
      this.#gone = new Error(`Flink ended with ${signal ?? code}:\n${this.#errors.join("\n")}`);
      for (const reply of this.#replies.splice(0)) reply({ error: this.#gone.message });
    });
  }

  /** Starts a pipeline's job; resolves with its handle once Flink has taken it. */
  async start(spec: PipelineSpec, options: JobOptions): Promise<string> {
    const job = `job-${++this.#jobs}`;
    const folder = join(this.#folder, job);
    mkdirSync(folder);
    cpSync(join(import.meta.dirname, "../../infra/flink/main.py"), join(folder, "main.py"));
    const made = flinkJob(spec, options.connectors);
    const settings = { ...made.settings, "parallelism.default": String(spec.source.shards), ...options.settings };
    writeFileSync(join(folder, "job.json"), JSON.stringify({ ...made, settings }));
    const groups = [{ PropertyGroupId: "Pipeline", PropertyMap: options.properties ?? {} }];
    writeFileSync(join(folder, "properties.json"), JSON.stringify(groups));
    await this.#ask({ do: "start", job, folder });
    return job;
  }

  /** Until something has come of the job; rejects when the job has failed, or after `limit` ms. */
  async until(job: string, reached: () => boolean | Promise<boolean>, limit = 8 * MINUTES): Promise<void> {
    const end = Date.now() + limit;
    while (!(await reached())) {
      await this.#ask({ do: "check", job });
      if (Date.now() > end) throw new Error("Flink did not get there.");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Until the job has ended with its input. */
  async finish(job: string): Promise<void> {
    await this.#ask({ do: "wait", job });
  }

  /** Stops the job with a savepoint; resolves with where it lies. */
  async stop(job: string): Promise<string> {
    return (await this.#ask({ do: "stop", job, to: `file://${join(this.#folder, "savepoints")}` })) as string;
  }

  async cancel(job: string): Promise<void> {
    await this.#ask({ do: "cancel", job });
  }

  /** Sets a property of the JVM for the jobs that are started from now on. */
  async set(property: string, value: string): Promise<void> {
    await this.#ask({ do: "set", property, value });
  }

  async close(): Promise<void> {
    if (this.#gone) return;
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    // The JVM ends with the pipe that its parent holds.
    this.#process.stdin!.end();
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 20_000);
    await gone;
    clearTimeout(late);
  }

  async #ask(request: object): Promise<unknown> {
    if (this.#gone) throw this.#gone;
    const reply = await new Promise<{ result?: unknown; error?: string }>((resolve) => {
      this.#replies.push(resolve);
      this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.result;
  }
}

/** Runs jobs in a Flink of their own, as the service does: names of operators depend on what a process has planned before. */
export async function inProcess<T>(python: string, folder: string, run: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(python, folder);
  try {
    return await run(cluster);
  } finally {
    await cluster.close();
  }
}
