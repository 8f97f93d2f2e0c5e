/**
 * The port over a connection: `serveBackend` answers calls with a real Backend, `connectBackend` is a Backend whose calls
 * travel. JSON-RPC 2.0 by vscode-jsonrpc carries them, so requests can be cancelled and report progress, and any pair of
 * streams or message channels will do. Failures arrive as the same Faults that were thrown.
 */
import {
  type CancellationToken,
  CancellationTokenSource,
  ConnectionError,
  type Disposable,
  type MessageConnection,
  ResponseError,
} from "vscode-jsonrpc";
import type { Backend, CallOptions, Change, Noun, Progress, TargetInfo } from "../backend.ts";
import { PORT } from "../backend.ts";
import { Fault } from "../core/fault.ts";

/** JSON-RPC's range for errors of the application. */
const FAULT_CODE = -32_000;

/** Which argument of a method is its CallOptions: these can be cancelled and report progress. */
const OPTIONS_AT: Readonly<Record<string, number>> = {
  "stack/deploy": 1,
  "stack/remove": 2,
  "streams/send": 2,
  "queries/run": 2,
  "queries/view": 2,
  "queries/exportTo": 2,
  "forecasts/train": 1,
  "forecasts/backtest": 2,
};

interface Call {
  readonly args: readonly unknown[];
  /** Present when the caller wants progress: names the notifications that belong to this call. */
  readonly progress?: number;
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** Answers every call of the port on `connection` with `backend`, and passes its changes on, until disposed. */
export function serveBackend(connection: MessageConnection, backend: Backend): Disposable {
  const registered: Disposable[] = [];
  for (const [noun, methods] of Object.entries(PORT)) {
    const handlers = backend[noun as Noun] as unknown as Record<string, Method>;
    for (const name of methods) {
      const method = `${noun}/${name}`;
      registered.push(
        connection.onRequest(method, async (call: Call, token) => {
          const args = [...call.args];
          const at = OPTIONS_AT[method];
          if (at !== undefined) {
            const abort = new AbortController();
            token.onCancellationRequested(() => abort.abort());
            if (token.isCancellationRequested) abort.abort();
            const onProgress = (value: Progress) => {
              if (call.progress !== undefined) void notify(connection, "progress", { call: call.progress, value });
            };
            args[at] = { signal: abort.signal, onProgress } satisfies CallOptions;
          }
          try {
            return (await handlers[name]!(...args)) ?? null;
          } catch (error) {
            const data = Fault.from(error).toData();
            throw new ResponseError(FAULT_CODE, data.message, data);
          }
        }),
      );
    }
  }
  registered.push(connection.onRequest("target", () => backend.target));
  const changes = backend.onChange((change) => void notify(connection, "change", change, () => changes.dispose()));
  return {
    dispose() {
      changes.dispose();
      for (const r of registered) r.dispose();
    },
  };
}

/** Tells the other side; when it has gone, there is nobody to tell, and `gone` is called instead. */
async function notify(
  connection: MessageConnection,
  method: string,
  params: unknown,
  gone?: () => void,
): Promise<void> {
  try {
    await connection.sendNotification(method, params);
  } catch {
    gone?.();
  }
}

/**
 * A Backend whose calls travel over `connection` (already listening). When the connection closes, pending and later calls
 * reject with `engine.unreachable`.
 */
export async function connectBackend(connection: MessageConnection): Promise<Backend> {
  const listeners = new Set<(change: Change) => void>();
  const progress = new Map<number, (value: Progress) => void>();
  let calls = 0;
  let open = true;
  const gone = new Set<(fault: Fault) => void>();
  const unreachable = () =>
    new Fault("engine.unreachable", "The connection to the engine was lost.", {
      next: "It restarts by itself; try again in a moment.",
    });
  const lose = () => {
    open = false;
    for (const reject of gone) reject(unreachable());
    gone.clear();
  };
  connection.onClose(lose);
  connection.onDispose(lose);
  connection.onNotification("change", (change: Change) => {
    const failures: unknown[] = [];
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        failures.push(error);
      }
    }
    // Every listener has been told; what one of them failed with is the connection's to log.
    if (failures.length > 0) throw failures[0];
  });
  connection.onNotification("progress", ({ call, value }: { call: number; value: Progress }) =>
    progress.get(call)?.(value),
  );

  /** Sends a request; whatever goes wrong arrives as a Fault, the loss of the connection too. */
  async function ask(method: string, params: unknown, token?: CancellationToken): Promise<unknown> {
    if (!open) throw unreachable();
    let lost: (fault: Fault) => void = () => {};
    const closed = new Promise<never>((_, reject) => {
      lost = reject;
      gone.add(reject);
    });
    try {
      return await Promise.race([connection.sendRequest(method, params, token), closed]);
    } catch (error) {
      if (error instanceof ResponseError && error.data !== undefined) throw Fault.from(error.data);
      if (!open || error instanceof ConnectionError) throw unreachable();
      throw Fault.from(error);
    } finally {
      gone.delete(lost);
    }
  }

  async function send(method: string, given: readonly unknown[]): Promise<unknown> {
    const at = OPTIONS_AT[method];
    const options = at === undefined ? undefined : (given[at] as CallOptions | undefined);
    const args = at === undefined ? [...given] : given.slice(0, at);
    // JSON would make null of an argument that is not given, and null is no reason to use a default.
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    if (options?.signal?.aborted) throw new Fault("cancelled", "Cancelled before it began.");
    const id = ++calls;
    const cancellation = new CancellationTokenSource();
    const cancel = () => cancellation.cancel();
    options?.signal?.addEventListener("abort", cancel);
    if (options?.onProgress) progress.set(id, options.onProgress);
    const call: Call = { args, ...(options?.onProgress && { progress: id }) };
    try {
      return await ask(method, call, cancellation.token);
    } finally {
      progress.delete(id);
      options?.signal?.removeEventListener("abort", cancel);
      cancellation.dispose();
    }
  }

  const nouns = Object.fromEntries(
    Object.entries(PORT).map(([noun, methods]) => [
      noun,
      Object.fromEntries(methods.map((name) => [name, (...args: unknown[]) => send(`${noun}/${name}`, args)])),
    ]),
  ) as unknown as Pick<Backend, Noun>;
  const target = (await ask("target", {})) as TargetInfo;
  return {
    ...nouns,
    target,
    onChange(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
    close: async () => {
      open = false;
      connection.end();
      connection.dispose();
    },
  };
}
