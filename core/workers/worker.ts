/** A worker: the same server as the first process, on its socket, under its name. */

import type { Server } from "node:net";

import type { RunningServer, StartOptions } from "../server.ts";
import type { FromWorker, StartMessage, ToWorker, WorkerStatus } from "./messages.ts";
import { Questions } from "./questions.ts";

export interface WorkerOptions {
  readonly environment: StartOptions["environment"];
  readonly start: (options: Omit<StartOptions, "plugins">) => Promise<RunningServer>;
}

/** Serves until the first process says stop, or is gone. */
export function runWorker({ environment, start }: WorkerOptions): void {
  const questions = new Questions();
  let server: RunningServer | undefined;
  let workers: readonly WorkerStatus[] = [];
  let stopping: Promise<void> | undefined;

  // Ctrl-C reaches every process at a terminal; when to end is for the first one to say.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  process.once("disconnect", () => end(undefined));

  function end(graceMs: number | undefined): void {
    if (server === undefined) process.exit(0);
    stopping = server.stop(graceMs);
    stopping.then(
      () => process.exit(0),
      () => process.exit(1),
    );
  }

  async function begin({ configDir, host, port, instance, controlToken, pid }: StartMessage, socket: Server | undefined): Promise<void> {
    if (socket === undefined) throw new Error("there is no socket to listen on");
    server = await start({
      configDir,
      environment,
      host,
      port,
      logTo: "none",
      watch: true,
      worker: {
        socket,
        instance,
        controlToken,
        pid,
        workers: () => workers,
        log: (line) => say({ type: "log", line }),
        findTrace: (requestId) => questions.ask((question) => say({ type: "trace?", question, requestId })),
      },
    });
    say({ type: "ready" });
  }

  process.on("message", (message: ToWorker, socket: Server | undefined) => {
    switch (message.type) {
      case "start":
        begin(message, socket).catch((error: unknown) => {
          say({ type: "failed", message: error instanceof Error ? error.message : String(error) });
          process.exitCode = 1;
          process.disconnect();
        });
        return;
      case "workers":
        ({ workers } = message);
        return;
      case "stop":
        end(message.graceMs);
        return;
      case "trace":
        questions.answer(message.question, message.found);
        return;
      case "trace?":
        say({ type: "trace", question: message.question, found: server?.findTrace(message.requestId) });
    }
  });
}

function say(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
