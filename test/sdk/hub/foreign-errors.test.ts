import { describe, expect, it } from "vitest";

import { vertex } from "../../../plugins/vertex/index.ts";
import type { HeaderList } from "../../../sdk/dialect.ts";
import { foreignError, isMessagesError } from "../../../sdk/hub/foreign-errors.ts";
import { providerOf, targetOf } from "../../helpers/provider.ts";

const target = targetOf(providerOf(vertex, "vertex_ai"), { model: "claude-opus-5-5" });
const bytes = (body: unknown): Uint8Array => Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
const read = (status: number, body: unknown, headers: HeaderList = []): ReturnType<typeof foreignError> =>
  foreignError({ status, headers, body: bytes(body) }, target);

describe("an error of a host of Messages", () => {
  it("is the protocol's own or another", () => {
    expect(isMessagesError(bytes({ type: "error", error: { type: "invalid_request_error", message: "m" } }))).toBe(true);
    expect(isMessagesError(bytes({ type: "error", error: { type: "x", message: "m" }, request_id: "r" }))).toBe(true);
    expect(isMessagesError(bytes([{ type: "error", error: { type: "x", message: "m" } }]))).toBe(false);
    expect(isMessagesError(bytes({ error: { code: 400, message: "m", status: "INVALID_ARGUMENT" } }))).toBe(false);
    expect(isMessagesError(bytes({ error: { type: "x", message: "m" } }))).toBe(false);
    expect(isMessagesError(bytes({ type: "error", error: "m" }))).toBe(false);
    for (const text of ["", "<html>", "{", "null", "[]"]) expect(isMessagesError(bytes(text))).toBe(false);
  });

  it.each([
    [400, "INVALID_ARGUMENT", "invalid_request_error"],
    [400, "FAILED_PRECONDITION", "invalid_request_error"],
    [401, "UNAUTHENTICATED", "authentication_error"],
    [403, "PERMISSION_DENIED", "permission_error"],
    [404, "NOT_FOUND", "not_found_error"],
    [429, "RESOURCE_EXHAUSTED", "rate_limit_error"],
    [500, "INTERNAL", "api_error"],
    [503, "UNAVAILABLE", "overloaded_error"],
    [504, "DEADLINE_EXCEEDED", "timeout_error"],
  ])("in Google's envelope with %i %s is a %s, in a list or not", (code, status, kind) => {
    const body = { error: { code, message: "no", status } };
    for (const each of [body, [body]]) expect(read(code, each)).toMatchObject({ status: code, kind, message: "no" });
  });

  it("in Google's envelope is told by its name before its status", () => {
    expect(read(500, { error: { code: 8, message: "no", status: "RESOURCE_EXHAUSTED" } }).kind).toBe("rate_limit_error");
    expect(read(500, { error: { message: "no", type: "overloaded_error" } }).kind).toBe("overloaded_error");
  });

  it("in Google's envelope says in the body when to come back", () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "36.2s" }];
    const body = { error: { code: 429, message: "Quota exceeded", status: "RESOURCE_EXHAUSTED", details } };
    expect(read(429, body).headers).toEqual({ "retry-after": "37" });
    expect(read(429, body, [["retry-after", "5"]]).headers).toEqual({ "retry-after": "5" });
    expect(read(429, { error: { details: [null, { retryDelay: "soon" }] } }).headers).toEqual({});
  });

  it("in Azure's envelope is told by its code", () => {
    const body = { error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." } };
    expect(read(404, body)).toMatchObject({ kind: "not_found_error", message: body.error.message });
    const filtered = { error: { code: "content_filter", message: "filtered", innererror: { code: "ResponsibleAIPolicyViolation" } } };
    expect(read(400, filtered)).toMatchObject({ status: 400, kind: "invalid_request_error", message: "filtered" });
  });

  it("that means a prompt too long has the words that clients act upon", () => {
    const google = { error: { code: 400, message: "prompt is too long: 1000001 tokens > 1000000 maximum", status: "INVALID_ARGUMENT" } };
    expect(read(400, [google]).message).toBe("prompt is too long: 1000001 tokens > 1000000 maximum");
    const vllm = { error: { message: "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens" } };
    expect(read(400, vllm).message).toBe("prompt is too long: 9000 tokens > 8192 maximum");
  });

  it("names no project", () => {
    const message = "Publisher Model `projects/my-project-123/locations/global/publishers/anthropic/models/x` was not found";
    expect(read(404, { error: { code: 404, message, status: "NOT_FOUND" } }).message).not.toContain("my-project-123");
  });

  it.each([
    ["plain words", "plain words"],
    [{ detail: "Not Found" }, "Not Found"],
    [{ message: "no" }, "no"],
    [{ error: "no model" }, "no model"],
    ["<html><title>502</title></html>", "HTTP status 502"],
    ["", "HTTP status 502"],
    ["{broken", "HTTP status 502"],
  ])("in any other envelope says %j as %s", (body, message) => {
    expect(read(502, body)).toMatchObject({ status: 502, kind: "api_error", message });
  });
});
