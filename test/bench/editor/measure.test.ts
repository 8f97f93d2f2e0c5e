/**
 * What the extension costs, measured inside VS Code's extension host and written to the file named by FOREWATCH_BENCH_REPORT.
 * Times that a busy machine would stretch are taken as the process's CPU time.
 */
import { ok } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import { SAMPLE } from "../../../src/core/sample.ts";
import type { LocalBackend } from "../../../src/local/index.ts";
import { buildTree } from "../../../src/ui/explorer/model.ts";
import { changedNodes, type TreeNode } from "../../../src/ui/explorer/node.ts";
import { toItem } from "../../../src/ui/explorer/view.ts";
import { Live } from "../../../src/ui/live.ts";
import { createLog } from "../../../src/ui/log.ts";
import { Session } from "../../../src/ui/session.ts";
import { acceptWhile, inExtension, joinEngine, ORDERS, write } from "../../vscode/support/workspace.ts";
import { manySeries } from "./many.ts";

const MINUTE = 60_000;
const TRIALS = 20;
/** The history that is replayed while the host is watched: four days, some 75,000 flights. */
const REPLAYED = Date.UTC(2001, 0, 5);

const report: Record<string, number | readonly string[]> = {};

describe("the extension's cost", function () {
  this.timeout(800_000);
  let backend: LocalBackend;

  it("is measured", async () => {
    const extension = vscode.extensions.getExtension("forewatch.forewatch");
    ok(extension && !extension.isActive, "activated before it could be measured");
    await untilQuiet();
    const began = process.cpuUsage();
    await extension.activate();
    report.activation = cpuSince(began);
    report.heavy = Object.keys(require.cache).filter((path) =>
      /duckdb|aws-sdk|sample-reader|dt-sql-parser|antlr|chart\.js/.test(path),
    );
    report.explorer = measureExplorer();

    const file = await write("orders.pipeline.json", ORDERS);
    await acceptWhile(vscode.commands.executeCommand("forewatch.deployPipeline", { file: file.uri.fsPath }));
    backend = await joinEngine();
    report.shown = await measureShown();

    await vscode.commands.executeCommand("forewatch.explorer.focus");
    await backend.stack.deploy({ file: inExtension("infra", "sample", SAMPLE.file), trusted: true });
    report.block = await longestBlock(() =>
      backend.streams.send(SAMPLE.stream, {
        file: inExtension("node_modules", "vega-datasets", "data", SAMPLE.dataset),
        columns: SAMPLE.columns,
        time: SAMPLE.time,
        until: REPLAYED,
        speed: "max",
      }),
    );
    await backend.close();
    writeFileSync(process.env.FOREWATCH_BENCH_REPORT!, JSON.stringify(report));
  });

  /** From the put of the record that closes a window until a view's snapshot has it; the 19th of 20, ms. */
  async function measureShown(): Promise<number> {
    const session = new Session(joinEngine, () => 0);
    const log = createLog(() => ({}));
    const live = new Live(session, log);
    const times: number[] = [];
    try {
      await session.backend();
      const windows = () => live.snapshot.pipelines.find((p) => p.name === "orders")?.counts.windows ?? 0;
      const put = (minute: number) =>
        backend.streams.put("orders", [
          { data: JSON.stringify({ at: Date.UTC(2026, 0, 1) + minute * MINUTE, region: "north", amount: 1 }) },
        ]);
      // The first ones settle the series and the views.
      let minute = 0;
      while (windows() < 3) {
        await put(minute++);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      for (let i = 0; i < TRIALS; i++) {
        const before = windows();
        const began = performance.now();
        const shown = new Promise<void>((resolve) => {
          const listening = live.onDidChange(() => {
            if (windows() === before) return;
            listening.dispose();
            resolve();
          });
        });
        await put(minute++);
        await shown;
        times.push(performance.now() - began);
      }
    } finally {
      live.dispose();
      session.dispose();
      log.channel.dispose();
    }
    return times.sort((a, b) => a - b)[TRIALS - 2]!;
  }
});

/** Waits until the host is done with its own start, which would count as the extension's. */
async function untilQuiet(): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const began = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (cpuSince(began) < 4) return;
  }
}

/** Building the tree of 500 series anew, finding what changed, and making VS Code's items of all of it, ms of CPU. */
function measureExplorer(): number {
  const times: number[] = [];
  let before: readonly TreeNode[] = [];
  for (let i = 0; i < 15; i++) {
    const input = { snapshot: manySeries(500, i), files: [], now: Date.UTC(2026, 0, 2), timeZone: "utc" as const };
    const began = process.cpuUsage();
    const tree = buildTree(input);
    changedNodes(before, tree);
    const items = tree.flatMap(function all(node): vscode.TreeItem[] {
      return [toItem(node), ...(node.children ?? []).flatMap(all)];
    });
    times.push(cpuSince(began));
    ok(items.length > 500);
    before = tree;
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** The longest span of this process's CPU time in which its event loop did not turn, while `work` goes on, ms. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let done = false;
  const watching = (async () => {
    while (!done) {
      const began = process.cpuUsage();
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, cpuSince(began));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  try {
    await work();
  } finally {
    done = true;
    await watching;
  }
  return longest;
}

function cpuSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
