/** Rows of the ledger, there and back. Columns that nothing is said of are null. */

import type { Json } from "../../sdk/body.ts";
import type {
  AttemptRecord,
  AttemptSettlement,
  AttemptStart,
  AttemptState,
  ExchangeEnd,
  ExchangeRecord,
  ExchangeStart,
  LedgerTokens,
} from "../../sdk/ledger.ts";
import type { Row } from "./database.ts";
import { encodeTexts } from "./text.ts";

export function toExchangeRow(start: ExchangeStart): Row {
  const { caller } = start;
  return encodeTexts({
    id: start.id,
    instance: start.instance,
    started_at: start.startedAt,
    operation: start.operation,
    caller_kind: caller.kind,
    key_id: caller.keyId,
    key_alias: caller.keyAlias,
    user_id: caller.userId,
    team_id: caller.teamId,
    end_user: caller.endUser,
    address: caller.address,
    session: start.session,
    agent: start.agent,
    request_class: start.requestClass,
    client: start.client,
    label: start.label,
    model_asked: start.modelAsked,
    tags: start.tags,
    // As text: what PostgreSQL takes for JSON has its own order and no U+0000.
    metadata: start.metadata === undefined ? undefined : JSON.stringify(start.metadata),
  });
}

export function toAttemptRow(start: AttemptStart): Row {
  return encodeTexts({
    exchange_id: start.exchangeId,
    number: start.number,
    instance: start.instance,
    started_at: start.startedAt,
    deployment_id: start.deploymentId,
    model_group: start.group,
    provider: start.provider,
    model: start.model,
    api_base: start.apiBase,
    reason: start.reason,
    estimate: start.estimate,
  });
}

export function toSettlementRow(settlement: AttemptSettlement): Row {
  return encodeTexts({
    exchange_id: settlement.exchangeId,
    number: settlement.number,
    state: settlement.state,
    ended_at: settlement.endedAt,
    status: settlement.status,
    ...toTokenColumns(settlement.tokens),
    cost: settlement.cost,
    is_estimate: settlement.isEstimate,
    first_content_ms: settlement.firstContentMs,
    failure: settlement.failure,
  });
}

export function toEndRow(end: ExchangeEnd): Row {
  return encodeTexts({
    id: end.id,
    ended_at: end.endedAt,
    outcome: end.outcome,
    status: end.status,
    model_served: end.modelServed,
    provider: end.provider,
    deployment_id: end.deploymentId,
    is_cache_hit: end.isCacheHit,
    first_byte_ms: end.firstByteMs,
    ms: end.ms,
    ...toTokenColumns(end.tokens),
    cost: end.cost,
    cost_as_asked: end.costAsAsked,
  });
}

export function fromExchangeRow(row: Row): ExchangeRecord {
  const metadata = row["metadata"];
  return {
    id: text(row["id"]),
    instance: text(row["instance"]),
    startedAt: Number(row["started_at"]),
    operation: text(row["operation"]),
    caller: {
      kind: text(row["caller_kind"]),
      keyId: knownText(row["key_id"]),
      keyAlias: knownText(row["key_alias"]),
      userId: knownText(row["user_id"]),
      teamId: knownText(row["team_id"]),
      endUser: knownText(row["end_user"]),
      address: knownText(row["address"]),
    },
    session: knownText(row["session"]),
    agent: knownText(row["agent"]),
    requestClass: knownText(row["request_class"]),
    client: knownText(row["client"]),
    label: text(row["label"]),
    modelAsked: text(row["model_asked"]),
    tags: row["tags"] as readonly string[],
    metadata: metadata === null ? undefined : (JSON.parse(text(metadata)) as Json),
    end: row["ended_at"] === null ? undefined : fromEndColumns(row),
  };
}

export function fromAttemptRow(row: Row): AttemptRecord {
  const state = text(row["state"]) as AttemptState;
  return {
    exchangeId: text(row["exchange_id"]),
    number: Number(row["number"]),
    instance: text(row["instance"]),
    startedAt: Number(row["started_at"]),
    deploymentId: text(row["deployment_id"]),
    group: text(row["model_group"]),
    provider: text(row["provider"]),
    model: text(row["model"]),
    apiBase: text(row["api_base"]),
    reason: text(row["reason"]),
    estimate: row["estimate"] as number | null,
    state,
    settlement: state === "reserved" ? undefined : fromSettlementColumns(row, state),
  };
}

/** @param row has the columns, whatever else it has */
export function fromTokenColumns(row: Row): LedgerTokens {
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

function fromEndColumns(row: Row): ExchangeEnd {
  return {
    id: text(row["id"]),
    endedAt: Number(row["ended_at"]),
    outcome: text(row["outcome"]),
    status: Number(row["status"]),
    modelServed: knownText(row["model_served"]),
    provider: knownText(row["provider"]),
    deploymentId: knownText(row["deployment_id"]),
    isCacheHit: row["is_cache_hit"] === true,
    firstByteMs: knownNumber(row["first_byte_ms"]),
    ms: Number(row["ms"]),
    tokens: row["input"] === null ? undefined : fromTokenColumns(row),
    cost: row["cost"] as number | null,
    costAsAsked: row["cost_as_asked"] as number | null,
  };
}

function fromSettlementColumns(row: Row, state: AttemptSettlement["state"]): AttemptSettlement {
  return {
    exchangeId: text(row["exchange_id"]),
    number: Number(row["number"]),
    state,
    endedAt: Number(row["ended_at"]),
    status: knownNumber(row["status"]),
    tokens: row["input"] === null ? undefined : fromTokenColumns(row),
    cost: row["cost"] as number | null,
    isEstimate: row["is_estimate"] === true,
    firstContentMs: knownNumber(row["first_content_ms"]),
    failure: knownText(row["failure"]),
  };
}

function toTokenColumns(tokens: LedgerTokens | undefined): Row {
  if (tokens === undefined) return {};
  return {
    input: tokens.input,
    output: tokens.output,
    cache_read: tokens.cacheRead,
    cache_write_5m: tokens.cacheWrite5m,
    cache_write_1h: tokens.cacheWrite1h,
    reasoning: tokens.reasoning,
    server_tools: tokens.serverTools,
  };
}

function text(value: unknown): string {
  return String(value);
}

function knownText(value: unknown): string | undefined {
  return (value ?? undefined) as string | undefined;
}

function knownNumber(value: unknown): number | undefined {
  return (value ?? undefined) as number | undefined;
}
