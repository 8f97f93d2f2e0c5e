import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { type Backend, type CallOptions, type Change, type Noun, PORT } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import { connectBackend, serveBackend } from "../../../src/rpc/backend.ts";

const TARGET = { kind: "local", folder: "/data", version: "1", endpoint: "http://127.0.0.1:4567" } as const;
type Handler = (...args: never[]) => unknown;
type Handlers = Partial<Record<`${Noun}/${string}`, Handler>>;

/** A Backend whose every method answers with its own name and arguments, but for those given. */
function backendOf(handlers: Handlers): Backend & { tell(change: Change): void; readonly listeners: number } {
  const listeners = new Set<(change: Change) => void>();
  const nouns = Object.fromEntries(
    Object.entries(PORT).map(([noun, methods]) => [
      noun,
      Object.fromEntries(
        methods.map((name) => {
          const method = `${noun}/${name}` as keyof Handlers;
          const own = handlers[method] as ((...args: unknown[]) => unknown) | undefined;
          return [
            name,
            async (...args: unknown[]) => (own ? own(...args) : { method, args: args.filter((a) => !isOptions(a)) }),
          ];
        }),
      ),
    ]),
  ) as unknown as Pick<Backend, Noun>;
  return {
    ...nouns,
    target: TARGET,
    onChange(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
    close: async () => undefined,
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

const isOptions = (value: unknown): value is CallOptions =>
  typeof value === "object" && value !== null && "signal" in value;

let toServer: PassThrough;
let toClient: PassThrough;
let server: MessageConnection;
let client: MessageConnection;
const rejections = vi.fn();

beforeEach(() => {
  [toServer, toClient] = [new PassThrough(), new PassThrough()];
  server = createMessageConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient));
  client = createMessageConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
  rejections.mockClear();
  process.on("unhandledRejection", rejections);
});

afterEach(async () => {
  for (const connection of [client, server]) connection.dispose();
  await settled();
  process.off("unhandledRejection", rejections);
  expect(rejections).not.toHaveBeenCalled();
});

async function connect(handlers: Handlers = {}) {
  const served = backendOf(handlers);
  const serving = serveBackend(server, served);
  server.listen();
  client.listen();
  return { served, serving, backend: await connectBackend(client) };
}

/** Long enough for whatever is under way in this process; nothing here waits for time. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The fault that a call rejects with. */
async function faultOf(call: Promise<unknown>): Promise<Fault> {
  const error = await call.then(
    () => expect.unreachable("the call resolved"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

describe("a call", () => {
  const METHODS = Object.entries(PORT).flatMap(([noun, methods]) =>
    methods.map((name) => [noun as Noun, name as string] as const),
  );

  test.each(METHODS)("of %s.%s reaches its method with its arguments", async (noun, name) => {
    const { backend } = await connect();
    const methods = backend[noun] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    // A third is the options of a long call; of some, the second is.
    const args = ["deploy", "train"].includes(name) ? ["first"] : ["first", "second"];
    expect(await methods[name]!(...args)).toEqual({ method: `${noun}/${name}`, args });
  });

  test("carries text, numbers, lists and nulls unchanged", async () => {
    const rows = [[1, "é", null, true, ["x"], { a: 0.1 }]];
    const { backend } = await connect({
      "queries/rows": (query: string, offset: number, limit: number) => [[query, offset, limit], ...rows],
    });
    expect(await backend.queries.rows("q", 0, 10)).toEqual([["q", 0, 10], ...rows]);
  });

  test("that returns nothing resolves with null", async () => {
    const { backend } = await connect({ "queries/release": () => undefined });
    expect(await backend.queries.release("q")).toBeNull();
  });

  test("without its last argument leaves it to the method's default", async () => {
    const { backend } = await connect({ "incidents/list": (request = { status: "open" }) => [request] });
    expect(await backend.incidents.list()).toEqual([{ status: "open" }]);
    expect(await backend.incidents.list(undefined)).toEqual([{ status: "open" }]);
  });

  test("answers each of many at once with its own result, in whatever order they end", async () => {
    const release: (() => void)[] = [];
    const { backend } = await connect({
      "stack/get": (name: string) => new Promise((resolve) => release.push(() => resolve({ name }))),
    });
    const calls = ["a", "b", "c"].map((name) => backend.stack.get(name));
    await vi.waitFor(() => expect(release).toHaveLength(3));
    for (const r of release.reverse()) r();
    expect(await Promise.all(calls)).toEqual([{ name: "a" }, { name: "b" }, { name: "c" }]);
  });

  test("knows the target", async () => expect((await connect()).backend.target).toEqual(TARGET));
});

describe("a failure", () => {
  test("arrives as the fault that was thrown", async () => {
    const at = { file: "a.json", offset: 3, length: 2, line: 1, column: 4 };
    const { backend } = await connect({
      "stack/get": () => {
        throw new Fault("stack.not-found", "There is no pipeline x.", {
          next: "Deploy it.",
          cause: new Error("why"),
          at,
        });
      },
    });
    expect((await faultOf(backend.stack.get("x"))).toData()).toEqual({
      code: "stack.not-found",
      message: "There is no pipeline x.",
      next: "Deploy it.",
      cause: "why",
      at,
    });
  });

  test.each<[string, unknown, string]>([
    ["an error", new TypeError("no good"), "no good"],
    ["a system error", Object.assign(new Error("ENOENT: gone"), { code: "ENOENT" }), "ENOENT: gone"],
    ["text", "no good", "no good"],
    ["undefined", undefined, "undefined"],
  ])("that is %s arrives as an unexpected one", async (_, thrown, message) => {
    const { backend } = await connect({ "alarms/list": () => Promise.reject(thrown) });
    expect((await faultOf(backend.alarms.list("p"))).toData()).toMatchObject({ code: "unexpected", message });
  });
});

describe("a long call", () => {
  test("reports progress to its own caller only, all of it before its result", async () => {
    const { backend } = await connect({
      "forecasts/train": (pipeline: string, { onProgress }: CallOptions) => {
        for (let done = 1; done <= 3; done++) onProgress?.({ message: pipeline, done, total: 3 });
        return { id: pipeline };
      },
    });
    const told: Record<string, (number | undefined)[]> = { a: [], b: [] };
    const train = (name: string) => backend.forecasts.train(name, { onProgress: (p) => told[p.message]!.push(p.done) });
    await Promise.all([train("a"), train("b"), backend.forecasts.train("c")]);
    expect(told).toEqual({ a: [1, 2, 3], b: [1, 2, 3] });
  });

  test("is cancelled by its signal, at the place where its options stand", async () => {
    const { backend } = await connect({
      "stack/remove": (_pipeline: string, request: { deleteData: boolean }, { signal }: CallOptions) =>
        new Promise((_, reject) =>
          signal!.addEventListener("abort", () =>
            reject(new Fault("cancelled", `Stopped; deleteData ${request.deleteData}.`)),
          ),
        ),
    });
    const abort = new AbortController();
    const call = backend.stack.remove("p", { deleteData: true }, { signal: abort.signal });
    await settled();
    abort.abort();
    expect(await faultOf(call)).toMatchObject({ code: "cancelled", message: "Stopped; deleteData true." });
  });

  test("whose signal is aborted before does not begin", async () => {
    const run = vi.fn();
    const { backend } = await connect({ "queries/run": run });
    expect(await faultOf(backend.queries.run("p", { sql: "SELECT 1" }, { signal: AbortSignal.abort() }))).toMatchObject(
      { code: "cancelled" },
    );
    expect(run).not.toHaveBeenCalled();
  });

  test("that ends well lets go of its signal", async () => {
    const { backend } = await connect({ "queries/run": () => ({ rows: [] }) });
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, "removeEventListener");
    await backend.queries.run("p", { sql: "SELECT 1" }, { signal: abort.signal });
    expect(removed).toHaveBeenCalledWith("abort", expect.any(Function));
    abort.abort();
  });

  test("that goes on telling after its caller is gone harms nobody", async () => {
    let tell: CallOptions["onProgress"];
    const { backend } = await connect({
      "streams/send": (_stream: string, _request: unknown, options: CallOptions) => {
        tell = options.onProgress;
        return new Promise(() => undefined);
      },
    });
    const call = faultOf(backend.streams.send("s", { file: "f", speed: 1 }, { onProgress: () => undefined }));
    await vi.waitFor(() => expect(tell).toBeDefined());
    toClient.end();
    toServer.end();
    expect(await call).toMatchObject({ code: "engine.unreachable" });
    server.dispose();
    tell!({ message: "still here" });
    await settled();
  });
});

describe("when the connection is lost", () => {
  test("pending and later calls fail with a fault that says so", async () => {
    const { backend } = await connect({ "stack/list": () => new Promise(() => undefined) });
    const pending = faultOf(backend.stack.list());
    await settled();
    toClient.end();
    const expected = {
      code: "engine.unreachable",
      message: "The connection to the engine was lost.",
      next: "It restarts by itself; try again in a moment.",
    };
    expect((await pending).toData()).toEqual(expected);
    expect((await faultOf(backend.alarms.list("p"))).toData()).toEqual(expected);
  });

  test("before the target is known, connecting fails instead of waiting forever", async () => {
    client.listen();
    const connecting = faultOf(connectBackend(client));
    toClient.end();
    expect(await connecting).toMatchObject({ code: "engine.unreachable" });
  });

  test("on purpose, what is pending fails in the same way", async () => {
    const { backend } = await connect({ "stack/list": () => new Promise(() => undefined) });
    const pending = faultOf(backend.stack.list());
    await settled();
    await backend.close();
    expect(await pending).toMatchObject({ code: "engine.unreachable" });
    expect(await faultOf(backend.stack.list())).toMatchObject({ code: "engine.unreachable" });
  });
});

describe("changes", () => {
  const CHANGE: Change = { noun: "incident", pipeline: "p", id: "i", kind: "added" };

  test("reach every listener until it is disposed", async () => {
    const { served, backend } = await connect();
    const [first, second] = [vi.fn(), vi.fn()];
    const subscription = backend.onChange(first);
    backend.onChange(second);
    served.tell(CHANGE);
    await vi.waitFor(() => expect(second).toHaveBeenCalledWith(CHANGE));
    subscription.dispose();
    served.tell({ ...CHANGE, kind: "changed" });
    await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(2));
    expect(first.mock.calls).toEqual([[CHANGE]]);
  });

  test("a listener that fails does not keep them from the others", async () => {
    const { served, backend } = await connect();
    const second = vi.fn();
    backend.onChange(() => {
      throw new Error("listener");
    });
    backend.onChange(second);
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    served.tell(CHANGE);
    await vi.waitFor(() => expect(second).toHaveBeenCalledWith(CHANGE));
    logged.mockRestore();
  });

  test("are no longer listened to once serving ends, or the other side is gone", async () => {
    const { served, serving } = await connect();
    expect(served.listeners).toBe(1);
    serving.dispose();
    expect(served.listeners).toBe(0);
  });

  test("told to a connection that is gone harm nobody, and end the subscription", async () => {
    const { served } = await connect();
    server.dispose();
    served.tell(CHANGE);
    await settled();
    expect(served.listeners).toBe(0);
  });
});
