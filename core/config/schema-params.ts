/** Keys of `litellm_params` beside where a model is served: what is asked of it, and what single providers need. Reference documentation, too. */

import { z } from "zod";
import { anything, flag, key, numeric, text, type MappingSchema } from "./schema-values.ts";

const mapping = z.record(z.string(), z.unknown());
const texts = z.array(text);

export interface OutgoingKeys {
  readonly extra_body: Readonly<Record<string, unknown>> | undefined;
  readonly additional_drop_params: readonly string[] | undefined;
  readonly drop_params: boolean | undefined;
  readonly use_chat_completions_api: boolean | undefined;
  readonly tool_repair: boolean | undefined;
  readonly tool_calls_in_text: boolean | undefined;
}

/** What is done to requests and replies. */
export const outgoingSchema: MappingSchema<OutgoingKeys> = z.object({
  extra_body: key(mapping, {
    description:
      "Fields that are put into the body of each request, in the provider's own words; they replace fields of the same name. `model` stays.",
    type: "mapping",
    default: "none",
  }),
  additional_drop_params: key(texts, {
    description:
      "Fields that are taken out of the body, in the provider's own words, `extra_body` included: `temperature`, `reasoning.effort`, `tools[*].function.strict`, `tools[0].cache_control`. A dot in a name is written `\\.`. The model and the messages themselves stay.",
    type: "list of names",
    default: "none",
  }),
  drop_params: key(flag, {
    description: "Accepted. What a provider does not take is always left out, and the trace tells of it.",
    type: "true or false",
  }),
  use_chat_completions_api: key(flag, {
    description: "Asks by Chat Completions where the host would be asked by Responses. `openai/chat/<model>` does the same.",
    type: "true or false",
    default: "`false`",
  }),
  tool_repair: key(flag, {
    description:
      "Mends inputs of tools that are no valid JSON or do not fit the tool's schema, as small models write them. Each is held until it is complete; a reply that was cut is never mended. Has no effect where the host speaks Anthropic Messages.",
    type: "true or false",
    default: "`false`",
  }),
  tool_calls_in_text: key(flag, {
    description: "Reads calls of tools that a model writes into its text, for small models on servers that do not parse them.",
    type: "true or false",
    default: "`false`",
  }),
});

export interface ProviderKeys {
  readonly organization: unknown;
  readonly project: string | undefined;
  readonly account_id: string | undefined;
  readonly api_version: string | undefined;
  readonly azure_ad_token: string | undefined;
  readonly tenant_id: string | undefined;
  readonly client_id: string | undefined;
  readonly client_secret: string | undefined;
  readonly azure_federated_token_file: string | undefined;
  readonly azure_authority_host: string | undefined;
  readonly azure_scope: string | undefined;
  readonly vertex_project: string | undefined;
  readonly vertex_location: string | undefined;
  readonly vertex_credentials: string | Readonly<Record<string, unknown>> | undefined;
  readonly vertex_count_tokens_location: string | undefined;
  readonly aws_region_name: string | undefined;
  readonly aws_access_key_id: string | undefined;
  readonly aws_secret_access_key: string | undefined;
  readonly aws_session_token: string | undefined;
  readonly aws_profile_name: string | undefined;
  readonly aws_role_name: string | undefined;
  readonly aws_session_name: string | undefined;
  readonly aws_external_id: string | undefined;
  readonly aws_web_identity_token: string | undefined;
  readonly aws_sts_endpoint: string | undefined;
  readonly aws_bedrock_runtime_endpoint: string | undefined;
  readonly anthropic_beta: string | readonly string[] | undefined;
  readonly model_id: string | undefined;
  readonly base_model: string | undefined;
  readonly guardrailConfig: Readonly<Record<string, unknown>> | undefined;
  readonly performanceConfig: Readonly<Record<string, unknown>> | undefined;
  readonly requestMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly service_tier: string | undefined;
}

const variable = (name: string): string => `the variable \`${name}\``;
const named = (description: string, more?: string): z.ZodType<string | undefined> =>
  key(text, { description, type: "text", ...(more === undefined ? {} : { default: more }) });

/** What single providers need. */
export const providerSchema: MappingSchema<ProviderKeys> = z.object({
  organization: key(anything, {
    description: "OpenAI: the organization that is billed. Each of a list is asked as a deployment of its own, as with `api_keys`.",
    type: "text, or a list",
  }),
  project: named("OpenAI: the project that is billed."),
  account_id: named("Cloudflare and Snowflake: the account in the address.", "`CLOUDFLARE_ACCOUNT_ID`, `SNOWFLAKE_ACCOUNT_ID`"),
  api_version: named(
    "Azure: the version of its older API. `v1` and `preview` mean the newer one, which has none.",
    variable("AZURE_API_VERSION"),
  ),
  azure_ad_token: named("Azure: a token of Microsoft Entra in place of a key.", variable("AZURE_AD_TOKEN")),
  tenant_id: named("Azure: the tenant in which tokens are asked for.", variable("AZURE_TENANT_ID")),
  client_id: named("Azure: the client that asks.", variable("AZURE_CLIENT_ID")),
  client_secret: named("Azure: its secret.", variable("AZURE_CLIENT_SECRET")),
  azure_federated_token_file: named("Azure: a file with the token of a workload.", variable("AZURE_FEDERATED_TOKEN_FILE")),
  azure_authority_host: named("Azure: where tokens are asked for.", "`https://login.microsoftonline.com`"),
  azure_scope: named("Azure: what tokens are asked for.", "`https://cognitiveservices.azure.com/.default`"),
  vertex_project: named("Google Cloud: the project.", variable("VERTEXAI_PROJECT")),
  vertex_location: named("Google Cloud: the location.", variable("VERTEXAI_LOCATION")),
  vertex_credentials: key(z.union([text, mapping], { error: "text or a mapping" }), {
    description: "Google Cloud: credentials, as JSON, or the name of a file with them.",
    type: "text or mapping",
    default: "those of the machine",
  }),
  vertex_count_tokens_location: named("Google Cloud: where tokens are counted, if elsewhere."),
  aws_region_name: named("AWS: the region.", "`AWS_REGION_NAME`, `AWS_REGION`, that of the profile"),
  aws_access_key_id: named("AWS: id of a key.", "the credentials of the machine"),
  aws_secret_access_key: named("AWS: the key."),
  aws_session_token: named("AWS: token of a key that is valid for a while."),
  aws_profile_name: named("AWS: a profile of the files that AWS's own tools read.", variable("AWS_PROFILE")),
  aws_role_name: named("AWS: ARN of a role to take on."),
  aws_session_name: named("AWS: name of the session in which it is taken on."),
  aws_external_id: named("AWS: what the role's owner agreed on."),
  aws_web_identity_token: named("AWS: a token for which the role is given, or the file with it."),
  aws_sts_endpoint: named("AWS: where roles are asked for."),
  aws_bedrock_runtime_endpoint: named("AWS: another address of Bedrock.", variable("AWS_BEDROCK_RUNTIME_ENDPOINT")),
  anthropic_beta: key(z.union([text, texts], { error: "text or a list of texts" }), {
    description: "AWS: betas of Anthropic's that are asked for beside the caller's.",
    type: "list, or one",
  }),
  model_id: named("AWS: id or ARN that stands in the address, where `model` says which model is behind it."),
  base_model: named("The model behind a name that does not tell, as in `model_info`."),
  guardrailConfig: key(mapping, { description: "AWS: the guardrail, as Converse takes it.", type: "mapping" }),
  performanceConfig: key(mapping, { description: "AWS: as Converse takes it.", type: "mapping" }),
  requestMetadata: key(mapping, { description: "AWS: for the logs of invocations.", type: "mapping" }),
  service_tier: named("AWS: the tier of service."),
});

/** Other spellings that LiteLLM and the providers know. */
export const spellings: readonly string[] = ["vertex_ai_project", "vertex_ai_location", "vertex_ai_credentials", "serviceTier"];

export interface InfoKeys {
  readonly id: unknown;
  readonly mode: unknown;
  readonly base_model: string | undefined;
  readonly max_input_tokens: number | undefined;
  readonly max_output_tokens: number | undefined;
  readonly max_tokens: number | undefined;
  readonly supports_vision: boolean | undefined;
  readonly supports_pdf_input: boolean | undefined;
  readonly supports_function_calling: boolean | undefined;
  readonly supports_reasoning: boolean | undefined;
  readonly supported_endpoints: readonly string[] | undefined;
  readonly input_cost_per_token: number | undefined;
  readonly output_cost_per_token: number | undefined;
  readonly cache_read_input_token_cost: number | undefined;
  readonly cache_creation_input_token_cost: number | undefined;
}

const tokens = numeric(z.number().gt(0));
const usd = numeric(z.number().min(0));
const known = "what is known of the model";
const capability = (description: string): z.ZodType<boolean | undefined> =>
  key(flag, { description, type: "true or false", default: known });
const price = (description: string): z.ZodType<number | undefined> => key(usd, { description, type: "US dollars a token", default: known });

/** Of `model_info` what has an effect; everything else in it is kept as written. */
export const infoSchema: MappingSchema<InfoKeys> = z.object({
  id: key(z.unknown(), {
    description: "Names the deployment in logs and headers. It can be asked for by it.",
    type: "text",
    default: "made from the entry",
  }),
  mode: key(z.unknown(), {
    description: "`responses`: a compatible host is asked by OpenAI's Responses API, which most do not have. Other words are kept.",
    type: "text",
  }),
  base_model: key(text, { description: "The model behind a name that does not tell, for its limits and prices.", type: "text" }),
  max_input_tokens: key(tokens, { description: "The context window.", type: "tokens", default: known }),
  max_output_tokens: key(tokens, {
    description: "The longest reply; requests for more are asked for this much.",
    type: "tokens",
    default: known,
  }),
  max_tokens: key(tokens, { description: "The same, where `max_output_tokens` is absent.", type: "tokens" }),
  supports_vision: capability("Whether it takes images. They are replaced by a note where it does not."),
  supports_pdf_input: capability("Whether it takes PDFs, likewise."),
  supports_function_calling: capability("Whether it calls tools."),
  supports_reasoning: capability("Whether it can be asked to think."),
  supported_endpoints: key(z.array(text), {
    description: "With `/v1/messages` among them, a compatible server is asked by Anthropic's API, untranslated.",
    type: "list of paths",
  }),
  input_cost_per_token: price("Price of input. Prices may stand in `litellm_params`, too."),
  output_cost_per_token: price("Price of output."),
  cache_read_input_token_cost: price("Price of input that came from a cache."),
  cache_creation_input_token_cost: price("Price of input that was put into a cache."),
});
