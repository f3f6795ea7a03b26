/** Which exchanges are meant, and what they come to. */

import type { ExchangeEnd, ExchangeRecord, Grouping, LedgerFilter, LedgerTokens, LedgerTotal } from "../../sdk/ledger.ts";

export function matches({ id, startedAt, caller, session, tags }: ExchangeRecord, filter: LedgerFilter): boolean {
  const isWithin = startedAt >= (filter.from ?? -Infinity) && startedAt < (filter.to ?? Infinity);
  const pairs = [
    [filter.requestId, id],
    [filter.keyId, caller.keyId],
    [filter.userId, caller.userId],
    [filter.teamId, caller.teamId],
    [filter.session, session],
  ] as const;
  return (
    isWithin &&
    pairs.every(([wanted, found]) => wanted === undefined || wanted === found) &&
    (filter.tag === undefined || tags.includes(filter.tag))
  );
}

type Sums = { -readonly [Name in keyof LedgerTotal]: LedgerTotal[Name] };

/** Of those that have ended; dearest first. */
export function addUp(exchanges: readonly ExchangeRecord[], by: readonly Grouping[]): readonly LedgerTotal[] {
  const totals = new Map<string, Sums>();
  for (const exchange of exchanges) {
    const { end } = exchange;
    if (end === undefined) continue;
    for (const values of groupsOf(exchange, end, by)) {
      const name = JSON.stringify(values);
      const sums = totals.get(name) ?? { by: values, ...nothing };
      totals.set(name, sums);
      add(sums, end);
    }
  }
  return [...totals.values()].sort((a, b) => b.cost - a.cost || compareAll(a.by, b.by));
}

/** One for each of its tags, where tags are asked for; else one. */
function groupsOf(exchange: ExchangeRecord, end: ExchangeEnd, by: readonly Grouping[]): readonly (readonly string[])[] {
  const tags = by.includes("tag") && exchange.tags.length > 0 ? new Set(exchange.tags) : [""];
  return [...tags].map((tag) => by.map((grouping) => (grouping === "tag" ? tag : (valueOf[grouping](exchange, end) ?? ""))));
}

const valueOf: Readonly<Record<Exclude<Grouping, "tag">, (exchange: ExchangeRecord, end: ExchangeEnd) => string | undefined>> = {
  model: (_, { modelServed }) => modelServed,
  modelAsked: ({ modelAsked }) => modelAsked,
  key: ({ caller }) => caller.keyId,
  user: ({ caller }) => caller.userId,
  team: ({ caller }) => caller.teamId,
  session: ({ session }) => session,
  agent: ({ agent }) => agent,
  label: ({ label }) => label,
  provider: (_, { provider }) => provider,
  deployment: (_, { deploymentId }) => deploymentId,
  day: ({ startedAt }) => new Date(startedAt).toISOString().slice(0, 10),
};

const noTokens: LedgerTokens = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0, serverTools: 0 };
const nothing = { requests: 0, successes: 0, cacheHits: 0, unknownCosts: 0, cost: 0, saved: 0, tokens: noTokens };

function add(sums: Sums, { status, isCacheHit, cost, costAsAsked, tokens }: ExchangeEnd): void {
  sums.requests++;
  if (status > 0 && status < 400) sums.successes++;
  if (isCacheHit) sums.cacheHits++;
  if (cost === null) sums.unknownCosts++;
  sums.cost += cost ?? 0;
  if (cost !== null && costAsAsked !== null) sums.saved += costAsAsked - cost;
  if (tokens !== undefined) sums.tokens = plus(sums.tokens, tokens);
}

function plus(a: LedgerTokens, b: LedgerTokens): LedgerTokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
    cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
    reasoning: a.reasoning + b.reasoning,
    serverTools: a.serverTools + b.serverTools,
  };
}

function compareAll(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((text, index) => text !== b[index]);
  return index < 0 ? 0 : (a[index] ?? "") < (b[index] ?? "") ? -1 : 1;
}
