import { describe, expect, test } from "vitest";

import type { HeaderList } from "../../../sdk/dialect.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { seal } from "../../../sdk/hub/envelope.ts";
import type { Addressed, Provider } from "../../../sdk/provider.ts";
import { pack } from "../../../plugins/gemini/client-state.ts";
import { gemini } from "../../../plugins/gemini/index.ts";
import { encodeHub, fold, geminiTarget, ingress, present, reader, readStream, simple, wire } from "./replies.ts";

const provider: Provider = present(gemini.setup().providers?.[0]);
const target = geminiTarget();

function decodeError(status: number, body: unknown, headers: HeaderList = []): ReturnType<typeof wire.decodeError> {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return wire.decodeError({ status, headers, body: bytes }, target);
}

describe("errors", () => {
  const named = (code: number, status: string, message = "No.", details: readonly JsonObject[] = []): JsonObject => ({
    error: { code, message, status, details },
  });

  test.each([
    [400, "INVALID_ARGUMENT", 400, "invalid_request_error"],
    [400, "FAILED_PRECONDITION", 400, "invalid_request_error"],
    [401, "UNAUTHENTICATED", 401, "authentication_error"],
    [403, "PERMISSION_DENIED", 403, "permission_error"],
    [404, "NOT_FOUND", 404, "not_found_error"],
    [429, "RESOURCE_EXHAUSTED", 429, "rate_limit_error"],
    [500, "INTERNAL", 500, "api_error"],
    [503, "UNAVAILABLE", 529, "overloaded_error"],
    [504, "DEADLINE_EXCEEDED", 504, "timeout_error"],
    [418, "TEAPOT", 418, "invalid_request_error"],
  ])("%i %s", (code, status, expected, kind) => {
    const { error, retry } = decodeError(code, named(code, status));
    expect([error.status, error.kind, error.message, retry]).toEqual([expected, kind, "No.", undefined]);
  });

  test.each([
    ["37s", "37"],
    ["0.25s", "1"],
    ["12.000000001s", "13"],
    ["soon", undefined],
  ])("the delay %s", (retryDelay, expected) => {
    const { headers } = decodeError(429, named(429, "RESOURCE_EXHAUSTED", "Slow.", [{ retryDelay }])).error;
    expect(headers["retry-after"]).toBe(expected);
  });

  test("the header's own delay counts, and a quota of the day is not asked again", () => {
    const details = [{ retryDelay: "5s" }, { violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }] }];
    const { headers } = decodeError(429, named(429, "RESOURCE_EXHAUSTED", "Slow.", details), [["retry-after", "60"]]).error;
    expect(headers).toEqual({ "retry-after": "60", "x-should-retry": "false" });
  });

  test.each([
    "Invalid thought signature.",
    "Corrupted thought signature.",
    "Unable to submit request because Thought signature is not valid.",
    "Function call is missing a thought_signature in functionCall parts.",
  ])("a refused signature is asked without: %s", (message) => {
    expect(decodeError(400, named(400, "INVALID_ARGUMENT", message)).retry).toBe("without-thinking");
    expect(decodeError(503, named(503, "UNAVAILABLE", message)).retry).toBeUndefined();
  });

  test.each(["", "<html>Bad gateway</html>", "[]", '{"error":"plain words"}', '[{"error":{"message":"in a list"}}]', "null"])(
    "a body of another form: %s",
    (body) => {
      const { error } = decodeError(502, body);
      expect([error.status, error.kind]).toEqual([502, "api_error"]);
      expect(error.message.length).toBeGreaterThan(0);
    },
  );

  test("who pays is nobody's affair", () => {
    const { error } = decodeError(
      403,
      named(403, "PERMISSION_DENIED", "Gemini API has not been used in project 681255809395 before, consumer 'projects/my-project-1'."),
    );
    expect(error.message).not.toMatch(/681255809395|my-project-1/);
  });

  test("an error in the place of a whole reply is one, and so is anything else that is none", () => {
    expect(() => reader().whole({ error: { code: 503, message: "Busy.", status: "UNAVAILABLE" } })).toThrow("Busy.");
    expect(() => reader().whole({ choices: [] })).toThrow("no response of generateContent");
  });
});

describe("replies", () => {
  const stream = (...chunks: readonly unknown[]): readonly JsonObject[] =>
    readStream(reader(), [
      Buffer.from(chunks.map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`).join("")),
    ]);
  const part = (...parts: readonly unknown[]): JsonObject => JSON.parse(JSON.stringify({ candidates: [{ content: { parts } }] }));
  const finish = (finishReason: string): JsonObject => ({ candidates: [{ finishReason }] });

  test.each([
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "NO_IMAGE",
  ])("%s is an error", (reason) => {
    const events = stream(part({ text: "a" }), finish(reason), part({ text: "b" }), finish("STOP"));
    expect(events.at(-1)).toMatchObject({ type: "error", error: { type: "api_error" } });
    expect(JSON.stringify(events)).not.toContain('"b"');
  });

  test.each(["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"])(
    "%s is a refusal",
    (reason) => {
      expect(fold(stream(finish(reason)))).toMatchObject({ stop_reason: "refusal", content: [] });
    },
  );

  test("a reason that is not known ends the turn, and none at all goes on", () => {
    expect(fold(stream(part({ text: "a" }), finish("FINISH_REASON_UNSPECIFIED"), part({ text: "b" }), finish("BRAND_NEW")))).toMatchObject({
      stop_reason: "end_turn",
      content: [{ text: "ab" }],
    });
  });

  test("a turn that holds a call ends in it, even where text follows", () => {
    expect(fold(stream(part({ functionCall: { name: "f", args: {} } }), part({ text: "Calling." }), finish("STOP")))).toMatchObject({
      stop_reason: "tool_use",
    });
    expect(fold(stream(part({ functionCall: { name: "f", args: {} } }), finish("MAX_TOKENS")))).toMatchObject({
      stop_reason: "max_tokens",
    });
  });

  test("two calls of one id become two, and arguments that are text are read", () => {
    const content = record(
      fold(
        stream(
          part({ functionCall: { id: "1", name: "f", args: '{"a":1}' } }, { functionCall: { id: "1", name: "f", args: [1] } }),
          finish("STOP"),
        ),
      ),
    );
    expect(content).toMatchObject([{ id: "1", input: { a: 1 } }, { input: {} }]);
    expect(content[1]?.id).not.toBe("1");
  });

  test("a call is told as soon as it is there, and so is what follows it", () => {
    const decoder = reader().stream();
    const push = (chunk: JsonObject): unknown =>
      decoder.push(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)).map((event) => event["type"]);
    expect(push(part({ functionCall: { name: "f", args: {} } }))).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
    ]);
    expect(push(part({ text: "Calling." }))).toEqual(["content_block_start", "content_block_delta"]);
  });

  test("of calls that come in pieces the next one ends the one before", () => {
    const piece = (stringValue: string): JsonObject => ({
      functionCall: { partialArgs: [{ jsonPath: "$.a", stringValue }], willContinue: true },
    });
    const begun = { functionCall: { name: "f", willContinue: true } };
    const content = record(
      fold(
        stream(part(begun), part(piece("1")), part(piece("2")), part(begun), part(piece("3")), part({ functionCall: {} }), finish("STOP")),
      ),
    );
    expect(content).toMatchObject([{ input: { a: "12" } }, { input: { a: "3" } }]);
  });

  test("a call that came in pieces and was never completed is none", () => {
    const begun = { functionCall: { name: "f", partialArgs: [{ jsonPath: "$.command", stringValue: "rm -rf /" }], willContinue: true } };
    expect(fold(stream(part({ text: "x" }), part(begun), finish("MAX_TOKENS")))).toMatchObject({ content: [{ type: "text" }] });
  });

  test("a call without a name is none", () => {
    expect(fold(stream(part({ functionCall: { args: {} } }, { text: "x" }), finish("STOP")))).toMatchObject({
      stop_reason: "end_turn",
      content: [{ type: "text" }],
    });
  });

  test("an event that is no JSON is an error, and what another vendor ends with is nothing", () => {
    expect(stream(part({ text: "a" }), finish("STOP"), "[DONE]").at(-1)).toEqual({ type: "message_stop" });
    expect(stream(part({ text: "a" }), "{half").at(-1)).toMatchObject({ type: "error" });
    expect(stream("null").at(-1)).toMatchObject({ type: "error" });
  });

  test("a list that was cut is no end, even behind the reason", () => {
    const list = (text: string): JsonObject | undefined => readStream(reader(), [Buffer.from(text)]).at(-1);
    const one = JSON.stringify({ candidates: [{ content: { parts: [{ text: "a" }] }, finishReason: "STOP" }] });
    expect(list(`[${one}]`)).toEqual({ type: "message_stop" });
    expect(list(`[${one},{"usage`)).toMatchObject({ type: "error" });
    expect(list(" \n")).toMatchObject({ type: "error" });
    expect(list('[{"error":{"code":429,"message":"Slow.","status":"RESOURCE_EXHAUSTED"}}]')).toMatchObject({
      error: { type: "rate_limit_error" },
    });
  });

  test("counts are never below nothing", () => {
    const message = fold(
      stream(part({ text: "a" }), {
        ...finish("STOP"),
        usageMetadata: { promptTokenCount: 5, cachedContentTokenCount: 9, candidatesTokenCount: 1 },
      }),
    );
    expect(message).toMatchObject({ usage: { input_tokens: 0, cache_read_input_tokens: 9, output_tokens: 1 } });
  });

  function record(message: unknown): { readonly id?: string }[] {
    return JSON.parse(JSON.stringify(message)).content;
  }
});

describe("bodies of clients of this dialect", () => {
  const producer = target.producer;
  const own = pack([{ type: "thinking", thinking: "", signature: seal({ producer, payload: { place: "call", signature: "REAL" } }) }]);
  const elsewhere = pack([
    { type: "thinking", thinking: "", signature: seal({ producer: "vertex_ai x", payload: { place: "call", signature: "REAL" } }) },
  ]);
  const foreign = pack([{ type: "thinking", thinking: "Hm.", signature: "EqQB" }]);
  const contents = (thoughtSignature: string, part: JsonObject): JsonObject => ({
    contents: [
      { role: "user", parts: [{ text: "Hi" }] },
      { role: "model", parts: [{ ...part, thoughtSignature }] },
    ],
    x: 1,
  });
  const adapt = (body: JsonObject, model = "gemini-3.8-flash"): unknown =>
    wire.adapt(bodyOf(Buffer.from(JSON.stringify(body))), geminiTarget({ model }), "generate").json();
  const call = { functionCall: { name: "f", args: {} } };

  test("are the same bytes where nothing was packed into them", () => {
    const body = bodyOf(Buffer.from(JSON.stringify(contents("UkVBTA==", call))));
    expect(wire.adapt(body, target, "generate")).toBe(body);
  });

  test("get their own signatures back, and none that another vendor made", () => {
    expect(adapt(contents(own, call))).toEqual(contents("REAL", call));
    expect(adapt(contents(foreign, call))).toEqual(contents("skip_thought_signature_validator", call));
    expect(adapt(contents(elsewhere, call))).toEqual(contents("skip_thought_signature_validator", call));
    expect(adapt(contents(foreign, call), "gemini-2.5-pro")).toMatchObject({ contents: [{}, { parts: [call] }] });
    expect(JSON.stringify(adapt(contents(foreign, { text: "Hi" })))).not.toContain("thoughtSignature");
  });

  test("name their model once more where a whole request is counted", () => {
    const body = bodyOf(Buffer.from('{"generateContentRequest":{"model":"models/group","contents":[]}}'));
    expect(wire.adapt(body, target, "count_tokens").json()).toEqual({
      generateContentRequest: { model: "models/gemini-3.8-flash", contents: [] },
    });
  });
});

describe("Google AI Studio", () => {
  const addressed = (more: Partial<Addressed> = {}): Addressed => ({
    dialect: "gemini",
    operation: "generate",
    stream: true,
    body: bodyOf(Buffer.from("{}")),
    path: "/v1/messages",
    search: "?beta=true",
    headers: [
      ["anthropic-version", "2023-06-01"],
      ["content-type", "application/json"],
      ["x-claude-code-session-id", "s"],
      ["user-agent", "u"],
    ],
    ...more,
  });
  const url = (apiBase: string, more: Partial<Addressed> = {}, model = "gemini-3.8-flash"): string =>
    provider.address(addressed(more), geminiTarget({ apiBase, model })).url;
  const host = "https://generativelanguage.googleapis.com";

  test.each([
    [host, `${host}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse`],
    [`${host}/v1beta`, `${host}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse`],
    [`${host}/v1beta/`, `${host}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse`],
    [`${host}/v1`, `${host}/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse`],
    ["http://127.0.0.1:8080/gemini", "http://127.0.0.1:8080/gemini/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"],
  ])("the base %s", (base, expected) => {
    expect(url(base)).toBe(expected);
  });

  test("the method says what is asked, and the model is one segment of the path or two", () => {
    expect(url(host, { stream: false })).toBe(`${host}/v1beta/models/gemini-3.8-flash:generateContent`);
    expect(url(host, { operation: "count_tokens" })).toBe(`${host}/v1beta/models/gemini-3.8-flash:countTokens`);
    expect(url(host, { stream: false }, "tunedModels/my model")).toBe(`${host}/v1beta/tunedModels/my%20model:generateContent`);
    expect(url(host, { stream: false }, "evil?x=")).toBe(`${host}/v1beta/models/evil%3Fx%3D:generateContent`);
    for (const name of ["../files", "a/../../files", "a//b", "."]) expect(() => url(host, {}, name)).toThrow("found a name that is a path");
  });

  test("a client of this dialect gets its stream in the form it asked for, and its key is never passed on", () => {
    const path = "/v1beta/models/group:streamGenerateContent";
    expect(url(host, { path, search: "?alt=sse&key=secret" })).toMatch(/:streamGenerateContent\?alt=sse$/);
    expect(url(host, { path, search: "?key=secret" })).toMatch(/:streamGenerateContent$/);
  });

  test("nothing of another protocol's headers goes out", () => {
    const { headers } = provider.address(addressed(), target);
    expect(Object.fromEntries(headers)).toEqual({ "content-type": "application/json", "user-agent": "u" });
  });

  test("a key travels in its header, a login as a bearer", () => {
    expect(provider.authorize([], { form: "api-key", value: "AIzaKey" })).toEqual([["x-goog-api-key", "AIzaKey"]]);
    expect(provider.authorize([], { form: "bearer", value: "AIzaKey" })).toEqual([["x-goog-api-key", "AIzaKey"]]);
    expect(provider.authorize([], { form: "bearer", value: "ya29.token" })).toEqual([["authorization", "Bearer ya29.token"]]);
  });

  test("its own host is no other", () => {
    const owns = (address: string): boolean => provider.ownsUrl(new URL(address));
    expect(owns(`${host}/v1beta`)).toBe(true);
    expect(
      [
        `http://generativelanguage.googleapis.com/`,
        "https://generativelanguage.googleapis.com.evil.example/",
        `${host}:8443/`,
        "https://a:b@generativelanguage.googleapis.com/",
      ].map(owns),
    ).toEqual([false, false, false, false]);
  });

  test("its facts, by the name of the model", () => {
    const question = { model: "gemini-3.8-flash", apiBase: undefined, params: {}, info: {} };
    expect([provider.dialects(question, "generate"), provider.dialects(question, "embeddings")]).toEqual([["gemini"], []]);
    expect(provider.modelFacts?.("gemini-3.8-flash")).toMatchObject({ contextWindow: 1_048_576, maxOutputTokens: 65_536, reasoning: true });
    expect(provider.modelFacts?.("gemini-2.0-flash")).toMatchObject({ maxOutputTokens: 8192, reasoning: false });
    expect(provider.modelFacts?.("gemma-3-27b-it")).toEqual({});
  });
});

describe("watching", () => {
  const watch = (type: string, ...chunks: readonly string[]): ReturnType<ReturnType<typeof ingress.watch>["end"]> => {
    const watched = ingress.watch(type);
    for (const chunk of chunks) watched.push(Buffer.from(chunk));
    return watched.end();
  };
  const sse = "text/event-stream";
  const usage =
    '"usageMetadata":{"promptTokenCount":45,"cachedContentTokenCount":30,"candidatesTokenCount":10,"thoughtsTokenCount":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":45}]}';
  const last = `data: {"candidates":[{"finishReason":"STOP"}],${usage}}\r\n\r\n`;
  const counted = { inputTokens: 15, outputTokens: 15, cacheReadTokens: 30, cacheWriteTokens: undefined };

  test("a stream that said why it ended is complete, however it was cut", () => {
    expect(watch(sse, 'data: {"candidates":[{}]}\r\n\r\n', last)).toEqual({
      complete: true,
      error: undefined,
      errorMessage: undefined,
      usage: counted,
    });
    expect(watch(sse, ...Array.from(last))).toMatchObject({ complete: true, usage: counted });
    expect(watch(sse, last, `data: {"filler":"${"x".repeat(100_000)}"}\r\n\r\n`, last)).toMatchObject({ complete: true, usage: counted });
  });

  test("one that did not is not, and words about it are no reason", () => {
    const words = String.raw`data: {"candidates":[{"content":{"parts":[{"text":"\"finishReason\" {\"error\":1}"}]}}]}` + "\r\n\r\n";
    expect(watch(sse, words)).toMatchObject({ complete: false, error: undefined });
    expect(watch(sse)).toMatchObject({ complete: false, usage: undefined });
  });

  test("an error in it is told", () => {
    const error = 'data: {"error":{"code":503,"message":"Überlastet } \\"","status":"UNAVAILABLE"}}\r\n\r\n';
    expect(watch(sse, 'data: {"candidates":[{}]}\r\n\r\n', error)).toMatchObject({
      complete: false,
      error: "UNAVAILABLE",
      errorMessage: 'Überlastet } "',
    });
  });

  test("whole replies are complete, lists only with their end", () => {
    expect(watch("application/json", `{"candidates":[{}],${usage}}`)).toMatchObject({ complete: true, usage: counted });
    expect(watch("application/json", `[{"candidates":[{}]},{"candidates":[{"finishReason":"STOP"}],${usage}}]`)).toMatchObject({
      complete: true,
      usage: counted,
    });
    expect(watch("application/json", '[{"candidates":[{}]}')).toMatchObject({ complete: false });
    expect(watch("application/json", '[{"candidates":[{}]},\r\n{"error":{"status":"INTERNAL","message":"x"}}]')).toMatchObject({
      complete: false,
      error: "INTERNAL",
    });
  });

  test("another event fits in between two of a stream alone", () => {
    const between = (type: string, ...chunks: readonly string[]): boolean => {
      const watched = ingress.watch(type);
      for (const chunk of chunks) watched.push(Buffer.from(chunk));
      return watched.betweenEvents();
    };
    expect([between(sse), between(sse, last), between(sse, "data: {}\n", "\n")]).toEqual([true, true, true]);
    expect([between(sse, "data: {"), between(sse, "data: {}\r\n"), between("application/json", "[{}")]).toEqual([false, false, false]);
  });
});

test("nothing is sent twice for the same request", () => {
  expect(JSON.stringify(encodeHub(simple).body)).toBe(JSON.stringify(encodeHub(simple).body));
});
