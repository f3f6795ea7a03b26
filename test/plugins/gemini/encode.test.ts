import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { unpack } from "../../../plugins/gemini/client-state.ts";
import { chunksOf, decode, encodeAll, hello, replyOptions, responsesOf, streaming, translation } from "./received.ts";
import { fold, ingress, present } from "./replies.ts";

const start: JsonObject = {
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-opus-5-5",
    content: [],
    usage: { input_tokens: 10, cache_read_input_tokens: 30, cache_creation_input_tokens: 5, output_tokens: 1 },
  },
};
const end = (stop_reason: string, usage: JsonObject = { output_tokens: 20 }): readonly JsonObject[] => [
  { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage },
  { type: "message_stop" },
];

/** One block and its deltas. */
function block(index: number, content_block: JsonObject, ...deltas: readonly JsonObject[]): readonly JsonObject[] {
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

const said = (index: number, ...pieces: readonly string[]): readonly JsonObject[] =>
  block(index, { type: "text", text: "" }, ...pieces.map((text) => ({ type: "text_delta", text })));
const thought = (index: number, words: string, signature: string): readonly JsonObject[] =>
  block(index, { type: "thinking", thinking: "", signature: "" }, ...(words === "" ? [] : [{ type: "thinking_delta", thinking: words }]), {
    type: "signature_delta",
    signature,
  });
const called = (index: number, id: string, name: string, ...pieces: readonly string[]): readonly JsonObject[] =>
  block(index, { type: "tool_use", id, name, input: {} }, ...pieces.map((partial_json) => ({ type: "input_json_delta", partial_json })));

function stream(events: readonly JsonObject[], body: JsonObject = hello): readonly JsonObject[] {
  return responsesOf(encodeAll(translation.stream(replyOptions(body, streaming)), events));
}

function candidates(responses: readonly JsonObject[]): readonly JsonObject[] {
  return responses.map((response) => present(record(Array.isArray(response["candidates"]) ? response["candidates"][0] : undefined)));
}

function parts(responses: readonly JsonObject[]): readonly JsonObject[] {
  return candidates(responses).flatMap((candidate) => {
    const found = record(candidate["content"])?.["parts"];
    // A stream ends on an empty part, which says nothing.
    return Array.isArray(found) ? found.map((part) => present(record(part))).filter((part) => JSON.stringify(part) !== '{"text":""}') : [];
  });
}

const withThoughts = { ...hello, generationConfig: { thinkingConfig: { includeThoughts: true } } };

describe("streams", () => {
  test("text goes out piece by piece; counts and the reason come with the last response", () => {
    expect(stream([start, { type: "ping" }, ...said(0, "Hel", "lo"), ...end("end_turn")])).toEqual([
      {
        candidates: [{ content: { parts: [{ text: "Hel" }], role: "model" }, index: 0 }],
        modelVersion: "claude-opus-5-5",
        responseId: "req_1",
      },
      {
        candidates: [{ content: { parts: [{ text: "lo" }], role: "model" }, index: 0 }],
        modelVersion: "claude-opus-5-5",
        responseId: "req_1",
      },
      {
        usageMetadata: { promptTokenCount: 45, cachedContentTokenCount: 30, candidatesTokenCount: 20, totalTokenCount: 65 },
        candidates: [{ content: { parts: [{ text: "" }], role: "model" }, finishReason: "STOP", index: 0 }],
        modelVersion: "claude-opus-5-5",
        responseId: "req_1",
      },
    ]);
  });

  test("a call goes out whole, under the name that the client gave it", () => {
    const tools = [{ functionDeclarations: [{ name: "files.read" }] }];
    const alias = /"name":"([^"]+)"/.exec(JSON.stringify(decode({ ...hello, tools }).request["tools"]))?.[1] ?? "";
    const found = stream(
      [start, ...called(0, "toolu_1", alias, '{"pa', 'th":"a"}'), ...called(1, "toolu_2", "plain"), ...end("tool_use")],
      { ...hello, tools },
    );
    expect(parts(found)).toEqual([
      { functionCall: { id: "toolu_1", name: "files.read", args: { path: "a" } } },
      { functionCall: { id: "toolu_2", name: "plain", args: {} } },
    ]);
    expect(candidates(found).at(-1)?.["finishReason"]).toBe("STOP");
  });

  test("a call that was cut never goes out", () => {
    const cut = stream([start, ...said(0, "I run it."), ...called(1, "toolu_1", "Bash", '{"command":"rm -rf /tm'), ...end("max_tokens")]);
    expect(parts(cut)).toEqual([{ text: "I run it." }]);
    expect(candidates(cut).at(-1)?.["finishReason"]).toBe("MAX_TOKENS");
    const broken = stream([start, ...called(0, "toolu_1", "Bash", '{"command":'), ...end("tool_use")]);
    expect(parts(broken)).toEqual([]);
    expect(candidates(broken).at(-1)?.["finishReason"]).toBe("MALFORMED_FUNCTION_CALL");
  });

  test("what the model thinks is shown to who asked for it, and kept for the next turn either way", () => {
    const events = [
      start,
      ...thought(0, "Hm.", "SIG"),
      ...block(1, { type: "redacted_thinking", data: "abc" }),
      ...said(2, "Yes", "."),
      ...end("end_turn"),
    ];
    const kept = [
      { type: "thinking", thinking: "Hm.", signature: "SIG" },
      { type: "redacted_thinking", data: "abc" },
    ];
    const shown = parts(stream(events, withThoughts));
    expect(shown.map((part) => [part["text"], part["thought"]])).toEqual([
      ["Hm.", true],
      ["Yes", undefined],
      [".", undefined],
    ]);
    expect(shown.map((part) => part["thoughtSignature"] !== undefined)).toEqual([false, true, false]);
    const hidden = parts(stream(events));
    expect(hidden.map((part) => part["text"])).toEqual(["Yes", "."]);
    for (const found of [shown[1], hidden[0]]) expect(unpack(text(found?.["thoughtSignature"]) ?? "")).toEqual(kept);
  });

  test("a signature is base64, as clients decode it", () => {
    for (const words of ["", "a", "ab", "Grüße ???", "~~~>>>"]) {
      const [part] = parts(stream([start, ...thought(0, words, "SIG"), ...said(1, "Yes"), ...end("end_turn")]));
      const signature = text(part?.["thoughtSignature"]) ?? "";
      expect(signature).toMatch(/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
    }
  });

  test("each call carries what was thought before it, and thinking at the end an empty part", () => {
    const events = [
      start,
      ...thought(0, "", "S0"),
      ...called(1, "a", "f"),
      ...called(2, "b", "f"),
      ...thought(3, "", "S3"),
      ...called(4, "c", "f"),
      ...thought(5, "", "S5"),
      ...end("tool_use"),
    ];
    const found = parts(stream(events)).map((part) => {
      const signature = part["thoughtSignature"];
      return typeof signature === "string" ? unpack(signature)?.map((packed) => packed["signature"]) : undefined;
    });
    expect(found).toEqual([["S0"], undefined, ["S3"], ["S5"]]);
  });

  test("thinking that nobody signed is not kept", () => {
    expect(parts(stream([start, ...thought(0, "Hm.", ""), ...said(1, "Yes"), ...end("end_turn")]))).toEqual([{ text: "Yes" }]);
  });

  test.each([
    ["end_turn", "STOP"],
    ["stop_sequence", "STOP"],
    ["tool_use", "STOP"],
    ["pause_turn", "STOP"],
    ["something_new", "STOP"],
    ["max_tokens", "MAX_TOKENS"],
    ["model_context_window_exceeded", "MAX_TOKENS"],
    ["refusal", "SAFETY"],
  ])("the reason %s is %s", (reason, expected) => {
    expect(candidates(stream([start, ...end(reason)])).at(-1)?.["finishReason"]).toBe(expected);
  });

  test("thoughts are counted beside the answer", () => {
    const last = stream([
      start,
      ...said(0, "Yes"),
      ...end("end_turn", { output_tokens: 50, output_tokens_details: { thinking_tokens: 40 }, cache_read_input_tokens: null }),
    ]).at(-1);
    expect(last?.["usageMetadata"]).toEqual({
      promptTokenCount: 45,
      cachedContentTokenCount: 30,
      candidatesTokenCount: 10,
      thoughtsTokenCount: 40,
      totalTokenCount: 95,
    });
  });

  test("a search and what it bears out are told in bytes", () => {
    const citation = { type: "web_search_result_location", url: "https://a.example", title: "A", cited_text: "x", encrypted_index: "e" };
    const events = [
      start,
      ...block(
        0,
        { type: "server_tool_use", id: "s", name: "web_search", input: {} },
        { type: "input_json_delta", partial_json: '{"query":"q"}' },
      ),
      ...block(1, {
        type: "web_search_tool_result",
        tool_use_id: "s",
        content: [{ type: "web_search_result", url: "https://b.example", title: "B" }],
      }),
      ...said(2, "Über: "),
      ...block(3, { type: "text", text: "" }, { type: "citations_delta", citation }, { type: "text_delta", text: "ja" }),
      ...end("end_turn"),
    ];
    expect(candidates(stream(events)).at(-1)?.["groundingMetadata"]).toEqual({
      webSearchQueries: ["q"],
      groundingChunks: [{ web: { uri: "https://b.example", title: "B" } }, { web: { uri: "https://a.example", title: "A" } }],
      groundingSupports: [{ segment: { startIndex: 7, endIndex: 9, text: "ja" }, groundingChunkIndices: [1] }],
    });
  });

  test("an error in the middle ends the stream in the vendor's envelope, once", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const found = stream([start, ...said(0, "Half"), error, ...end("end_turn")]);
    expect(found.at(-1)).toEqual({ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } });
    expect(found).toHaveLength(2);
  });

  test("a stream without an end gets an error, and one with an end nothing more", () => {
    const encoder = translation.stream(replyOptions(hello, streaming));
    expect(responsesOf(encodeAll(encoder, [start, ...said(0, "Half")])).at(-1)).toMatchObject({ error: { code: 502, status: "INTERNAL" } });
    expect([encoder.end(), encoder.fail(new ProxyError("x", { status: 500, kind: "api_error" })), encoder.push(start)]).toEqual([
      "",
      "",
      "",
    ]);
  });

  test("without `alt=sse` the stream is one list, whatever happens", () => {
    const asked = { ...streaming, search: "" };
    const list = (events: readonly JsonObject[]): unknown => JSON.parse(encodeAll(translation.stream(replyOptions(hello, asked)), events));
    const whole = [start, ...said(0, "a", "b"), ...end("end_turn")];
    expect(list(whole)).toEqual(stream(whole));
    expect(list([start, ...said(0, "a")])).toMatchObject([{ candidates: [{}] }, { error: { code: 502 } }]);
    expect(list([])).toMatchObject([{ error: { code: 502 } }]);
  });
});

/** Texts in a row are one part of a whole reply. */
function joined(pieces: readonly JsonObject[]): readonly JsonObject[] {
  const whole: JsonObject[] = [];
  for (const part of pieces) {
    const last = whole.at(-1);
    const [before, words] = [text(last?.["text"]), text(part["text"])];
    if (before === undefined || words === undefined || last?.["thought"] !== part["thought"]) whole.push(part);
    else whole[whole.length - 1] = { ...last, ...part, text: before + words };
  }
  return whole;
}

describe("whole replies", () => {
  const content = [...thought(0, "Hm.", "SIG"), ...said(1, "Let me ", "look."), ...called(2, "a", "f", '{"x":1}')];
  const events = [start, ...content, ...end("tool_use")];

  test("are what would have streamed them, put together", () => {
    const message = present(record(fold(events)));
    const reply = translation.whole(message, replyOptions(withThoughts));
    const found = chunksOf(reply);
    const streamed = stream(events, withThoughts);
    expect(reply.status).toBe(200);
    expect(parts([found])).toEqual(joined(parts(streamed)));
    expect(found["usageMetadata"]).toEqual(streamed.at(-1)?.["usageMetadata"]);
    expect(candidates([found])[0]?.["finishReason"]).toBe("STOP");
    expect([found["modelVersion"], found["responseId"]]).toEqual(["claude-opus-5-5", "req_1"]);
  });

  test("a refusal without content is a response, too", () => {
    const message = present(record(fold([start, ...end("refusal")])));
    expect(chunksOf(translation.whole(message, replyOptions()))).toMatchObject({
      candidates: [{ content: { parts: [], role: "model" }, finishReason: "SAFETY" }],
    });
  });

  test("what a client sends back from a reply says what the reply said", () => {
    const message = present(record(fold(events)));
    const reply = present(record(candidates([chunksOf(translation.whole(message, replyOptions(withThoughts)))])[0]?.["content"]));
    const results = { role: "user", parts: [{ functionResponse: { id: "a", name: "f", response: { output: "ok" } } }] };
    const messages = decode({ contents: [{ role: "user", parts: [{ text: "Go" }] }, reply, results] }).request["messages"];
    expect(Array.isArray(messages) && record(messages[1])?.["content"]).toEqual(message["content"]);
  });
});

describe("what the proxy says itself", () => {
  test.each([
    ["invalid_request_error", 400, 400, "INVALID_ARGUMENT"],
    ["authentication_error", 401, 401, "UNAUTHENTICATED"],
    ["permission_error", 403, 403, "PERMISSION_DENIED"],
    ["not_found_error", 404, 404, "NOT_FOUND"],
    ["rate_limit_error", 429, 429, "RESOURCE_EXHAUSTED"],
    ["api_error", 500, 500, "INTERNAL"],
    ["not_supported", 501, 501, "UNIMPLEMENTED"],
    ["overloaded_error", 529, 503, "UNAVAILABLE"],
    ["timeout_error", 504, 504, "DEADLINE_EXCEEDED"],
  ] as const)("%s", (kind, status, code, name) => {
    const reply = ingress.encodeError(new ProxyError("No.", { status, kind }), "req_1");
    expect([reply.status, chunksOf(reply)]).toEqual([code, { error: { code, message: "No.", status: name } }]);
  });

  test("when to come back stands in the header and in the details, and a prompt that is too long is told in the vendor's words", () => {
    const limited = ingress.encodeError(
      new ProxyError("Slow.", { status: 429, kind: "rate_limit_error", headers: { "retry-after": "37" } }),
      "r",
    );
    expect(Object.fromEntries(limited.headers)).toMatchObject({ "retry-after": "37" });
    expect(chunksOf(limited)).toMatchObject({
      error: { details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "37s" }] },
    });
    const long = new ProxyError("prompt is too long: 210000 tokens > 200000 maximum", { status: 400, kind: "invalid_request_error" });
    expect(chunksOf(ingress.encodeError(long, "r"))).toMatchObject({
      error: { message: "The input token count (210000) exceeds the maximum number of tokens allowed (200000)." },
    });
  });

  test("counts and models in the vendor's shapes", () => {
    expect(chunksOf(ingress.encodeTokenCount(12))).toEqual({ totalTokens: 12 });
    const list = present(ingress.modelList);
    expect(list.accepts({ get: (name) => (name === "x-goog-api-client" ? "google-genai-sdk/2.32.0" : undefined) })).toBe(true);
    expect(list.accepts({ get: () => undefined })).toBe(false);
    expect(chunksOf(list.encode([{ id: "fast", displayName: "Fast" }]))).toMatchObject({
      models: [{ name: "models/fast", displayName: "Fast" }],
    });
  });
});
