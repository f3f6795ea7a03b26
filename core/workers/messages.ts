/** What the first process of a server and its workers say to each other. */

import type { ExplainedTrace } from "../explain-trace.ts";

export interface FoundTrace {
  readonly requestId: string;
  /** ms since 1970, of its end. */
  readonly at: number;
  readonly explained: ExplainedTrace;
}

/** With the socket that both listen on. */
export interface StartMessage {
  readonly type: "start";
  readonly configDir: string;
  readonly host: string;
  readonly port: number;
  /** Of the server as a whole. */
  readonly instance: string;
  readonly controlToken: string;
  /** Of the first process. */
  readonly pid: number;
}

export interface WorkerStatus {
  readonly pid: number;
  readonly isReady: boolean;
  /** How often this place was filled anew. */
  readonly restarts: number;
}

export type ToWorker =
  | StartMessage
  /** Whenever it has changed. */
  | { readonly type: "workers"; readonly workers: readonly WorkerStatus[] }
  | { readonly type: "stop"; readonly graceMs: number }
  /** @param requestId or `last` */
  | { readonly type: "trace?"; readonly question: number; readonly requestId: string }
  | { readonly type: "trace"; readonly question: number; readonly found: FoundTrace | undefined };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string }
  /** A line of the log, without secrets. */
  | { readonly type: "log"; readonly line: string }
  | { readonly type: "trace?"; readonly question: number; readonly requestId: string }
  | { readonly type: "trace"; readonly question: number; readonly found: FoundTrace | undefined };
