import * as fc from "fast-check";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import type { StreamEncoder } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import { MessageWriter, type StopReason } from "../../../sdk/hub/message-writer.ts";
import { client, decode, replyOptions } from "./received.ts";
import type { Loose } from "./targets.ts";

const withUsage = { stream: true, stream_options: { include_usage: true } };

function write(tell: (writer: MessageWriter) => void): readonly JsonObject[] {
  const writer = new MessageWriter({ model: "claude-x", inputTokens: 3 });
  tell(writer);
  return writer.take();
}

function encode(events: readonly JsonObject[], body: JsonObject = withUsage): string {
  const encoder = client.stream(replyOptions(body));
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

function dataOf(text: string): Loose[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice("data: ".length)));
}

/** As the official client reads it. */
async function read(text: string) {
  const openai = new OpenAI({
    apiKey: "k",
    maxRetries: 0,
    fetch: async () => new Response(text, { headers: { "content-type": "text/event-stream" } }),
  });
  const stream = openai.chat.completions.stream({ model: "m", messages: [], stream_options: { include_usage: true } });
  const completion = await stream.finalChatCompletion();
  return {
    completion,
    usage: completion.usage,
    message: completion.choices[0]?.message as Loose,
    finish: completion.choices[0]?.finish_reason,
  };
}

const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 1 };

describe("a stream", () => {
  const events = write((writer) => {
    writer.thinking("Hm.");
    writer.signature("EqoB");
    writer.text("Hel");
    writer.text("lo");
    writer.toolStart("a", { id: "toolu_1", name: "Bash" });
    writer.toolInput("a", '{"command":');
    writer.toolInput("a", '"ls"}');
    writer.toolEnd("a");
    writer.toolStart("b", { id: "ccid_ZnVuY3Rpb25zLkJhc2g6MA", name: "Read" });
    writer.toolEnd("b");
    writer.usage(usage);
    writer.stop("tool_use");
    writer.finish();
  });

  test("is chunk by chunk what the wire has", () => {
    const text = encode(events);
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(text.split("[DONE]")).toHaveLength(2);
    const chunks = dataOf(text);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ id: "chatcmpl-x1", object: "chat.completion.chunk", created: chunks[0].created, model: "claude-x" });
    }
    expect(chunks.slice(0, -1).map((chunk) => [chunk.choices[0].delta, chunk.choices[0].finish_reason])).toEqual([
      [{ role: "assistant", content: "" }, null],
      [{ reasoning_content: "Hm." }, null],
      [{ content: "Hel" }, null],
      [{ content: "lo" }, null],
      [{ tool_calls: [{ index: 0, id: "toolu_1", type: "function", function: { name: "Bash", arguments: "" } }] }, null],
      [{ tool_calls: [{ index: 0, function: { arguments: '{"command":' } }] }, null],
      [{ tool_calls: [{ index: 0, function: { arguments: '"ls"}' } }] }, null],
      [{ tool_calls: [{ index: 1, id: "functions.Bash:0", type: "function", function: { name: "Read", arguments: "" } }] }, null],
      [{ tool_calls: [{ index: 1, function: { arguments: "{}" } }] }, null],
      [{ thinking_blocks: [{ type: "thinking", thinking: "Hm.", signature: "EqoB" }] }, null],
      [{}, "tool_calls"],
    ]);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 15,
        completion_tokens: 5,
        total_tokens: 20,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
      },
    });
  });

  test("is read by the official client", async () => {
    const { message, finish, usage: counted } = await read(encode(events));
    expect(finish).toBe("tool_calls");
    expect(message.content).toBe("Hello");
    expect(message.tool_calls.map((call: Loose) => [call.id, call.function.name, call.function.arguments])).toEqual([
      ["toolu_1", "Bash", '{"command":"ls"}'],
      ["functions.Bash:0", "Read", "{}"],
    ]);
    expect(message.thinking_blocks).toEqual([{ type: "thinking", thinking: "Hm.", signature: "EqoB" }]);
    expect(counted).toMatchObject({ prompt_tokens: 15, completion_tokens: 5 });
  });

  test("tells usage only to those who asked: clients fall over events without choices", () => {
    const chunks = dataOf(encode(events, { stream: true }));
    expect(chunks.every((chunk) => chunk.choices.length === 1 && !("usage" in chunk))).toBe(true);
  });

  test("comes back whole in the next request", async () => {
    const { message } = await read(encode(events));
    const results = message.tool_calls.map(({ id }: Loose) => ({ role: "tool", tool_call_id: id, content: "x" }));
    const { request } = decode({ messages: [{ role: "user", content: "go" }, message, ...results] });
    expect(request.messages[1].content).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "EqoB" },
      { type: "text", text: "Hello" },
      { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } },
      { type: "tool_use", id: "ccid_ZnVuY3Rpb25zLkJhc2g6MA", name: "Read", input: {} },
    ]);
    expect(request.messages[2].content.map((block: Loose) => block.tool_use_id)).toEqual(["toolu_1", "ccid_ZnVuY3Rpb25zLkJhc2g6MA"]);
  });
});

test("thinking between calls finds its way back between them", async () => {
  const events = write((writer) => {
    writer.text("a");
    writer.thinking("one");
    writer.signature("s1");
    writer.toolStart(0, { id: "t0", name: "A" });
    writer.toolEnd(0);
    writer.block({ type: "redacted_thinking", data: "d1" });
    writer.toolStart(1, { id: "t1", name: "B" });
    writer.toolEnd(1);
    writer.stop("tool_use");
    writer.finish();
  });
  const { message } = await read(encode(events));
  expect(JSON.stringify(message.thinking_blocks)).not.toContain('"s1"');
  const { request } = decode({ messages: [{ role: "user", content: "go" }, message] });
  expect(request.messages[1].content).toEqual([
    { type: "text", text: "a" },
    { type: "thinking", thinking: "one", signature: "s1" },
    { type: "tool_use", id: "t0", name: "A", input: {} },
    { type: "redacted_thinking", data: "d1" },
    { type: "tool_use", id: "t1", name: "B", input: {} },
  ]);
});

test.each([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["pause_turn", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["refusal", "content_filter"],
] as const)("the stop %s is the finish %s", async (stop, expected) => {
  const events = write((writer) => {
    writer.text("a");
    writer.stop(stop);
    writer.finish();
  });
  expect((await read(encode(events))).finish).toBe(expected);
});

test("sources are annotations, told once, with the places that cite them", () => {
  const events = write((writer) => {
    writer.serverTool({ id: "srvtoolu_1", name: "web_search", input: { query: "x" } });
    writer.block({
      type: "web_search_tool_result",
      tool_use_id: "srvtoolu_1",
      content: [{ type: "web_search_result", url: "https://a.example", title: "A" }],
    });
    writer.text("Hm. ");
    writer.endPart();
    writer.text("It rained.");
    writer.citation({ type: "web_search_result_location", url: "https://a.example", title: "A", cited_text: "x" });
    writer.stop("end_turn");
    writer.finish();
  });
  const told = dataOf(encode(events)).filter((chunk) => chunk.choices[0]?.delta.annotations !== undefined);
  expect(told).toHaveLength(1);
  expect(told[0].choices[0].delta.annotations).toEqual([
    { type: "url_citation", url_citation: { url: "https://a.example", title: "A", start_index: 0, end_index: 0 } },
    { type: "url_citation", url_citation: { url: "https://a.example", title: "A", start_index: 4, end_index: 14 } },
  ]);
});

describe("a stream that fails", () => {
  const begun = write((writer) => writer.text("a"));

  test("ends in an error that the official client throws, and in no [DONE]", async () => {
    const text = encode([...begun, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }]);
    expect(text).not.toContain("[DONE]");
    await expect(read(text)).rejects.toThrow("Overloaded");
    expect(dataOf(text).at(-1)).toEqual({
      error: { message: "Overloaded", type: "server_error", param: null, code: "server_is_overloaded" },
    });
  });

  test("without a last word gets one", async () => {
    await expect(read(encode(begun))).rejects.toThrow("before it was complete");
  });

  test("says so once, and nothing after it", () => {
    const encoder: StreamEncoder = client.stream(replyOptions());
    for (const event of begun) encoder.push(event);
    expect(encoder.fail(new ProxyError("gone", { status: 502, kind: "api_error" }))).toContain("gone");
    expect(encoder.fail(new ProxyError("gone", { status: 502, kind: "api_error" })) + encoder.end()).toBe("");
    expect(encoder.push({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x" } })).toBe("");
  });

  test("tells an overflow in the words that clients of this wire know", () => {
    const error = { type: "invalid_request_error", message: "prompt is too long: 250000 tokens > 200000 maximum" };
    expect(dataOf(encode([{ type: "error", error }]))[0].error).toMatchObject({
      code: "context_length_exceeded",
      message: expect.stringContaining("maximum context length is 200000 tokens"),
    });
  });
});

const step = fc.oneof(
  fc.record({ do: fc.constant("text" as const), text: fc.string() }),
  fc.record({ do: fc.constant("thinking" as const), text: fc.string() }),
  fc.record({ do: fc.constant("signature" as const), text: fc.stringMatching(/^[a-z]{1,5}$/) }),
  fc.record({ do: fc.constant("start" as const), key: fc.nat(3) }),
  fc.record({ do: fc.constant("input" as const), key: fc.nat(3), text: fc.string() }),
  fc.record({ do: fc.constant("end" as const), key: fc.nat(3) }),
  fc.record({ do: fc.constant("block" as const), type: fc.constantFrom("redacted_thinking", "web_search_tool_result", "brand_new") }),
  fc.record({ do: fc.constant("search" as const) }),
  fc.record({ do: fc.constant("cite" as const) }),
  fc.record({ do: fc.constant("endPart" as const) }),
);

const stops: readonly StopReason[] = ["end_turn", "max_tokens", "tool_use", "refusal", "stop_sequence"];

test("whatever is told, the official client reads it: one role, one finish, one end, and the same as when told whole", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(...stops), async (steps, stop) => {
      let count = 0;
      const events = write((writer) => {
        for (const said of steps) {
          if (said.do === "text") writer.text(said.text);
          else if (said.do === "thinking") writer.thinking(said.text);
          else if (said.do === "signature") writer.signature(said.text);
          else if (said.do === "start") writer.toolStart(said.key, { id: `t${count++}`, name: "T" });
          else if (said.do === "input") writer.toolInput(said.key, said.text);
          else if (said.do === "end") writer.toolEnd(said.key);
          else if (said.do === "block")
            writer.block({ type: said.type, data: "d", content: [{ type: "web_search_result", url: "https://a.example" }] });
          else if (said.do === "search") writer.serverTool({ id: "s", name: "web_search", input: {} });
          else if (said.do === "cite") writer.citation({ type: "web_search_result_location", url: "https://a.example" });
          else writer.endPart();
        }
        writer.stop(stop);
        writer.finish();
      });
      const text = encode(events);
      const chunks = dataOf(text);
      const deltas = chunks.flatMap((chunk) => chunk.choices);
      expect(deltas.filter(({ delta }) => delta.role !== undefined)).toHaveLength(1);
      expect(deltas[0].delta.role).toBe("assistant");
      expect(deltas.filter(({ finish_reason }) => finish_reason !== null)).toHaveLength(1);
      expect(text.split("data: [DONE]")).toHaveLength(2);

      const { message, finish, usage: counted } = await read(text);
      const assembler = new AnthropicAssembler();
      for (const event of events) assembler.push(event);
      const reply = client.whole(JSON.parse(assembler.message() ?? ""), replyOptions());
      const whole = JSON.parse(Buffer.concat(reply.chunks).toString());
      const [choice] = whole.choices;
      expect(finish).toBe(choice.finish_reason);
      expect(message.content ?? "").toBe(choice.message.content ?? "");
      expect(message.thinking_blocks).toEqual(choice.message.thinking_blocks);
      expect(message.annotations).toEqual(choice.message.annotations);
      expect(deltas.map(({ delta }) => delta.reasoning_content ?? "").join("")).toBe(choice.message.reasoning_content ?? "");
      const calls = (list: Loose[] | undefined) => (list ?? []).map((call) => [call.id, call.function.name, call.function.arguments]);
      // An input that is JSON is written anew when it is told whole.
      expect(calls(message.tool_calls).map(([id]) => id)).toEqual(calls(choice.message.tool_calls).map(([id]) => id));
      for (const [at, [, , input]] of calls(message.tool_calls).entries())
        expect(same(input)).toEqual(same(calls(choice.message.tool_calls)[at]?.[2]));
      expect(counted).toEqual(whole.usage);
    }),
    { numRuns: 150 },
  );
});

function same(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

test("a whole reply is a completion", () => {
  const message = {
    type: "message",
    model: "claude-x",
    content: [
      { type: "thinking", thinking: "Hm.", signature: "EqoB" },
      { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } },
    ],
    stop_reason: "tool_use",
    usage: { ...usage, output_tokens_details: { thinking_tokens: 2 } },
  };
  const reply = client.whole(message, replyOptions());
  expect(reply.status).toBe(200);
  expect(JSON.parse(Buffer.concat(reply.chunks).toString())).toEqual({
    id: "chatcmpl-x1",
    object: "chat.completion",
    created: expect.any(Number),
    model: "claude-x",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          refusal: null,
          reasoning_content: "Hm.",
          thinking_blocks: [{ type: "thinking", thinking: "Hm.", signature: "EqoB" }],
          tool_calls: [{ id: "toolu_1", type: "function", function: { name: "Bash", arguments: '{"command":"ls"}' } }],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: {
      prompt_tokens: 15,
      completion_tokens: 5,
      total_tokens: 20,
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 2 },
    },
  });
});
