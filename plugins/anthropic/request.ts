/** A Messages request on its way to a host that speaks the same protocol: the same bytes, another model at most. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Credential, HeaderList } from "../../sdk/dialect.ts";
import { text } from "../../sdk/hub/json.ts";
import type { Addressed, Outbound } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { withoutForeignThinking } from "./foreign-thinking.ts";
import { countTokensPath, messagesPath } from "./wire.ts";

const vendorHosts = new Set(["api.anthropic.com"]);

/** Exact host over TLS: a look-alike (`api.anthropic.com.evil.example`) or a plain-text port never gets a login. */
export function ownsUrl(url: URL): boolean {
  return url.protocol === "https:" && vendorHosts.has(url.hostname) && url.port === "" && url.username === "" && url.password === "";
}

/** Keys and login tokens of the vendor all begin this way; SDKs that must send something send something else. */
export function isCredential(value: string): boolean {
  return value.startsWith("sk-ant-");
}

/** Another model at most, and no thinking that another vendor's model left in the conversation. */
export function adapt(body: RequestBody, target: Target): RequestBody {
  const own = withoutForeignThinking(body);
  return text(own.value("model")) === target.model ? own : own.edit([{ field: "model", value: target.model }]);
}

/** @param own whether the target is the vendor's own host */
export function address({ operation, body, search, headers }: Addressed, target: Target, own: boolean): Outbound {
  const base = new URL(target.apiBase);
  const path = operation === "count_tokens" ? countTokensPath : messagesPath;
  return {
    url: `${base.origin}${prefixOf(base)}${path}${search}`,
    headers: withVersion(relayHeaders(headers, own)),
    body: body.bytes,
  };
}

/** Clients of other dialects do not know of it. */
function withVersion(headers: HeaderList): HeaderList {
  return headers.some(([name]) => name === "anthropic-version") ? headers : [...headers, ["anthropic-version", "2023-06-01"]];
}

/** People write the base with and without the API's own path; both mean the same. */
function prefixOf(base: URL): string {
  return base.pathname.replace(/\/+$/, "").replace(/(\/v1\/messages|\/v1)$/, "");
}

/**
 * Headers the client sends only because `ccproxy run` asked for them are for this proxy. Which session and
 * which of its agents asks is the vendor's affair; another host is told only what the protocol needs.
 */
export function relayHeaders(headers: HeaderList, own: boolean): HeaderList {
  if (own) return headers.filter(([name]) => sentUnasked.has(name) || !name.startsWith("x-claude-"));
  return headers.filter(([name]) => protocolHeaders.has(name) || name.startsWith("anthropic-") || name.startsWith("x-stainless-"));
}

/** What Claude Code sends to its vendor without being asked for hints. */
const sentUnasked = new Set(["x-claude-code-session-id", "x-claude-code-agent-id"]);
const protocolHeaders = new Set(["accept", "content-type", "user-agent", "x-app"]);

/** Login tokens travel as bearer and need their beta named; keys travel in `x-api-key`. */
export function authorize(headers: HeaderList, credential: Credential): HeaderList {
  const agent = credential.userAgent;
  const own = agent === undefined ? headers : [...headers.filter(([name]) => name !== "user-agent"), ["user-agent", agent] as const];
  if (credential.form === "api-key" && !isLoginToken(credential.value)) return [...own, ["x-api-key", credential.value]];
  const authorized: HeaderList = [...own, ["authorization", `Bearer ${credential.value}`]];
  return isLoginToken(credential.value) ? withBeta(authorized, "oauth-2025-04-20") : authorized;
}

function isLoginToken(value: string): boolean {
  return value.startsWith("sk-ant-oat");
}

function withBeta(headers: HeaderList, beta: string): HeaderList {
  const named = headers.filter(([name]) => name === "anthropic-beta").map(([, value]) => value);
  if (named.some((value) => value.split(",").some((item) => item.trim() === beta))) return headers;
  return [...headers.filter(([name]) => name !== "anthropic-beta"), ["anthropic-beta", [...named, beta].join(",")]];
}
