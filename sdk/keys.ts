/** Virtual keys, and the people, teams and budgets they belong to. No secret arrives here: a key is known by its SHA-256. */

import type { Json } from "./body.ts";
import type { NanoDollars } from "./money.ts";
import type { Awaitable } from "./routing-store.ts";

/** Several windows may hold at once. */
export interface BudgetWindow {
  /** `24h`, `7d`, `30d`, `1mo`. */
  readonly duration: string;
  readonly max: NanoDollars;
}

/** What keys, users, teams and budgets may have. Absent: no limit. */
export interface Terms {
  readonly maxBudget?: NanoDollars | undefined;
  /** Tells, and refuses nothing. */
  readonly softBudget?: NanoDollars | undefined;
  /** After which `maxBudget` begins anew; absent: never. */
  readonly budgetDuration?: string | undefined;
  readonly budgetLimits?: readonly BudgetWindow[] | undefined;
  /** Requests a minute. */
  readonly rpm?: number | undefined;
  /** Tokens a minute. */
  readonly tpm?: number | undefined;
  readonly maxParallelRequests?: number | undefined;
  /** By model group. */
  readonly modelMaxBudget?: Readonly<Record<string, BudgetWindow>> | undefined;
  readonly modelRpm?: Readonly<Record<string, number>> | undefined;
  readonly modelTpm?: Readonly<Record<string, number>> | undefined;
}

interface Owned extends Terms {
  /** A budget whose terms hold where there are none of its own. */
  readonly budgetId?: string | undefined;
  /** Groups, `provider/*`, `all-proxy-models`, …; empty: all. */
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, Json>>;
  readonly tags: readonly string[];
  readonly isBlocked: boolean;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface VirtualKey extends Owned {
  /** SHA-256 in hex. */
  readonly id: string;
  /** The id it was created with, under which its spend and its limits go on when its secret changes. Absent: it has not. */
  readonly accountId?: string | undefined;
  /** What people know it by: `sk-...abcd`. */
  readonly name: string;
  readonly alias?: string | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  /** Names of models that mean others for this key. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Empty: all of the LLM routes. */
  readonly allowedRoutes: readonly string[];
  /** Addresses and CIDR blocks; empty: all. */
  readonly allowedAddresses: readonly string[];
  /** Controls of the cache it may use; undefined: all. */
  readonly allowedCacheControls?: readonly string[] | undefined;
  readonly expiresAt?: number | undefined;
  readonly createdBy?: string | undefined;
}

export interface User extends Owned {
  readonly id: string;
  readonly alias?: string | undefined;
  readonly email?: string | undefined;
  /** LiteLLM's names, e.g. `proxy_admin`, `internal_user`. */
  readonly role?: string | undefined;
}

export interface TeamMember {
  readonly userId: string;
  readonly role: "admin" | "user";
  readonly maxBudget?: NanoDollars | undefined;
}

export interface Team extends Owned {
  readonly id: string;
  readonly alias?: string | undefined;
  readonly members: readonly TeamMember[];
}

export interface Budget extends Terms {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a store holds of each kind. */
export interface Kinds {
  readonly key: VirtualKey;
  readonly user: User;
  readonly team: Team;
  readonly budget: Budget;
}
export type Kind = keyof Kinds;

export interface KeyFilter {
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly alias?: string | undefined;
}

/** An id, or the alias of a key, belongs to another one already. */
export class TakenError extends Error {
  override readonly name = "TakenError";
  readonly field: "id" | "alias";
  constructor(field: "id" | "alias", message: string) {
    super(message);
    this.field = field;
  }
}

export type NextSecret = Required<Pick<VirtualKey, "id" | "name" | "updatedAt">> & Pick<VirtualKey, "accountId">;

/** Changes are durable, power cuts included, when a call has returned. */
export interface KeyStore {
  get<K extends Kind>(kind: K, id: string): Awaitable<Kinds[K] | undefined>;
  /** @throws TakenError */
  create<K extends Kind>(kind: K, record: Kinds[K]): Awaitable<void>;
  /**
   * In one step with the reading, so that of two changes at once none is lost.
   *
   * @param change must be pure, and may be called more than once
   * @returns the new record; undefined when there is none
   * @throws TakenError @throws what `change` throws, and nothing was changed
   */
  update<K extends Kind>(kind: K, id: string, change: (record: Kinds[K]) => Kinds[K]): Awaitable<Kinds[K] | undefined>;
  /** @returns those that were there */
  delete(kind: Kind, ids: readonly string[]): Awaitable<readonly string[]>;
  /** The same key with another secret; the old one opens nothing any more. @returns undefined when there is none @throws TakenError */
  rotate(id: string, next: NextSecret): Awaitable<VirtualKey | undefined>;
  /** Newest first, by `createdAt` and id. Filters are for keys. @returns a page, and how many there are in all */
  list<K extends Kind>(
    kind: K,
    page: { readonly limit: number; readonly offset: number },
    filter?: KeyFilter,
  ): Awaitable<{ readonly records: readonly Kinds[K][]; readonly total: number }>;
  /** Differs from what it was before whenever anybody has changed anything: whether what was read still holds, at the price of one small read. */
  version(): Awaitable<string>;
  close(): Promise<void>;
}
