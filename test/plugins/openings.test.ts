/** What every dialect says of the streams recorded for it: when there is content, and what is none. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { type Verdict, judgeStream, judgeWhole } from "../../core/stream/judges.ts";
import { anthropic } from "../../plugins/anthropic/index.ts";
import { gemini } from "../../plugins/gemini/index.ts";
import { openaiChat } from "../../plugins/openai-chat/index.ts";
import { openaiResponses } from "../../plugins/openai-responses/index.ts";
import type { EventMeaning, Ingress } from "../../sdk/dialect.ts";
import { encodeEvent, messageEvents } from "../helpers/events.ts";
import { ingressOf } from "../helpers/openings.ts";

const dialects: Readonly<Record<string, Ingress>> = {
  anthropic: ingressOf(anthropic),
  "openai-chat": ingressOf(openaiChat),
  "openai-responses": ingressOf(openaiResponses),
  gemini: ingressOf(gemini),
};

function meaningOf(dialect: string, event: unknown, name = ""): EventMeaning {
  const data = typeof event === "string" ? event : JSON.stringify(event);
  const meaning = dialects[dialect]?.meaning?.(data, name);
  if (meaning === undefined) throw new Error(`${dialect} does not say`);
  return meaning;
}

interface Recorded {
  readonly dialect: string;
  readonly name: string;
  readonly isStream: boolean;
  readonly bytes: Buffer;
}

const folder = fileURLToPath(new URL("../fixtures", import.meta.url));

const recorded: readonly Recorded[] = Object.keys(dialects).flatMap((dialect) => {
  const cases = path.join(folder, dialect);
  return (existsSync(cases) ? readdirSync(cases) : []).flatMap((name) => {
    const file = ["upstream.sse", "upstream.json"].find((candidate) => existsSync(path.join(cases, name, candidate)));
    if (file === undefined) return [];
    return [{ dialect, name, isStream: file.endsWith("sse"), bytes: readFileSync(path.join(cases, name, file)) }];
  });
});

function judge({ dialect, isStream }: Recorded, chunks: readonly Uint8Array[]): Verdict {
  const meaning = (data: string, name: string): EventMeaning => meaningOf(dialect, data, name);
  const judging = isStream ? judgeStream(meaning) : judgeWhole(meaning);
  for (const chunk of chunks) {
    const verdict = judging.push(chunk);
    if (verdict !== undefined) return verdict;
  }
  return judging.end(undefined);
}

/** Those that come to nothing. All others have content, be it that they fail later. */
const failing: Readonly<Record<string, string>> = {
  "openai-chat error-at-once": "error invalid_request_error",
  "openai-chat error-code-word": "error overloaded_error",
  "openai-chat error-text": "error api_error",
  "openai-chat nothing": "empty api_error",
  "openai-chat overflow-in-stream": "error invalid_request_error",
  "openai-chat page": "broken api_error",
  "openai-chat whole-choice-error": "error api_error",
  "openai-chat whole-empty": "empty api_error",
  "openai-chat whole-error": "error overloaded_error",
  "openai-responses empty": "empty api_error",
  "openai-responses error-nested": "error billing_error",
  "openai-responses error-object": "error api_error",
  "openai-responses failed-overflow": "error invalid_request_error",
  "openai-responses failed-overloaded": "error overloaded_error",
  "openai-responses whole-error": "error api_error",
  "openai-responses whole-failed": "error rate_limit_error",
  "gemini error-key": "error authentication_error",
  "gemini error-overflow": "error invalid_request_error",
  "gemini error-signature-corrupted": "error invalid_request_error",
  "gemini error-signature-missing": "error invalid_request_error",
};

function inWords(verdict: Verdict): string {
  return verdict.type === "failed" ? `${verdict.found} ${verdict.error.kind}` : verdict.type;
}

/** Said to be a list by its content type, which the fixture leaves out. */
const lists = new Set(["gemini json-list", "gemini error-before-stream"]);

test("there are recordings of every dialect but the hub's", () => {
  expect(new Set(recorded.map(({ dialect }) => dialect)).size).toBe(3);
  expect(recorded.length).toBeGreaterThan(130);
  const names = new Set(recorded.map(({ dialect, name }) => `${dialect} ${name}`));
  expect(Object.keys(failing).filter((name) => !names.has(name))).toEqual([]);
});

describe.each(recorded.map((each) => [`${each.dialect} ${each.name}`, each] as const))("%s", (name, found) => {
  const asFound = { ...found, isStream: found.isStream && !lists.has(name) };
  const expected = failing[name] ?? "content";

  it("is a reply or none, however it is cut", () => {
    const { bytes } = found;
    expect(inWords(judge(asFound, [bytes]))).toBe(expected);
    expect(
      inWords(
        judge(
          asFound,
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
      ),
    ).toBe(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(inWords(judge(asFound, chunks))).toBe(expected);
      }),
      { numRuns: 20 },
    );
  });

  it("holds nothing that only keeps it alive, but for comments and blank lines", () => {
    const ingress = dialects[found.dialect];
    for (const line of found.bytes.toString().split(/(?<=\n\r?\n)/)) {
      expect([line, ingress?.isKeepAlive?.(Buffer.from(line))]).toEqual([line, /^(:[^\n]*\n|event: keepalive\n.*\n)*[\r\n]*$/.test(line)]);
    }
  });
});

describe("openai-chat", () => {
  const chunk = (delta: object, finish: string | null = null): object => ({ choices: [{ index: 0, delta, finish_reason: finish }] });

  it.each([
    ["text", { content: "Hi" }],
    ["parts", { content: [{ type: "text", text: "Hi" }] }],
    ["a refusal", { refusal: "No" }],
    ["a call", { tool_calls: [{ index: 0, function: { name: "f", arguments: "" } }] }],
    ["a call of old", { function_call: { name: "f" } }],
    ["thoughts", { content: "", reasoning_content: "hm" }],
    ["thoughts elsewhere", { content: null, reasoning: "hm" }],
    ["sealed thoughts", { reasoning_details: [{ type: "reasoning.encrypted", data: "x" }] }],
    ["sound", { audio: { id: "a" } }],
  ])("has content in %s", (_, delta) => {
    expect(meaningOf("openai-chat", chunk(delta))).toBe("content");
  });

  it.each([
    ["a role", chunk({ role: "assistant", content: "" })],
    ["empty fields", chunk({ role: "assistant", content: null, refusal: null, tool_calls: [], function_call: null })],
    ["usage alone", { choices: [], usage: { prompt_tokens: 1 } }],
    ["what Azure says of the prompt", { choices: [], prompt_filter_results: [{ prompt_index: 0 }] }],
  ])("has none in %s", (_, event) => {
    expect(meaningOf("openai-chat", event)).toBe("preamble");
  });

  it("has a reply in the reason for an end, unless it is a failure", () => {
    expect(meaningOf("openai-chat", chunk({}, "stop"))).toBe("content");
    expect(meaningOf("openai-chat", chunk({}, "content_filter"))).toBe("content");
    expect(meaningOf("openai-chat", chunk({}, "error"))).toMatchObject({ error: "api_error" });
    expect(meaningOf("openai-chat", chunk({}, "insufficient_system_resource"))).toMatchObject({ error: "overloaded_error" });
    expect(meaningOf("openai-chat", "[DONE]")).toBe("end");
  });

  it("tells what names an account of nobody", () => {
    expect(meaningOf("openai-chat", { error: { message: "Rate limit of org-abcdefgh1234", code: "rate_limit_exceeded" } })).toEqual({
      error: "rate_limit_error",
      message: "Rate limit of [organization]",
    });
  });

  it("tells an overflow that is a code only in words that are known", () => {
    expect(meaningOf("openai-chat", { error: { message: "Too much.", code: "context_length_exceeded" } })).toEqual({
      error: "invalid_request_error",
      message: "prompt is too long: Too much.",
    });
  });
});

describe("openai-responses", () => {
  it.each(["response.created", "response.queued", "response.in_progress", "keepalive", "codex.rate_limits"])(
    "has no content in %s",
    (type) => {
      expect(meaningOf("openai-responses", { type, response: { status: "in_progress", output: [] } })).toBe("preamble");
      expect(meaningOf("openai-responses", { response: { status: "in_progress", output: [] } }, type)).toBe("preamble");
    },
  );

  it.each(["response.output_item.added", "response.output_text.delta", "response.reasoning_summary_text.delta", "response.incomplete"])(
    "has content in %s",
    (type) => {
      expect(meaningOf("openai-responses", { type })).toBe("content");
    },
  );

  it("has an empty reply where nothing was made", () => {
    const completed = (response: object): object => ({ type: "response.completed", response: { status: "completed", ...response } });
    expect(meaningOf("openai-responses", completed({ output: [] }))).toBe("end");
    expect(meaningOf("openai-responses", completed({ output: [], usage: { output_tokens: 0 } }))).toBe("end");
    expect(meaningOf("openai-responses", completed({ output: [], usage: { output_tokens: 3 } }))).toBe("content");
    expect(meaningOf("openai-responses", completed({ output: [{}] }))).toBe("content");
    expect(meaningOf("openai-responses", "[DONE]")).toBe("end");
  });

  it("tells failures by their codes", () => {
    const failed = (error: unknown): object => ({ type: "response.failed", response: { status: "failed", error } });
    expect(meaningOf("openai-responses", failed({ code: "server_error", message: "x" }))).toEqual({ error: "api_error", message: "x" });
    expect(meaningOf("openai-responses", failed({ code: "rate_limit_exceeded", message: "x" }))).toMatchObject({
      error: "rate_limit_error",
    });
    expect(meaningOf("openai-responses", failed(null))).toMatchObject({ error: "api_error", message: "The upstream's answer failed." });
    expect(meaningOf("openai-responses", { type: "response.cancelled", response: {} })).toMatchObject({ error: "api_error" });
    expect(meaningOf("openai-responses", failed({ code: "context_length_exceeded", message: "x" }))).toMatchObject({
      error: "invalid_request_error",
      message: "prompt is too long: x",
    });
  });
});

describe("gemini", () => {
  const candidate = (parts: readonly object[], rest: object = {}): object => ({
    candidates: [{ content: { parts, role: "model" }, ...rest }],
  });

  it.each([
    ["text", candidate([{ text: "Hi" }])],
    ["a call", candidate([{ functionCall: { name: "f" } }])],
    ["a signature", candidate([{ text: "", thoughtSignature: "x" }])],
    ["a thought", candidate([{ text: "hm", thought: true }])],
    ["a reason for the end", candidate([], { finishReason: "SAFETY" })],
    ["the other spelling", candidate([], { finish_reason: "STOP" })],
    ["a prompt that is blocked", { promptFeedback: { blockReason: "SAFETY" } }],
  ])("has content in %s", (_, event) => {
    expect(meaningOf("gemini", event)).toBe("content");
  });

  it.each([
    ["no candidates", { usageMetadata: { promptTokenCount: 3 }, candidates: [] }],
    ["an empty candidate", { candidates: [{ index: 0 }] }],
    ["empty text", candidate([{ text: "" }])],
    ["an empty thought", candidate([{ text: "", thought: true }])],
    ["no reason", candidate([], { finishReason: "FINISH_REASON_UNSPECIFIED" })],
  ])("has none in %s", (_, event) => {
    expect(meaningOf("gemini", event)).toBe("preamble");
  });

  it("tells errors by their status", () => {
    expect(meaningOf("gemini", { error: { code: 503, status: "UNAVAILABLE", message: "busy" } })).toEqual({
      error: "overloaded_error",
      message: "busy",
    });
    expect(meaningOf("gemini", { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "m" } })).toMatchObject({
      error: "rate_limit_error",
    });
  });
});

describe("anthropic", () => {
  const events = messageEvents({ blocks: [{ type: "text", text: "hello" }], model: "m" });

  it("has content from the first block on, and an end", () => {
    expect(events.slice(0, 3).map((event) => meaningOf("anthropic", event))).toEqual(["preamble", "content", "preamble"]);
    expect(meaningOf("anthropic", events.at(-1))).toBe("end");
  });

  it("takes the name of an event where its data have no type", () => {
    expect(meaningOf("anthropic", { index: 0, delta: {} }, "content_block_delta")).toBe("content");
    expect(meaningOf("anthropic", { error: { type: "timeout_error", message: "x" } }, "error")).toEqual({
      error: "timeout_error",
      message: "x",
    });
  });

  it("is not kept alive by what says something", () => {
    const alive = events.filter((event) => dialects["anthropic"]?.isKeepAlive?.(encodeEvent(event)) === true).map(({ type }) => type);
    expect(alive).toEqual(["ping"]);
  });
});
