/** `context.kv`: what files of user code keep on disk. The database lives in a thread of its own, so that no disk stops the loop. */

import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import type { Json } from "../../sdk/body.ts";
import { errorCode } from "../config/text-file.ts";
import { createPrivateFile } from "../private-file.ts";
import type { KvWrite } from "../sandbox/protocol.ts";
import { CapabilityError } from "./capability-error.ts";

export interface KvStore {
  /** `[value]`, or `[]` where there is none. */
  get(file: string, key: string): Promise<Json>;
  /** The last lines, oldest first. @param last from 1 to 1,000 */
  lines(file: string, key: string, last: number): Promise<Json>;
  /**
   * Takes all of the writes or none, and the same outcome only once.
   * @param outcome unique for what is committed
   * @throws CapabilityError when a limit is reached or the database failed
   */
  commit(file: string, writes: readonly KvWrite[], outcome: string): Promise<void>;
  close(): Promise<void>;
}

export type KvCall =
  | { readonly op: "get"; readonly file: string; readonly key: string }
  | { readonly op: "lines"; readonly file: string; readonly key: string; readonly last: number }
  | { readonly op: "commit"; readonly file: string; readonly writes: readonly KvWrite[]; readonly outcome: string };

/** To the thread. */
export type KvRequest = ({ readonly id: number } & KvCall) | { readonly op: "close" };

/** From the thread. `refused` may be shown to user code, `failed` goes to the log. */
export type KvReply =
  | { readonly id: number; readonly type: "done"; readonly value: Json }
  | { readonly id: number; readonly type: "refused"; readonly message: string }
  | { readonly id: number; readonly type: "failed"; readonly message: string };

export const kvFileName = "user-kv.db";

const maxWaiting = 5_000;
const maxLines = 1_000;

const workerFile = import.meta.url.endsWith(".ts") ? new URL("kv-worker.ts", import.meta.url) : new URL("kv-worker.js", import.meta.url);
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

class ThreadLost extends Error {
  override readonly name = "ThreadLost";
}

interface Waiting {
  readonly resolve: (value: Json) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens the store of a configuration folder, making its file (mode 0600) when there is none.
 *
 * @param thread the code that holds the database
 * @throws Error when the file cannot be made
 */
export async function openKv(directory: string, thread: URL = workerFile): Promise<KvStore> {
  const path = join(directory, kvFileName);
  // SQLite would make it readable for others; what it puts beside it has the rights of the file itself.
  await createPrivateFile(path, "").catch((error: unknown) => {
    if (errorCode(error) !== "EEXIST") throw error;
  });

  let worker: Worker | undefined;
  let waiting = new Map<number, Waiting>();
  const pending = new Set<Promise<Json>>();
  let lastId = 0;
  let isClosed = false;

  function lose(lost: Worker, error: Error): void {
    if (worker !== lost) return;
    worker = undefined;
    const abandoned = waiting;
    waiting = new Map();
    for (const { reject } of abandoned.values()) reject(error);
  }

  function start(): Worker {
    // Some releases of Node call their own SQLite experimental, on the terminal of whoever started ccproxy.
    const execArgv = ["--disable-warning=ExperimentalWarning"];
    const started = new Worker(thread, { name: "ccproxy-kv", env: {}, execArgv, resourceLimits, workerData: { path } });
    started.on("message", (reply: KvReply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) started.unref();
      if (reply.type === "done") asked?.resolve(reply.value);
      else asked?.reject(reply.type === "refused" ? new CapabilityError(reply.message) : new Error(`${path} ${reply.message}`));
    });
    started.on("error", (error) => lose(started, new ThreadLost("the thread of context.kv failed", { cause: error })));
    started.on("exit", () => lose(started, new ThreadLost("the thread of context.kv ended")));
    return started;
  }

  function ask(call: KvCall): Promise<Json> {
    if (pending.size >= maxWaiting) throw new CapabilityError("too many operations wait for the store of context.kv");
    const asked = (worker ??= start());
    asked.ref();
    const id = ++lastId;
    const answered = new Promise<Json>((resolve, reject) => waiting.set(id, { resolve, reject }));
    asked.postMessage({ id, ...call } satisfies KvRequest, []);
    pending.add(answered);
    const forget = (): boolean => pending.delete(answered);
    answered.then(forget, forget);
    return answered;
  }

  function refuseWhenClosed(): void {
    if (isClosed) throw new CapabilityError("the store of context.kv is closed");
  }

  return {
    async get(file, key) {
      refuseWhenClosed();
      return ask({ op: "get", file, key });
    },
    async lines(file, key, last) {
      refuseWhenClosed();
      return ask({ op: "lines", file, key, last: Math.min(Math.max(Math.trunc(last) || 1, 1), maxLines) });
    },
    async commit(file, writes, outcome) {
      refuseWhenClosed();
      const call: KvCall = { op: "commit", file, writes, outcome };
      try {
        await ask(call);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        // Whether it was committed is not known; if it was, the outcome is recognised.
        await ask(call);
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(pending);
      const ended = worker;
      if (ended === undefined) return;
      const exited = once(ended, "exit");
      ended.ref();
      ended.postMessage({ op: "close" } satisfies KvRequest, []);
      await exited;
    },
  };
}
