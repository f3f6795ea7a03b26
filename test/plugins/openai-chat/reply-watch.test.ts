import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { ingress } from "./targets.ts";

function fixture(name: string, file = "upstream.sse"): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/openai-chat/${name}/${file}`, import.meta.url)));
}

function watch(bytes: Buffer, { type = "text/event-stream; charset=utf-8", size = bytes.length }: { type?: string; size?: number } = {}) {
  const watching = ingress.watch(type);
  for (let at = 0; at < bytes.length; at += size) watching.push(bytes.subarray(at, at + size));
  return watching.end();
}

describe.each([1, 7, 4096])("a stream in chunks of %i bytes", (size) => {
  test("is complete with its end, and counts as the hub does", () => {
    expect(watch(fixture("reasoning-details"), { size })).toEqual({
      complete: true,
      error: undefined,
      errorMessage: undefined,
      usage: { inputTokens: 35, outputTokens: 9, cacheReadTokens: 10, cacheWriteTokens: 5, reasoningTokens: 4 },
    });
  });

  test("that was cut is not", () => {
    expect(watch(fixture("cut"), { size })).toMatchObject({ complete: false, error: undefined, usage: undefined });
  });

  test("tells its error", () => {
    expect(watch(fixture("error-code-word"), { size })).toMatchObject({
      complete: false,
      error: "server_is_overloaded",
      errorMessage: "The server is overloaded.",
    });
  });

  test("is counted once, not by its placeholders", () => {
    expect(watch(fixture("usage-placeholder"), { size }).usage).toMatchObject({ inputTokens: 12, outputTokens: 5 });
  });
});

test("words about the end inside a text are not the end", () => {
  const bytes = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: "data: [DONE]" } }] })}\n\n`);
  expect(watch(bytes).complete).toBe(false);
});

test("a long stream is counted by its end", () => {
  const chunk = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: "x".repeat(50) } }], usage: null })}\n\n`);
  const watching = ingress.watch("text/event-stream");
  for (let count = 0; count < 5000; count++) watching.push(chunk);
  watching.push(fixture("text"));
  expect(watching.end()).toMatchObject({ complete: true, usage: { inputTokens: 12, outputTokens: 5 } });
});

test("a whole reply is complete, and counted wherever its usage stands", () => {
  const type = "application/json";
  expect(watch(fixture("whole-text", "upstream.json"), { type })).toMatchObject({
    complete: true,
    usage: { inputTokens: 4, cacheReadTokens: 8 },
  });
  const first = Buffer.from(
    JSON.stringify({ usage: { prompt_tokens: 3, completion_tokens: 2 }, choices: [{ message: { content: "x".repeat(40_000) } }] }),
  );
  expect(watch(first, { type, size: 1000 }).usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
});

test("an event may be put between two complete ones only", () => {
  const watching = ingress.watch("text/event-stream");
  expect(watching.betweenEvents()).toBe(true);
  watching.push(Buffer.from("data: {}\n"));
  expect(watching.betweenEvents()).toBe(false);
  watching.push(Buffer.from("\n"));
  expect(watching.betweenEvents()).toBe(true);
  watching.push(Buffer.from("data: {}\r\n\r\n"));
  expect(watching.betweenEvents()).toBe(true);
  expect(ingress.watch("application/json").betweenEvents()).toBe(false);
});
