/** One run of one phase: goes to a host, and to the next one when that is lost, until every unit has its outcome. */

import { invalid, readOutcomes } from "./check-outcome.ts";
import type { Host, HostAnswer, HostClient, HostLoss, Terms } from "./host.ts";
import { createOperationDesk, type OperationDesk } from "./operations.ts";
import { PartSet, readParts } from "./parts.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import type { UnitStores } from "./protocol.ts";
import type { Profiles } from "./runner.ts";
import type { PhaseCall, PhaseOutcome } from "./sandbox.ts";
import { UnitPlan } from "./unit-plan.ts";

export interface RunScene {
  readonly program: Program;
  readonly pool: Pool;
  readonly profiles: Profiles;
}

/** After so many messages that only said what they lack, arrays are sent whole; after as many again the unit is at fault. */
const maxNeeds = 6;
const msPerMegabyte = 10;

export class PhaseRun implements HostClient {
  readonly #scene: RunScene;
  readonly #call: PhaseCall;
  /** Begins the keys of its operations. */
  readonly #key: string;
  readonly #resolve: (outcomes: readonly PhaseOutcome[]) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #plan: UnitPlan;
  readonly #outcomes: PhaseOutcome[] = [];

  /** Units of the message that is out, on which host, under which number. */
  #sent: readonly number[] = [];
  #host: Host | undefined;
  #id = 0;
  #parts: PartSet | undefined;
  #needs = 0;
  #isDone = false;

  #desk: OperationDesk | undefined;
  /** It waits for operations; the host has nothing to do for it. */
  #isWaiting = false;
  #isAborting = false;
  #clock: { readonly unit: number; readonly timer: NodeJS.Timeout; isUp: boolean } | undefined;

  constructor(
    scene: RunScene,
    call: PhaseCall,
    key: string,
    resolve: (outcomes: readonly PhaseOutcome[]) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#scene = scene;
    this.#call = call;
    this.#key = key;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#plan = new UnitPlan(scene.program, call.phase, call.units);
  }

  /** Sends the units that have no outcome yet. */
  next(): void {
    if (this.#call.signal.aborted) return this.#cancel();
    this.#outcomes.push(...this.#plan.takeLost());
    this.#sent = this.#plan.group();
    this.#parts = undefined;
    if (this.#sent.length === 0) return this.#finish();
    this.#scene.pool.withHost(this.#begin);
  }

  readonly #begin = (host: Host | undefined): void => {
    if (this.#isDone) return;
    if (host === undefined) return this.#giveUp();
    try {
      this.#send(host);
    } catch (error) {
      // A fault of the caller's own stores or body.
      this.#close(error);
      this.#reject(error);
    }
  };

  #send(host: Host): void {
    const { program } = this.#scene;
    const { phase, context, body, subject } = this.#call;
    this.#host = host;
    this.#id = host.newId();
    this.#isWaiting = false;
    this.#isAborting = false;
    this.#desk?.restart();
    const bytes = body?.bodyBytes ?? subject?.length ?? 0;
    const sliceMs = program.sliceMs(this.#sent[0] ?? 0) + Math.ceil((bytes / 1024 ** 2) * msPerMegabyte);
    const { parts, payload } = body === undefined ? nothing : this.#collectParts().collect(body);
    host.ask(
      {
        type: "call",
        id: this.#id,
        version: program.version,
        phase,
        units: this.#sent,
        context,
        stores: this.#readStores(),
        sliceMs,
        parts,
        ...(body === undefined ? {} : { shape: body.shape }),
        ...(subject === undefined ? {} : { subject }),
      },
      this.#terms(sliceMs),
      this,
      payload,
    );
  }

  /** A rule may be begun twice: with others, and by itself when these took too long. */
  #terms(limitMs: number): Terms {
    return { limitMs, maxBegins: 4 * this.#sent.length };
  }

  answered(answer: HostAnswer, bytes: number): void {
    if (this.#isDone) {
      if (answer.type === "operations") this.#drop();
      return;
    }
    switch (answer.type) {
      case "done":
        return this.#done(answer.outcomes, bytes);
      case "need":
        return this.#need(answer.unit, answer.parts);
      case "operations":
        return this.#isAborting ? this.#overdue() : this.#operations(answer.unit, answer.operations);
      case "aborted":
        return this.#isAborting ? this.#overdue() : this.#distrust(answer.type);
      case "loaded":
      case "events-done":
        return this.#distrust(answer.type);
    }
  }

  lost(loss: HostLoss): void {
    this.#host = undefined;
    this.#isWaiting = false;
    if (this.#isDone) return;
    if (loss.isHead) this.#plan.blame(this.#sent, loss);
    this.next();
  }

  #done(value: unknown, bytes: number): void {
    if (this.#call.signal.aborted) return this.#cancel();
    const outcomes = readOutcomes(value, this.#sent, this.#call.phase, bytes);
    if (typeof outcomes === "string") return this.#host?.distrust(outcomes, this);
    this.#stopClock();
    this.#outcomes.push(...outcomes);
    this.#plan.settle(outcomes.length);
    const last = outcomes.at(-1);
    const isDecided = last !== undefined && hasDecided(last);
    if (isDecided || outcomes.length < this.#sent.length || this.#plan.isSettled) this.#finish();
    else this.next();
  }

  #need(unit: number, value: unknown): void {
    const { body, phase } = this.#call;
    this.#needs++;
    // Nothing is missing, but the isolate in which it waited is gone.
    if (Array.isArray(value) && value.length === 0) {
      if (this.#needs > maxNeeds)
        return this.#fail(
          this.#sent.includes(unit) ? unit : (this.#sent[0] ?? 0),
          "it was not let run, or its isolate was lost, again and again",
        );
      return this.#scene.pool.withHost(this.#begin);
    }
    if (body === undefined || !this.#sent.includes(unit)) return this.#distrust("need");
    const wanted = readParts(value, body.shape);
    if (typeof wanted === "string") return this.#host?.distrust(wanted, this);
    const parts = this.#collectParts();
    const added = wanted
      .map(([field, index]): readonly [string, number] =>
        // Whoever comes back for more of an array mostly walks over it.
        index >= 0 && (this.#needs > maxNeeds || parts.hasElementsOf(field)) ? [field, -1] : [field, index],
      )
      .filter((part) => parts.add(part));
    if (added.length === 0 || this.#needs > 2 * maxNeeds) return this.#fail(unit, "it asks for parts of the request without end");
    this.#scene.profiles.learn(phase, unit, added, body.shape);
    this.#scene.pool.withHost(this.#begin);
  }

  #operations(unit: number, value: unknown): void {
    if (!this.#sent.includes(unit)) return this.#distrust("operations");
    if (this.#call.signal.aborted) return this.#cancel();
    const desk = (this.#desk ??= this.#createDesk());
    const fault = desk.ask(unit, value);
    if (fault !== undefined) return this.#fail(unit, fault);
    if (!desk.isWaiting) return this.#fail(unit, "it waits for nothing");
    this.#isWaiting = true;
    this.#host?.attach(this);
    if (this.#startClock(unit).isUp) this.#abort(unit);
    else this.#resume();
  }

  #createDesk(): OperationDesk {
    this.#call.signal.addEventListener("abort", this.#cancel, { once: true });
    return createOperationDesk(
      this.#call.operations,
      (unit, seq) => `${this.#key}:${unit}:${seq}`,
      () => this.#resume(),
    );
  }

  #resume(): void {
    if (!this.#isWaiting || this.#clock === undefined) return;
    const results = this.#desk?.take() ?? [];
    if (results.length > 0) this.#goOn({ type: "resume", id: this.#id, results }, this.#clock.unit);
  }

  #abort(unit: number): void {
    this.#isAborting = true;
    this.#goOn({ type: "abort", id: this.#id, reason: "The time for this call is up.", force: false }, unit);
  }

  #goOn(message: Parameters<Host["ask"]>[0], unit: number): void {
    this.#isWaiting = false;
    this.#host?.detach(this);
    this.#host?.ask(message, { ...this.#terms(this.#scene.program.sliceMs(unit)), unit }, this);
  }

  /** One clock for everything that a unit waits for, however often it is repeated. */
  #startClock(unit: number): { readonly isUp: boolean } {
    if (this.#clock?.unit === unit) return this.#clock;
    this.#stopClock();
    const timer = setTimeout(() => {
      clock.isUp = true;
      if (this.#isWaiting) this.#abort(unit);
    }, this.#scene.program.timeoutMs(unit));
    const clock = { unit, timer, isUp: false };
    timer.unref();
    this.#clock = clock;
    return clock;
  }

  #stopClock(): void {
    clearTimeout(this.#clock?.timer);
    this.#clock = undefined;
  }

  /** It was told that its time is up, and still waits. */
  #overdue(): void {
    const unit = this.#clock?.unit;
    this.#drop();
    this.#stopClock();
    if (unit !== undefined) this.#plan.lose(unit, "timeout");
    this.next();
  }

  /** The host goes on living, the unit's outcome is an error. */
  #fail(unit: number, message: string): void {
    this.#drop();
    this.#stopClock();
    if (this.#sent[0] === unit) {
      this.#outcomes.push({ unit, us: 0, error: invalid(message) });
      this.#plan.settle(1);
    } else {
      // What came before it in its message has no outcome yet.
      this.#plan.goCarefully();
    }
    this.next();
  }

  #collectParts(): PartSet {
    const { body, phase } = this.#call;
    if (this.#parts === undefined) {
      this.#parts = new PartSet();
      if (body !== undefined) this.#scene.profiles.addTo(this.#parts, phase, this.#sent, body.shape);
    }
    return this.#parts;
  }

  #readStores(): { readonly [unit: number]: UnitStores } {
    const stores: Record<number, UnitStores> = {};
    for (const unit of this.#sent) {
      const found = this.#call.stores(unit);
      if (found !== undefined) stores[unit] = found;
    }
    return stores;
  }

  /** No host is to be had. */
  #giveUp(): void {
    for (const unit of this.#plan.rest) this.#outcomes.push({ unit, us: 0, lost: this.#plan.lossOf(unit) ?? "unavailable" });
    this.#finish();
  }

  #finish(): void {
    this.#close("the run has ended");
    this.#resolve(this.#outcomes);
  }

  /** Nobody wants the outcome any more. */
  readonly #cancel = (): void => {
    if (this.#isDone) return;
    const { reason }: { readonly reason: unknown } = this.#call.signal;
    this.#close(reason);
    this.#reject(reason);
  };

  #close(reason: unknown): void {
    this.#isDone = true;
    this.#stopClock();
    if (this.#desk === undefined) return;
    this.#call.signal.removeEventListener("abort", this.#cancel);
    this.#desk.abort(reason);
    if (this.#isWaiting) this.#drop();
  }

  /** Lets the host forget the run. */
  #drop(): void {
    this.#isWaiting = false;
    this.#host?.detach(this);
    this.#host?.tell({ type: "abort", id: this.#id, reason: "The call has ended.", force: true });
  }

  #distrust(answer: string): void {
    this.#host?.distrust(`it answered a call with "${answer}" where that makes no sense`, this);
  }
}

const nothing = { parts: [], payload: [] } as const;

function hasDecided({ verdict, decision, patch, headers }: PhaseOutcome): boolean {
  const isMatch = verdict !== undefined && verdict !== false && verdict !== "";
  return isMatch || decision !== undefined || patch !== undefined || (headers !== undefined && headers.length > 0);
}
