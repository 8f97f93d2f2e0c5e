/**
 * A failure of the test host, in words for a person: what happened, and what to do next. It is the plain-JavaScript sister of
 * `Fault` in src/core/fault.ts, which cannot be loaded here: these files run straight after `npm ci`, before anything is built.
 */
export class HostFault extends Error {
  /**
   * @param {"host.platform" | "host.install" | "host.browser" | "host.server" | "host.desktop" | "host.tests"} code what failed
   * @param {string} message what happened, one sentence
   * @param {{ next?: string, cause?: unknown }} [details] the next step, one imperative sentence, and the underlying reason
   */
  constructor(code, message, { next, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "HostFault";
    this.code = code;
    this.next = next;
  }
}

/**
 * The failure in one line for a terminal: message, cause, next step, code; anything that is not a HostFault keeps its stack.
 * @param {unknown} error
 * @returns {string}
 */
export function describeHostFault(error) {
  if (!(error instanceof HostFault)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = error.cause instanceof Error ? error.cause.message : error.cause;
  return `${error.message}${cause ? ` (${cause})` : ""}${error.next ? ` ${error.next}` : ""} [${error.code}]`;
}
