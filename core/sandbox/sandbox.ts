/** The sandbox as the stages see it: load a program, run a phase of it, hear what came of it. */

import type {
  CallContext,
  Operation,
  OperationResult,
  PartName,
  RequestShape,
  UnitCode,
  UnitManifest,
  UnitOutcome,
  UnitStores,
  Phase,
} from "./protocol.ts";

export interface Sandbox {
  /**
   * Compiles and runs the files in the spare host, which then takes over; the other one follows, so that loading
   * delays no call. Rejects with `SandboxUnavailable` only when no host can be started; what is wrong with a file is
   * said in its manifest.
   */
  load(units: readonly UnitSpec[]): Promise<LoadedProgram>;
  status(): SandboxStatus;
  close(): Promise<void>;
}

/** A file and what the proxy holds against it. */
export interface UnitSpec extends UnitCode {
  /** Same as long as the content of the file and of everything it imports is: strikes and quarantine go by it. */
  readonly hash: string;
  readonly limits: UnitLimits;
}

export interface UnitLimits {
  /** One uninterrupted run, ms; 10 ms per MB of body come on top. */
  readonly sliceMs: number;
  /** A whole call with everything it waits for, ms. */
  readonly timeoutMs: number;
}

export interface LoadedProgram {
  readonly manifests: readonly UnitManifest[];
  /** Never rejects for anything user code did: that is an outcome. Rejects when `signal` is aborted. */
  run(call: PhaseCall): Promise<readonly PhaseOutcome[]>;
  /** Hands over the events of one stream; batches of many streams travel together. */
  openStream(stream: StreamCall): EventStream;
  /** Of a file whose kills have put it out of use: why, for the log and the user. */
  quarantined(unit: number): string | undefined;
  /** No exchange uses it any more; the isolates go. */
  release(): void;
}

export interface PhaseCall {
  readonly phase: Exclude<Phase, "onEvent">;
  readonly units: readonly number[];
  readonly context: CallContext;
  stores(unit: number): UnitStores | undefined;
  /** The request, in the phases that see it. */
  readonly body?: PartSource;
  /** JSON text of what the other phases see. */
  readonly subject?: string;
  readonly operations: OperationRunner;
  readonly signal: AbortSignal;
}

/** Where parts of a request body come from. */
export interface PartSource {
  readonly shape: RequestShape;
  readonly bodyBytes: number;
  /** Undefined when there is no such part. */
  part(name: PartName): Uint8Array | undefined;
}

/** Performs a granted operation, once: a run that is repeated on another host gets the first one's result. */
export interface OperationRunner {
  /** @param key the same for the same operation of the same run, whatever host it runs on */
  run(unit: number, operation: Operation, key: string, signal: AbortSignal): Promise<OperationResult>;
}

export type PhaseOutcome = UnitOutcome & {
  /** Set when the host had to be killed, died of it, or the file is out of use. */
  readonly lost?: "killed" | "crashed" | "timeout" | "quarantined" | "unavailable";
};

export interface StreamCall {
  /** The id of the exchange. */
  readonly stream: string;
  readonly units: readonly number[];
  readonly context: CallContext;
  /** Asked again whenever the stream is opened on another host; what its batches wrote is to be in there by then. */
  stores(unit: number): UnitStores | undefined;
}

export interface EventStream {
  /** @param events JSON texts, at least one; one call at a time */
  push(events: readonly string[]): Promise<StreamResult>;
  close(): void;
}

export interface StreamResult {
  readonly events: readonly (0 | readonly string[])[];
  readonly outcomes: readonly PhaseOutcome[];
}

export interface SandboxStatus {
  readonly active: HostStatus | null;
  readonly spare: HostStatus | null;
  readonly kills: number;
  readonly crashes: number;
  readonly quarantined: readonly { readonly file: string; readonly until: string; readonly reason: string }[];
}

export interface HostStatus {
  readonly pid: number;
  readonly startedAt: string;
  readonly calls: number;
  readonly rssBytes: number | undefined;
}

/** No host can be started: what user code would have done is decided by its policy. */
export class SandboxUnavailable extends Error {
  override readonly name = "SandboxUnavailable";
}
