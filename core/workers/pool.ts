/**
 * More processes for one server. All listen on the socket that the first one has opened, so that none of them is asked before another, and one
 * that dies takes only its own connections with it; it is started anew. They end with the first one, whatever way that ends.
 */

import { type ChildProcess, fork } from "node:child_process";
import type { Server } from "node:http";

import type { Logger } from "../../sdk/log.ts";
import type { FoundTrace, FromWorker, StartMessage, ToWorker, WorkerStatus } from "./messages.ts";
import { Questions } from "./questions.ts";

export interface WorkerPoolOptions {
  /** Besides the first process. */
  readonly count: number;
  /** Program of a worker. */
  readonly entry: string;
  readonly start: Omit<StartMessage, "type">;
  readonly server: Server;
  readonly logger: Logger;
  /** Takes a line of a worker's log. */
  readonly appendLog: (line: string) => void;
  /** Of the first process itself. */
  readonly findTrace: (requestId: string) => FoundTrace | undefined;
}

export interface WorkerPool {
  /** Resolves when all are ready for the first time, rejects when one cannot start. */
  readonly ready: Promise<void>;
  status(): readonly WorkerStatus[];
  /** Of any worker. */
  findTrace(requestId: string): Promise<FoundTrace | undefined>;
  /** Resolves when all have ended. Calling it again ends them sooner. */
  stop(graceMs: number): Promise<void>;
}

/** One that lived shorter is started anew only after a while, longer each time. */
const soundMs = 5000;
const shortestWaitMs = 100;
const longestWaitMs = 10_000;
/** Beyond its grace, a worker that has not ended is killed. */
const killAfterMs = 7000;

interface Place {
  child: ChildProcess | undefined;
  isReady: boolean;
  restarts: number;
  waitMs: number;
  timer: NodeJS.Timeout | undefined;
}

export function startWorkers(options: WorkerPoolOptions): WorkerPool {
  const { count, entry, start, server, logger, appendLog, findTrace } = options;
  const places = Array.from({ length: count }, (): Place => ({
    child: undefined,
    isReady: false,
    restarts: 0,
    waitMs: shortestWaitMs,
    timer: undefined,
  }));
  const questions = new Questions();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let isStopping = false;
  let wasReady = false;

  function fill(place: Place): void {
    const startedAt = Date.now();
    const child = fork(entry, [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    place.child = child;
    place.isReady = false;
    child.on("error", (error) => logger.error({ error }, "a worker could not be reached"));
    child.on("message", (message: FromWorker) => void hear(place, child, message));
    child.once("exit", (code, signal) => {
      place.child = undefined;
      place.isReady = false;
      if (isStopping) {
        if (places.every((each) => each.child === undefined)) ended.resolve();
        return;
      }
      if (!wasReady) {
        ready.reject(new Error(`a worker ended with ${signal ?? code} before it was ready`));
        return;
      }
      place.waitMs = Date.now() - startedAt > soundMs ? shortestWaitMs : Math.min(longestWaitMs, place.waitMs * 2);
      tellAll();
      logger.error({ worker: child.pid, code, signal, againAfterMs: place.waitMs }, "a worker died and is started anew");
      place.restarts += 1;
      place.timer = setTimeout(() => fill(place), place.waitMs);
    });
    tell(child, { type: "start", ...start }, server);
  }

  async function hear(place: Place, child: ChildProcess, message: FromWorker): Promise<void> {
    switch (message.type) {
      case "ready":
        place.isReady = true;
        tellAll();
        if (places.every(({ isReady }) => isReady)) {
          wasReady = true;
          ready.resolve();
        }
        return;
      case "failed":
        logger.error({ worker: child.pid, reason: message.message }, "a worker could not start");
        if (!wasReady) ready.reject(new Error(message.message));
        return;
      case "log":
        appendLog(message.line);
        return;
      case "trace":
        questions.answer(message.question, message.found);
        return;
      case "trace?": {
        const { question, requestId } = message;
        const found = later([findTrace(requestId), await askAll(requestId, child)]);
        tell(child, { type: "trace", question, found });
      }
    }
  }

  function status(): readonly WorkerStatus[] {
    return places.flatMap(({ child, isReady, restarts }) => (child?.pid === undefined ? [] : [{ pid: child.pid, isReady, restarts }]));
  }

  function tellAll(): void {
    const message: ToWorker = { type: "workers", workers: status() };
    for (const { child } of places) if (child !== undefined) tell(child, message);
  }

  async function askAll(requestId: string, but?: ChildProcess): Promise<FoundTrace | undefined> {
    const children = places.flatMap(({ child, isReady }) => (child === undefined || !isReady || child === but ? [] : [child]));
    const asked = children.map(async (child) => questions.ask((question) => tell(child, { type: "trace?", question, requestId })));
    return later(await Promise.all(asked));
  }

  for (const place of places) fill(place);

  return {
    ready: ready.promise,
    status,
    findTrace: (requestId) => askAll(requestId),
    async stop(graceMs) {
      isStopping = true;
      const children = places.flatMap(({ child, timer }) => {
        clearTimeout(timer);
        return child ?? [];
      });
      if (children.length === 0) return;
      for (const child of children) tell(child, { type: "stop", graceMs });
      const late = setTimeout(() => {
        for (const child of children) child.kill("SIGKILL");
      }, graceMs + killAfterMs);
      await ended.promise;
      clearTimeout(late);
    },
  };
}

/** One that is gone hears nothing; its end is told elsewhere. */
function tell(child: ChildProcess, message: ToWorker, handle?: Server): void {
  if (child.connected) child.send(message, handle, { keepOpen: true }, () => undefined);
}

function later(found: readonly (FoundTrace | undefined)[]): FoundTrace | undefined {
  return found.filter((each) => each !== undefined).toSorted((a, b) => b.at - a.at)[0];
}
