/** What the spend endpoints share: the stores, what a caller may see, and how they answer. */

import type { Context } from "koa";

import type { Grouping, LedgerFilter, LedgerTotal } from "../../sdk/ledger.ts";
import type { KeyStore } from "../../sdk/keys.ts";
import { accountOf } from "../keys/account.ts";
import { toId } from "../keys/secret.ts";
import { redacted } from "../reports/redacted.ts";
import type { OpenedStores } from "../stores/opened.ts";
import { textParameter } from "./spend-query.ts";
import { within } from "./spend-scope.ts";

export interface SpendServices {
  readonly stores: Pick<OpenedStores, "ledger" | "keys">;
  redact(text: string): string;
  /** ms since 1970. */
  wallClock(): number;
}

/** What a caller may see of the ledger: everything has to hold. */
export type ScopeOf = (ctx: Context) => LedgerFilter;

export class SpendReader {
  readonly ledger: OpenedStores["ledger"];
  readonly keys: OpenedStores["keys"];
  readonly scopeOf: ScopeOf;
  readonly #services: SpendServices;

  constructor(services: SpendServices, scopeOf: ScopeOf) {
    this.ledger = services.stores.ledger;
    this.keys = services.stores.keys;
    this.scopeOf = scopeOf;
    this.#services = services;
  }

  get now(): number {
    return this.#services.wallClock();
  }

  /** What was asked for, as far as the caller may see it; undefined: none of it. */
  filter(ctx: Context, asked: LedgerFilter): LedgerFilter | undefined {
    return within(this.scopeOf(ctx), asked);
  }

  async totals(ctx: Context, by: readonly Grouping[], asked: LedgerFilter): Promise<readonly LedgerTotal[]> {
    const filter = this.filter(ctx, asked);
    return filter === undefined ? [] : await this.ledger.totals(by, filter);
  }

  /** @param value what JSON can say */
  answer(ctx: Context, value: unknown): void {
    ctx.type = "application/json";
    ctx.body = JSON.stringify(redacted(value, (text) => this.#services.redact(text)));
  }
}

/** The id of a key that is named by its secret or its id. @throws ProxyError 400 */
export async function keyParameter(ctx: Context, keys: Pick<KeyStore, "get">): Promise<string | undefined> {
  const text = textParameter(ctx, "api_key");
  if (text === undefined) return undefined;
  const id = toId(text);
  return accountOf((await keys.get("key", id)) ?? { id });
}
