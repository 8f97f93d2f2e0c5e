/** One connection to a running engine: the port over its socket. */
import { createConnection, type Socket } from "node:net";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node.js";
import type { Backend } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { connectBackend } from "../rpc/backend.ts";

/** A live connection. */
export interface Link {
  readonly backend: Backend;
  /** The version that the engine itself names. */
  readonly version: string;
  /** Resolves when the engine answers; it is slow or stuck while this is pending. */
  ping(): Promise<void>;
  /** Resolves when the connection has ended, from whichever side. */
  readonly closed: Promise<void>;
  close(): void;
}

/** How long an engine may take to say its first word on a socket that accepted us, ms. */
const GREETING = 15_000;

/**
 * Connects to the engine that listens on `socket`.
 * Rejects with `engine.unreachable` when nobody listens there, or nobody answers.
 */
export async function link(socket: string): Promise<Link> {
  const stream = await connected(socket);
  const connection = createMessageConnection(new StreamMessageReader(stream), new StreamMessageWriter(stream));
  const closed = new Promise<void>((resolve) => {
    connection.onClose(resolve);
    connection.onDispose(resolve);
  });
  // A broken pipe ends in `close`, which is handled; without a listener it would end the process.
  connection.onError(() => stream.destroy());
  connection.listen();
  const close = () => {
    connection.dispose();
    stream.destroy();
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    const backend = await Promise.race([
      connectBackend(connection),
      closed.then(() => {
        throw unreachable("The engine closed the connection before it answered.");
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(unreachable("The engine accepted the connection but does not answer.")),
          GREETING,
        );
      }),
    ]);
    const version = backend.target.kind === "local" ? backend.target.version : "";
    return { backend, version, closed, close, ping: () => connection.sendRequest("target").then(() => {}) };
  } catch (error) {
    close();
    throw Fault.from(error);
  } finally {
    clearTimeout(timer);
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", (cause) => reject(unreachable("No engine listens on its socket.", cause)));
  });
}

function unreachable(message: string, cause?: unknown): Fault {
  return new Fault("engine.unreachable", message, { next: "Restart the engine.", cause });
}
