import { describe, expect, test } from "vitest";

import { decodeError, rewrapError } from "../../../plugins/bedrock/errors.ts";
import type { UpstreamFailure } from "../../../sdk/wire.ts";
import { targetOf } from "../../helpers/targets.ts";

const target = targetOf({ modelFacts: { ...targetOf().modelFacts, contextWindow: 300_000 } });

describe("errors of Bedrock", () => {
  test.each([
    ["ThrottlingException", 429, "Too many requests", 429, "rate_limit_error"],
    ["ModelNotReadyException", 429, "Not ready", 429, "rate_limit_error"],
    ["ServiceQuotaExceededException", 400, "Over quota", 429, "rate_limit_error"],
    ["ValidationException", 400, "Malformed input request", 400, "invalid_request_error"],
    ["AccessDeniedException", 403, "You don't have access to the model", 403, "permission_error"],
    ["ResourceNotFoundException", 404, "No such model", 404, "not_found_error"],
    ["ModelTimeoutException", 408, "Too slow", 408, "timeout_error"],
    ["ModelErrorException", 424, "It broke", 424, "api_error"],
    ["InternalServerException", 500, "It broke", 500, "api_error"],
    ["ServiceUnavailableException", 503, "Busy", 503, "overloaded_error"],
    ["UnrecognizedClientException", 403, "The security token included in the request is invalid.", 401, "authentication_error"],
    ["ExpiredTokenException", 403, "The security token included in the request is expired", 401, "authentication_error"],
    ["InvalidSignatureException", 403, "The request signature does not match", 401, "authentication_error"],
    ["SomethingNewException", 409, "Unheard of", 409, "invalid_request_error"],
  ])("%s", (type, status, message, expectedStatus, kind) => {
    const headers = { "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` };
    expect(told(failureOf(status, { message }, headers))).toEqual({ status: expectedStatus, kind, message });
    expect(told(failureOf(status, { __type: `com.amazonaws.bedrockruntime#${type}`, Message: message }))).toEqual({
      status: expectedStatus,
      kind,
      message,
    });
  });

  test.each([
    ["Input is too long for requested model.", "prompt is too long: 300001 tokens > 300000 maximum"],
    [
      "The model returned the following errors: prompt is too long: 227255 tokens > 200000 maximum",
      "prompt is too long: 227255 tokens > 200000 maximum",
    ],
    [
      "The model returned the following errors: input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length or `max_tokens` and try again",
      undefined,
    ],
  ])("an overflow has the words that clients shorten the conversation upon: %s", (message, expected) => {
    const { error } = decodeError(failureOf(400, { message }, { "x-amzn-errortype": "ValidationException" }), target);
    expect([error.status, error.kind]).toEqual([400, "invalid_request_error"]);
    expect(error.message).toMatch(/^prompt is too long: \d+ tokens > \d+ maximum$/);
    if (expected !== undefined) expect(error.message).toBe(expected);
  });

  test("accounts, ARNs and what holds them are taken out", () => {
    const message =
      "User: arn:aws:sts::123456789012:assumed-role/builders/me@corp.example is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x because account 123456789012.";
    const { error } = decodeError(failureOf(403, { message }, { "x-amzn-errortype": "AccessDeniedException" }), target);
    expect(error.message).not.toMatch(/\d{12}|arn:|corp/);
    expect(error.message).toContain("is not authorized to perform: bedrock:InvokeModel");
  });

  test("how long to wait and the id of the request are kept, the rest of the headers is not", () => {
    const headers = { "retry-after": "7", "x-amzn-requestid": "r-1", "x-amzn-errortype": "ThrottlingException", "set-cookie": "a=b" };
    expect(decodeError(failureOf(429, { message: "Slow" }, headers), target).error.headers).toEqual({
      "retry-after": "7",
      "x-amzn-requestid": "r-1",
    });
  });

  test("what is no JSON is told as it is, and nothing as its status", () => {
    expect(told({ status: 502, headers: [], body: Buffer.from("<html>Bad Gateway</html>") }).message).toBe("<html>Bad Gateway</html>");
    expect(told({ status: 502, headers: [], body: Buffer.from("") }).message).toBe("HTTP status 502");
  });

  test("an operation that is not there is answered with 200 at times", () => {
    const body = { Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" };
    expect(told(failureOf(200, body))).toMatchObject({ status: 404, kind: "not_found_error" });
  });

  test.each([
    "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block",
    "messages.3.content.0: Invalid 'signature' in 'thinking' block. The block is bound to a different conversation.",
  ])("thinking that is not taken back is worth another try without it: %s", (message) => {
    const headers = { "x-amzn-errortype": "ValidationException" };
    expect(decodeError(failureOf(400, { message }, headers), target).retry).toBe("without-thinking");
    expect(decodeError(failureOf(400, { message: "The request signature does not match" }, headers), target).retry).toBeUndefined();
  });
});

describe("errors on the Messages wire", () => {
  test("those in the envelope of the Messages API pass as they came", () => {
    const error = { type: "invalid_request_error", message: "max_tokens: must be greater than 0" };
    expect(rewrapError(failureOf(400, { type: "error", error, request_id: "req_1" }), target)).toBeUndefined();
    const overflow = { type: "invalid_request_error", message: "prompt is too long: 3 tokens > 2 maximum" };
    expect(rewrapError(failureOf(400, { type: "error", error: overflow }), target)).toBeUndefined();
  });

  test("those in Bedrock's own envelope are put into the hub's kinds", () => {
    const failure = failureOf(400, { message: "Input is too long for requested model." }, { "x-amzn-errortype": "ValidationException" });
    expect(rewrapError(failure, target)?.error).toMatchObject({
      message: "prompt is too long: 300001 tokens > 300000 maximum",
      status: 400,
    });
    expect(rewrapError(failureOf(429, { message: "Too many tokens" }), target)?.error.kind).toBe("rate_limit_error");
    expect(rewrapError({ status: 503, headers: [], body: Buffer.from("busy") }, target)?.error.kind).toBe("overloaded_error");
  });

  test("those that name an account do not pass, whatever their envelope", () => {
    const error = { type: "permission_error", message: "arn:aws:iam::123456789012:user/me may not" };
    expect(rewrapError(failureOf(403, { type: "error", error }), target)?.error).toMatchObject({
      kind: "permission_error",
      message: "[arn] may not",
    });
  });

  test("an overflow in other words does not pass either", () => {
    const error = { type: "invalid_request_error", message: "Input is too long for requested model." };
    expect(rewrapError(failureOf(400, { type: "error", error }), target)?.error.message).toMatch(/^prompt is too long: /);
  });
});

function told(failure: UpstreamFailure): { status: number; kind: string; message: string } {
  const { status, kind, message } = decodeError(failure, target).error;
  return { status, kind, message };
}

function failureOf(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): UpstreamFailure {
  return { status, headers: Object.entries(headers), body: Buffer.from(JSON.stringify(body)) };
}
