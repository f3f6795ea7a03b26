/** What a caller may see of the ledger, and what it asks for, as one filter. */

import type { LedgerFilter } from "../../sdk/ledger.ts";

/** @returns undefined where nothing can be both: what was asked for is somebody else's */
export function within(scope: LedgerFilter, asked: LedgerFilter): LedgerFilter | undefined {
  const names = ["requestId", "keyId", "userId", "teamId", "session", "tag"] as const;
  const differs = names.some((name) => scope[name] !== undefined && asked[name] !== undefined && scope[name] !== asked[name]);
  if (differs) return undefined;
  const texts = Object.fromEntries(names.map((name) => [name, scope[name] ?? asked[name]]));
  return { ...texts, from: highest(scope.from, asked.from), to: lowest(scope.to, asked.to) };
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
