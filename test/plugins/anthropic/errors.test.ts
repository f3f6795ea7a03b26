import { describe, expect, test } from "vitest";

import { encodeError, encodeStreamError } from "../../../plugins/anthropic/errors.ts";
import { type ErrorKind, ProxyError } from "../../../sdk/errors.ts";

const kinds: readonly (readonly [number, ErrorKind])[] = [
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [429, "billing_error"],
  [501, "not_supported"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
  [502, "api_error"],
];

const nasty = 'line\nbreak "quoted" \\ \u0000 \ud800 é 日本';

describe("an error reply", () => {
  test.each(kinds)("has status %i and type %s in the API's envelope", (status, kind) => {
    const reply = encodeError(new ProxyError("what happened", { status, kind }), "req_1");
    const body = Buffer.concat(reply.chunks);
    expect(reply.status).toBe(status);
    expect(JSON.parse(body.toString())).toEqual({ type: "error", error: { type: kind, message: "what happened" }, request_id: "req_1" });
    expect(reply.headers).toEqual([
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
      ["request-id", "req_1"],
    ]);
  });

  test("carries the headers of the error and any text whole", () => {
    const error = new ProxyError(nasty, {
      status: 401,
      kind: "authentication_error",
      headers: { "x-should-retry": "false", "retry-after": "7" },
    });
    const reply = encodeError(error, "req_1");
    const body = Buffer.concat(reply.chunks);
    expect(reply.headers).toContainEqual(["x-should-retry", "false"]);
    expect(reply.headers).toContainEqual(["retry-after", "7"]);
    expect(reply.headers).toContainEqual(["content-length", String(body.length)]);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { message: nasty } });
  });

  test("tells nothing of what caused it", () => {
    const error = new ProxyError("shown", { status: 502, kind: "api_error", cause: new Error("hidden") });
    expect(Buffer.concat(encodeError(error, "req_1").chunks).toString()).not.toContain("hidden");
  });
});

describe("an error in a stream", () => {
  test("is one event, whatever its text holds", () => {
    const text = Buffer.from(encodeStreamError(new ProxyError(nasty, { status: 502, kind: "api_error" }))).toString();
    const lines = text.split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe("event: error");
    expect(lines.slice(2)).toEqual(["", ""]);
    expect(JSON.parse((lines[1] ?? "").replace("data: ", ""))).toEqual({ type: "error", error: { type: "api_error", message: nasty } });
  });
});
