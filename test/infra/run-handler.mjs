// Runs a function's archive as Lambda does: imports its index.mjs, calls its handler with the event from standard input.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { handler } = await import(pathToFileURL(process.argv[2]).href);
const answer = await handler(JSON.parse(readFileSync(0, "utf8")), {
  getRemainingTimeInMillis: () => 60_000,
});
process.stderr.write(`\nANSWER ${JSON.stringify(answer ?? null)}\n`);
