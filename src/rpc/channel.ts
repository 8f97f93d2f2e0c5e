/**
 * The pages' transport: JSON-RPC by vscode-jsonrpc over `postMessage`, the same on both sides. A page begins a session each
 * time its document loads (VS Code throws documents away when their tab is hidden), and the host answers within that
 * session only: an answer to a document that is gone never reaches its successor. Messages queue until both sides are
 * ready, whichever comes first. Failures arrive as the same Faults that were thrown.
 */
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  CancellationTokenSource,
  createMessageConnection,
  type DataCallback,
  type Message,
  type MessageConnection,
  ResponseError,
} from "vscode-jsonrpc";
import { Fault, type FaultData } from "../core/fault.ts";
import type { HostTells, PageHandlers, PageName, PageRequests, PageTells, Params, Result } from "./protocol.ts";

/** One end of a `postMessage` pair: a webview seen by the extension, or VS Code seen by a page. */
export interface PageChannel {
  post(message: unknown): unknown;
  onMessage(listener: (message: unknown) => void): { dispose(): void };
}

/** A page's side. */
export interface PageClient<P extends PageName> {
  /** Rejects with a Fault; `signal` cancels. */
  request<M extends keyof PageRequests[P] & string>(
    method: M,
    params: Params<P, M>,
    signal?: AbortSignal,
  ): Promise<Result<P, M>>;
  tell<M extends keyof PageTells<P> & string>(method: M, params: PageTells<P>[M]): void;
  on<M extends keyof HostTells<P> & string>(
    method: M,
    listener: (params: HostTells<P>[M]) => void,
  ): { dispose(): void };
  dispose(): void;
}

/** A host's side. */
export interface PageHost<P extends PageName> {
  /** Tells the document that is loaded now; before the first one is, it waits for it. */
  tell<M extends keyof HostTells<P> & string>(method: M, params: HostTells<P>[M]): void;
  on<M extends keyof PageTells<P> & string>(
    method: M,
    listener: (params: PageTells<P>[M]) => void,
  ): { dispose(): void };
  dispose(): void;
}

/** JSON-RPC's range for errors of the application. */
const FAULT_CODE = -32_000;

/** What is posted. `seek` asks a page for its session, `hello` names it, `ready` accepts it. */
type Envelope =
  | { readonly forewatch: "seek" }
  | { readonly forewatch: "hello" | "ready"; readonly session: string }
  | { readonly forewatch: "message"; readonly session: string; readonly message: Message };

/** A JSON-RPC connection of one session over `channel`, not yet listening; what it writes waits until `open`. */
export interface PageConnection {
  readonly rpc: MessageConnection;
  open(): void;
  receive(message: Message): void;
  dispose(): void;
}

/** The one transport that both sides use. */
export function createPageConnection(channel: PageChannel, session: string): PageConnection {
  const reader = new SessionReader();
  const writer = new SessionWriter((message) => channel.post({ forewatch: "message", session, message }));
  const rpc = createMessageConnection(reader, writer);
  return {
    rpc,
    open: () => writer.open(),
    receive: (message) => reader.receive(message),
    dispose() {
      rpc.end();
      rpc.dispose();
    },
  };
}

/** Connects a page's document to its host. */
export function connectPage<P extends PageName>(channel: PageChannel): PageClient<P> {
  const session = crypto.randomUUID();
  const connection = createPageConnection(channel, session);
  const hello = () => channel.post({ forewatch: "hello", session } satisfies Envelope);
  const subscription = channel.onMessage((raw) => {
    const envelope = asEnvelope(raw);
    if (envelope?.forewatch === "seek") hello();
    else if (envelope?.forewatch === "ready" && envelope.session === session) connection.open();
    else if (envelope?.forewatch === "message" && envelope.session === session) connection.receive(envelope.message);
  });
  // The connection itself has room for one listener a method.
  const listeners = new Listeners();
  connection.rpc.onNotification((method, args) => listeners.tell(method, args));
  connection.rpc.listen();
  hello();
  return {
    async request(method, params, signal) {
      signal?.throwIfAborted();
      const source = new CancellationTokenSource();
      const cancel = () => source.cancel();
      signal?.addEventListener("abort", cancel);
      try {
        return await connection.rpc.sendRequest(method, { params }, source.token);
      } catch (error) {
        if (error instanceof ResponseError) throw Fault.from((error.data as FaultData | undefined) ?? error);
        throw Fault.from(error);
      } finally {
        signal?.removeEventListener("abort", cancel);
        source.dispose();
      }
    },
    tell: (method, params) => void connection.rpc.sendNotification(method, { params }),
    on: (method, listener) => listeners.add(method, listener),
    dispose() {
      subscription.dispose();
      connection.dispose();
    },
  };
}

/** Answers a page's requests, in each document that it loads, until disposed. */
export function servePage<P extends PageName>(channel: PageChannel, handlers: PageHandlers<P>): PageHost<P> {
  const answers = Object.entries(handlers) as [string, (params: unknown, call: { signal: AbortSignal }) => unknown][];
  const listeners = new Listeners();
  const early: { method: string; params: unknown }[] = [];
  let current: { session: string; connection: PageConnection; abort: AbortController } | undefined;

  function begin(session: string): void {
    end();
    const connection = createPageConnection(channel, session);
    const abort = new AbortController();
    for (const [method, answer] of answers) {
      connection.rpc.onRequest(method, async ({ params }: { params: unknown }, token) => {
        const call = new AbortController();
        token.onCancellationRequested(() => call.abort());
        try {
          return (await answer(params, { signal: AbortSignal.any([call.signal, abort.signal]) })) ?? null;
        } catch (error) {
          const data = Fault.from(error).toData();
          throw new ResponseError(FAULT_CODE, data.message, data);
        }
      });
    }
    connection.rpc.onNotification((method, args) => listeners.tell(method, args));
    connection.rpc.listen();
    current = { session, connection, abort };
    channel.post({ forewatch: "ready", session } satisfies Envelope);
    connection.open();
    for (const { method, params } of early.splice(0)) void connection.rpc.sendNotification(method, { params });
  }

  function end(): void {
    current?.abort.abort();
    current?.connection.dispose();
    current = undefined;
  }

  const subscription = channel.onMessage((raw) => {
    const envelope = asEnvelope(raw);
    if (envelope?.forewatch === "hello") {
      if (envelope.session === current?.session)
        channel.post({ forewatch: "ready", session: envelope.session } satisfies Envelope);
      else begin(envelope.session);
    } else if (envelope?.forewatch === "message" && envelope.session === current?.session)
      current.connection.receive(envelope.message);
  });
  channel.post({ forewatch: "seek" } satisfies Envelope);

  return {
    tell(method, params) {
      if (current) void current.connection.rpc.sendNotification(method, { params });
      else early.push({ method, params });
    },
    on: (method, listener) => listeners.add(method, listener),
    dispose() {
      subscription.dispose();
      end();
    },
  };
}

/** Who listens to what the other side tells: any number a method. */
class Listeners {
  readonly #all = new Set<{ readonly method: string; readonly listener: (params: never) => void }>();

  add<T>(method: string, listener: (params: T) => void): { dispose(): void } {
    const entry = { method, listener };
    this.#all.add(entry);
    return { dispose: () => void this.#all.delete(entry) };
  }

  /** @param args a notification's arguments, as both sides write them: `{ params }` */
  tell(method: string, args: unknown): void {
    const { params } = args as { readonly params: never };
    for (const each of [...this.#all]) if (each.method === method) each.listener(params);
  }
}

function asEnvelope(raw: unknown): Envelope | undefined {
  return typeof raw === "object" && raw !== null && "forewatch" in raw ? (raw as Envelope) : undefined;
}

class SessionReader extends AbstractMessageReader {
  private callback: DataCallback | undefined;
  private readonly early: Message[] = [];

  listen(callback: DataCallback) {
    this.callback = callback;
    for (const message of this.early.splice(0)) callback(message);
    return { dispose: () => this.forget() };
  }

  private forget(): void {
    this.callback = undefined;
  }

  receive(message: Message): void {
    if (this.callback) this.callback(message);
    else this.early.push(message);
  }
}

class SessionWriter extends AbstractMessageWriter {
  private readonly post: (message: Message) => unknown;
  private queue: Message[] | undefined = [];

  constructor(post: (message: Message) => unknown) {
    super();
    this.post = post;
  }

  async write(message: Message): Promise<void> {
    if (this.queue) this.queue.push(message);
    else this.post(message);
  }

  open(): void {
    const waiting = this.queue ?? [];
    this.queue = undefined;
    for (const message of waiting) this.post(message);
  }

  end(): void {
    this.queue = [];
  }
}
