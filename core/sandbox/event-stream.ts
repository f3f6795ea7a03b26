/** One stream of events: one batch at a time is on its way, and every batch comes back, changed or not. */

import { readStream } from "./check-stream.ts";
import type { Host, HostLoss } from "./host.ts";
import type { Program } from "./program.ts";
import type { StreamBatch, UnitStores } from "./protocol.ts";
import type { EventStream, PhaseOutcome, StreamCall, StreamResult } from "./sandbox.ts";
import { Suspicion } from "./suspicion.ts";
import type { Lost } from "./unit-plan.ts";

interface Batch {
  readonly events: readonly string[];
  readonly resolve: (result: StreamResult) => void;
  readonly reject: (error: unknown) => void;
}

export class OpenStream implements EventStream {
  readonly program: Program;
  readonly sliceMs: number;
  /** Where it has been opened. */
  host: Host | undefined;
  /** It goes in a message of its own: something in it, or in what went with it, took a host down. */
  isAlone = false;

  readonly #call: StreamCall;
  readonly #send: (stream: OpenStream) => void;
  readonly #onClose: () => void;
  #batch: Batch | undefined;
  #later: Batch[] = [];
  /** Units that go with the batch; the others have been lost or are out of use. */
  #units: readonly number[];
  #lost: Map<number, Lost> | undefined;
  #suspicion: Suspicion | undefined;
  #isClosed = false;

  /**
   * @param send is to hand it to a host before long
   * @param onClose called once
   */
  constructor(program: Program, call: StreamCall, send: (stream: OpenStream) => void, onClose: () => void) {
    this.program = program;
    this.sliceMs = Math.max(...call.units.map((unit) => program.sliceMs(unit)));
    this.#call = call;
    this.#units = call.units;
    this.#send = send;
    this.#onClose = onClose;
  }

  push(events: readonly string[]): Promise<StreamResult> {
    return new Promise((resolve, reject) => {
      const batch = { events, resolve, reject };
      if (this.#batch === undefined) this.#begin(batch);
      else this.#later.push(batch);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    if (this.#batch === undefined) this.#end();
  }

  #end(): void {
    if (this.host?.isOpen === true) this.host.tell({ type: "end-stream", stream: this.#call.stream });
    this.host = undefined;
  }

  #begin(batch: Batch): void {
    this.#batch = batch;
    this.#lost = undefined;
    this.#suspicion = undefined;
    this.isAlone = false;
    this.#again();
  }

  #again(): void {
    const { program } = this;
    if (program.isClean && this.#lost === undefined) this.#units = this.#call.units;
    else {
      this.#units = this.#call.units.filter((unit) => this.#lossOf(unit) === undefined);
      if (this.#units.some((unit) => program.isSuspect(unit))) this.isAlone = true;
    }
    if (this.#units.length === 0) this.#settle(this.#batch?.events.map(() => 0) ?? [], []);
    else this.#send(this);
  }

  /** What is to be sent to this host; undefined when its owner could not say. */
  message(host: Host): StreamBatch | undefined {
    const { stream, context, units } = this.#call;
    const batch = { stream, units: this.#units, events: this.#batch?.events ?? [] };
    if (this.host === host) return batch;
    try {
      const stores = readStores(units, this.#call);
      this.host = host;
      return { ...batch, open: { context, stores } };
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** What the answer says of it; a text: what is wrong with the answer itself. */
  read(value: unknown): StreamResult | string {
    return readStream(value, this.#call.stream, this.#units, this.#batch?.events.length ?? 0);
  }

  answered({ events, outcomes }: StreamResult): void {
    this.#settle(events, outcomes);
  }

  /** @param wasAlone nothing else was in the message that its host was lost with */
  lost({ by, isHead, unit }: HostLoss, wasAlone: boolean): void {
    this.host = undefined;
    if (isHead && by !== "dismissed") {
      this.isAlone = true;
      if (wasAlone) this.#blame(unit !== undefined && this.#units.includes(unit) ? unit : this.#units[0], by);
    }
    this.#again();
  }

  #blame(culprit: number | undefined, by: "killed" | "crashed" | "ended"): void {
    if (culprit === undefined) return;
    if (by !== "killed") {
      this.#suspicion ??= new Suspicion();
      this.#suspicion.add(culprit, by);
      if (!this.#suspicion.isProven(culprit)) return;
    }
    const how = by === "killed" ? "killed" : "crashed";
    this.program.strike(culprit, how, "onEvent");
    this.#lost ??= new Map();
    this.#lost.set(culprit, how);
  }

  /** No host is to be had: everything goes on as it is. */
  giveUp(): void {
    this.#lost ??= new Map();
    for (const unit of this.#units) this.#lost.set(unit, "unavailable");
    this.#settle(this.#batch?.events.map(() => 0) ?? [], []);
  }

  #lossOf(unit: number): Lost | undefined {
    return this.#lost?.get(unit) ?? (this.program.unusable(unit) === undefined ? undefined : "quarantined");
  }

  /** @param outcomes of the units that were run, in order */
  #settle(events: StreamResult["events"], outcomes: readonly PhaseOutcome[]): void {
    const batch = this.#batch;
    this.#batch = undefined;
    batch?.resolve({
      events,
      outcomes: this.#units.length === this.#call.units.length && outcomes.length > 0 ? outcomes : this.#withLost(outcomes),
    });
    this.#goOn();
  }

  /** A fault of the caller's own. */
  #fail(error: unknown): void {
    this.#batch?.reject(error);
    this.#batch = undefined;
    this.#goOn();
  }

  #goOn(): void {
    const next = this.#later.shift();
    if (next !== undefined) this.#begin(next);
    else if (this.#isClosed) this.#end();
  }

  #withLost(outcomes: readonly PhaseOutcome[]): readonly PhaseOutcome[] {
    const byUnit = new Map(outcomes.map((outcome) => [outcome.unit, outcome]));
    return this.#call.units.map((unit) => byUnit.get(unit) ?? { unit, us: 0, lost: this.#lossOf(unit) ?? "unavailable" });
  }
}

function readStores(units: readonly number[], call: StreamCall): { readonly [unit: number]: UnitStores } {
  const stores: Record<number, UnitStores> = {};
  for (const unit of units) {
    const found = call.stores(unit);
    if (found !== undefined) stores[unit] = found;
  }
  return stores;
}
