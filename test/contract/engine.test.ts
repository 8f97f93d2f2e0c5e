import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openEngine } from "../../src/engine/engine.ts";
import { openLocal } from "../../src/local/index.ts";
import { bundleEngine, VERSION } from "../support/engine.ts";
import { backendSuite } from "./backend-suite.ts";

const everything = { send: true, exportTo: true, estimate: false };

backendSuite(
  "the engine itself",
  async () => {
    const { folder, remove } = temporary();
    const { collect, train, replay } = await bundleEngine();
    const files = { collect: pathToFileURL(collect), train: pathToFileURL(train), replay: pathToFileURL(replay) };
    const backend = await openEngine({ folder, version: VERSION, port: 0, files, log: () => {} });
    const close = async () => {
      await backend.close();
      remove();
    };
    return { backend, folder, close };
  },
  everything,
);

backendSuite(
  "the local target over its socket",
  async () => {
    const { folder, remove } = temporary();
    const { main } = await bundleEngine();
    const nothing = () => {};
    const backend = await openLocal({
      folder,
      engineMain: main,
      version: VERSION,
      args: ["--linger", "0"],
      onLog: nothing,
      onState: nothing,
    });
    const close = async () => {
      await backend.close();
      remove();
    };
    return { backend, folder, close };
  },
  everything,
);

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-contract-"));
  // The engine may be writing its last: it ends by itself once the connection is gone.
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }) };
}
