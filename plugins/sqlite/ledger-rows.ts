/** Rows of the ledger, as they are written and as they are read. */

import type {
  AttemptRecord,
  AttemptSettlement,
  AttemptState,
  ExchangeEnd,
  ExchangeRecord,
  LedgerTokens,
  LedgerWrite,
} from "../../sdk/ledger.ts";
import type { Row, Value } from "./database.ts";
import { DamagedValue, numberOrNull, optionalNumber, optionalText, parseStored } from "./values.ts";

export const tokenColumns = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "server_tools"] as const;

const setTokens = tokenColumns.map((name) => `${name} = ?`).join(", ");

type RowOf<Type extends LedgerWrite["type"]> = Extract<LedgerWrite, { readonly type: Type }>["row"];

/** "On conflict" names its columns: "or ignore" would pass over anything else that is wrong with a row, too. */
export const insertExchange: string = `INSERT INTO exchange (id, instance, started_at, operation, caller_kind, key_id, key_alias, user_id, team_id, end_user,
  address, session, agent, request_class, client, label, model_asked, tags, metadata) VALUES (${placeholders(19)}) ON CONFLICT (id) DO NOTHING`;

export function exchangeValues(row: RowOf<"exchange">): readonly Value[] {
  const { kind, keyId, keyAlias, userId, teamId, endUser, address } = row.caller;
  const caller = [kind, keyId ?? null, keyAlias ?? null, userId ?? null, teamId ?? null, endUser ?? null, address ?? null];
  const what = [row.session ?? null, row.agent ?? null, row.requestClass ?? null, row.client ?? null, row.label, row.modelAsked];
  const metadata = row.metadata === undefined ? null : JSON.stringify(row.metadata);
  return [row.id, row.instance, row.startedAt, row.operation, ...caller, ...what, JSON.stringify(row.tags), metadata];
}

export const insertTag =
  "INSERT INTO exchange_tag (exchange, tag) SELECT number, ? FROM exchange WHERE id = ? ON CONFLICT (exchange, tag) DO NOTHING";

export const insertAttempt: string = `INSERT INTO attempt (exchange_id, number, instance, started_at, deployment_id, model_group, provider, model, api_base,
  reason, estimate) VALUES (${placeholders(11)}) ON CONFLICT (exchange_id, number) DO NOTHING`;

export function attemptValues(row: RowOf<"attempt">): readonly Value[] {
  const upstream = [row.deploymentId, row.group, row.provider, row.model, row.apiBase];
  return [row.exchangeId, row.number, row.instance, row.startedAt, ...upstream, row.reason, row.estimate];
}

export const settleAttempt: string = `UPDATE attempt SET state = ?, ended_at = ?, status = ?, ${setTokens}, cost = ?, is_estimate = ?, first_content_ms = ?,
  failure = ? WHERE exchange_id = ? AND number = ? AND state = 'reserved'`;

export function settlementValues(row: AttemptSettlement): readonly Value[] {
  const took = [...tokenValues(row.tokens), row.cost, row.isEstimate ? 1 : 0, row.firstContentMs ?? null, row.failure ?? null];
  return [row.state, row.endedAt, row.status ?? null, ...took, row.exchangeId, row.number];
}

export const endExchange: string = `UPDATE exchange SET ended_at = ?, outcome = ?, status = ?, model_served = ?, provider = ?, deployment_id = ?,
  is_cache_hit = ?, first_byte_ms = ?, ms = ?, ${setTokens}, cost = ?, cost_check = ?, cost_as_asked = ? WHERE id = ? AND ended_at IS NULL`;

export function endValues(row: ExchangeEnd): readonly Value[] {
  const served = [row.modelServed ?? null, row.provider ?? null, row.deploymentId ?? null, row.isCacheHit ? 1 : 0];
  const took = [
    row.firstByteMs ?? null,
    row.ms,
    ...tokenValues(row.tokens),
    row.cost,
    row.cost === null ? null : -row.cost,
    row.costAsAsked,
  ];
  return [row.endedAt, row.outcome, row.status, ...served, ...took, row.id];
}

export function readExchange(row: Row): ExchangeRecord {
  return {
    id: String(row["id"]),
    instance: String(row["instance"]),
    startedAt: Number(row["started_at"]),
    operation: String(row["operation"]),
    caller: {
      kind: String(row["caller_kind"]),
      keyId: optionalText(row["key_id"]),
      keyAlias: optionalText(row["key_alias"]),
      userId: optionalText(row["user_id"]),
      teamId: optionalText(row["team_id"]),
      endUser: optionalText(row["end_user"]),
      address: optionalText(row["address"]),
    },
    session: optionalText(row["session"]),
    agent: optionalText(row["agent"]),
    requestClass: optionalText(row["request_class"]),
    client: optionalText(row["client"]),
    label: String(row["label"]),
    modelAsked: String(row["model_asked"]),
    tags: parseStored(row["tags"]) as readonly string[],
    metadata: row["metadata"] === null ? undefined : parseStored(row["metadata"]),
    end: row["ended_at"] === null ? undefined : readEnd(row),
  };
}

function readEnd(row: Row): ExchangeEnd {
  return {
    id: String(row["id"]),
    endedAt: Number(row["ended_at"]),
    outcome: String(row["outcome"]),
    status: Number(row["status"]),
    modelServed: optionalText(row["model_served"]),
    provider: optionalText(row["provider"]),
    deploymentId: optionalText(row["deployment_id"]),
    isCacheHit: row["is_cache_hit"] === 1,
    firstByteMs: optionalNumber(row["first_byte_ms"]),
    ms: Number(row["ms"]),
    tokens: readTokens(row),
    cost: readCost(row),
    costAsAsked: numberOrNull(row["cost_as_asked"]),
  };
}

/** Written twice, since pages have no checksums: what the disk has changed must not look like money. */
function readCost(row: Row): number | null {
  const cost = numberOrNull(row["cost"]);
  const check = numberOrNull(row["cost_check"]);
  if (cost === null ? check !== null : cost !== -(check ?? Number.NaN)) throw new DamagedValue("a cost differs from its check");
  return cost;
}

export function readAttempt(row: Row): AttemptRecord {
  const state = String(row["state"]) as AttemptState;
  return {
    exchangeId: String(row["exchange_id"]),
    number: Number(row["number"]),
    instance: String(row["instance"]),
    startedAt: Number(row["started_at"]),
    deploymentId: String(row["deployment_id"]),
    group: String(row["model_group"]),
    provider: String(row["provider"]),
    model: String(row["model"]),
    apiBase: String(row["api_base"]),
    reason: String(row["reason"]),
    estimate: numberOrNull(row["estimate"]),
    state,
    settlement: state === "reserved" ? undefined : readSettlement(row, state),
  };
}

function readSettlement(row: Row, state: AttemptSettlement["state"]): AttemptSettlement {
  return {
    exchangeId: String(row["exchange_id"]),
    number: Number(row["number"]),
    state,
    endedAt: Number(row["ended_at"]),
    status: optionalNumber(row["status"]),
    tokens: readTokens(row),
    cost: numberOrNull(row["cost"]),
    isEstimate: row["is_estimate"] === 1,
    firstContentMs: optionalNumber(row["first_content_ms"]),
    failure: optionalText(row["failure"]),
  };
}

function tokenValues(tokens: LedgerTokens | undefined): readonly Value[] {
  if (tokens === undefined) return tokenColumns.map(() => null);
  const { input, output, cacheRead, cacheWrite5m, cacheWrite1h, reasoning, serverTools } = tokens;
  return [input, output, cacheRead, cacheWrite5m, cacheWrite1h, reasoning, serverTools];
}

/** @returns undefined where nobody said how many */
function readTokens(row: Row): LedgerTokens | undefined {
  return row["input"] === null ? undefined : tokensOf(row);
}

export function tokensOf(row: Row): LedgerTokens {
  return {
    input: Number(row["input"]),
    output: Number(row["output"]),
    cacheRead: Number(row["cache_read"]),
    cacheWrite5m: Number(row["cache_write_5m"]),
    cacheWrite1h: Number(row["cache_write_1h"]),
    reasoning: Number(row["reasoning"]),
    serverTools: Number(row["server_tools"]),
  };
}

function placeholders(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}
