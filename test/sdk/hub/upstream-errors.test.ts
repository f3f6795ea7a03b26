import { describe, expect, it } from "vitest";
import type { HeaderList } from "../../../sdk/dialect.ts";
import type { ErrorKind } from "../../../sdk/errors.ts";
import { overflowError, parseErrorBody, readOverflow, scrub, upstreamError } from "../../../sdk/hub/upstream-errors.ts";
import { hubTarget } from "../../helpers/hub-target.ts";

describe("a prompt that is too long", () => {
  it.each<[string, string, { readonly tokens?: number; readonly maximum?: number }]>([
    ["Anthropic", "prompt is too long: 213462 tokens > 200000 maximum", { tokens: 213_462, maximum: 200_000 }],
    [
      "Anthropic, before",
      "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000, decrease input length or `max_tokens` and try again",
      { tokens: 211_333, maximum: 200_000 },
    ],
    [
      "OpenAI Chat",
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 173172 tokens. Please reduce the length of the messages.",
      { tokens: 173_172, maximum: 128_000 },
    ],
    [
      "OpenAI Chat, with the reply",
      "This model's maximum context length is 4097 tokens. However, you requested 4295 tokens (3245 in the messages, 1050 in the completion). Please reduce the length of the messages or completion.",
      { tokens: 4295, maximum: 4097 },
    ],
    [
      "OpenAI Chat, of late",
      "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens. Please reduce the length of the messages.",
      { tokens: 300_123, maximum: 272_000 },
    ],
    ["OpenAI Responses", "Your input exceeds the context window of this model. Please adjust your input and try again.", {}],
    ["OpenAI's code", "context_length_exceeded", {}],
    [
      "vLLM",
      "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please reduce the length of the input messages.",
      { tokens: 5000, maximum: 4096 },
    ],
    [
      "OpenRouter",
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 42832 tokens (42832 of text input). Please reduce the length of either one",
      { tokens: 42_832, maximum: 32_768 },
    ],
    [
      "Gemini",
      "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
      { tokens: 1_196_265, maximum: 1_048_575 },
    ],
    ["Gemini, without the count", "The input token count exceeds the maximum number of tokens allowed 1048576.", { maximum: 1_048_576 }],
    ["Bedrock", "Input is too long for requested model.", {}],
    ["Bedrock, Claude", "Input is too long.", {}],
    ["Bedrock, others", "Too many input tokens. Max input tokens: 8192, request input token count: 9000", { tokens: 9000, maximum: 8192 }],
    [
      "Mistral",
      "Prompt contains 300000 tokens, too large for model with 131072 maximum context length",
      { tokens: 300_000, maximum: 131_072 },
    ],
    ["Groq", "Please reduce the length of the messages or completion.", {}],
    [
      "Cerebras",
      "Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000",
      { tokens: 42_328, maximum: 40_000 },
    ],
    [
      "DeepSeek",
      "This model's maximum context length is 65536 tokens. However, you requested 126674 tokens (118674 in the messages, 8000 in the completion).",
      { tokens: 126_674, maximum: 65_536 },
    ],
    ["xAI", "This model's maximum prompt length is 131072 but the request contains 537812 tokens.", { tokens: 537_812, maximum: 131_072 }],
    [
      "Together",
      "The input (265330 tokens) is longer than the model's context length (262144 tokens).",
      { tokens: 265_330, maximum: 262_144 },
    ],
    ["Kimi", "Your request exceeded model token limit: 262144 (requested: 291351)", { tokens: 291_351, maximum: 262_144 }],
    ["Kimi, without the count", "Invalid request: Your request exceeded model token limit: 262144", { maximum: 262_144 }],
    ["MiniMax", "invalid params, context window exceeds limit", {}],
    ["Ollama", "prompt too long; exceeded max context length by 4096 tokens", {}],
    ["llama.cpp", "the request exceeds the available context size, try increasing it", {}],
    [
      "llama.cpp, of late",
      "request (14429 tokens) exceeds the available context size (8192 tokens), try increasing it",
      { tokens: 14_429, maximum: 8192 },
    ],
    [
      "LM Studio",
      "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context length of only 7866 tokens, which is not enough.",
      { tokens: 10_136, maximum: 7866 },
    ],
    ["Copilot", "prompt token count of 145000 exceeds the limit of 128000", { tokens: 145_000, maximum: 128_000 }],
    ["DashScope", "Range of input length should be [1, 129024]", { maximum: 129_024 }],
    ["z.ai", "model_context_window_exceeded", {}],
  ])("as %s says it", (_, message, expected) => {
    expect(readOverflow(message)).toEqual(expected);
  });

  it.each([
    ["a limit of the minute", "Rate limit exceeded: please reduce the length of the messages"],
    ["a throttle", "ThrottlingException: Too many tokens, please wait before trying again."],
    ["a limit of the reply", "max_tokens exceeds the limit of 8192"],
    [
      "a limit of the reply, vLLM",
      "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 1500 input tokens (32000 > 32768 - 1500).",
    ],
    [
      "a limit of the reply, OpenAI",
      "This model's maximum context length is 32768 tokens. However, you requested 65000 tokens (1000 in the messages, 64000 in the completion). Please reduce the length of the messages or completion.",
    ],
    ["an unknown model", "The model `gpt-9` does not exist"],
    ["nothing", ""],
  ])("is not meant by %s", (_, message) => {
    expect(readOverflow(message)).toBeUndefined();
  });

  it.each<[string, { readonly tokens?: number; readonly maximum?: number }, number | undefined, string]>([
    ["both figures", { tokens: 210_000, maximum: 200_000 }, 1000, "prompt is too long: 210000 tokens > 200000 maximum"],
    ["the maximum alone", { maximum: 8192 }, 1000, "prompt is too long: 8193 tokens > 8192 maximum"],
    ["neither, of a known model", {}, 128_000, "prompt is too long: 128001 tokens > 128000 maximum"],
    ["neither, of an unknown model", {}, undefined, "prompt is too long: 200001 tokens > 200000 maximum"],
    ["the count alone", { tokens: 300_000 }, 128_000, "prompt is too long: 300000 tokens > 128000 maximum"],
    ["the count alone, of an unknown model", { tokens: 300_000 }, undefined, "prompt is too long: 300000 tokens > 299999 maximum"],
    ["figures that contradict it", { tokens: 100, maximum: 200 }, undefined, "prompt is too long: 201 tokens > 200 maximum"],
  ])("is told in the words that clients act upon: %s", (_, overflow, contextWindow, message) => {
    const error = overflowError(overflow, hubTarget({ modelFacts: { contextWindow } }));
    expect(error).toMatchObject({ message, status: 400, kind: "invalid_request_error" });
    const [, tokens, maximum] = /^prompt is too long: (\d+) tokens > (\d+) maximum$/.exec(error.message) ?? [];
    expect(Number(tokens)).toBeGreaterThan(Number(maximum));
  });

  it("is looked for in little time", () => {
    const start = performance.now();
    for (const word of ["maximum context length is 1 tokens ", "prompt contains 1 tokens ", "0,", "keep the first 1 tokens "]) {
      readOverflow(word.repeat(100_000));
    }
    expect(performance.now() - start).toBeLessThan(500);
  });
});

function told(status: number, message = "no", headers: HeaderList = []): ReturnType<typeof upstreamError> {
  return upstreamError({ status, message, headers });
}

describe("an error of an upstream", () => {
  it.each<[number, ErrorKind]>([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [402, "billing_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [408, "timeout_error"],
    [409, "invalid_request_error"],
    [413, "request_too_large"],
    [422, "invalid_request_error"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [501, "not_supported"],
    [502, "api_error"],
    [503, "overloaded_error"],
    [504, "timeout_error"],
    [529, "overloaded_error"],
  ])("with status %i is of kind %s", (status, kind) => {
    expect(told(status)).toMatchObject({ status, kind });
  });

  it("that no patience mends is about money", () => {
    expect(told(429, "insufficient_quota: You exceeded your current quota").kind).toBe("billing_error");
    expect(told(400, "Insufficient Balance").kind).toBe("billing_error");
    expect(upstreamError({ status: 429, message: "insufficient_quota", headers: [], kind: "rate_limit_error" }).kind).toBe(
      "rate_limit_error",
    );
  });

  it("keeps what says when to come back, and nothing of the account", () => {
    const { headers } = told(429, "slow down", [
      ["retry-after", "3"],
      ["x-should-retry", "true"],
      ["x-request-id", "req_1"],
      ["anthropic-organization-id", "b7f5"],
      ["openai-organization", "acme"],
      ["set-cookie", "a=b"],
    ]);
    expect(headers).toEqual({ "retry-after": "3", "x-should-retry": "true", "x-request-id": "req_1" });
  });

  it.each([
    ["1200", "2"],
    ["12.5", "1"],
    ["0", "0"],
  ])("that says it in milliseconds (%s) says it in whole seconds", (milliseconds, seconds) => {
    expect(told(429, "", [["retry-after-ms", milliseconds]]).headers["retry-after"]).toBe(seconds);
    expect(
      told(429, "", [
        ["retry-after-ms", milliseconds],
        ["retry-after", "9"],
      ]).headers["retry-after"],
    ).toBe("9");
  });

  it("that says no time says none", () => {
    expect(told(429, "", [["retry-after-ms", "soon"]]).headers).toEqual({});
  });

  it("has words, and not too many", () => {
    expect(told(500, " ").message).toBe("HTTP status 500");
    expect(told(500, "x".repeat(10_000)).message).toHaveLength(4000);
  });
});

describe("a message", () => {
  it.each([
    ["User: arn:aws:iam::123456789012:user/bob is not authorized", "User: [arn] is not authorized"],
    ["on resource: arn:aws:bedrock:us-east-1::foundation-model/x, denied", "on resource: [arn], denied"],
    ["account 123456789012 has no access", "account [account] has no access"],
    [
      "Rate limit reached for gpt-6 in organization org-AbCdEf123456 on tokens",
      "Rate limit reached for gpt-6 in organization [organization] on tokens",
    ],
    ["Project proj_AbCdEf123456 does not have access", "Project [project] does not have access"],
    ["Permission denied on resource project 123456789.", "Permission denied on resource project [project]."],
    ["Quota exceeded for consumer 'project_number:99887766'", "Quota exceeded for consumer 'project_number:[project]'"],
    ["projects/my-secret-project/locations/us", "projects/[project]/locations/us"],
    ["Your team 7f3c1e0a-1111-2222-3333-444455556666 has used all credits", "Your team [account] has used all credits"],
    ["bob@example.com has no seat", "[email] has no seat"],
    ["/subscriptions/7f3c1e0a/resourceGroups/rg is disabled", "[subscription] is disabled"],
    ["for user-AbCd1234EfGh", "for [account]"],
  ])("does not name whose account it is: %s", (message, expected) => {
    expect(scrub(message)).toBe(expected);
    expect(told(403, message).message).toBe(expected);
  });

  it.each([
    "prompt is too long: 1234567 tokens > 1000000 maximum",
    "messages.3.content.0: user_location is unknown",
    "claude-sonnet-4-5-20250929 is not available",
    "Function call is missing a thought_signature, function call 'default_api:Bash', position 2.",
    "max_tokens: 128000 > 64000",
  ])("stays as it is where it names none: %s", (message) => {
    expect(scrub(message)).toBe(message);
  });
});

describe("the body of an error", () => {
  it.each<[string, unknown]>([
    ['{"error":{"message":"no"}}', { error: { message: "no" } }],
    ['[{"error":{"code":429}}]', { error: { code: 429 } }],
    ["<html>", undefined],
    ["", undefined],
    ["3", undefined],
    ["[]", undefined],
  ])("%s", (body, expected) => {
    expect(parseErrorBody(Buffer.from(body))).toEqual(expected);
  });
});
