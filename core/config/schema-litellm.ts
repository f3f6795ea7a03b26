/** What `config.yaml` may hold with an effect, in LiteLLM's format. The descriptions are its reference documentation. */

import { z } from "zod";
import {
  amount,
  anything,
  count,
  credential,
  duration,
  flag,
  key,
  requiredKey,
  seconds,
  text,
  type MappingSchema,
} from "./schema-values.ts";

export interface SectionKeys {
  readonly model_list: unknown;
  readonly router_settings: unknown;
  readonly general_settings: unknown;
  readonly litellm_settings: unknown;
  readonly environment_variables: unknown;
  readonly include: unknown;
}

export const sectionSchema: MappingSchema<SectionKeys> = z.object({
  model_list: key(anything, {
    description: "Deployments: which model names exist, and where each one is served.",
    type: "list",
    default: "none",
  }),
  router_settings: key(anything, {
    description: "Other names for models, how one of several deployments is chosen, and what happens when asking fails.",
    type: "mapping",
  }),
  general_settings: key(anything, { description: "Who may call, and whether deployments are checked.", type: "mapping" }),
  litellm_settings: key(anything, {
    description: "Code of your own, connections, and LiteLLM's other place for some of `router_settings`.",
    type: "mapping",
  }),
  environment_variables: key(anything, {
    description:
      "Variables by name, for `os.environ/NAME` and the providers' keys. One that is set in the real environment keeps its real value. The environment itself is never changed.",
    type: "mapping of texts",
  }),
  include: key(anything, {
    description:
      "More files, relative to this one and inside its folder. Their lists are added to ours, every other section replaces ours. An `include` in them has no effect.",
    type: "list of file names",
  }),
});

export interface DeploymentKeys {
  readonly model_name: string;
  readonly litellm_params: unknown;
  readonly model_info: Readonly<Record<string, unknown>> | undefined;
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
}

export const deploymentSchema: MappingSchema<DeploymentKeys> = z.object({
  model_name: requiredKey(text, {
    description: "The public name. Entries of the same name form one group; it may hold `*`.",
    type: "text",
  }),
  litellm_params: requiredKey(anything, { description: "Where and how it is served.", type: "mapping" }),
  model_info: key(z.record(z.string(), z.unknown()), {
    description: "Facts about the model, which have the last word over what is known of it. What has no effect is kept as written.",
    type: "mapping",
  }),
  rpm: key(amount, { description: "As in `litellm_params`, over which it wins.", type: "number" }),
  tpm: key(amount, { description: "As in `litellm_params`, over which it wins.", type: "number" }),
});

export interface ParamsKeys {
  readonly model: string;
  readonly api_key: unknown;
  readonly api_keys: unknown;
  readonly api_base: string | undefined;
  readonly base_url: string | undefined;
  readonly custom_llm_provider: string | undefined;
  readonly forward_client_auth: boolean | undefined;
  readonly extra_headers: unknown;
  readonly mock_response: string | undefined;
}

export const paramsSchema: MappingSchema<ParamsKeys> = z.object({
  model: requiredKey(text, {
    description:
      "What the provider is asked for, with the provider before a slash: `anthropic/claude-sonnet-5-5`. A name that is itself a `model_name` sends to that group. `*` takes what the `*` of `model_name` matched.",
    type: "text",
  }),
  api_key: key(anything, {
    description: "Key of the provider, usually `os.environ/NAME`. It is sent to this deployment's own host and nowhere else.",
    type: "text",
    default: "the caller's own credential where it may go, else a token of `oat_sources`",
  }),
  api_keys: key(anything, {
    description:
      "Ours. Several keys, each asked as a deployment of its own, `<id>`, `<id>~2` and so on: one that has reached its limit is left alone while the others go on. They share the `weight`; `rpm`, `tpm` and `max_parallel_requests` hold for each. `os.environ/NAME` is replaced in this list, one that is not set is left out. A list under `api_key` means the same.",
    type: "list of texts",
    default: "none",
  }),
  api_base: key(text, { description: "Base URL of the provider.", type: "http or https URL", default: "the provider's own" }),
  base_url: key(text, { description: "Other spelling of `api_base`, which wins over it.", type: "http or https URL" }),
  custom_llm_provider: key(text, { description: "The provider, where the prefix of `model` does not say it.", type: "text" }),
  forward_client_auth: key(flag, {
    description:
      "Sends the caller's own credential to this deployment although it is not the vendor's host. Only for hosts you trust with it.",
    type: "true or false",
    default: "`false`",
  }),
  extra_headers: key(anything, {
    description: "Headers added to each request to this deployment.",
    type: "mapping of texts",
    default: "none",
  }),
  mock_response: key(z.string(), { description: "Answers with this text instead of asking anyone.", type: "text" }),
});

export interface AliasKeys {
  readonly model: string;
  readonly hidden: boolean | undefined;
}

export const aliasSchema: MappingSchema<AliasKeys> = z.object({
  model: requiredKey(text, { description: "The `model_name` that is meant.", type: "text" }),
  hidden: key(flag, { description: "Leaves the alias out of `/v1/models`.", type: "true or false", default: "`false`" }),
});

export interface GeneralKeys {
  readonly master_key: string | undefined;
  readonly forward_client_headers_to_llm_api: boolean | undefined;
}

export const generalSchema: MappingSchema<GeneralKeys> = z.object({
  master_key: key(credential, {
    description: "Every caller must present this key.",
    type: "text",
    default: "the variable `LITELLM_MASTER_KEY`, else no key is asked for",
  }),
  forward_client_headers_to_llm_api: key(flag, {
    description: "Accepted; the caller's headers are always passed on.",
    type: "true or false",
  }),
});

export interface LitellmSettingsKeys {
  readonly num_retries: number | undefined;
  readonly request_timeout: number | undefined;
  readonly fallbacks: unknown;
  readonly default_fallbacks: unknown;
  readonly context_window_fallbacks: unknown;
  readonly content_policy_fallbacks: unknown;
  readonly allowed_fails: number | undefined;
  readonly cooldown_time: number | undefined;
  readonly force_ipv4: boolean | undefined;
  readonly ssl_verify: boolean | string | undefined;
  readonly http2: boolean | undefined;
  readonly drop_params: boolean | undefined;
  readonly use_chat_completions_url_for_anthropic_messages: boolean | undefined;
  readonly callbacks: unknown;
  readonly success_callback: unknown;
  readonly failure_callback: unknown;
}

const otherwise = "Where `router_settings` does not say it.";

export const litellmSettingsSchema: MappingSchema<LitellmSettingsKeys> = z.object({
  num_retries: key(count(0), { description: otherwise, type: "whole number" }),
  request_timeout: key(seconds, { description: "`timeout`, where `router_settings` does not say it.", type: "seconds" }),
  fallbacks: key(anything, { description: otherwise, type: "list of mappings" }),
  default_fallbacks: key(anything, { description: otherwise, type: "list of names" }),
  context_window_fallbacks: key(anything, { description: otherwise, type: "list of mappings" }),
  content_policy_fallbacks: key(anything, { description: otherwise, type: "list of mappings" }),
  allowed_fails: key(count(0), { description: otherwise, type: "whole number" }),
  cooldown_time: key(duration, { description: otherwise, type: "seconds" }),
  force_ipv4: key(flag, {
    description: "Looks up addresses of IPv4 only.",
    type: "true or false",
    default: "`false`",
  }),
  ssl_verify: key(z.union([flag, text], { error: "true, false, or the name of a file" }), {
    description:
      "Whether hosts must prove who they are. In place of `true`, a file with certificates of authorities (PEM), relative to this one, which count in place of the usual ones. The variable `SSL_VERIFY` wins over it.",
    type: "true, false or file name",
    default: "`true`",
  }),
  http2: key(flag, { description: "Ours. Offers HTTP/2 to hosts.", type: "true or false", default: "`false`" }),
  drop_params: key(flag, {
    description: "Accepted. What a provider does not take is always left out, and the trace tells of it.",
    type: "true or false",
  }),
  use_chat_completions_url_for_anthropic_messages: key(flag, {
    description: "Sets `use_chat_completions_api` for every deployment that does not say otherwise.",
    type: "true or false",
    default: "`false`",
  }),
  callbacks: key(anything, {
    description:
      "References to code of your own with LiteLLM's methods, as in `my_callbacks.handler`; see *Code of your own* above. Names of integrations make a note. `ccproxy.handler` of the Python original is built in.",
    type: "list, or one",
  }),
  success_callback: key(anything, {
    description: "Accepted with a note for each entry; list code under `callbacks`.",
    type: "list, or one",
  }),
  failure_callback: key(anything, {
    description: "Accepted with a note for each entry; list code under `callbacks`.",
    type: "list, or one",
  }),
});
