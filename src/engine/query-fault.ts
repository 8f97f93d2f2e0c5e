/** What a failure of DuckDB's means to whoever wrote the statement. DuckDB tells it as JSON (`errors_as_json`), with a position. */
import { Fault } from "../core/fault.ts";
import { engineMessage } from "../sql/index.ts";
import { storeFault } from "./store.ts";

/** A failure in words; `position` is an offset in the SQL that DuckDB was given, where it tells one. */
export interface QueryFailure {
  readonly fault: Fault;
  readonly position?: number;
}

const SMALLER = "Filter or aggregate earlier, or select fewer columns.";

/** The failure that DuckDB reports. */
export function queryFailure(error: unknown): QueryFailure {
  if (error instanceof Fault) return { fault: error };
  const { type, message, position } = reportOf(error);
  const at = position === undefined ? {} : { position };
  if (/max_temp_directory_size/.test(message))
    return {
      fault: new Fault("query.failed", "The result is larger than what the engine may keep on disk.", {
        cause: error,
        next: SMALLER,
      }),
    };
  if (type === "Out of Memory")
    return {
      fault: new Fault("query.failed", "The statement needs more memory than the engine may use.", {
        cause: error,
        next: SMALLER,
      }),
    };
  const stored = storeFault(new Error(message));
  if (stored.code !== "unexpected")
    return { fault: new Fault(stored.code, stored.message, { ...next(stored), cause: error }) };
  const missing = /^(?:Table|View) with name "?([^"!]+?)"? does not exist/.exec(message)?.[1];
  if (missing !== undefined)
    return {
      fault: new Fault("query.failed", `The table ${missing} does not exist any more, or not yet.`, {
        cause: error,
        next: "SHOW TABLES lists the tables.",
      }),
      ...at,
    };
  const text = (engineMessage(message).split("\n")[0] ?? message).replace(/^[A-Z][A-Za-z ]+ Error: /, "");
  return {
    fault: new Fault("query.failed", text, { cause: error, next: "Correct the statement and run it again." }),
    ...at,
  };
}

function next({ next: words }: Fault): { next?: string } {
  return words === undefined ? {} : { next: words };
}

interface Report {
  readonly type: string;
  readonly message: string;
  readonly position?: number;
}

/** The JSON in the message, whatever stands before it; a message without JSON as it is. */
function reportOf(error: unknown): Report {
  const whole = error instanceof Error ? error.message : String(error);
  const begin = whole.indexOf('{"exception_type"');
  if (begin < 0) return { type: "", message: whole };
  try {
    const { exception_type: type, exception_message: message, position } = JSON.parse(whole.slice(begin));
    return {
      type: String(type),
      message: String(message),
      ...(position !== undefined && { position: Number(position) }),
    };
  } catch {
    // Cut off or not JSON after all: the words are there all the same.
    return { type: "", message: whole };
  }
}
