/** Owns the one worker thread that counts: starts it when needed, ends it when idle, survives its death. */

import { Worker } from "node:worker_threads";
import type { UnitKind } from "./count-plan.ts";
import type { TextCount } from "./text-count.ts";

export interface WorkItem {
  readonly kind: UnitKind;
  readonly bytes: Uint8Array;
}

/** Sent to the worker. The items' bytes follow each other in `bytes`. */
export interface CountRequest {
  readonly id: number;
  readonly kinds: readonly UnitKind[];
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

export interface CountReply {
  readonly id: number;
  readonly counts: readonly TextCount[];
}

export interface CountWorker {
  /** One count per item, in order. @throws Error when the worker dies on the way; the next call has a new one. */
  count(items: readonly WorkItem[]): Promise<readonly TextCount[]>;
  starts(): number;
  isRunning(): boolean;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (counts: readonly TextCount[]) => void;
  readonly reject: (error: Error) => void;
}

/** Sources run directly in development; the built package holds JavaScript. */
const WORKER_FILE = import.meta.url.endsWith(".ts")
  ? new URL("./count-worker.ts", import.meta.url)
  : new URL("./count-worker.js", import.meta.url);

/** Counting leaves mostly garbage: a small nursery keeps it from growing. A request that needs more than this fails alone. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 };

export interface CountWorkerOptions {
  /** How long a worker without work is kept, ms. */
  readonly idleMs: number;
  /** The code it runs; the counting worker unless said. */
  readonly file?: URL;
}

export function createCountWorker(options: CountWorkerOptions): CountWorker {
  let worker: Worker | undefined;
  let waiting = new Map<number, Waiting>();
  let idleTimer: NodeJS.Timeout | undefined;
  let starts = 0;
  let lastId = 0;
  let isClosed = false;

  const lose = (lost: Worker, error: Error): void => {
    if (worker !== lost) return;
    worker = undefined;
    clearTimeout(idleTimer);
    const abandoned = waiting;
    waiting = new Map();
    for (const { reject } of abandoned.values()) reject(error);
  };

  const rest = (): void => {
    // Without work it must keep neither the process nor its own memory alive.
    worker?.unref();
    idleTimer = setTimeout(() => {
      const idle = worker;
      worker = undefined;
      void idle?.terminate();
    }, options.idleMs);
    idleTimer.unref();
  };

  const start = (): Worker => {
    const started = new Worker(options.file ?? WORKER_FILE, {
      name: "ccproxy-tokens",
      env: {},
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    starts++;
    started.on("message", (reply: CountReply) => {
      waiting.get(reply.id)?.resolve(reply.counts);
      waiting.delete(reply.id);
      if (waiting.size === 0 && worker === started) rest();
    });
    started.on("error", (error) => lose(started, new Error("the token counting worker failed", { cause: error })));
    started.on("exit", (code) => lose(started, new Error(`the token counting worker ended with code ${code}`)));
    return started;
  };

  return {
    async count(items) {
      if (isClosed) throw new Error("the token service is closed");
      clearTimeout(idleTimer);
      worker ??= start();
      worker.ref();
      const request = pack(++lastId, items);
      return new Promise((resolve, reject) => {
        waiting.set(request.id, { resolve, reject });
        worker?.postMessage(request, [request.bytes.buffer]);
      });
    },
    starts: () => starts,
    isRunning: () => worker !== undefined,
    async close() {
      isClosed = true;
      const ended = worker;
      if (ended === undefined) return;
      lose(ended, new Error("the token service was closed"));
      await ended.terminate();
    },
  };
}

/** Copies the items into memory of their own: posting a view of the body would copy the whole body. */
function pack(id: number, items: readonly WorkItem[]): CountRequest & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const lengths = items.map((item) => item.bytes.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const item of items) {
    bytes.set(item.bytes, at);
    at += item.bytes.length;
  }
  return { id, kinds: items.map((item) => item.kind), lengths, bytes };
}
