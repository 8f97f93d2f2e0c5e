/**
 * The worker that checks and formats SQL, off the editor's thread: the grammar takes its time on long files. It checks in
 * slices, so that a newer text of the same document, or another one, need not wait for a whole file.
 */
import { parentPort } from "node:worker_threads";
import { type Catalogue, createDiagnoser, format } from "../../sql/index.ts";
import type { CheckReply, CheckRequest } from "./checker.ts";

/** How long one slice takes, ms; a statement is never cut. */
const SLICE = 20;

const port = parentPort!;
const catalogues = new Map<string, Catalogue>();
const diagnosers = new Map<string, ReturnType<typeof createDiagnoser>>();
/** The newest request of each document. */
const newest = new Map<string, number>();

port.on("message", (request: CheckRequest) => {
  switch (request.kind) {
    case "catalogue":
      catalogues.set(request.name, request.catalogue);
      return;
    case "forget":
      diagnosers.delete(request.document);
      newest.delete(request.document);
      return;
    case "format":
      return attempt(request.id, () => reply({ id: request.id, text: format(request.text) }));
    case "check":
      newest.set(request.document, request.id);
      return check(request);
  }
});

function check(request: CheckRequest & { readonly kind: "check" }): void {
  const { id, document, text, catalogue } = request;
  attempt(id, () => {
    if (newest.get(document) !== id) return reply({ id, superseded: true });
    let diagnoser = diagnosers.get(document);
    if (!diagnoser) {
      diagnoser = createDiagnoser();
      diagnosers.set(document, diagnoser);
    }
    const known = catalogue === undefined ? undefined : catalogues.get(catalogue);
    const { diagnostics, complete } = diagnoser.diagnose(text, known, { budget: SLICE });
    if (complete) reply({ id, diagnostics });
    else {
      reply({ id, working: true });
      setImmediate(() => check(request));
    }
  });
}

function attempt(id: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    reply({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function reply(message: CheckReply): void {
  port.postMessage(message);
}
