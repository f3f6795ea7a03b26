/** Ends another process's server and waits until it is gone. */

import { setTimeout } from "node:timers/promises";
import { isProcessAlive } from "./liveness.ts";
import { CliFailure } from "./failure.ts";
import { removeStale, type RunState } from "./state.ts";

/** Beyond the grace that open requests have: for their last errors to be sent and connections to be cut. */
const marginMs = 8000;
/** No process tells another that it has ended, other than its parent. */
const pollMs = 25;

/**
 * Asks the server to stop, waits for open requests as long as the server does, and only then kills it.
 * @throws CliFailure when it cannot be signalled or does not go away
 */
export async function stopServer(
  directory: string,
  found: Exclude<RunState, { readonly type: "none" | "stale" }>,
  notify: (text: string) => void,
): Promise<void> {
  const { pid, startMark } = found.state;
  // One that does not answer may be stopping already; then this is its second signal, which ends open requests at once.
  const { openExchanges: open, config } = found.type === "running" ? found.report : { openExchanges: 0, config: { graceMs: 0 } };
  if (open > 0) notify(`waiting for ${open} open request${open === 1 ? "" : "s"}`);
  signal(pid, "SIGTERM");
  const patienceMs = config.graceMs + marginMs;
  if (!(await isGoneWithin(patienceMs, pid, startMark))) {
    notify(`process ${pid} did not stop within ${Math.round(patienceMs / 1000)} s; killing it`);
    signal(pid, "SIGKILL");
    if (!(await isGoneWithin(marginMs, pid, startMark))) throw new CliFailure(`process ${pid} cannot be ended`);
  }
  // It removes its file itself, unless it was killed or had only just begun.
  await removeStale(directory, found.state.claim);
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone in the meantime is what was wanted.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
      throw new CliFailure(`process ${pid} cannot be signalled: ${String(error)}`, 1, { cause: error });
    }
  }
}

async function isGoneWithin(ms: number, pid: number, startMark: string | null): Promise<boolean> {
  const until = performance.now() + ms;
  while (await isProcessAlive(pid, startMark)) {
    if (performance.now() > until) return false;
    await setTimeout(pollMs);
  }
  return true;
}
