import { describe, expect, test } from "vitest";

import { ProxyError, type ErrorKind } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { ingress, makeTarget, wire } from "./targets.ts";

function decoded(status: number, body: JsonObject | string, headers: readonly (readonly [string, string])[] = []) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return wire.decodeError({ status, headers, body: Buffer.from(text) }, makeTarget({ modelFacts: { contextWindow: 1_050_000 } }));
}

function error(code: string | null, message = "words", type = "invalid_request_error"): JsonObject {
  return { error: { message, type, param: null, code } };
}

describe("what a host refuses", () => {
  test.each<[number, JsonObject | string, ErrorKind]>([
    [400, error(null), "invalid_request_error"],
    [400, error("unsupported_value"), "invalid_request_error"],
    [400, error("content_filter"), "invalid_request_error"],
    [401, error("invalid_api_key"), "authentication_error"],
    [403, error("unsupported_country_region_territory"), "permission_error"],
    [404, error("model_not_found"), "not_found_error"],
    [413, error(null), "request_too_large"],
    [429, error("rate_limit_exceeded", "slow", "tokens"), "rate_limit_error"],
    [429, error("insufficient_quota", "no money", "insufficient_quota"), "billing_error"],
    [429, error(null, "no money", "insufficient_quota"), "billing_error"],
    [500, error("server_error", "broken", "server_error"), "api_error"],
    [503, error("server_is_overloaded"), "overloaded_error"],
    [503, error("slow_down"), "overloaded_error"],
    [502, "<html>Bad gateway</html>", "api_error"],
    [400, { detail: "Unknown field" }, "invalid_request_error"],
  ])("%i %j is %s", (status, body, kind) => {
    const { error: found, retry } = decoded(status, body);
    expect(found).toBeInstanceOf(ProxyError);
    expect([found.status, found.kind, retry]).toEqual([status, kind, undefined]);
    expect(found.message).not.toBe("");
  });

  test("keeps when to come back and the id of the request, and names no account", () => {
    const { error: found } = decoded(
      429,
      error("rate_limit_exceeded", "Rate limit reached for gpt-6-sol in organization org-0123456789abcdefghijklmn on tokens"),
      [
        ["retry-after", "7"],
        ["x-request-id", "req_1"],
        ["openai-organization", "org-0123456789abcdefghijklmn"],
      ],
    );
    expect(found.headers).toEqual({ "retry-after": "7", "x-request-id": "req_1" });
    expect(found.message).toBe("Rate limit reached for gpt-6-sol in organization [organization] on tokens");
  });

  test("for want of money is not to be tried again", () => {
    expect(decoded(429, error("insufficient_quota")).error.headers["x-should-retry"]).toBe("false");
    expect(decoded(429, error("rate_limit_exceeded")).error.headers).toEqual({});
  });

  test.each<[JsonObject, string]>([
    [
      error("context_length_exceeded", "Your input exceeds the context window of this model. Please adjust your input and try again."),
      "prompt is too long: 1050001 tokens > 1050000 maximum",
    ],
    [error("context_length_exceeded", "too much"), "prompt is too long: 1050001 tokens > 1050000 maximum"],
    [
      error(
        null,
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. Please reduce the length of the messages.",
      ),
      "prompt is too long: 130000 tokens > 128000 maximum",
    ],
  ])("for its length %j makes clients shorten it", (body, message) => {
    const { error: found } = decoded(400, body);
    expect([found.status, found.kind, found.message]).toEqual([400, "invalid_request_error", message]);
  });

  test.each<[number, JsonObject]>([
    [400, error("invalid_encrypted_content", "The encrypted content gAAA...DQ== could not be verified.")],
    [
      400,
      error(
        null,
        "The encrypted content for item rs_0a18 could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
      ),
    ],
    [400, error(null, "Item 'rs_0c3876' of type 'reasoning' was provided without its required following item.")],
    [400, error(null, "Item 'fc_0c3876' of type 'function_call' was provided without its required 'reasoning' item: 'rs_0c38'.")],
    [404, error(null, "Item with id 'rs_0c3876' not found. Items are not persisted when `store` is set to false.")],
  ])("for reasoning that it gave itself may be asked once more without: %i %j", (status, body) => {
    expect(decoded(status, body).retry).toBe("without-thinking");
  });

  test("with a long sentence is read in no time", () => {
    const begun = performance.now();
    decoded(400, error(null, "encrypted content ".repeat(100_000)));
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe("the proxy's own", () => {
  test.each<[ErrorKind, number, number, string, string | null]>([
    ["invalid_request_error", 400, 400, "invalid_request_error", null],
    ["authentication_error", 401, 401, "invalid_request_error", "invalid_api_key"],
    ["permission_error", 403, 403, "invalid_request_error", "permission_denied"],
    ["not_found_error", 404, 404, "invalid_request_error", "model_not_found"],
    ["rate_limit_error", 429, 429, "rate_limit_error", "rate_limit_exceeded"],
    ["billing_error", 429, 429, "insufficient_quota", "insufficient_quota"],
    ["overloaded_error", 529, 503, "server_error", "server_is_overloaded"],
    ["timeout_error", 504, 504, "server_error", "timeout"],
    ["api_error", 502, 502, "server_error", "server_error"],
  ])("%s is told in the vendor's envelope", (kind, status, told, type, code) => {
    const reply = ingress.encodeError(new ProxyError("words", { status, kind, headers: { "retry-after": "3" } }), "req_1");
    expect(reply.status).toBe(told);
    expect(reply.headers).toEqual(
      expect.arrayContaining([
        ["retry-after", "3"],
        ["x-request-id", "req_1"],
        ["content-type", "application/json"],
      ]),
    );
    expect(JSON.parse(Buffer.concat(reply.chunks).toString())).toEqual({ error: { message: "words", type, param: null, code } });
  });

  test("overflow has the vendor's code", () => {
    const reply = ingress.encodeError(
      new ProxyError("prompt is too long: 5 tokens > 4 maximum", { status: 400, kind: "invalid_request_error" }),
      "req_1",
    );
    expect(JSON.parse(Buffer.concat(reply.chunks).toString()).error).toEqual({
      message: "Your input exceeds the context window of this model (5 tokens > 4 maximum). Please adjust your input and try again.",
      type: "invalid_request_error",
      param: "input",
      code: "context_length_exceeded",
    });
  });

  test("a count of tokens has the vendor's form", () => {
    expect(JSON.parse(Buffer.concat(ingress.encodeTokenCount(42).chunks).toString())).toEqual({
      object: "response.input_tokens",
      input_tokens: 42,
    });
  });
});
