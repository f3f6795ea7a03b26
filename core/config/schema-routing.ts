/** Keys of a deployment that say how often it is asked, how long is waited for it, and when it is left alone. Reference documentation, too. */

import { z } from "zod";
import { budgetPeriodText } from "./budgets.ts";
import { amount, count, duration, flag, key, milliseconds, seconds, text, type MappingSchema } from "./schema-values.ts";

export interface RoutingKeys {
  readonly weight: number | undefined;
  readonly order: number | undefined;
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
  readonly max_parallel_requests: number | undefined;
  readonly max_budget: number | undefined;
  readonly budget_duration: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly num_retries: number | undefined;
  readonly max_retries: number | undefined;
  readonly cooldown_time: number | undefined;
  readonly hedge_after_ms: number | undefined;
  readonly on_disconnect: "abort" | "drain" | undefined;
}

const ofRouter = "that of `router_settings`";

/** Of `litellm_params`: how a deployment is chosen, and what happens when it fails. */
export const routingSchema: MappingSchema<RoutingKeys> = z.object({
  weight: key(amount, {
    description: "Its share of the group's requests, against the weights of the others. Once one of a group has a weight, all need one.",
    type: "number",
    default: "by `rpm`, else by `tpm`, else all alike",
  }),
  order: key(count(0), {
    description: "Deployments with the lowest number are asked first; those with a higher one when none of them is left.",
    type: "whole number",
    default: "after those that have one",
  }),
  rpm: key(amount, {
    description: "Requests a minute. May stand beside `model_name` or in `model_info`, too.",
    type: "number",
    default: "no limit",
  }),
  tpm: key(amount, { description: "Tokens a minute, likewise.", type: "number", default: "no limit" }),
  max_parallel_requests: key(count(1), {
    description: "How many requests are under way at a time; others wait.",
    type: "whole number",
    default: "`rpm`, else six for every 1000 of `tpm`, else `default_max_parallel_requests`",
  }),
  max_budget: key(amount, { description: "What may be spent with it.", type: "US dollars", default: "no limit" }),
  budget_duration: key(budgetPeriodText, { description: "After which that begins anew.", type: "time", default: "never" }),
  tags: key(z.array(text), {
    description: "For `enable_tag_filtering`. `default` takes requests without tags.",
    type: "list of texts",
    default: "none",
  }),
  num_retries: key(count(0), { description: "How many more attempts are made after it failed.", type: "whole number", default: ofRouter }),
  max_retries: key(count(0), { description: "Other spelling of `num_retries`, which wins over it.", type: "whole number" }),
  cooldown_time: key(duration, {
    description: "How long it stays out of use after failures, whatever its provider says. 0: it is never taken out.",
    type: "seconds",
    default: "as its provider says, else that of `router_settings`",
  }),
  hedge_after_ms: key(milliseconds, {
    description:
      "Ours. Asks another deployment as well when no content has come after so long; the first to answer counts, both are paid for.",
    type: "milliseconds",
    default: `${ofRouter}, else never`,
  }),
  on_disconnect: key(z.enum(["abort", "drain"]), {
    description: "Ours. What becomes of a request whose client has left: it is broken off, or read to its end for the books.",
    type: "abort or drain",
    default: `${ofRouter}, else as the provider bills`,
  }),
});

export interface TimeoutKeys {
  readonly timeout: number | undefined;
  readonly stream_timeout: number | undefined;
  readonly headers_timeout: number | undefined;
  readonly connect_timeout: number | undefined;
  readonly idle_timeout: number | undefined;
  readonly silence_timeout: number | undefined;
  readonly total_timeout: number | undefined;
}

const otherwise = (last: string): string => `${ofRouter}, else ${last}`;

/** Of `litellm_params`: how long is waited. */
export const timeoutSchema: MappingSchema<TimeoutKeys> = z.object({
  timeout: key(seconds, {
    description: "Until a reply that is not streamed is complete. A stream that is coming in is not cut by it.",
    type: "seconds",
    default: otherwise("600"),
  }),
  stream_timeout: key(seconds, {
    description: "LiteLLM's time to the first piece of a stream; used for `headers_timeout`.",
    type: "seconds",
    default: ofRouter,
  }),
  headers_timeout: key(seconds, {
    description: "Ours. Until the head of a stream is in.",
    type: "seconds",
    default: "`stream_timeout`, else `timeout`",
  }),
  connect_timeout: key(seconds, { description: "Ours. Until the connection stands.", type: "seconds", default: otherwise("10") }),
  idle_timeout: key(seconds, { description: "Ours. Between two pieces of a reply.", type: "seconds", default: otherwise("300") }),
  silence_timeout: key(seconds, {
    description: "Ours. Between two pieces of a stream that are more than a ping.",
    type: "seconds",
    default: otherwise("600"),
  }),
  total_timeout: key(seconds, {
    description: "Ours. Until a stream is complete. It is cut then, so leave it out where replies may be long.",
    type: "seconds",
    default: otherwise("none"),
  }),
});

export interface HealthInfoKeys {
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
  readonly health_check_model: string | undefined;
  readonly health_check_timeout: number | undefined;
  readonly health_check_max_tokens: number | undefined;
  readonly disable_background_health_check: boolean | undefined;
  readonly supports_assistant_prefill: boolean | undefined;
}

/** Of `model_info`, what is about choosing and checking. */
export const healthInfoSchema: MappingSchema<HealthInfoKeys> = z.object({
  rpm: key(amount, { description: "As in `litellm_params`, which wins over it.", type: "number" }),
  tpm: key(amount, { description: "As in `litellm_params`, which wins over it.", type: "number" }),
  health_check_model: key(text, {
    description: "The model that checks ask for, as in `litellm_params.model`.",
    type: "text",
    default: "its own",
  }),
  health_check_timeout: key(seconds, { description: "How long a check may take.", type: "seconds", default: "60" }),
  health_check_max_tokens: key(count(1), {
    description: "How long the reply to a check may be.",
    type: "tokens",
    default: "1",
  }),
  disable_background_health_check: key(flag, {
    description: "Leaves it out of background checks.",
    type: "true or false",
    default: "`false`",
  }),
  supports_assistant_prefill: key(flag, {
    description: "Whether it goes on from the beginning of an answer, for `stream_resume`.",
    type: "true or false",
    default: "what is known of the model",
  }),
});
