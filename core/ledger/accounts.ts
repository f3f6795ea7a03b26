/**
 * What one request costs, attempt by attempt. An attempt is opened by whoever makes it, written down before anything is sent, and closed by what
 * became of it; the one whose reply the caller gets is closed with the exchange, before the end of that reply goes out.
 *
 * A ledger that does not take what it is told fails no request: it is told again with the next row, and of the rest the log.
 */

import type { Usage } from "../../sdk/dialect.ts";
import type { LedgerTokens } from "../../sdk/ledger.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import { ConnectionError } from "../upstream/connection-error.ts";
import type { Ended, ExchangeBook, Reserved, Settled } from "./exchange-book.ts";

/** Who is asked, and what that costs. */
export interface Priced extends Omit<Reserved, "reason"> {
  /** Null where no price is known. */
  cost(usage: Usage | undefined): NanoDollars | null;
}

export interface AccountsOptions {
  readonly book: ExchangeBook;
  readonly tokens: (usage: Usage | undefined) => LedgerTokens | undefined;
  /** What the same tokens of the model that was asked for cost. */
  readonly asAsked: (usage: Usage | undefined) => NanoDollars | null;
  /** Who answered where nobody was asked: a mock, or whoever did once what comes from a cache. */
  readonly served: () => Served | undefined;
  readonly onTrouble: (error: unknown) => void;
}

export type Served = Pick<Priced, "model" | "provider" | "deploymentId">;

/** How it ended, for whom it was made. */
export interface AccountsEnd {
  readonly outcome: string;
  readonly status: number;
  /** Of the upstream, as far as it got. */
  readonly usage: Usage | undefined;
  /** Whether that is its last word. */
  readonly isWhole: boolean;
  /** Of the reply, as sent. */
  readonly bytes: number;
  readonly isCacheHit: boolean;
  readonly firstByteMs: number | undefined;
  readonly ms: number;
}

/** What it took in all, for limits. */
export interface Taken {
  readonly cost: NanoDollars | null;
  readonly usage: Usage | undefined;
  /** Whether anybody was asked. */
  readonly wasSent: boolean;
}

/** About, of a stream: names of events, JSON around some letters. */
const streamBytesPerToken = 50;

export class Accounts {
  readonly #options: AccountsOptions;
  #taken: AttemptAccount | undefined;
  #wasSent = false;
  #isFinished = false;
  /** Told once, with what it took. */
  #onTaken: ((taken: Taken) => Awaitable<void>) | undefined;
  #mayReadOn = false;
  /** How it ended for its caller, while the rest of the answer is read. */
  #left: AccountsEnd | undefined;
  /** What that said. */
  #rest: Usage | undefined;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  /** Of all that has been settled; null where that is not known of one. */
  get cost(): NanoDollars | null {
    return this.#options.book.cost;
  }

  /** Whoever holds something for this request hears what it took, when that is written down. */
  onTaken(callback: (taken: Taken) => Awaitable<void>): void {
    this.#onTaken = callback;
  }

  /** What all of it has cost, once that is final; null where it is not known. */
  get finalCost(): NanoDollars | null | undefined {
    return this.#isFinished ? this.#options.book.cost : undefined;
  }

  /** Nothing is written yet. @param priced for a model as it is sent */
  open(reason: string, priced: (model: string) => Priced): AttemptAccount {
    return new AttemptAccount(this, { ...this.#options, priced, reason });
  }

  /** Of the reply that the caller gets, or gets next. */
  take(attempt: AttemptAccount | undefined): void {
    this.#taken = attempt;
  }

  noteSent(): void {
    this.#wasSent = true;
  }

  /** Should the caller leave, its answer is read to the end for what it costs: the accounts stay open until `readOn`. */
  willReadOn(): void {
    this.#mayReadOn = true;
  }

  /** The rest was read. */
  readOn(usage: Usage | undefined): Awaitable<void> {
    this.#mayReadOn = false;
    this.#rest = usage;
    return this.#left === undefined ? undefined : this.finish(this.#left);
  }

  /** Returns when everything is written; only the first call counts. */
  finish(ended: AccountsEnd): Awaitable<void> {
    if (this.#isFinished) return undefined;
    if (this.#mayReadOn && ended.outcome === "client-gone") {
      this.#left ??= ended;
      return undefined;
    }
    this.#isFinished = true;
    const end = this.#rest === undefined ? ended : { ...ended, usage: this.#rest, isWhole: true };
    const { book, asAsked, tokens, onTrouble } = this.#options;
    const taken = this.#taken;
    taken?.settle(end);
    const served = taken?.priced ?? (end.status === 200 ? this.#options.served() : undefined);
    const row: Ended = {
      outcome: end.outcome,
      status: end.status,
      modelServed: served?.model,
      provider: served?.provider,
      deploymentId: served?.deploymentId,
      isCacheHit: end.isCacheHit,
      firstByteMs: end.firstByteMs,
      ms: end.ms,
      tokens: tokens(end.usage),
      costAsAsked: end.isCacheHit || this.#wasSent ? asAsked(end.usage) : 0,
    };
    const onTaken = this.#onTaken;
    const tell = (): Awaitable<void> =>
      onTaken === undefined ? undefined : onTaken({ cost: book.cost, usage: end.usage, wasSent: this.#wasSent });
    const written = attempt(() => book.end(row), onTrouble);
    return andThen(written, () => attempt(tell, onTrouble));
  }
}

export interface AttemptAccountOptions extends AccountsOptions {
  readonly priced: (model: string) => Priced;
  readonly reason: string;
}

export class AttemptAccount {
  readonly #accounts: Accounts;
  readonly #options: AttemptAccountOptions;
  #onClosed: ((cost: NanoDollars | null) => Awaitable<void>) | undefined;
  /** Of the row that is open. */
  #number: number | undefined;
  #priced: Priced | undefined;
  /** Of what was sent. */
  #cost: NanoDollars | null = 0;
  #status: number | undefined;

  constructor(accounts: Accounts, options: AttemptAccountOptions) {
    this.#accounts = accounts;
    this.#options = options;
  }

  /** Undefined where nobody was asked. */
  get priced(): Priced | undefined {
    return this.#priced;
  }

  /** Whoever holds something for this attempt hears what it cost; null where that is not known. */
  onClosed(callback: (cost: NanoDollars | null) => Awaitable<void>): void {
    this.#onClosed = callback;
  }

  /** To be called before anything is sent, each time; it may be sent when this has returned. @param model as it is sent */
  reserve(model: string): Awaitable<void> {
    const { book, reason, onTrouble } = this.#options;
    this.#accounts.noteSent();
    const priced = this.#options.priced(model);
    this.#priced = priced;
    const { deploymentId, group, provider, apiBase, estimate } = priced;
    const begin = (number: number): void => {
      this.#number = number;
    };
    return attempt(() => {
      const reserved = book.reserve({ deploymentId, group, provider, model, apiBase, estimate, reason });
      if (typeof reserved !== "number") return reserved.then(begin);
      begin(reserved);
      return undefined;
    }, onTrouble);
  }

  /** Refusals are not billed. */
  answered(status: number): void {
    this.#status = status;
    if (status >= 400) this.#close({ state: "settled", status, cost: 0, isEstimate: false });
  }

  /** No response came. @param wasAborted since nobody wanted one any more */
  lost(error: unknown, wasAborted: boolean): void {
    if (wasAborted) return this.dropped();
    const fault = error instanceof ConnectionError ? error.fault : "failed";
    // Of what never left, the upstream knows nothing.
    if (fault === "unreachable" || fault === "connect-timeout")
      return this.#end({ state: "settled", cost: 0, isEstimate: false, failure: fault });
    return this.failed(fault);
  }

  /** It was sent, and nothing of use came back. */
  failed(failure: string): void {
    this.#end({ state: "unknown", status: this.#status, cost: this.#estimate, isEstimate: true, failure });
  }

  /** Nobody wants its answer any more. */
  dropped(): void {
    this.#end({ state: "aborted", status: this.#status, cost: this.#estimate, isEstimate: true });
  }

  settle({ outcome, usage, isWhole, bytes, firstByteMs }: AccountsEnd): void {
    const { tokens } = this.#options;
    const known = isWhole ? usage : estimated(usage, bytes);
    const cost = known === undefined ? undefined : this.#priced?.cost(known);
    const isEstimate = !isWhole || known === undefined;
    this.#end({
      state: known !== undefined && isWhole ? "settled" : outcome === "client-gone" || outcome === "stopped" ? "aborted" : "unknown",
      status: this.#status,
      tokens: tokens(known),
      cost: cost === undefined ? this.#estimate : cost,
      isEstimate,
      firstContentMs: firstByteMs,
    });
  }

  get #estimate(): NanoDollars | null {
    return this.#priced?.estimate ?? null;
  }

  /** Nothing more will be sent. */
  #end(settlement: Settled): void {
    this.#close(settlement);
    const onClosed = this.#onClosed;
    this.#onClosed = undefined;
    if (onClosed !== undefined) void attempt(() => onClosed(this.#cost), this.#options.onTrouble);
  }

  #close(settlement: Settled): void {
    if (this.#number === undefined) return;
    this.#options.book.settleLater(this.#number, settlement);
    this.#number = undefined;
    this.#cost = this.#cost === null || settlement.cost === null ? null : this.#cost + settlement.cost;
  }
}

/** Of an answer that broke off: what it was asked is known from its beginning, what it said by its length. */
function estimated(usage: Usage | undefined, bytes: number): Usage | undefined {
  if (usage?.inputTokens === undefined) return undefined;
  return { ...usage, outputTokens: Math.max(usage.outputTokens ?? 0, Math.ceil(bytes / streamBytesPerToken)) };
}

function attempt(action: () => Awaitable<void>, onTrouble: (error: unknown) => void): Awaitable<void> {
  try {
    const done = action();
    return done === undefined ? undefined : done.catch(onTrouble);
  } catch (error) {
    onTrouble(error);
    return undefined;
  }
}
