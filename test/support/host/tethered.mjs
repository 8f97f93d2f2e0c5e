/**
 * Runs the VS Code server on a tether: standard input is a pipe from the process that started it, and when that process ends,
 * however it ends, the pipe closes and this whole process group (server, extension hosts, terminals, what extensions started)
 * ends with it. Started by server.mjs only, as leader of its own group.
 *
 * Environment: FOREWATCH_HOST_MAIN, the server's main file; FOREWATCH_HOST_TEMP, a folder to remove at the end, if any.
 */
import { rmSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { FOREWATCH_HOST_MAIN: main, FOREWATCH_HOST_TEMP: temp } = process.env;
delete process.env.FOREWATCH_HOST_MAIN;
delete process.env.FOREWATCH_HOST_TEMP;

process.stdin.on("close", () => {
  if (temp) rmSync(temp, { recursive: true, force: true, maxRetries: 3 });
  process.kill(-process.pid, "SIGKILL");
});
process.stdin.resume();

await import(pathToFileURL(main).href);
