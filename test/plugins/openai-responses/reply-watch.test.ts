import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ReplySummary } from "../../../sdk/dialect.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { ingress } from "./targets.ts";

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 109,
};
const counted = { inputTokens: 10, outputTokens: 9, cacheReadTokens: 60, cacheWriteTokens: 30 };

function event(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const begun =
  event("response.created", { response: { status: "in_progress", error: null, usage: null } }) +
  // What a text says ends nothing.
  event("response.output_text.delta", { delta: "\nevent: response.completed\ndata: {}\n\n" }) +
  event("response.output_text.delta", { delta: 'data: {"type":"error"}' });
const output = [{ type: "message", content: [{ type: "output_text", text: "x".repeat(60_000) }] }];

function end(status: string, fields: JsonObject = {}): string {
  return event(`response.${status}`, {
    response: { status, error: null, output, usage, user: null, metadata: { a: "b".repeat(500) }, ...fields },
  });
}

function watch(text: string, cuts: readonly number[] = [], type = "text/event-stream; charset=utf-8"): ReplySummary {
  const bytes = Buffer.from(text);
  const watching = ingress.watch(type);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, place] of places.slice(1).entries()) watching.push(bytes.subarray(places[index], place));
  return watching.end();
}

describe("a stream that goes by", () => {
  test.each(["completed", "incomplete"])("is complete when it was %s, however it is cut", (status) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), (cuts) => {
        expect(watch(begun + end(status), cuts)).toEqual({ complete: true, error: undefined, usage: counted });
      }),
      { numRuns: 50 },
    );
  });

  test("byte by byte is the same", () => {
    const text = begun + end("completed", { output: [] });
    expect(
      watch(
        text,
        Array.from(text, (_, index) => index),
      ),
    ).toEqual({ complete: true, error: undefined, usage: counted });
  });

  test("is not when it broke off", () => {
    expect(watch(begun)).toEqual({ complete: false, error: undefined, usage: undefined });
  });

  test("says how it failed", () => {
    expect(watch(begun + end("failed", { error: { code: "server_error", message: 'it "broke" {' }, usage: null }))).toMatchObject({
      complete: false,
      error: "server_error",
      errorMessage: 'it "broke" {',
    });
    expect(watch(begun + event("error", { code: "rate_limit_exceeded", message: "slow", param: null }))).toMatchObject({
      error: "rate_limit_exceeded",
      errorMessage: "slow",
    });
    expect(watch(begun + event("error", { error: { code: "server_error", message: "broken" } }))).toMatchObject({
      error: "server_error",
      errorMessage: "broken",
    });
  });

  test("of a host without names of events is read by its types", () => {
    expect(watch((begun + end("completed")).replaceAll(/^event: .*\n/gm, ""))).toMatchObject({ complete: true, usage: counted });
  });

  test("may be interrupted between its events only", () => {
    const watching = ingress.watch("text/event-stream");
    expect(watching.betweenEvents()).toBe(true);
    watching.push(Buffer.from("event: response.created\n"));
    expect(watching.betweenEvents()).toBe(false);
    watching.push(Buffer.from("data: {}\n\n"));
    expect(watching.betweenEvents()).toBe(true);
    watching.push(Buffer.from(": comment\r\n\r\n"));
    expect(watching.betweenEvents()).toBe(true);
  });
});

test("a response that is not streamed is counted", () => {
  expect(watch(JSON.stringify({ id: "resp_1", output, usage, user: null }), [70_000 - 9_990], "application/json")).toEqual({
    complete: true,
    error: undefined,
    usage: counted,
  });
  expect(watch("{}", [], "application/json")).toEqual({ complete: true, error: undefined, usage: undefined });
});
