import * as fc from "fast-check";
import OpenAI from "openai";
import { accumulateResponse } from "openai/lib/responses/ResponseAccumulator";
import type { Response as SdkResponse, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { clientTools, hubReply, textOf } from "./hub-replies.ts";
import { type Loose, ingress, replyOptions, translation } from "./targets.ts";

const asked = { tools: [...clientTools], instructions: "Be brief.", max_output_tokens: 500, metadata: { a: "b" } };

function encode(events: readonly JsonObject[]): string {
  const encoder = translation.stream(replyOptions(asked));
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

function eventsOf(text: string): readonly Loose[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const [name, data] = event.split("\n");
      const value = JSON.parse(data!.slice("data: ".length));
      expect(name).toBe(`event: ${value.type}`);
      return value;
    });
}

const lasts = new Set(["response.completed", "response.incomplete", "response.failed"]);

/** What every stream keeps to, however it came about. */
function checkStream(events: readonly Loose[]): Loose {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.slice(0, 2).map((event) => event.type)).toEqual(["response.created", "response.in_progress"]);
  expect(events.filter((event) => lasts.has(event.type))).toHaveLength(1);
  const last = events.at(-1);
  expect(lasts.has(last.type)).toBe(true);
  expect(`response.${last.response.status}`).toBe(last.type);
  let open: number | undefined;
  const done: Loose[] = [];
  for (const event of events) {
    if (event.type === "response.output_item.added") {
      expect(open).toBeUndefined();
      expect(event.output_index).toBe(done.length);
      open = event.output_index;
    } else if (event.type === "response.output_item.done") {
      expect(event.output_index).toBe(open);
      open = undefined;
      done.push(event.item);
    } else if (event.output_index !== undefined) expect(event.output_index).toBe(open);
  }
  if (last.type !== "response.failed") expect(open).toBeUndefined();
  expect(last.response.output).toEqual(done);
  expect(new Set(done.map((item) => item.id)).size).toBe(done.length);
  return last.response;
}

/** What the vendor's accumulator gathers, without the last event, which would say all of it anew. */
function gathered(events: readonly Loose[]): SdkResponse {
  let response: SdkResponse | undefined;
  for (const event of events.slice(0, -1)) response = accumulateResponse(event as ResponseStreamEvent, response);
  return response!;
}

/** Through the vendor's client, in chunks cut anywhere. */
async function throughClient(text: string, cuts: readonly number[]) {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const [index, end] of places.slice(1).entries()) controller.enqueue(bytes.subarray(places[index], end));
      controller.close();
    },
  });
  const client = new OpenAI({
    apiKey: "sk-test",
    baseURL: "http://localhost/v1",
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
  });
  const stream = client.responses.stream({ model: "group", input: "Hi" });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  return { response: await stream.finalResponse(), types };
}

describe("any reply of the hub", () => {
  test("is a stream in order, whose items are those of its end", () => {
    fc.assert(
      fc.property(hubReply, ({ events }) => {
        const told = eventsOf(encode(events));
        const response = checkStream(told);
        expect(gathered(told).output).toEqual(response.output);
      }),
      { numRuns: 300 },
    );
  });

  test("is read by the vendor's own client, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(hubReply, fc.array(fc.nat(), { maxLength: 12 }), async ({ events, message }, cuts) => {
        const text = encode(events);
        const { response, types } = await throughClient(text, cuts);
        expect(types).toEqual(eventsOf(text).map((event) => event.type));
        expect(response.output_text).toBe(textOf(message));
      }),
      { numRuns: 60 },
    );
  });

  test("comes to the same response when it is not streamed", () => {
    fc.assert(
      fc.property(hubReply, ({ events, message }) => {
        const streamed = checkStream(eventsOf(encode(events)));
        const { chunks, status } = translation.whole(message, replyOptions(asked));
        const { created_at, completed_at, ...whole } = JSON.parse(Buffer.concat(chunks).toString());
        expect(status).toBe(200);
        expect(typeof created_at).toBe("number");
        expect(completed_at === null).toBe(streamed.completed_at === null);
        expect(streamed).toMatchObject(whole);
      }),
      { numRuns: 200 },
    );
  });

  test("ends once, in a failure, wherever it breaks off", () => {
    const ways: readonly ((encoder: ReturnType<typeof translation.stream>) => string)[] = [
      (encoder) => encoder.end(),
      (encoder) => encoder.fail(new ProxyError("gone", { status: 502, kind: "api_error" })) + encoder.end(),
      (encoder) => encoder.push({ type: "error", error: { type: "overloaded_error", message: "busy" } }) + encoder.end(),
    ];
    fc.assert(
      fc.property(hubReply, fc.nat(), fc.constantFrom(...ways), ({ events }, length, end) => {
        const encoder = translation.stream(replyOptions(asked));
        const some = events.slice(0, length % events.length);
        const told = eventsOf(some.map((event) => encoder.push(event)).join("") + end(encoder) + encoder.push({ type: "message_stop" }));
        const response = checkStream(told);
        expect(response.status).toBe("failed");
        expect(response.error).toEqual({ code: expect.any(String), message: expect.any(String) });
      }),
      { numRuns: 200 },
    );
  });

  test("after its end nothing more is told", () => {
    const encoder = translation.stream(replyOptions());
    const done = [
      { type: "message_start", message: {} },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: {} },
      { type: "message_stop" },
    ];
    const text = done.map((event) => encoder.push(event)).join("");
    expect(checkStream(eventsOf(text)).status).toBe("completed");
    expect(
      encoder.push({ type: "error", error: {} }) + encoder.fail(new ProxyError("x", { status: 500, kind: "api_error" })) + encoder.end(),
    ).toBe("");
  });
});

function reply(blocks: readonly JsonObject[], stop = "end_turn", usage: JsonObject = {}): readonly Loose[] {
  return eventsOf(
    encode([
      { type: "message_start", message: { model: "claude-opus-5-5", usage } },
      ...blocks.flatMap((block, index) => [
        { type: "content_block_start", index, content_block: block },
        { type: "content_block_stop", index },
      ]),
      { type: "message_delta", delta: { stop_reason: stop }, usage: {} },
      { type: "message_stop" },
    ]),
  );
}

describe("the response", () => {
  test("repeats what was asked for, and counts what was read from a cache as input", () => {
    const { response } = reply([{ type: "text", text: "Hi" }], "end_turn", {
      input_tokens: 3,
      cache_read_input_tokens: 40,
      cache_creation_input_tokens: 100,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 5 },
    }).at(-1);
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_/),
      object: "response",
      model: "claude-opus-5-5",
      instructions: "Be brief.",
      max_output_tokens: 500,
      metadata: { a: "b" },
      parallel_tool_calls: true,
      tool_choice: "auto",
      tools: clientTools,
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: 143,
        input_tokens_details: { cached_tokens: 40, cache_write_tokens: 100 },
        output_tokens: 9,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 152,
      },
    });
  });

  test.each([
    ["max_tokens", "incomplete", { reason: "max_output_tokens" }],
    ["model_context_window_exceeded", "incomplete", { reason: "max_output_tokens" }],
    ["refusal", "incomplete", { reason: "content_filter" }],
    ["tool_use", "completed", null],
    ["stop_sequence", "completed", null],
    ["pause_turn", "completed", null],
  ])("stopped by %s is %s", (stop, status, incomplete_details) => {
    expect(reply([{ type: "text", text: "Hi" }], stop).at(-1).response).toMatchObject({ status, incomplete_details });
  });

  test("of a pause asks to go on", () => {
    expect(reply([{ type: "text", text: "Hi" }], "pause_turn").at(-1).response.end_turn).toBe(false);
    expect(reply([{ type: "text", text: "Hi" }]).at(-1).response).not.toHaveProperty("end_turn");
  });

  test("of a refusal without words says that it is one", () => {
    const { response } = reply([], "refusal").at(-1);
    expect(response.output).toMatchObject([{ type: "message", content: [{ type: "refusal", refusal: "The model declined to answer." }] }]);
  });

  test("names tools as the client declared them: in their namespace, with free text, by the client's own search", () => {
    const { response } = reply([
      { type: "tool_use", id: "toolu_1", name: "mcp__files__read", input: { path: "/x" } },
      { type: "tool_use", id: "toolu_2", name: "apply_patch", input: { input: "*** Begin" } },
      { type: "tool_use", id: "toolu_3", name: "tool_search", input: { query: "mail" } },
    ]).at(-1);
    expect(response.output).toMatchObject([
      { type: "function_call", call_id: "toolu_1", name: "read", namespace: "mcp__files", arguments: '{"path":"/x"}' },
      { type: "custom_tool_call", call_id: "toolu_2", name: "apply_patch", input: "*** Begin" },
      { type: "tool_search_call", call_id: "toolu_3", execution: "client", arguments: { query: "mail" } },
    ]);
  });

  test("has the arguments of a call in pieces, even where there are none", () => {
    const told = reply([{ type: "tool_use", id: "toolu_1", name: "Bash", input: {} }]);
    expect(told.filter((event) => event.type === "response.function_call_arguments.delta").map((event) => event.delta)).toEqual(["{}"]);
    expect(told.find((event) => event.type === "response.function_call_arguments.done")).toMatchObject({ name: "Bash", arguments: "{}" });
  });

  test("has each search with what it found, if that follows it", () => {
    const search = (id: string): JsonObject => ({ type: "server_tool_use", id, name: "web_search", input: { query: id } });
    const found = (id: string): JsonObject => ({
      type: "web_search_tool_result",
      tool_use_id: id,
      content: [{ type: "web_search_result", url: `https://${id}` }],
    });
    const actions = (...blocks: JsonObject[]): unknown =>
      reply(blocks)
        .at(-1)
        .response.output.map((item: Loose) => [item.action.query, item.action.sources]);
    expect(actions(search("a"), found("a"), search("b"), found("b"))).toEqual([
      ["a", [{ type: "url", url: "https://a" }]],
      ["b", [{ type: "url", url: "https://b" }]],
    ]);
    expect(actions(search("a"), search("b"), found("a"), found("b"))).toEqual([
      ["a", []],
      ["b", [{ type: "url", url: "https://b" }]],
    ]);
  });

  test("half of a patch is not told, half of other arguments is marked", () => {
    const cut = (name: string): Loose => {
      const told = eventsOf(
        encode([
          { type: "message_start", message: {} },
          { type: "content_block_start", index: 0, content_block: { type: "tool_use", id: "toolu_1", name, input: {} } },
          { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"input":"rm -rf /tmp' } },
          { type: "content_block_stop", index: 0 },
          { type: "message_delta", delta: { stop_reason: "max_tokens" } },
          { type: "message_stop" },
        ]),
      );
      return checkStream(told).output;
    };
    expect(cut("apply_patch")).toEqual([]);
    expect(cut("Bash")).toMatchObject([{ type: "function_call", status: "incomplete", arguments: '{"input":"rm -rf /tmp' }]);
  });

  test("puts texts in a row together, and cites by their places", () => {
    const { response } = reply([
      { type: "text", text: "First. " },
      { type: "text", text: "Second." },
    ]).at(-1);
    expect(response.output).toMatchObject([{ content: [{ type: "output_text", text: "First. Second." }] }]);
    const cited = eventsOf(
      encode([
        { type: "message_start", message: {} },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "It is " } },
        { type: "content_block_stop", index: 0 },
        { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 1, delta: { type: "citations_delta", citation: { url: "https://example.com", title: "E" } } },
        { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "so" } },
        { type: "content_block_stop", index: 1 },
        { type: "message_stop" },
      ]),
    );
    expect(checkStream(cited).output[0].content[0].annotations).toEqual([
      { type: "url_citation", url: "https://example.com", title: "E", start_index: 6, end_index: 8 },
    ]);
  });

  test("of a failure has a code that clients know", () => {
    const codeOf = (type: string, message = "x"): unknown => {
      const encoder = translation.stream(replyOptions());
      return eventsOf(encoder.push({ type: "error", error: { type, message } })).at(-1).response.error.code;
    };
    expect(codeOf("rate_limit_error")).toBe("rate_limit_exceeded");
    expect(codeOf("billing_error")).toBe("insufficient_quota");
    expect(codeOf("overloaded_error")).toBe("server_is_overloaded");
    expect(codeOf("invalid_request_error", "prompt is too long: 5 tokens > 4 maximum")).toBe("context_length_exceeded");
    expect(codeOf("invalid_request_error")).toBe("invalid_prompt");
    expect(codeOf("novelty_error")).toBe("server_error");
  });
});

test("a stream broken off where no encoder is at work makes the vendor's client throw", async () => {
  const begun = encode([{ type: "message_start", message: {} }])
    .split("\n\n")
    .slice(0, 2)
    .join("\n\n");
  const error = Buffer.from(ingress.encodeStreamError(new ProxyError("gone", { status: 502, kind: "api_error" }))).toString();
  await expect(throughClient(`${begun}\n\n${error}`, [])).rejects.toMatchObject({ error: { message: "gone", code: "server_error" } });
});

test("a ping is a comment that the vendor's client does not see", async () => {
  const text = encode([{ type: "message_start", message: {} }, { type: "message_delta", delta: {} }, { type: "message_stop" }]);
  const { types } = await throughClient(Buffer.from(ingress.ping).toString() + text, []);
  expect(types).toEqual(["response.created", "response.in_progress", "response.completed"]);
});
