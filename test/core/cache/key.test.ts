import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { type CacheKeyParts, cacheKey } from "../../../core/cache/key.ts";

const request = { model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };

function keyOf(body: unknown, more: Partial<CacheKeyParts> = {}, headers: Readonly<Record<string, string>> = {}): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return cacheKey({
    tenant: "k1",
    namespace: undefined,
    dialect: "anthropic",
    operation: "generate",
    group: "m",
    body: createRequestBody(Buffer.from(text)),
    headers: { get: (name) => headers[name] },
    ...more,
  });
}

describe("two requests have one key", () => {
  test.each([
    ["whatever the order of their members", { messages: request.messages, max_tokens: 5, model: "m" }],
    ["streamed or not", { ...request, stream: true, stream_options: { include_usage: true } }],
    ["whoever asks", { ...request, metadata: { user_id: "u" }, user: "u", safety_identifier: "s" }],
    ["whatever the model is called that leads to the group", { ...request, model: "alias" }],
  ])("%s", (_, body) => expect(keyOf(body)).toBe(keyOf(request)));

  test("where a repeated member comes to the same", () => {
    expect(keyOf(`{"max_tokens":9,"messages":${JSON.stringify(request.messages)},"max_tokens":5}`)).toBe(keyOf(request));
  });
});

describe("two requests have different keys", () => {
  test.each<[string, string]>([
    ["for different texts", keyOf({ ...request, messages: [{ role: "user", content: "ho" }] })],
    ["for different parameters", keyOf({ ...request, max_tokens: 6 })],
    ["for one more", keyOf({ ...request, temperature: 0 })],
    ["for another key", keyOf(request, { tenant: "k2" })],
    ["for everybody's", keyOf(request, { tenant: undefined })],
    ["for a key that has no characters", keyOf(request, { tenant: "" })],
    ["for another namespace", keyOf(request, { namespace: "n" })],
    ["for another protocol", keyOf(request, { dialect: "openai-chat" })],
    ["for another operation", keyOf(request, { operation: "embeddings" })],
    ["for another group", keyOf(request, { group: "n" })],
    ["for another beta", keyOf(request, {}, { "anthropic-beta": "context-1m" })],
  ])("%s", (_, key) => expect(key).not.toBe(keyOf(request)));

  test("however parts are moved across their borders", () => {
    const parts = fc.tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }));
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(parts, ([tenant, namespace, group]) => {
        const key = keyOf(request, { tenant, namespace, group });
        const what = JSON.stringify([tenant, namespace, group]);
        expect(seen.get(key) ?? what).toBe(what);
        seen.set(key, what);
      }),
      { numRuns: 500 },
    );
  });
});

test("a key tells nothing of the request, and is short", () => {
  expect(keyOf(request)).toMatch(/^[\w-]{43}$/);
});
