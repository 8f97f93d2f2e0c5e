// Runs a function's archive as Lambda does: imports its index.mjs, calls its handler with the event from standard input.
// HANDLER_NOW is what its clock shows, epoch ms; HANDLER_MILLIS how long its call may take.
import { json } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { HANDLER_NOW: now, HANDLER_MILLIS: millis = "60000" } = process.env;
const event = await json(process.stdin);
// Lambda's runtime ends the process, too, and listens from before it imports the function (aws-lambda-nodejs-runtime-interface-client).
for (const [name, code] of [
  ["uncaughtException", 129],
  ["unhandledRejection", 128],
])
  process.on(name, (error) => {
    console.error(error);
    process.exit(code);
  });
const { handler } = await import(pathToFileURL(process.argv[2]).href);
if (now !== undefined) Date.now = () => Number(now);
const until = performance.now() + Number(millis);
const answer = await handler(event, {
  getRemainingTimeInMillis: () => until - performance.now(),
});
process.stderr.write(`\nANSWER ${JSON.stringify(answer ?? null)}\n`);
