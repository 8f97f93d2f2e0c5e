/** How long the extension's own code holds the extension host, as the processor's time that a profile of it shows. */
import { type Profiler, Session } from "node:inspector";

/** Between two samples, ms. A thread that waits for a processor is not sampled, so samples count its own time. */
const INTERVAL = 0.5;

/** Runs `work`, and gives the longest stretch of the extension's own code in one turn of the host's event loop, ms. */
export async function longestOwnStretch(work: () => Promise<void>): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await post(session, "Profiler.enable");
    await post(session, "Profiler.setSamplingInterval", { interval: INTERVAL * 1_000 });
    await post(session, "Profiler.start");
    await work();
    const { profile } = await post<{ profile: Profiler.Profile }>(session, "Profiler.stop");
    return longest(profile) * INTERVAL;
  } finally {
    session.disconnect();
  }
}

function post<T>(session: Session, method: string, params: object = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result as T)));
  });
}

/** The most samples with the extension's code on the stack between two moments at which the thread was idle. */
function longest({ nodes, samples = [] }: Profiler.Profile): number {
  const own = new Set<number>();
  const idle = new Set<number>();
  // A node comes before its children.
  for (const { id, callFrame, children = [] } of nodes) {
    if (/\/dist\/[\w-]+\.cjs$/.test(callFrame.url)) own.add(id);
    if (callFrame.functionName === "(idle)") idle.add(id);
    if (own.has(id)) for (const child of children) own.add(child);
  }
  if (own.size === 0) throw new Error("The profile shows nothing of the extension: its bundles are not found.");
  let most = 0;
  let stretch = 0;
  for (const sample of samples) {
    if (idle.has(sample)) stretch = 0;
    else if (own.has(sample)) most = Math.max(most, ++stretch);
  }
  return most;
}
