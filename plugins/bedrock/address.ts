/** Where a request for a Bedrock model goes, and in which form. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { foreignMessagesHeaders, plainHeaders } from "../../sdk/hub/foreign-headers.ts";
import type { Addressed, Outbound } from "../../sdk/provider.ts";
import type { MessagesQuirks } from "../../sdk/quirks.ts";
import type { Target } from "../../sdk/wire.ts";
import { supportsMidSystem } from "../../sdk/hub/mid-system.ts";
import { knownBetas, renamedBetas } from "./betas.ts";
import { claudeGeneration } from "./models.ts";
import { forInvoke, forMessagesEndpoint } from "./messages-body.ts";
import { type Asked, askedOf, listParam } from "./params.ts";
import { modelPath } from "./wire.ts";

/** Sent where the caller named none. */
const messagesVersion = "2023-06-01";

export function address(request: Addressed, target: Target): Outbound {
  const asked = askedOf(target);
  const base = baseOf(target.apiBase);
  const { stream, body } = request;
  if (request.dialect !== "anthropic") {
    const url = base + modelPath(asked.id, stream ? "converse-stream" : "converse");
    return { url, headers: framedHeaders(request.headers, stream), body: body.bytes };
  }
  const quirks = messagesQuirks(asked, target.params);
  const added = new Set(Object.keys(recordOf(target.params["extra_body"])));
  // Models before 4.7 refuse later versions than this.
  const isOld = asked.family === "claude" && claudeGeneration(asked.knownAs) < 4.7;
  const callers = isOld ? request.headers.filter(([name]) => name !== "anthropic-version") : request.headers;
  const headers = foreignMessagesHeaders(callers, { quirks, renamedBetas, version: messagesVersion });
  if (asked.route !== "invoke") {
    return { url: `${base}/anthropic/v1/messages`, headers: withAddedBetas(headers, target), body: forMessagesEndpoint(body, { added }) };
  }
  const named = headers.find(([name]) => name === "anthropic-beta")?.[1].split(",") ?? [];
  const betas = [...new Set([...named, ...listParam(target.params, "anthropic_beta")])];
  return {
    url: base + modelPath(asked.id, stream ? "invoke-with-response-stream" : "invoke"),
    headers: [...framedHeaders(request.headers, stream), ...settings(target.params)],
    body: forInvoke(body, { added, betas }),
  };
}

/** What the Messages wire is to leave out for this host. */
export function messagesQuirks({ route, knownAs }: Pick<Asked, "route" | "knownAs">, params: Target["params"]): MessagesQuirks {
  const betas = knownBetas(route === "invoke" ? "invoke" : "messages", listParam(params, "anthropic_beta"));
  return { betas, midSystem: supportsMidSystem(knownAs) };
}

function withAddedBetas(headers: HeaderList, { params }: Target): HeaderList {
  const added = listParam(params, "anthropic_beta");
  if (added.length === 0) return headers;
  const named = headers.filter(([name]) => name === "anthropic-beta").flatMap(([, value]) => value.split(","));
  return [...headers.filter(([name]) => name !== "anthropic-beta"), ["anthropic-beta", [...new Set([...named, ...added])].join(",")]];
}

/** People write the base with and without the path of one of its operations; all mean the same. */
function baseOf(apiBase: string): string {
  return apiBase.replace(/\/+$/, "").replace(/\/anthropic(?:\/v1(?:\/messages)?)?$/, "");
}

/** Of the caller's protocol nothing is sent; streams come in frames. */
function framedHeaders(headers: HeaderList, stream: boolean): HeaderList {
  const kept = plainHeaders(headers).filter(([name]) => name !== "accept");
  return [...kept, ["accept", stream ? "application/vnd.amazon.eventstream" : "application/json"]];
}

/** Settings of a deployment that InvokeModel takes as headers, and Converse in its body. */
function settings(params: Target["params"]): HeaderList {
  const guardrail = recordOf(params["guardrailConfig"]);
  const tier = params["serviceTier"] ?? params["service_tier"];
  const given: readonly (readonly [string, unknown])[] = [
    ["x-amzn-bedrock-guardrailidentifier", guardrail["guardrailIdentifier"]],
    ["x-amzn-bedrock-guardrailversion", guardrail["guardrailVersion"]],
    ["x-amzn-bedrock-trace", typeof guardrail["trace"] === "string" ? guardrail["trace"].toUpperCase() : undefined],
    ["x-amzn-bedrock-performanceconfig-latency", recordOf(params["performanceConfig"])["latency"]],
    ["x-amzn-bedrock-service-tier", typeof tier === "string" ? tier : recordOf(tier)["type"]],
  ];
  return given.flatMap(([name, value]) => (typeof value === "string" && value !== "" ? [[name, value] as const] : []));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
