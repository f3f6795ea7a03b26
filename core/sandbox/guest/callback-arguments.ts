/** The arguments that LiteLLM's callbacks expect, as far as there is something to tell. */

import type { Json } from "../../../sdk/body.ts";
import type { Context } from "../../../sdk/context.ts";
import type { Completion } from "../../../sdk/define.ts";

/** Who called: of keys and users nothing is known inside the sandbox. */
export function anonymousCaller(): object {
  return { api_key: null, user_id: null, team_id: null, user_email: null, end_user_id: null, metadata: {}, spend: 0 };
}

/** The request, with what LiteLLM adds to it readable but not part of it. */
export function requestData(request: unknown, context: Context): unknown {
  if (typeof request !== "object" || request === null) return request;
  const added = new Map<PropertyKey, () => unknown>([
    ["litellm_call_id", () => context.requestId],
    [
      "proxy_server_request",
      () => ({
        url: "/v1/messages",
        method: "POST",
        headers: Object.fromEntries(context.headers.keys().map((name) => [name, context.headers.get(name)])),
        body: request,
      }),
    ],
  ]);
  return new Proxy(request, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      return value === undefined ? added.get(key)?.() : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value),
  });
}

/** LiteLLM's cache is one for all calls; this one lasts as long as the session. */
export function sharedCache({ state }: Context): object {
  const get = (key: unknown): Json | null => state.get(String(key)) ?? null;
  const set = (key: unknown, value: Json): void => state.set(String(key), value);
  const remove = (key: unknown): void => state.delete(String(key));
  const increment = (key: unknown, by: unknown = 1): number => {
    const sum = Number(state.get(String(key)) ?? 0) + Number(by);
    state.set(String(key), sum);
    return sum;
  };
  const later =
    <Values extends readonly unknown[], Result>(method: (...values: Values) => Result) =>
    async (...values: Values): Promise<Result> =>
      method(...values);
  return {
    get_cache: get,
    set_cache: set,
    delete_cache: remove,
    increment_cache: increment,
    async_get_cache: later(get),
    async_set_cache: later(set),
    async_delete_cache: later(remove),
    async_increment_cache: later(increment),
    getCache: get,
    setCache: set,
    deleteCache: remove,
    incrementCache: increment,
    asyncGetCache: later(get),
    asyncSetCache: later(set),
    asyncDeleteCache: later(remove),
    asyncIncrementCache: later(increment),
  };
}

/** `kwargs, response_obj, start_time, end_time` of the log events. */
export function logArguments(completion: Completion, context: Context): readonly [object, object, Date, Date] {
  const { usage, costUsd, totalMs, status, outcome } = completion;
  const prompt = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  const end = new Date(context.now);
  const start = new Date(context.now - totalMs);
  const isSuccess = outcome === "completed" && status < 400;
  const kwargs = {
    model: context.target?.model ?? context.facts.model,
    litellm_call_id: context.requestId,
    stream: context.facts.stream,
    response_cost: costUsd,
    litellm_params: { metadata: {} },
    ...(isSuccess ? {} : { exception: new Error(`${outcome}, status ${status}`) }),
    standard_logging_object: {
      id: context.requestId,
      status: isSuccess ? "success" : "failure",
      model: context.target?.model ?? context.facts.model,
      model_group: context.target?.group ?? null,
      model_id: context.target?.deployment ?? null,
      custom_llm_provider: context.target?.provider ?? null,
      response_cost: costUsd,
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      startTime: start.getTime() / 1000,
      endTime: end.getTime() / 1000,
      stream: context.facts.stream,
    },
  };
  const response = {
    id: context.requestId,
    model: kwargs.model,
    usage: {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_input_tokens: usage.cacheReadTokens,
      cache_creation_input_tokens: usage.cacheWriteTokens,
    },
  };
  return [kwargs, response, start, end];
}
