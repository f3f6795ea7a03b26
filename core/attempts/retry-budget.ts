/**
 * Keeps retries from burying an upstream that is in trouble: at most a fifth of its requests are retries, as Envoy has
 * it, and there are none after many failures, as gRPC has it (proposal A6).
 */

import type { Failure } from "./failure.ts";
import { spendsBudget } from "./next-step.ts";

export interface BudgetState {
  readonly origin: string;
  readonly inFlight: number;
  /** Of those in flight. */
  readonly retries: number;
  /** From 0 to 10; at 5 or less nothing is retried. */
  readonly tokens: number;
}

interface Origin {
  inFlight: number;
  retries: number;
  /** Tenths, so that they add up. */
  tenths: number;
}

const fullTenths = 100;
const failureTenths = 10;
const successTenths = 1;
const fewestRetries = 3;
const retryShare = 0.2;

export class RetryBudgets {
  /** Of upstreams that are busy, or have failed of late. */
  readonly #origins = new Map<string, Origin>();
  readonly #maxOrigins: number;

  /** @param maxOrigins how many are remembered that nobody uses at the moment */
  constructor(maxOrigins = 1000) {
    this.#maxOrigins = maxOrigins;
  }

  /**
   * A request begins.
   *
   * @param isRetry whether this upstream has failed for the same request already
   * @returns to be called at its end; only the first call counts
   */
  begin(origin: string, isRetry: boolean): () => void {
    const entry = this.#entry(origin);
    entry.inFlight++;
    if (isRetry) entry.retries++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      entry.inFlight--;
      if (isRetry) entry.retries--;
      this.#forget(origin, entry);
    };
  }

  /** Whether one more retry may begin now. */
  mayRetry(origin: string): boolean {
    const entry = this.#origins.get(origin);
    if (entry === undefined) return true;
    return entry.tenths * 2 > fullTenths && entry.retries + 1 <= Math.max(fewestRetries, Math.floor(entry.inFlight * retryShare));
  }

  /** Not every failure is the upstream's. */
  failed(origin: string, { class: type, scope }: Pick<Failure, "class" | "scope">): void {
    if (scope === "none" || !spendsBudget(type)) return;
    const entry = this.#entry(origin);
    entry.tenths = Math.max(0, entry.tenths - failureTenths);
  }

  succeeded(origin: string): void {
    const entry = this.#origins.get(origin);
    if (entry === undefined) return;
    entry.tenths = Math.min(fullTenths, entry.tenths + successTenths);
    this.#forget(origin, entry);
  }

  describe(): readonly BudgetState[] {
    return [...this.#origins].map(([origin, { inFlight, retries, tenths }]) => ({ origin, inFlight, retries, tokens: tenths / 10 }));
  }

  #entry(origin: string): Origin {
    const known = this.#origins.get(origin);
    if (known !== undefined) return known;
    const made: Origin = { inFlight: 0, retries: 0, tenths: fullTenths };
    this.#origins.set(origin, made);
    if (this.#origins.size > this.#maxOrigins) this.#makeRoom(origin);
    return made;
  }

  /** What is as it was at first need not be remembered. */
  #forget(origin: string, entry: Origin): void {
    if (entry.inFlight === 0 && entry.tenths === fullTenths && this.#origins.get(origin) === entry) this.#origins.delete(origin);
  }

  /** The oldest one that nobody uses. */
  #makeRoom(added: string): void {
    for (const [origin, { inFlight }] of this.#origins) {
      if (inFlight > 0 || origin === added) continue;
      this.#origins.delete(origin);
      return;
    }
  }
}
