/** Serves a Backend to front ends on this machine: a Unix socket in a folder only this user can enter, or a named pipe. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { Backend } from "../backend.ts";
import { serveBackend } from "../rpc/backend.ts";

export interface LocalServer {
  /** Path of the socket, or name of the pipe. */
  readonly path: string;
  close(): Promise<void>;
}

const HOME = "forewatch-";
const SOCKET = "engine.sock";

/** @param onClients told how many front ends are connected, whenever that changes. */
export async function serve(backend: Backend, onClients: (clients: number) => void): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    onClients(sockets.size);
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    const served = serveBackend(connection, backend);
    // A front end that vanishes takes its socket with it; the close below is all there is to do.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      served.dispose();
      connection.dispose();
      sockets.delete(socket);
      onClients(sockets.size);
    });
    connection.listen();
  });
  // mkdtemp makes the folder with mode 0700: nobody else may connect.
  const home = process.platform === "win32" ? undefined : await mkdtemp(join(tmpdir(), HOME));
  const name = createHash("sha256").update(randomBytes(32)).digest("hex").slice(0, 32);
  const path = home ? join(home, SOCKET) : `\\\\.\\pipe\\forewatch-${name}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    path,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (home) await rm(home, { recursive: true, force: true });
    },
  };
}

/**
 * Removes the socket of an engine that was killed, and its folder: who is killed leaves both behind. Nothing is done where the path is
 * not one that `serve` makes, or an engine still answers there: a copied pipeline folder names the socket of its original.
 */
export async function removeLeft(path: string): Promise<void> {
  const home = dirname(path);
  if (dirname(home) !== tmpdir() || !basename(home).startsWith(HOME) || basename(path) !== SOCKET) return;
  const answer = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  if (answer !== "ECONNREFUSED") return;
  await rm(path, { force: true });
  // Another's files in it are not ours to remove.
  await rmdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "ENOENT") throw error;
  });
}
