/** One exchange as a row of LiteLLM's `/spend/logs`. What an upstream or a caller said is in none of it. */

import type { Json } from "../../sdk/body.ts";
import type { AttemptRecord, ExchangeEnd, ExchangeRecord } from "../../sdk/ledger.ts";
import { type NanoDollars, toUsd } from "../../sdk/money.ts";
import { countTokens } from "./token-counts.ts";

/** LiteLLM's names for what was asked. */
const callTypes: ReadonlyMap<string, string> = new Map([
  ["generate", "acompletion"],
  ["embeddings", "aembedding"],
]);

export type SpendLog = Readonly<Record<string, Json>>;

/** @param exchange has ended @param attempts its own, in order */
export function spendLog(exchange: ExchangeRecord & { readonly end: ExchangeEnd }, attempts: readonly AttemptRecord[]): SpendLog {
  const { end, caller } = exchange;
  const answered = attempts.findLast(({ deploymentId }) => deploymentId === end.deploymentId) ?? attempts.at(-1);
  const { prompt_tokens, completion_tokens, total_tokens } = countTokens(end.tokens);
  return {
    request_id: exchange.id,
    call_type: callTypes.get(exchange.operation) ?? exchange.operation,
    api_key: caller.keyId ?? "",
    spend: usdOrNull(end.cost),
    total_tokens,
    prompt_tokens,
    completion_tokens,
    startTime: isoTime(exchange.startedAt),
    endTime: isoTime(end.endedAt),
    request_duration_ms: Math.round(end.ms),
    completionStartTime: isoTime(end.firstByteMs === undefined ? end.endedAt : exchange.startedAt + Math.round(end.firstByteMs)),
    model: end.modelServed ?? answered?.model ?? exchange.modelAsked,
    model_id: end.deploymentId ?? answered?.deploymentId ?? "",
    model_group: answered?.group ?? exchange.modelAsked,
    custom_llm_provider: end.provider ?? answered?.provider ?? "",
    api_base: answered?.apiBase ?? "",
    user: caller.userId ?? "",
    team_id: caller.teamId ?? null,
    end_user: caller.endUser ?? null,
    metadata: metadataOf(exchange, attempts),
    cache_hit: end.isCacheHit ? "True" : "False",
    request_tags: exchange.tags,
    requester_ip_address: caller.address ?? null,
    session_id: exchange.session ?? null,
    status: isSuccess(end) ? "success" : "failure",
  };
}

function metadataOf(exchange: ExchangeRecord & { readonly end: ExchangeEnd }, attempts: readonly AttemptRecord[]): Json {
  const { end, caller, tags, metadata } = exchange;
  const failure = attempts.findLast(({ settlement }) => settlement?.failure !== undefined)?.settlement?.failure;
  return {
    user_api_key: caller.keyId ?? null,
    user_api_key_alias: caller.keyAlias ?? null,
    user_api_key_user_id: caller.userId ?? null,
    user_api_key_team_id: caller.teamId ?? null,
    spend_logs_metadata: metadata ?? null,
    tags,
    status: isSuccess(end) ? "success" : "failure",
    usage_object: end.tokens === undefined ? null : { ...countTokens(end.tokens), reasoning_tokens: end.tokens.reasoning },
    error_information: isSuccess(end) ? null : { error_code: String(end.status), error_class: failure ?? end.outcome },
    ccproxy: {
      outcome: end.outcome,
      http_status: end.status,
      label: exchange.label,
      model_asked: exchange.modelAsked,
      spend_as_asked: usdOrNull(end.costAsAsked),
      agent: exchange.agent ?? null,
      client: exchange.client ?? null,
      caller: caller.kind,
      attempts: attempts.map(describeAttempt),
    },
  };
}

function describeAttempt({ number, reason, state, provider, model, deploymentId, settlement }: AttemptRecord): Json {
  return {
    number,
    reason,
    state,
    provider,
    model,
    model_id: deploymentId,
    http_status: settlement?.status ?? null,
    spend: usdOrNull(settlement?.cost ?? null),
    is_estimate: settlement?.isEstimate ?? true,
    failure: settlement?.failure ?? null,
  };
}

/** Of one whose process was killed nobody knows how it ended: status 0. */
function isSuccess({ status }: ExchangeEnd): boolean {
  return status > 0 && status < 400;
}

/** Unknown stays unknown. */
function usdOrNull(cost: NanoDollars | null): number | null {
  return cost === null ? null : toUsd(cost);
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
