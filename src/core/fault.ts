/**
 * Failures as people and machines need them: a code, words that say what happened, the cause and the next step.
 * A Fault crosses process borders as plain data (`toData`, `Fault.from`), so that every front end says the same words.
 */

/** Every kind of failure; the prefix is the noun or part it belongs to. Add the code here before you throw it. */
export type FaultCode =
  | "spec.invalid"
  | "spec.not-found"
  | "stack.exists"
  | "stack.not-found"
  | "stack.failed"
  | "stream.not-found"
  | "stream.corrupt"
  | "stream.busy"
  | "query.failed"
  | "query.refused"
  | "query.cancelled"
  | "series.too-many"
  | "forecast.failed"
  | "forecast.not-found"
  | "forecast.invalid"
  | "alarm.not-found"
  | "incident.not-found"
  | "incident.closed"
  | "engine.folder"
  | "engine.locked"
  | "engine.corrupt"
  | "engine.disk-full"
  | "engine.port-in-use"
  | "engine.unreachable"
  | "engine.version"
  | "enrich.failed"
  | "input.invalid"
  | "workspace.none"
  | "workspace.untrusted"
  | "workspace.read-only"
  | "cancelled"
  | "target.unsupported"
  | "unexpected";

/** A fault as plain data, for transports and stores. */
export interface FaultData {
  readonly code: FaultCode;
  /** What happened, in the user's words: one sentence. */
  readonly message: string;
  /** What the user can do next: one sentence, imperative. */
  readonly next?: string;
  /** The underlying reason, such as a system error's text. */
  readonly cause?: string;
  /** Where in a text the fault lies, if it has a place. */
  readonly at?: Place;
}

/** A place in a text: zero-based offset and length in UTF-16 units, one-based line and column for people. */
export interface Place {
  readonly file?: string;
  readonly offset: number;
  readonly length: number;
  readonly line: number;
  readonly column: number;
}

/** What to tell besides the code and the message. */
export interface FaultDetails {
  readonly next?: string;
  readonly cause?: unknown;
  readonly at?: Place;
}

/** The one error class that Forewatch throws on purpose. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly next: string | undefined;
  readonly at: Place | undefined;

  constructor(code: FaultCode, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "Fault";
    this.code = code;
    this.next = details.next;
    this.at = details.at;
  }

  /** This fault as plain data; the cause is flattened to its text. */
  toData(): FaultData {
    const cause = this.cause === undefined ? undefined : causeText(this.cause);
    return {
      code: this.code,
      message: this.message,
      ...(this.next !== undefined && { next: this.next }),
      ...(cause !== undefined && { cause }),
      ...(this.at !== undefined && { at: this.at }),
    };
  }

  /** The fault that `error` is, or wraps: data that crossed a transport, a Fault, or anything thrown. */
  static from(error: unknown): Fault {
    if (error instanceof Fault) return error;
    if (isFaultData(error)) {
      const { code, message, next, cause, at } = error;
      return new Fault(code, message, {
        ...(next !== undefined && { next }),
        ...(cause !== undefined && { cause }),
        ...(at !== undefined && { at }),
      });
    }
    return new Fault("unexpected", causeText(error), { cause: error });
  }
}

/** The fault in one or two lines for a log or a terminal: message, next step, code. */
export function describeFault(fault: FaultData | Fault): string {
  const data = fault instanceof Fault ? fault.toData() : fault;
  const place = data.at
    ? `${data.at.file ?? "line "}${data.at.file ? ":" : ""}${data.at.line}:${data.at.column}: `
    : "";
  const cause = data.cause && data.cause !== data.message ? ` (${data.cause})` : "";
  return `${place}${data.message}${cause}${data.next ? ` ${data.next}` : ""} [${data.code}]`;
}

function causeText(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    // Circular, or a BigInt: its kind is all that can be said.
    return Object.prototype.toString.call(error);
  }
}

/** Errors are left out: a system error's code and message (`ENOENT`) are not a fault's. */
function isFaultData(value: unknown): value is FaultData {
  return (
    typeof value === "object" &&
    value !== null &&
    !(value instanceof Error) &&
    typeof (value as FaultData).code === "string" &&
    typeof (value as FaultData).message === "string"
  );
}
