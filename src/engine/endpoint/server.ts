/**
 * HTTP/1.1 and cleartext HTTP/2 on one port: the first bytes of a connection tell which it is. The AWS SDK for JavaScript
 * speaks HTTP/2 to this service without asking first; all others speak HTTP/1.1.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Fault } from "../../core/fault.ts";

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

export interface DualServer {
  readonly port: number;
  /** Takes no more connections, lets open requests finish for up to 5 s, and closes all. */
  close(): Promise<void>;
}

/** HTTP/2 begins with `PRI * HTTP/2.0`; no method of HTTP/1.1 begins with its first three letters. */
const HTTP2_START = Buffer.from("PRI", "latin1");
/** To send the first bytes, and later all headers, and the whole request: ms. */
const FIRST_BYTES_TIMEOUT = 10_000;
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 60_000;
const IDLE_TIMEOUT = 65_000;
const DRAIN_TIMEOUT = 5_000;

/** @throws Fault engine.port-in-use */
export async function listen(
  host: string,
  port: number,
  handle: (request: Request, response: Response) => Promise<void>,
): Promise<DualServer> {
  const open = new Set<Socket>();
  const active = new Set<Promise<void>>();
  const onRequest = (request: Request, response: Response) => {
    const done = handle(request, response);
    active.add(done);
    void done.finally(() => active.delete(done));
  };
  const http1 = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: IDLE_TIMEOUT,
      connectionsCheckingInterval: 5_000,
    },
    onRequest,
  );
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 256 } }, onRequest);
  http2.on("session", (session) => {
    session.setTimeout(IDLE_TIMEOUT, () => session.close());
  });
  // The HTTP/1.1 server is the one that listens: its own connection handler is kept for the connections that are its.
  const serveHttp1 = http1.listeners("connection");
  http1.removeAllListeners("connection");
  http1.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    sniff(socket, (isHttp2) => {
      if (isHttp2) http2.emit("connection", socket);
      else for (const serve of serveHttp1) serve.call(http1, socket);
    });
  });
  await bind(http1, host, port);
  return {
    port: (http1.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      http1.closeIdleConnections();
      await Promise.race([Promise.allSettled(active), delay(DRAIN_TIMEOUT)]);
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Reads just enough of a connection to tell its protocol, and puts it back. */
function sniff(socket: Socket, tell: (isHttp2: boolean) => void): void {
  const onError = () => socket.destroy();
  const onTimeout = () => socket.destroy();
  let start: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
    const compared = Math.min(start.length, HTTP2_START.length);
    const matches = start.subarray(0, compared).equals(HTTP2_START.subarray(0, compared));
    if (matches && compared < HTTP2_START.length) return;
    socket.pause();
    socket.off("data", onData).off("error", onError).off("timeout", onTimeout);
    socket.setTimeout(0);
    socket.unshift(start);
    tell(matches);
    // HTTP/2 reads what was put back by itself, and then from the system, past the stream.
    if (!matches) socket.resume();
  };
  socket.setTimeout(FIRST_BYTES_TIMEOUT);
  socket.on("data", onData).on("error", onError).on("timeout", onTimeout);
}

function bind(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? portInUse(port, error) : error);
    };
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function portInUse(port: number, cause: unknown): Fault {
  return new Fault("engine.port-in-use", `Port ${port} is in use by another program.`, {
    next: "Stop that program, or choose another port for the endpoint (0 takes any that is free).",
    cause,
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
