/** Errors while typing: the parser's, and what the rewriting refuses, at their places in the file. */
import { Fault } from "../../core/fault.ts";
import type { Catalogue } from "../catalogue.ts";
import { hiveStatement } from "../hive.ts";
import { parse } from "../parser.ts";
import { UnknownTypeFault } from "../pass.ts";
import { rewriteForDuckDB } from "../rewrite.ts";
import { type Statement, splitStatements } from "../split.ts";
import { blankParameters } from "./parameters.ts";

/** A message at a place. Offsets are zero-based, in UTF-16 units of the file. */
export interface Diagnostic {
  readonly message: string;
  readonly offset: number;
  readonly length: number;
  /** `error`: no target takes it. `warning`: Athena may take it, and the local target refuses it. */
  readonly severity: "error" | "warning";
}

export interface DiagnoseOptions {
  /** Milliseconds after which the remaining statements are left out. */
  readonly budget?: number;
  /** Prepared statements by name. */
  readonly prepared?: ReadonlyMap<string, string>;
}

/** The diagnostics of a file; `complete` is false where the budget ran out. */
export interface Diagnosis {
  readonly diagnostics: readonly Diagnostic[];
  readonly complete: boolean;
}

/** The diagnostics of every statement of `text`. */
export function diagnose(text: string, catalogue?: Catalogue, options: DiagnoseOptions = {}): readonly Diagnostic[] {
  return createDiagnoser().diagnose(text, catalogue, options).diagnostics;
}

/** A diagnoser that remembers the statements it has seen, so that an edit costs one statement; keep one for each editor. */
export function createDiagnoser(): {
  diagnose(text: string, catalogue?: Catalogue, options?: DiagnoseOptions): Diagnosis;
} {
  let seen = new Map<string, readonly Diagnostic[]>();
  let seenFor: Catalogue | undefined;
  return {
    diagnose(text, catalogue, options = {}) {
      if (catalogue !== seenFor) seen = new Map();
      seenFor = catalogue;
      const end = options.budget === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.budget;
      const kept = new Map<string, readonly Diagnostic[]>();
      const diagnostics: Diagnostic[] = [];
      let complete = true;
      const scope = new Scope(catalogue, options.prepared);
      for (const statement of splitStatements(text)) {
        const key = scope.keyOf(statement);
        const known = seen.get(key);
        if (known === undefined && performance.now() > end) {
          complete = false;
          continue;
        }
        const found = known ?? scope.check(statement);
        kept.set(key, found);
        scope.learn(statement);
        diagnostics.push(...found.map((one) => ({ ...one, offset: one.offset + statement.offset })));
      }
      // What was not reached this time is kept for the next.
      seen = complete ? kept : new Map([...seen, ...kept]);
      return { diagnostics, complete };
    },
  };
}

/** What the statements of a file know of each other: tables that an earlier one makes, statements that it prepares. */
class Scope {
  readonly #catalogue: Catalogue | undefined;
  readonly #prepared: Map<string, string>;
  readonly #made = new Set<string>();

  constructor(catalogue: Catalogue | undefined, prepared: ReadonlyMap<string, string> = new Map()) {
    this.#catalogue = catalogue;
    this.#prepared = new Map(prepared);
  }

  /** What a statement's diagnostics hang on: its text, and what the statements before it have made. */
  keyOf({ text }: Statement): string {
    return [text, ...this.#made, ...[...this.#prepared].flat()].join("\0");
  }

  learn({ text }: Statement): void {
    const made =
      /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:EXTERNAL\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\.)*["`]?(\w+)/i.exec(
        text,
      );
    if (made?.[1] !== undefined) this.#made.add(made[1].toLowerCase());
    const prepare = /^PREPARE\s+(\w+)\s+FROM\s+(.*)$/is.exec(text);
    if (prepare !== null) this.#prepared.set(prepare[1] as string, prepare[2] as string);
  }

  /** The diagnostics of one statement, with offsets in it. */
  check(statement: Statement): readonly Diagnostic[] {
    const text = blankParameters(statement.text);
    const syntax = this.#syntax(text);
    if (syntax.length > 0) return syntax;
    try {
      rewriteForDuckDB(text, { ...(this.#catalogue && { catalogue: this.#catalogue }), prepared: this.#prepared });
      return [];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error instanceof UnknownTypeFault && (statement.parameters.length > 0 || this.#catalogue === undefined))
        return [];
      if (this.#madeHere(error.message)) return [];
      return [this.#of(error)];
    }
  }

  #madeHere(message: string): boolean {
    const missing = /^Table '(.+?)' does not exist/.exec(message)?.[1];
    return missing !== undefined && this.#made.has(missing.toLowerCase());
  }

  /** Every error of the grammar, not the first alone. */
  #syntax(text: string): readonly Diagnostic[] {
    try {
      if (hiveStatement(text, {}, () => ({ pieces: [], kind: "query" })) !== undefined) return [];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return [this.#of(error)];
    }
    return parse(text).errors.map(({ message, offset, length }) => ({
      message,
      offset,
      length,
      severity: "error" as const,
    }));
  }

  #of(fault: Fault): Diagnostic {
    const athenaOnly = fault.next === "It runs on Athena." || / here\b/.test(fault.message);
    return {
      message: fault.next === undefined ? fault.message : `${fault.message} ${fault.next}`,
      offset: fault.at?.offset ?? 0,
      length: fault.at?.length ?? 0,
      severity: athenaOnly ? "warning" : "error",
    };
  }
}
