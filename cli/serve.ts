/** Runs the server in this process: claims the state file, listens, and stops in good order when told to. */

import path from "node:path";
import { fileURLToPath } from "node:url";

import { countFaults, formatFaults } from "../core/config/format.ts";
import { version } from "../core/version.ts";
import { StartError, startServer, type RunningServer, type StartOptions } from "../core/server.ts";
import { builtinPlugins } from "../plugins/index.ts";
import { refreshEditorTypes } from "./editor-types.ts";
import { CliFailure } from "./failure.ts";
import { claimState, type Claim, type ClaimDetails, type RunState } from "./state.ts";

export interface ServeOptions {
  readonly directory: string;
  /** For `os.environ/NAME` in the configuration. */
  readonly environment: StartOptions["environment"];
  readonly mode: ClaimDetails["mode"];
  readonly host?: string;
  readonly port?: number;
  /** One line for the person at the terminal. */
  readonly notify: (text: string) => void;
}

export interface Serving {
  readonly server: RunningServer;
  /** Settles with the exit code when the server has stopped. */
  readonly stopped: Promise<number>;
  /** As a signal does: the first call drains, a second one ends at once. */
  stop(): void;
}

/**
 * Starts serving.
 * @throws CliFailure when a server of this folder runs already, or it cannot start
 */
export async function serve({ directory, environment, mode, host, port, notify }: ServeOptions): Promise<Serving> {
  const requested = { ...(host !== undefined && { host }), ...(port !== undefined && { port }) };
  const claim = await claimState(directory, { mode, requested, version }, (reason) =>
    notify(`removed what an earlier server left behind (${reason})`),
  );
  if ("type" in claim) throw new CliFailure(describeOther(claim));
  // Whatever way this process ends, but for SIGKILL.
  process.once("exit", () => claim.release());
  try {
    await refreshEditorTypes(directory);
    // Readable lines are for a person who looks; everything else reads the file.
    const logTo = mode === "foreground" && process.stderr.isTTY ? "terminal" : "file";
    const server = await startOrFail({ configDir: directory, environment, ...requested, logTo, watch: true });
    if (server.workers > 1) await startWorkers(server);
    if (server.faults.length > 0) {
      notify(`the configuration works, with ${countFaults(server.faults)}:\n${formatFaults(server.faults).trimEnd()}`);
    }
    await publishOrStop(claim, server);
    return { server, ...stopOnSignals(server, claim, notify) };
  } catch (error) {
    claim.release();
    throw error;
  }
}

/** @throws CliFailure with all that is wrong and what to do */
export async function startOrFail(options: Omit<StartOptions, "plugins">): Promise<RunningServer> {
  try {
    return await startServer({ ...options, plugins: builtinPlugins });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const faults = error.faults.length === 0 ? "" : `\n${formatFaults(error.faults)}`.trimEnd();
    throw new CliFailure(error.message + faults, 1, { cause: error });
  }
}

/** @throws CliFailure, and nothing runs any more */
async function startWorkers(server: RunningServer): Promise<void> {
  const own = fileURLToPath(import.meta.url);
  try {
    await server.startWorkers(path.join(path.dirname(own), `worker${path.extname(own)}`));
  } catch (error) {
    throw new CliFailure(`a further process of this server could not start: ${String(error)}`, 1, { cause: error });
  }
}

async function publishOrStop(claim: Claim, server: RunningServer): Promise<void> {
  try {
    const { host, port, url, instance, controlToken } = server;
    await claim.publish({ host, port, url, instance, controlToken });
  } catch (error) {
    await server.stop(0);
    throw error;
  }
}

function describeOther(other: Exclude<RunState, { readonly type: "none" | "stale" }>): string {
  const { pid } = other.state;
  if (other.type === "running") {
    return `already running at ${other.server.url} (process ${pid}); "ccproxy stop" ends it, "ccproxy restart" starts it anew`;
  }
  return other.type === "starting"
    ? `process ${pid} is starting the server of this folder just now; "ccproxy status" tells when it is up`
    : `process ${pid} has the server of this folder but does not answer: it is stopping, or hangs; "ccproxy stop" ends it at once`;
}

/** A launcher and a terminal may both deliver the same Ctrl-C; closer than this they are one. */
const sameSignalMs = 100;
/** What a second signal leaves for closing connections. */
const fastExitMs = 1000;

function stopOnSignals(server: RunningServer, claim: Claim, notify: (text: string) => void): Pick<Serving, "stopped" | "stop"> {
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let stoppingSince: number | undefined;
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince < sameSignalMs) return;
      notify("stopping at once");
      finish(server.stop(0));
      setTimeout(() => process.exit(1), fastExitMs).unref();
      return;
    }
    stoppingSince = performance.now();
    notify("stopping; a second signal ends open requests at once");
    finish(server.stop());
  };
  const finish = (ending: Promise<void>): void => {
    ending.then(
      () => resolve(0),
      (error: unknown) => {
        notify(`the server did not stop cleanly: ${String(error)}`);
        resolve(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  void stopped.then(() => claim.release());
  return { stopped, stop };
}
