/**
 * What every page stands on: the connection to the host, the subject, the state that outlives the document, and the
 * failures that no view could show. `mountPage` is each page's only entry.
 */
import { render, type VNode } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Fault, type FaultData } from "../../src/core/fault.ts";
import {
  connectPage,
  type KeptPage,
  type PageClient,
  type PageName,
  type PageSettings,
  type PageStart,
  type PageStates,
  type PageSubjects,
} from "../../src/rpc/page.ts";
import { FaultNotice, Loading } from "./notice.tsx";

/** What VS Code gives to a webview's script. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** What a page's view works with. */
export interface Page<P extends PageName> {
  readonly client: PageClient<P>;
  readonly subject: PageSubjects[P];
  readonly settings: PageSettings;
  readonly state: PageStates[P];
  /** Merges into the state, and keeps it where it survives hiding, reload and the tab's end. */
  keep(patch: Partial<PageStates[P]>): void;
}

interface Entry<P extends PageName> {
  readonly page: P;
  readonly initial: PageStates[P];
  /** Splits a subject that the host gave into what the page is about and what it asks of the page's state. */
  readonly take?: (subject: PageSubjects[P]) => Taken<P>;
  readonly view: (page: Page<P>) => VNode;
}

interface Taken<P extends PageName> {
  readonly subject: PageSubjects[P];
  readonly state: Partial<PageStates[P]>;
}

/** Connects to the host and shows the page's view in the document. */
export function mountPage<P extends PageName>(entry: Entry<P>): void {
  const api = acquireVsCodeApi();
  const client = connectPage<P>({
    post: (message) => api.postMessage(message),
    onMessage(listener) {
      const receive = (event: MessageEvent) => listener(event.data);
      window.addEventListener("message", receive);
      return { dispose: () => window.removeEventListener("message", receive) };
    },
  });
  const tell = (error: unknown) => client.tell("page.fault", { fault: Fault.from(error).toData() });
  window.addEventListener("error", (event) => tell(event.error ?? event.message));
  window.addEventListener("unhandledrejection", (event) => tell(event.reason));
  render(
    <Root entry={entry} client={client} setState={(kept) => api.setState(kept)} />,
    document.getElementById("page")!,
  );
}

interface RootProps<P extends PageName> {
  readonly entry: Entry<P>;
  readonly client: PageClient<P>;
  readonly setState: (kept: KeptPage<P>) => void;
}

function Root<P extends PageName>({ entry, client, setState }: RootProps<P>) {
  const [start, setStart] = useState<PageStart<P> | null>(null);
  const [fault, setFault] = useState<FaultData | null>(null);
  const [lost, setLost] = useState<FaultData | "lost" | null>(null);
  // What was asked last: `keep` may be called several times before the view is drawn again.
  const latest = useRef<PageStart<P> | null>(null);

  const show = useCallback((next: PageStart<P>) => {
    latest.current = next;
    setStart(next);
  }, []);

  const keep = useCallback(
    (patch: Partial<PageStates[P]>) => {
      const { current } = latest;
      if (!current) return;
      const state = { ...current.state!, ...patch };
      show({ ...current, state });
      setState({ page: entry.page, subject: current.subject, state });
      client.tell("page.keep", { subject: current.subject, state });
    },
    [client, entry, setState, show],
  );

  /** Shows what the host gave. */
  const take = useCallback(
    (given: PageStart<P>) => {
      const { subject, state } = entry.take?.(given.subject) ?? { subject: given.subject, state: {} };
      show({ ...given, subject, state: { ...entry.initial, ...given.state } });
      keep(state);
    },
    [entry, keep, show],
  );

  const open = useCallback(() => {
    setFault(null);
    client.request("page.open", null as never).then(
      (answer) => take(answer as unknown as PageStart<P>),
      (error: unknown) => setFault(Fault.from(error).toData()),
    );
  }, [client, take]);

  useEffect(() => {
    const subscriptions = [
      client.on("settings", (settings) => latest.current && show({ ...latest.current, settings })),
      client.on("show", ({ subject }) => latest.current && take({ ...latest.current, subject })),
      client.on("connection", (connection) =>
        setLost(connection.state === "lost" ? (connection.fault ?? "lost") : null),
      ),
    ];
    open();
    return () => {
      for (const each of subscriptions) each.dispose();
    };
  }, [client, open, show, take]);

  useEffect(() => {
    document.getElementById("page")!.setAttribute("aria-busy", String(start === null && fault === null));
  }, [start, fault]);

  if (fault) return <FaultNotice fault={fault} onRetry={open} />;
  if (!start) return <Loading label="Opening" />;
  return (
    <>
      {lost && (
        <div class="strip warning" role="status">
          {lost === "lost" ? "The connection to the engine was lost; it restarts by itself." : lost.message}
        </div>
      )}
      <entry.view client={client} subject={start.subject} settings={start.settings} state={start.state!} keep={keep} />
    </>
  );
}

/** A value that is asked for: the last answer stays while the next is on its way. */
export interface Asked<T> {
  readonly value: T | null;
  readonly fault: FaultData | null;
  readonly loading: boolean;
  reload(): void;
  /** Puts a newer value in place, such as the answer to a change. */
  put(value: T): void;
}

/** Asks at first and whenever `key` changes; a change of key forgets the old value. */
export function useAsked<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [got, setGot] = useState<{ key: string; value: T | null; fault: FaultData | null; loading: boolean }>({
    key,
    value: null,
    fault: null,
    loading: true,
  });
  const [round, setRound] = useState(0);
  const asking = useRef(ask);
  asking.current = ask;

  // A new round asks the same again
  useEffect(() => {
    const abort = new AbortController();
    setGot((old) => ({
      key,
      value: old.key === key ? old.value : null,
      fault: old.key === key ? old.fault : null,
      loading: true,
    }));
    asking.current(abort.signal).then(
      (value) => !abort.signal.aborted && setGot({ key, value, fault: null, loading: false }),
      (error: unknown) => {
        if (!abort.signal.aborted) setGot((old) => ({ ...old, fault: Fault.from(error).toData(), loading: false }));
      },
    );
    return () => abort.abort();
  }, [key, round]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  const put = useCallback((value: T) => setGot({ key, value, fault: null, loading: false }), [key]);
  const current = got.key === key ? got : { value: null, fault: null, loading: true };
  return { value: current.value, fault: current.fault, loading: current.loading, reload, put };
}

/** Runs `action` and holds its failure for the view; `busy` names the action that is under way. */
export function useAction(): {
  readonly busy: string | null;
  readonly fault: FaultData | null;
  run(name: string, action: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
} {
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<FaultData | null>(null);
  const run = useCallback(async (name: string, action: () => Promise<unknown>) => {
    setBusy(name);
    setFault(null);
    try {
      await action();
      return true;
    } catch (error) {
      setFault(Fault.from(error).toData());
      return false;
    } finally {
      setBusy(null);
    }
  }, []);
  const clear = useCallback(() => setFault(null), []);
  return { busy, fault, run, clear };
}
