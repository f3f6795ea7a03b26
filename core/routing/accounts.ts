/** Makes one deployment for each key of an entry, so that rotation, affinity and cooldown go by key. */

import { withAccount } from "../config/accounts.ts";
import type { DeploymentConfig } from "../config/types.ts";

/** @param number of the key, from 1 */
export function accountId(entryId: string, number: number): string {
  return number === 1 ? entryId : `${entryId}~${number}`;
}

/** One entry of `model_list`, and what is asked for it. */
export interface ExpandedEntry {
  readonly entry: DeploymentConfig;
  /** One for each key, in order: `<id>`, `<id>~2`, …; never empty. */
  readonly configs: readonly DeploymentConfig[];
}

/**
 * @param entries those of one group. How requests are shared out among them does not change by their having several keys:
 * the weight of an entry is that of all its keys together. Limits hold for each key.
 */
export function expandAccounts(entries: readonly DeploymentConfig[]): readonly ExpandedEntry[] {
  // Where nothing says how to share, all entries have the same share.
  const isEven = entries.every(({ routing: { weight, rpm, tpm } }) => weight === undefined && rpm === undefined && tpm === undefined);
  const areSeveral = entries.some(({ accounts }) => accounts.length > 1);
  return entries.map((entry) => {
    const { accounts, routing } = entry;
    const weight = routing.weight ?? (isEven && areSeveral ? 1 : undefined);
    if (accounts.length < 2) return { entry, configs: [{ ...entry, routing: { ...routing, weight } }] };
    const share = weight === undefined ? undefined : weight / accounts.length;
    const configs = accounts.map((account, index) => ({
      ...entry,
      id: accountId(entry.id, index + 1),
      apiKey: account.apiKey,
      accounts: [],
      params: withAccount(entry.params, account),
      routing: { ...routing, weight: share },
    }));
    return { entry, configs };
  });
}
