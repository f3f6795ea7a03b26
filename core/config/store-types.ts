/** Where what outlives a request is kept, and what of it. */

export interface RedisConfig {
  /** In place of what follows, `redis://` or `rediss://`. */
  readonly url: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

export interface CacheConfig {
  readonly type: "local" | "redis" | "disk";
  readonly ttlMs: number;
  readonly namespace: string | undefined;
  /** Whether a request is cached that does not ask for it. */
  readonly isDefaultOn: boolean;
  /** Operations that are cached. */
  readonly operations: readonly ("generate" | "embeddings")[];
  /** Whether callers with different keys may get each other's replies. */
  readonly isShared: boolean;
  /** Whether requests with tools are cached, too. */
  readonly withTools: boolean;
  /** Of `local` and `disk`. */
  readonly maxBytes: number;
  readonly redis: RedisConfig | undefined;
}

export interface BudgetConfig {
  /** US dollars. */
  readonly max: number;
  /** `30d`, …; undefined: for ever. */
  readonly duration: string | undefined;
}

export interface StoresConfig {
  /** `postgres://…`; undefined: SQLite. */
  readonly databaseUrl: string | undefined;
  readonly databaseConnections: number;
  /** Shared by several instances; undefined: each counts for itself. */
  readonly redis: RedisConfig | undefined;
  /** Of limits and budgets, while Redis is away. */
  readonly whenRedisIsAway: "fail_open" | "fail_closed";
  /** Whether there are rows of spend at all. */
  readonly keepsSpend: boolean;
  /** Rows of the ledger are kept for so long; undefined: for ever. */
  readonly spendMs: number | undefined;
  /** Of everybody together. */
  readonly budget: BudgetConfig | undefined;
  /** By tag. */
  readonly tagBudgets: ReadonlyMap<string, BudgetConfig>;
  /** By canonical name of a provider. */
  readonly providerBudgets: ReadonlyMap<string, BudgetConfig>;
  /** Told when a budget is nearly, or all, used up. They may hold secrets. */
  readonly alertUrls: readonly string[];
  /** Requests at a time, of everybody together. */
  readonly maxParallelRequests: number | undefined;
  /** Which tokens `tpm` counts. */
  readonly tokenLimitType: "input" | "output" | "total";
  /** Undefined: no cache. */
  readonly cache: CacheConfig | undefined;
}
