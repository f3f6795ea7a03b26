import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Copied } from "../../../core/cache/copy.ts";
import { restore, store } from "../../../core/cache/stored-reply.ts";

const head = {
  status: 200,
  headers: [
    ["content-type", "text/event-stream"],
    ["set-cookie", "a=b"],
    ["request-id", "req_1"],
    ["anthropic-ratelimit-requests-remaining", "5"],
  ],
  isEventStream: true,
  format: "hub",
  streamOptions: "",
  model: "m",
  deploymentId: "d",
  usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
  cost: 12,
} as const;

const copied = (chunks: readonly Uint8Array[]): Copied => ({ body: Buffer.concat(chunks), pieces: chunks.map(({ length }) => length) });

describe("a reply", () => {
  test("comes back in the pieces it came in", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }), (chunks) => {
        const found = restore(store(head, copied(chunks), 1000));
        expect(Buffer.concat(found?.chunks ?? []).equals(Buffer.concat(chunks))).toBe(true);
        if (chunks.length > 0) expect(found?.chunks.map(({ length }) => length)).toEqual(chunks.map(({ length }) => length));
      }),
    );
  });

  test("keeps what is about it, and nothing of its connection, its limits or its sender", () => {
    const stored = store(head, copied([Buffer.from("x")]), 1000);
    expect(stored.storedAt).toBe(1000);
    expect(restore(stored)?.head).toEqual({ ...head, headers: [["content-type", "text/event-stream"]], pieces: [1] });
  });

  test("of very many pieces comes back in one", () => {
    const chunks = Array.from({ length: 10_001 }, () => Buffer.from("x"));
    expect(restore(store(head, copied(chunks), 1))?.chunks.map(({ length }) => length)).toEqual([10_001]);
  });

  test.each(["", "null", "[]", "{}", '{"status":"200"}', '{"status":200,"pieces":[],"headers":[]}'])(
    "that is none comes back as nothing: %s",
    (text) => {
      expect(restore({ storedAt: 1, head: text, body: Buffer.from("x") })).toBeUndefined();
    },
  );

  test("that lacks bytes comes back as nothing", () => {
    const stored = store(head, copied([Buffer.from("abc"), Buffer.from("de")]), 1);
    expect(restore({ ...stored, body: Buffer.from("abcd") })).toBeUndefined();
  });
});
