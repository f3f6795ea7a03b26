/** Amazon Bedrock: its hosts, its credentials, and which wire its models are asked on. */

import type { Credential, HeaderList } from "../../sdk/dialect.ts";
import type { ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { address, messagesQuirks } from "./address.ts";
import { type LoadCredentials, createCredentialStore } from "./credentials.ts";
import { rewrapError } from "./errors.ts";
import { FrameReader, isFramed } from "./frames.ts";
import { loadCredentials } from "./load-credentials.ts";
import { isBedrockId, isRegion, readModelName } from "./models.ts";
import { param, readAsked } from "./params.ts";
import { regionOf, regionOfHost, regionPlaces, regionalBase } from "./region.ts";
import { signRequest } from "./sign.ts";

export interface BedrockOptions {
  readonly loadCredentials?: LoadCredentials;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createBedrockProvider({ loadCredentials: load = loadCredentials, now = Date.now }: BedrockOptions = {}): Provider {
  const credentials = createCredentialStore(load, now);
  return {
    names: ["bedrock", "bedrock_converse"],
    recognises: isBedrockId,
    defaultApiBase: undefined,
    keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"],
    keyOptional: true,
    apiBase,
    modelId: (model) => readModelName(model).id,
    dialects(question, operation) {
      // Bedrock counts tokens in an answer of its own, for few models; the proxy counts by itself.
      if (operation !== "generate") return [];
      return readAsked(question).route === "converse" ? ["bedrock-converse"] : ["anthropic", "bedrock-converse"];
    },
    quirks: (question) => ({ messages: messagesQuirks(readAsked(question), question.params) }),
    check,
    address,
    authorize,
    async sign(outbound, target, variables) {
      const region = signingRegion(target, variables);
      const found = await credentials.get(target, region, variables);
      return signRequest(outbound, { credentials: found, region, date: new Date(now()) });
    },
    unframe: (contentType) => (isFramed(contentType) ? new FrameReader() : undefined),
    // Seen in bills: https://github.com/BerriAI/litellm/issues/34147; and https://openrouter.ai/docs/api-reference/streaming
    // has it among the hosts that go on when a stream is cancelled.
    billsAbandoned: true,
    decodeError: rewrapError,
    // Its keys are those of an account, not a caller's login.
    ownsUrl: () => false,
    isCredential: (value) => value.startsWith("ABSK") || value.startsWith("bedrock-api-key-"),
  };
}

function apiBase(question: ModelQuestion, variables: Variables): string {
  const written = param(question.params, "aws_bedrock_runtime_endpoint") ?? variables("AWS_BEDROCK_RUNTIME_ENDPOINT");
  if (written !== undefined && written !== "") {
    if (!/^https?:$/.test(URL.parse(written)?.protocol ?? ""))
      throw new Error(`found "${written}" as endpoint of Bedrock; wanted an http or https URL`);
    return written.replace(/\/+$/, "");
  }
  const region = regionOf(question, variables);
  if (region === undefined) throw new Error(`found no AWS region for "${question.model}"; set it in ${regionPlaces}`);
  return regionalBase(region);
}

/** That of the address, where it names one: another is refused there. */
function signingRegion(target: Target, variables: Variables): string {
  const host = URL.parse(target.apiBase)?.hostname ?? "";
  return regionOfHost(host) ?? regionOf(target, variables) ?? "us-east-1";
}

/** Keys of Bedrock: `x-api-key` on the Messages-native endpoint, which is told by its version header; else a bearer. */
function authorize(headers: HeaderList, { value }: Credential): HeaderList {
  const isMessages = headers.some(([name]) => name === "anthropic-version");
  return [...headers, isMessages ? ["x-api-key", value] : ["authorization", `Bearer ${value}`]];
}

/** Routes of LiteLLM that are none of these wires. */
const otherRoutes = /^(?:agent|agentcore|async_invoke|mantle|openai|llama|deepseek_r1|qwen2|qwen3|moonshot|claude_platform)\//;

function check(question: ModelQuestion, variables: Variables): readonly string[] {
  const { params } = question;
  const faults: string[] = [];
  const region = regionOf(question, variables);
  // Without a base of its own, that which is made of the region is refused already.
  if (question.apiBase !== undefined && region !== undefined && !isRegion(region)) {
    faults.push(`found "${region}" as AWS region; wanted one like us-east-1`);
  }
  const [, other] = /^([^/]+)\//.exec(readModelName(question.model).id) ?? [];
  if (other !== undefined && otherRoutes.test(`${other}/`)) {
    faults.push(
      `"${question.model}" asks for the route "${other}", which is not served here; use converse/, invoke/ or messages/ with a model id`,
    );
  }
  const id = param(params, "aws_access_key_id");
  const secret = param(params, "aws_secret_access_key");
  if ((id === undefined) !== (secret === undefined)) {
    const [found, missing] =
      id === undefined ? ["aws_secret_access_key", "aws_access_key_id"] : ["aws_access_key_id", "aws_secret_access_key"];
    faults.push(`found ${found} without ${missing}; give both, or neither`);
  }
  for (const name of ["aws_session_name", "aws_external_id", "aws_web_identity_token"]) {
    if (param(params, name) !== undefined && param(params, "aws_role_name") === undefined) {
      faults.push(`found ${name} without aws_role_name, which it belongs to; give the ARN of the role`);
    }
  }
  return faults;
}
