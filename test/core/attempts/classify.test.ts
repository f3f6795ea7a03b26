import { describe, expect, it } from "vitest";

import { classifyInBand, classifyRefusal, classifyThrown, policyClassOf } from "../../../core/attempts/classify.ts";
import type { Failure, FailureClass } from "../../../core/attempts/failure.ts";
import { ClientGone } from "../../../core/body/collect.ts";
import { HookRefusal } from "../../../core/phases/hook-refusal.ts";
import { ConnectionError, type ConnectionFault } from "../../../core/upstream/connection-error.ts";
import { decodeError as decodeGemini } from "../../../plugins/gemini/errors.ts";
import { decodeError as decodeChat } from "../../../plugins/openai-chat/errors.ts";
import type { HeaderList } from "../../../sdk/dialect.ts";
import { type ErrorKind, ProxyError } from "../../../sdk/errors.ts";
import { foreignError } from "../../../sdk/hub/foreign-errors.ts";
import type { UpstreamFailure } from "../../../sdk/wire.ts";
import { hubTarget } from "../../helpers/hub-target.ts";

const now = Date.parse("2026-11-20T12:00:00Z");

interface Given {
  readonly headers?: HeaderList;
  readonly credential?: "own" | "shared";
}

function refused(status: number, error: ProxyError, { headers = [], credential = "shared" }: Given = {}): Failure {
  return classifyRefusal({ error, status, headers, told: { type: "error", error }, credential }, now);
}

function said(status: number, kind: ErrorKind, message = "no"): ProxyError {
  return new ProxyError(message, { status, kind });
}

function failure(status: number, body: unknown, headers: HeaderList = []): UpstreamFailure {
  return { status, headers, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}

/** As an upstream of OpenAI's wire said it. */
const chat = (status: number, error: unknown, headers: HeaderList = []): Failure =>
  refused(status, decodeChat(failure(status, { error }, headers), hubTarget()).error, { headers });
/** As Anthropic, or a host of its wire, said it. */
const messages = (status: number, type: string, message: string, given: Given = {}): Failure =>
  refused(status, foreignError(failure(status, { type: "error", error: { type, message } }, given.headers), hubTarget()), given);
const gemini = (status: number, error: unknown): Failure => refused(status, decodeGemini(failure(status, { error }), hubTarget()).error);

type Expected = readonly [FailureClass, Failure["scope"]];
const verdict = ({ class: type, scope }: Failure): Expected => [type, scope];

describe("a refusal, by what the wire makes of it", () => {
  it.each<readonly [string, Failure, Expected]>([
    ["Anthropic's 400", messages(400, "invalid_request_error", "messages: at least one message is required"), ["bad-request", "none"]],
    ["Anthropic's 401", messages(401, "authentication_error", "invalid x-api-key"), ["authentication", "account"]],
    [
      "Anthropic's 403",
      messages(403, "permission_error", "Your API key does not have permission to use the specified resource."),
      ["permission", "deployment"],
    ],
    ["Anthropic's 404", messages(404, "not_found_error", "model: claude-nine"), ["not-found", "deployment"]],
    ["Anthropic's 413", messages(413, "request_too_large", "Request exceeds the maximum size"), ["too-large", "none"]],
    [
      "Anthropic's 429",
      messages(429, "rate_limit_error", "This request would exceed your account's rate limit."),
      ["rate-limit", "deployment"],
    ],
    ["Anthropic's 500", messages(500, "api_error", "Internal server error"), ["server", "deployment"]],
    ["Anthropic's 529", messages(529, "overloaded_error", "Overloaded"), ["overloaded", "deployment"]],
    [
      "Anthropic's overflow",
      messages(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
      ["context-window", "none"],
    ],
    [
      "Anthropic's filter: claude-code#58367",
      messages(400, "invalid_request_error", "Output blocked by content filtering policy"),
      ["content-policy", "none"],
    ],
    [
      "Anthropic's balance: claude-code#66314",
      messages(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."),
      ["exhausted", "account"],
    ],
    [
      "Anthropic's limit of spending",
      messages(
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
      ),
      ["exhausted", "account"],
    ],
    [
      "a subscription's extra usage: CLIProxyAPI#6004",
      messages(400, "invalid_request_error", "You're out of extra usage. Add more at claude.ai/settings/usage and keep going."),
      ["exhausted", "account"],
    ],
    [
      "a subscription's long prompt: CLIProxyAPI#6004",
      messages(429, "rate_limit_error", "Extra usage is required for long context requests."),
      ["rate-limit", "none"],
    ],
    [
      "a login that lacks a scope: oh-my-pi#38",
      messages(403, "permission_error", "OAuth token does not meet scope requirement any_of(user:inference)"),
      ["authentication", "account"],
    ],
    [
      "a login that is not allowed: claude-code#65714",
      messages(403, "permission_error", "OAuth authentication is currently not allowed for this organization."),
      ["authentication", "account"],
    ],
    [
      "OpenAI's rate",
      chat(429, { message: "Rate limit reached for gpt-6", type: "requests", code: "rate_limit_exceeded" }),
      ["rate-limit", "deployment"],
    ],
    [
      "OpenAI's quota",
      chat(429, { message: "You exceeded your current quota", type: "insufficient_quota", code: "insufficient_quota" }),
      ["exhausted", "account"],
    ],
    [
      "OpenAI's overflow",
      chat(400, {
        message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        code: "context_length_exceeded",
      }),
      ["context-window", "none"],
    ],
    [
      "OpenAI's filter: codex#7250",
      chat(400, { message: "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", code: "invalid_prompt" }),
      ["content-policy", "none"],
    ],
    [
      "OpenAI's filter of images",
      chat(400, { message: "Your request was rejected as a result of our safety system.", code: "content_policy_violation" }),
      ["content-policy", "none"],
    ],
    [
      "Azure's filter",
      chat(400, {
        message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code: "content_filter",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      }),
      ["content-policy", "none"],
    ],
    [
      "Azure's filter in few words",
      chat(400, { message: "The response was filtered", code: "content_filter" }),
      ["content-policy", "none"],
    ],
    [
      "Alibaba's filter",
      chat(400, {
        message: "<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.",
        code: "data_inspection_failed",
      }),
      ["content-policy", "none"],
    ],
    [
      "Alibaba's debts",
      chat(400, { message: "Access denied, please make sure your account is in good standing.", code: "Arrearage" }),
      ["exhausted", "account"],
    ],
    ["DeepSeek's balance", chat(402, { message: "Insufficient Balance", code: "invalid_request_error" }), ["exhausted", "account"]],
    [
      "a model nobody has",
      chat(404, { message: "The model `gpt-nine` does not exist", code: "model_not_found" }),
      ["not-found", "deployment"],
    ],
    ["a timeout", chat(408, { message: "Request timed out" }), ["timeout", "deployment"]],
    ["a conflict", chat(409, { message: "Another request is under way" }), ["server", "deployment"]],
    ["a field nobody knows", chat(422, { message: "Extra inputs are not permitted" }), ["bad-request", "none"]],
    ["a 500 that is one", chat(500, { message: "The server had an error", type: "server_error" }), ["server", "deployment"]],
    ["a 500 about the request", chat(500, { message: "messages is required", type: "invalid_request_error" }), ["bad-request", "none"]],
    ["an operation a host has not", refused(501, said(501, "not_supported")), ["not-found", "none"]],
    ["a gateway's 502", chat(502, { message: "Bad gateway" }), ["server", "deployment"]],
    ["a busy host", chat(503, { message: "The engine is currently overloaded" }), ["overloaded", "deployment"]],
    ["a gateway's timeout", chat(504, { message: "upstream request timeout" }), ["timeout", "deployment"]],
    [
      "LiteLLM's overflow, in Azure's words",
      chat(400, { message: "The input exceeds the model's maximum context limit of 8192 tokens." }),
      ["context-window", "none"],
    ],
    [
      "LiteLLM's overflow, in OpenAI's words",
      chat(400, { message: "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576" }),
      ["context-window", "none"],
    ],
    [
      "what LiteLLM does not take for one",
      chat(400, { message: "Invalid 'user': string too long. Expected a string with maximum length 64" }),
      ["bad-request", "none"],
    ],
    [
      "Google's rate",
      gemini(429, {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        message: "You exceeded your current quota, please check your plan and billing details.",
      }),
      ["rate-limit", "deployment"],
    ],
    [
      "Google's key",
      gemini(400, { code: 400, status: "INVALID_ARGUMENT", message: "API key not valid.", details: [{ reason: "API_KEY_INVALID" }] }),
      ["authentication", "account"],
    ],
    [
      "Google's busy host",
      gemini(503, { code: 503, status: "UNAVAILABLE", message: "The model is overloaded." }),
      ["overloaded", "deployment"],
    ],
    [
      "Google's overflow",
      gemini(400, {
        code: 400,
        status: "INVALID_ARGUMENT",
        message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
      }),
      ["context-window", "none"],
    ],
  ])("%s", (_, found, expected) => {
    expect(verdict(found)).toEqual(expected);
  });

  it("keeps the answer's own status, which the wire may read otherwise", () => {
    expect(gemini(503, { code: 503, status: "UNAVAILABLE", message: "busy" }).status).toBe(503);
  });

  it("takes what Google says in the body of when to come back", () => {
    const found = gemini(429, {
      code: 429,
      status: "RESOURCE_EXHAUSTED",
      message: "no",
      details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "37s" }],
    });
    expect(found.retryAfterMs).toBe(37_000);
  });

  it("takes the headers' word where the wire has read none", () => {
    expect(refused(429, said(429, "rate_limit_error"), { headers: [["retry-after-ms", "1500"]] }).retryAfterMs).toBe(1500);
  });

  it.each([
    ["true", true],
    ["false", false],
    ["perhaps", undefined],
  ] as const)("hears x-should-retry: %s", (value, expected) => {
    expect(refused(500, said(500, "api_error"), { headers: [["x-should-retry", value]] }).shouldRetry).toBe(expected);
  });

  it("has it from the wire that money does not come back by waiting", () => {
    expect(chat(429, { message: "no", code: "insufficient_quota" }).shouldRetry).toBe(false);
  });
});

describe("F4: a plan", () => {
  const plan = (entries: Readonly<Record<string, string>>): HeaderList =>
    Object.entries(entries).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value] as const);
  const limit = (headers: HeaderList, credential: "own" | "shared" = "shared"): Failure =>
    messages(429, "rate_limit_error", "This request would exceed your account's rate limit.", { headers, credential });
  const reset = String(now / 1000 + 3600);

  it("of the account is the account's", () => {
    const found = limit(plan({ status: "rejected", "representative-claim": "five_hour", reset }));
    expect([...verdict(found), found.resetMs]).toEqual(["exhausted", "account", 3_600_000]);
  });

  it("of a model is the deployment's", () => {
    expect(verdict(limit(plan({ status: "rejected", "representative-claim": "seven_day_opus", reset })))).toEqual([
      "exhausted",
      "deployment",
    ]);
  });

  it("that allows more is not used up: it is a throttle", () => {
    expect(verdict(limit(plan({ status: "allowed", "representative-claim": "five_hour", reset })))).toEqual(["rate-limit", "deployment"]);
  });

  it("of the caller's own is nobody else's", () => {
    expect(verdict(limit(plan({ status: "rejected", "representative-claim": "five_hour", reset }), "own"))).toEqual(["exhausted", "none"]);
  });

  it("that is told with another failure is not what failed", () => {
    const headers = plan({ status: "rejected", "representative-claim": "five_hour", reset });
    expect(verdict(messages(529, "overloaded_error", "Overloaded", { headers }))).toEqual(["overloaded", "deployment"]);
  });
});

describe("what a caller's own login meets", () => {
  it.each<readonly [number, ErrorKind]>([
    [401, "authentication_error"],
    [402, "billing_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [429, "rate_limit_error"],
  ])("with %i is nobody else's concern", (status, kind) => {
    expect(refused(status, said(status, kind), { credential: "own" }).scope).toBe("none");
    expect(classifyInBand(said(status, kind), now, "own").scope).toBe("none");
  });

  it.each<readonly [number, ErrorKind]>([
    [500, "api_error"],
    [504, "timeout_error"],
    [529, "overloaded_error"],
  ])("with %i is the upstream's trouble all the same", (status, kind) => {
    expect(refused(status, said(status, kind), { credential: "own" }).scope).toBe("deployment");
    expect(classifyInBand(said(status, kind), now, "own").scope).toBe("deployment");
  });
});

describe("what is thrown", () => {
  it.each<readonly [ConnectionFault, FailureClass]>([
    ["connect-timeout", "connection"],
    ["unreachable", "connection"],
    ["first-byte-timeout", "timeout"],
    ["idle-timeout", "timeout"],
    ["silence-timeout", "timeout"],
    ["total-timeout", "timeout"],
    ["closed-before-response", "connection"],
    ["closed-in-response", "broken"],
    ["too-much", "broken"],
  ])("%s is the deployment's failure", (fault, expected) => {
    const error = new ConnectionError("gone", { status: 502, kind: "api_error", fault });
    const found = classifyThrown(error, now);
    expect(found && verdict(found)).toEqual([expected, "deployment"]);
    expect(found?.told).toEqual({ type: "error", error });
    expect(verdict(classifyInBand(error, now))).toEqual([expected, "deployment"]);
  });

  it.each<readonly [string, ProxyError, Expected]>([
    ["a page where JSON was wanted", said(502, "api_error"), ["broken", "deployment"]],
    ["a timeout without a connection's fault", said(504, "timeout_error"), ["timeout", "deployment"]],
    ["an error in a reply that was read whole", said(500, "api_error"), ["server", "deployment"]],
    ["a host that is busy, told in a success", said(529, "overloaded_error"), ["overloaded", "deployment"]],
    ["a credential that is missing", said(401, "authentication_error"), ["authentication", "none"]],
    ["an operation that is lacking", said(501, "not_supported"), ["not-found", "none"]],
    ["what cannot be asked on that wire", said(400, "invalid_request_error"), ["bad-request", "none"]],
    ["limits of our own", said(429, "rate_limit_error"), ["rate-limit", "none"]],
  ])("%s", (_, error, expected) => {
    const found = classifyThrown(error, now);
    expect(found && verdict(found)).toEqual(expected);
  });

  it.each<readonly [string, unknown]>([
    ["a denial by a hook", new HookRefusal("not here", { status: 403, kind: "permission_error" })],
    ["a hook that broke", new HookRefusal("it threw", { status: 502, kind: "api_error" })],
    ["a caller that left", new ClientGone("the client closed the connection")],
    ["a defect", new TypeError("undefined is not a function")],
    ["no error at all", "oh"],
    ["nothing", undefined],
  ])("%s is no failure that another attempt could mend", (_, error) => {
    expect(classifyThrown(error, now)).toBeUndefined();
  });

  it("by a caller's own impatience blames nobody", () => {
    const error = new ConnectionError("slow", { status: 504, kind: "timeout_error", fault: "first-byte-timeout" });
    expect(classifyThrown(error, now, { isCallersTimeout: true })).toMatchObject({ class: "timeout", scope: "none" });
    const refused = new ConnectionError("refused", { status: 502, kind: "api_error", fault: "unreachable" });
    expect(classifyThrown(refused, now, { isCallersTimeout: true })).toMatchObject({ class: "connection", scope: "deployment" });
  });
});

describe("what stands in the place of content", () => {
  it.each<readonly [string, ProxyError, Expected]>([
    ["N13: a busy host", said(529, "overloaded_error"), ["overloaded", "deployment"]],
    ["a defect of the host", said(500, "api_error"), ["server", "deployment"]],
    ["a rate", said(429, "rate_limit_error"), ["rate-limit", "deployment"]],
    ["an end without content", said(502, "api_error"), ["broken", "deployment"]],
    [
      "a prompt that is too long",
      said(400, "invalid_request_error", "prompt is too long: 5 tokens > 4 maximum"),
      ["context-window", "none"],
    ],
    ["a filter", said(400, "invalid_request_error", "Output blocked by content filtering policy"), ["content-policy", "none"]],
  ])("%s", (_, error, expected) => {
    expect(verdict(classifyInBand(error))).toEqual(expected);
  });

  it("cannot say a date without a clock", () => {
    const headers = { "retry-after": "Fri, 20 Nov 2026 12:00:40 GMT" };
    const error = new ProxyError("no", { status: 429, kind: "rate_limit_error", headers });
    expect(classifyInBand(error).retryAfterMs).toBeUndefined();
    expect(classifyInBand(error, now).retryAfterMs).toBe(40_000);
  });
});

describe("LiteLLM's name for it", () => {
  it.each<readonly [string, Failure, string | undefined]>([
    ["a fault of the request", messages(400, "invalid_request_error", "no"), "BadRequestError"],
    ["too long a prompt", messages(400, "invalid_request_error", "prompt is too long"), "BadRequestError"],
    ["a filter", messages(400, "invalid_request_error", "Output blocked by content filtering policy"), "ContentPolicyViolationError"],
    ["a wrong key", messages(401, "authentication_error", "no"), "AuthenticationError"],
    ["a lacking right", messages(403, "permission_error", "no"), undefined],
    ["an unknown model", messages(404, "not_found_error", "no"), "NotFoundError"],
    ["a timeout", messages(408, "timeout_error", "no"), "TimeoutError"],
    ["too large a body", messages(413, "request_too_large", "no"), "BadRequestError"],
    ["a rate", messages(429, "rate_limit_error", "no"), "RateLimitError"],
    ["a balance", messages(402, "billing_error", "no"), "RateLimitError"],
    ["a defect", messages(500, "api_error", "no"), "InternalServerError"],
    ["a busy host", messages(529, "overloaded_error", "no"), "InternalServerError"],
    ["an empty answer", classifyInBand(said(502, "api_error")), "InternalServerError"],
    [
      "no answer",
      classifyInBand(new ConnectionError("no", { status: 502, kind: "api_error", fault: "unreachable" })),
      "InternalServerError",
    ],
  ])("of %s", (_, found, expected) => {
    expect(policyClassOf(found)).toBe(expected);
  });
});
