/**
 * What the ledger is told of one exchange, in the order that loses nothing: an attempt is written down before it is sent, and settled before the
 * end of its reply goes out. Each attempt is settled once, and the exchange ended once, whoever tries it.
 */

import type { AttemptSettlement, AttemptStart, ExchangeEnd, ExchangeStart, LedgerStore, LedgerWrite } from "../../sdk/ledger.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";

export interface ExchangeBookOptions {
  readonly ledger: Pick<LedgerStore, "write">;
  readonly instance: string;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** Asked when the first attempt is about to be sent, or the exchange ends without one. */
  readonly describe: () => Omit<ExchangeStart, "instance">;
}

export type Reserved = Omit<AttemptStart, "exchangeId" | "number" | "instance" | "startedAt">;
export type Settled = Omit<AttemptSettlement, "exchangeId" | "number" | "endedAt">;
export type Ended = Omit<ExchangeEnd, "id" | "endedAt" | "cost">;

export class ExchangeBook {
  readonly #options: ExchangeBookOptions;
  #start: ExchangeStart | undefined;
  #attempts = 0;
  /** Of those that are settled; null where one is not known. */
  #cost: NanoDollars | null = 0;
  /** Reserved and not settled, with their estimates. */
  readonly #open = new Map<number, NanoDollars | null>();
  /** Settled, and not yet handed to the ledger. */
  #held: LedgerWrite[] = [];
  /** Whether the ledger knows the exchange. */
  #isBegun = false;
  #isEnded = false;

  constructor(options: ExchangeBookOptions) {
    this.#options = options;
  }

  /** What its attempts have cost so far; null where that is not known of one. */
  get cost(): NanoDollars | null {
    return this.#cost;
  }

  /**
   * Returns when it is written down: only then may the attempt be sent.
   *
   * @returns the number of the attempt @throws Error what the ledger says; nothing is reserved then
   */
  reserve(attempt: Reserved): Awaitable<number> {
    const { instance, wallClock } = this.#options;
    const number = (this.#attempts += 1);
    const row: AttemptStart = { ...attempt, exchangeId: this.#started().id, number, instance, startedAt: wallClock() };
    const begin = (): number => {
      this.#open.set(number, attempt.estimate);
      return number;
    };
    const written = this.#write([{ type: "attempt", row }]);
    return written === undefined ? begin() : written.then(begin);
  }

  /** Of one that failed, and behind which there is another: written with what comes next. Only the first settlement of an attempt counts. */
  settleLater(number: number, settlement: Settled): void {
    if (!this.#open.delete(number)) return;
    this.#cost = this.#cost === null || settlement.cost === null ? null : this.#cost + settlement.cost;
    const row = { ...settlement, exchangeId: this.#started().id, number, endedAt: this.#options.wallClock() };
    this.#held.push({ type: "settle", row });
  }

  /** Returns when it is written. */
  settle(number: number, settlement: Settled): Awaitable<void> {
    this.settleLater(number, settlement);
    return this.#held.length === 0 ? undefined : this.#write([]);
  }

  /** What nobody has settled is unknown, at its estimate. Returns when it is written; only the first end counts. */
  end(end: Ended): Awaitable<void> {
    if (this.#isEnded) return undefined;
    this.#isEnded = true;
    for (const [number, estimate] of this.#open) this.settleLater(number, { state: "unknown", cost: estimate, isEstimate: true });
    const row = { ...end, id: this.#started().id, endedAt: this.#options.wallClock(), cost: this.#cost };
    return this.#write([{ type: "end", row }]);
  }

  #started(): ExchangeStart {
    return (this.#start ??= { ...this.#options.describe(), instance: this.#options.instance });
  }

  /** With what is held, and with the exchange until that has been written. What the ledger did not take is held again. */
  #write(writes: readonly LedgerWrite[]): Awaitable<void> {
    const held = this.#held;
    this.#held = [];
    const first: readonly LedgerWrite[] = this.#isBegun ? [] : [{ type: "exchange", row: this.#started() }];
    const begin = (): void => {
      this.#isBegun = true;
    };
    const holdAgain = (error: unknown): never => {
      this.#held = [...held, ...this.#held];
      throw error;
    };
    try {
      const written = this.#options.ledger.write([...first, ...held, ...writes]);
      if (written !== undefined) return written.then(begin, holdAgain);
      begin();
      return undefined;
    } catch (error) {
      return holdAgain(error);
    }
  }
}
