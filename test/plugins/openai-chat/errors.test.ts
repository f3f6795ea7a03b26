import OpenAI, { APIError } from "openai";
import { describe, expect, test } from "vitest";

import type { HeaderList } from "../../../sdk/dialect.ts";
import { ProxyError, type ErrorKind } from "../../../sdk/errors.ts";
import type { ChatQuirks } from "../../../sdk/quirks.ts";
import { ingress, makeTarget, wire, type Loose } from "./targets.ts";

function decodeError(status: number, body: unknown, headers: HeaderList = [], quirks: ChatQuirks = {}) {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return wire.decodeError({ status, headers, body: bytes }, makeTarget(quirks, { contextWindow: 128_000 }));
}

describe("what a host says", () => {
  test.each<[string, number, unknown, ErrorKind, string]>([
    ["OpenAI", 400, { error: { message: "Bad.", type: "invalid_request_error", param: "x", code: null } }, "invalid_request_error", "Bad."],
    ["a text", 500, { error: "model runner stopped" }, "api_error", "model runner stopped"],
    ["a bare message", 404, { message: "No such model" }, "not_found_error", "No such model"],
    [
      "FastAPI",
      422,
      { detail: [{ loc: ["body", "messages", 0, "assistant", "x"], msg: "Extra inputs are not permitted", type: "extra_forbidden" }] },
      "invalid_request_error",
      "body.messages.0.assistant.x: Extra inputs are not permitted",
    ],
    ["a detail", 401, { detail: "Unauthorized" }, "authentication_error", "Unauthorized"],
    [
      "Mistral",
      400,
      { object: "error", message: { detail: [{ loc: ["body", "n"], msg: "bad" }] }, type: "invalid_request_error", code: 3001 },
      "invalid_request_error",
      "body.n: bad",
    ],
    [
      "vLLM",
      400,
      { object: "error", message: "Too many.", type: "BadRequestError", param: null, code: 400 },
      "invalid_request_error",
      "Too many.",
    ],
    ["a list", 403, [{ error: { message: "No." } }], "permission_error", "No."],
    [
      "OpenRouter",
      502,
      { error: { code: 502, message: "Provider returned error", metadata: { raw: '{"error":{"message":"upstream says no"}}' } } },
      "api_error",
      "Provider returned error: upstream says no",
    ],
    [
      "OpenRouter with a text",
      502,
      { error: { code: 502, message: "Provider returned error", metadata: { raw: "upstream says no" } } },
      "api_error",
      "Provider returned error: upstream says no",
    ],
    ["a page", 502, "<html><head><title>502 Bad Gateway</title></head></html>", "api_error", "HTTP status 502: 502 Bad Gateway"],
    ["words", 503, "upstream connect error", "overloaded_error", "upstream connect error"],
    ["nothing", 500, "", "api_error", "HTTP status 500"],
    [
      "a key with a vague status",
      400,
      { error: { message: "Incorrect API key", code: "invalid_api_key" } },
      "authentication_error",
      "Incorrect API key",
    ],
    [
      "a limit by its status, whatever it says",
      429,
      { error: { message: "overloaded", type: "overloaded_error" } },
      "rate_limit_error",
      "overloaded",
    ],
    ["an overload", 500, { error: { message: "busy", type: "server_error", code: "server_is_overloaded" } }, "overloaded_error", "busy"],
  ])("%s", (_, status, body, kind, message) => {
    expect(decodeError(status, body).error).toMatchObject({ status, kind, message });
  });

  test("a limit of tokens per minute is no limit of the window", () => {
    const message = "This request would exceed the limit: maximum context length is 30000 tokens per minute.";
    expect(decodeError(429, { error: { message } }).error).toMatchObject({ status: 429, kind: "rate_limit_error", message });
  });

  test("headers that say when to come back stay, accounts do not", () => {
    const message = "Rate limit reached for gpt-x in organization org-AbCdEf123456 on tokens per min.";
    const { error } = decodeError(429, { error: { message, code: "rate_limit_exceeded" } }, [
      ["retry-after", "7"],
      ["x-request-id", "req_1"],
      ["openai-organization", "acme"],
    ]);
    expect(error.headers).toEqual({ "retry-after": "7", "x-request-id": "req_1" });
    expect(error.message).not.toContain("org-AbCdEf123456");
  });

  test("a quota that is used up is a matter of money, not of time", () => {
    const { error } = decodeError(
      429,
      { error: { message: "You exceeded your current quota.", type: "insufficient_quota", code: "insufficient_quota" } },
      [["retry-after", "1"]],
    );
    expect(error).toMatchObject({ status: 429, kind: "billing_error", headers: { "x-should-retry": "false" } });
    expect(decodeError(402, { error: { message: "Insufficient credits", code: 402 } }).error.kind).toBe("billing_error");
  });

  test.each([
    [
      400,
      {
        error: {
          message:
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens. Please reduce the length of the messages.",
          code: "context_length_exceeded",
        },
      },
      130_001,
      128_000,
    ],
    [
      400,
      {
        error: {
          message:
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion).",
          type: "invalid_request_error",
        },
      },
      9000,
      8192,
    ],
    [
      400,
      {
        error: {
          code: 400,
          message: "the request exceeds the available context size, try increasing it",
          type: "exceed_context_size_error",
          n_prompt_tokens: 13_392,
          n_ctx: 8192,
        },
      },
      13_392,
      8192,
    ],
    [400, { error: { message: "Too long.", code: "context_length_exceeded" } }, 128_001, 128_000],
    [
      400,
      {
        error: {
          code: 400,
          message: "Provider returned error",
          metadata: { raw: '{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}' },
        },
      },
      210_000,
      200_000,
    ],
  ])("an overflow (%#) has the words that start a compaction", (status, body, tokens, maximum) => {
    expect(decodeError(status, body).error).toMatchObject({
      status: 400,
      kind: "invalid_request_error",
      message: `prompt is too long: ${tokens} tokens > ${maximum} maximum`,
    });
  });

  test.each([
    ["Error: invalid_encrypted_content", true],
    ["The encrypted content for item rs_1 could not be verified.", true],
    ["messages.1.content.0: Invalid `signature` in `thinking` block", true],
    ["Corrupted thought signature.", true],
    ["body.messages.3.assistant.reasoning_content: Extra inputs are not permitted", true],
    ["Extra inputs are not permitted, field: 'messages[8].reasoning', value: 'x'", true],
    ["The reasoning_content in the thinking mode must be passed back to the API.", false],
    ["Bad request.", false],
  ])("after %j the same without thinking may do: %j", (message, helps) => {
    expect(decodeError(400, { error: { message } }).retry).toBe(helps ? "without-thinking" : undefined);
  });

  test("an error of the host's own is no reason to leave thinking out", () => {
    expect(decodeError(500, { error: { message: "Invalid signature in thinking" } }).retry).toBeUndefined();
  });
});

describe("what clients are told", () => {
  async function thrown(error: ProxyError): Promise<Loose> {
    const reply = ingress.encodeError(error, "req_9");
    const openai = new OpenAI({
      apiKey: "k",
      maxRetries: 0,
      fetch: async () =>
        new Response(Buffer.concat(reply.chunks), { status: reply.status, headers: reply.headers.map(([name, value]) => [name, value]) }),
    });
    return openai.chat.completions.create({ model: "m", messages: [] }).catch((caught: unknown) => caught);
  }

  test.each<[ErrorKind, number, string, string | null, number]>([
    ["invalid_request_error", 400, "invalid_request_error", null, 400],
    ["authentication_error", 401, "invalid_request_error", "invalid_api_key", 401],
    ["not_found_error", 404, "invalid_request_error", "model_not_found", 404],
    ["rate_limit_error", 429, "requests", "rate_limit_exceeded", 429],
    ["billing_error", 429, "insufficient_quota", "insufficient_quota", 429],
    ["overloaded_error", 529, "server_error", "server_is_overloaded", 503],
    ["api_error", 502, "server_error", null, 502],
  ])("of a %s", async (kind, status, type, code, told) => {
    const error = await thrown(new ProxyError("Said.", { status, kind, headers: { "retry-after": "3" } }));
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: told, type, code, requestID: "req_9", error: { message: "Said." } });
    expect(error.headers.get("retry-after")).toBe("3");
  });

  test("of a place in their request", async () => {
    const error = new ProxyError("messages.0.role: found a number, wanted a text", { status: 400, kind: "invalid_request_error" });
    expect(await thrown(error)).toMatchObject({ param: "messages.0.role" });
  });

  test("of an overflow", async () => {
    const error = new ProxyError("prompt is too long: 250000 tokens > 200000 maximum", { status: 400, kind: "invalid_request_error" });
    expect(await thrown(error)).toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      param: "messages",
      message: expect.stringMatching(/maximum context length is 200000 tokens\. However, your messages resulted in 250000 tokens/),
    });
  });

  test("in a stream", () => {
    const text = Buffer.from(ingress.encodeStreamError(new ProxyError("gone", { status: 502, kind: "api_error" }))).toString();
    expect(text).toBe('data: {"error":{"message":"gone","type":"server_error","param":null,"code":null}}\n\n');
  });
});
