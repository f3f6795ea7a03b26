import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { hubProducer, seal } from "../../../sdk/hub/envelope.ts";
import { client, decode, makeReceived, makeRequest } from "./received.ts";
import { encoded, type Loose } from "./targets.ts";

function call(id: string, name: string, args: Json): JsonObject {
  return { id, type: "function", function: { name, arguments: args } };
}

describe("the head", () => {
  test("is read without translating", () => {
    const received = makeReceived({ model: "m", stream: true, prompt_cache_key: "s1", messages: "none" });
    expect(client.head(received)).toEqual({ model: "m", stream: true, session: "s1" });
    expect(client.head(makeReceived({}))).toEqual({ model: "", stream: false, session: undefined });
    expect(client.head(makeReceived({ stream: 1 }, { headers: { "x-session-id": "s2" } }))).toMatchObject({ stream: false, session: "s2" });
  });

  test.each(["/openai/deployments/my%2Fmodel/chat/completions", "/engines/my/model/chat/completions"])(
    "takes the model from the path %s",
    (path) => {
      const received = makeReceived(makeRequest({ model: "other" }), { path });
      expect(client.head(received).model).toBe("my/model");
      expect(client.decode(received, () => {})["model"]).toBe("my/model");
    },
  );
});

describe("messages", () => {
  test("instructions in front are the system, later ones stay where they are", () => {
    const { request } = decode({
      messages: [
        { role: "developer", content: "one" },
        { role: "system", content: [{ type: "text", text: "two", cache_control: { type: "ephemeral" } }] },
        { role: "user", content: "a" },
        { role: "developer", content: "three" },
        { role: "system", content: "four" },
        { role: "assistant", content: "b" },
        { role: "user", content: "c" },
        { role: "system", content: "five" },
      ],
    });
    expect(request.system).toEqual([
      { type: "text", text: "one" },
      { type: "text", text: "two", cache_control: { type: "ephemeral" } },
    ]);
    expect(request.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "a" }] },
      {
        role: "system",
        content: [
          { type: "text", text: "three" },
          { type: "text", text: "four" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "b" }] },
      { role: "user", content: [{ type: "text", text: "c" }] },
      { role: "system", content: [{ type: "text", text: "five" }] },
    ]);
  });

  test("instructions where the hub has no place for them stand in the user's turn", () => {
    const { request } = decode({
      messages: [
        { role: "user", content: "a" },
        { role: "system", content: "between" },
        { role: "user", content: "b" },
        { role: "assistant", content: "c", tool_calls: [call("t1", "Bash", "{}")] },
        { role: "system", content: "before results" },
        { role: "tool", tool_call_id: "t1", content: "x" },
      ],
    });
    expect(request.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "<system-reminder>\nbetween\n</system-reminder>" },
          { type: "text", text: "b" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "c" },
          { type: "tool_use", id: "t1", name: "Bash", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t1", content: "x" },
          { type: "text", text: "<system-reminder>\nbefore results\n</system-reminder>" },
        ],
      },
    ]);
  });

  test("calls and their results", () => {
    const { request } = decode({
      messages: [
        { role: "user", content: "go" },
        {
          role: "assistant",
          content: null,
          tool_calls: [call("call_a", "Bash", '{"command":"ls"}'), call("functions.Read:1", "Read", "")],
        },
        { role: "tool", tool_call_id: "call_a", content: "one" },
        {
          role: "tool",
          tool_call_id: "functions.Read:1",
          content: [
            { type: "text", text: "t" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          ],
        },
        { role: "user", content: "and?" },
      ],
    });
    expect(request.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "call_a", name: "Bash", input: { command: "ls" } },
          { type: "tool_use", id: "ccid_ZnVuY3Rpb25zLlJlYWQ6MQ", name: "Read", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_a", content: "one" },
          {
            type: "tool_result",
            tool_use_id: "ccid_ZnVuY3Rpb25zLlJlYWQ6MQ",
            content: [
              { type: "text", text: "t" },
              { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
            ],
          },
          { type: "text", text: "and?" },
        ],
      },
    ]);
  });

  test("a result told twice counts once, the last time", () => {
    const { request } = decode({
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", tool_calls: [call("t1", "Bash", "{}")] },
        { role: "tool", tool_call_id: "t1", content: "one" },
        { role: "tool", tool_call_id: "t1", content: "two" },
      ],
    });
    expect(request.messages.at(-1).content).toEqual([{ type: "tool_result", tool_use_id: "t1", content: "two" }]);
  });

  test("the old form of calls and results, and results that name no call", () => {
    const { request } = decode({
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: null, function_call: { name: "Bash", arguments: '{"command":"ls"}' } },
        { role: "function", name: "Bash", content: "one" },
        { role: "assistant", content: null, tool_calls: [call("", "Read", "{}"), call("", "Write", "{}")] },
        { role: "tool", name: "Write", content: "w" },
        { role: "tool", content: "r" },
      ],
    });
    const [, asked, answered, again, both] = request.messages;
    expect(answered.content[0].tool_use_id).toBe(asked.content[0].id);
    expect(both.content.map((block: Loose) => [block.tool_use_id, block.content])).toEqual([
      [again.content[1].id, "w"],
      [again.content[0].id, "r"],
    ]);
  });

  test("arguments that are no object are dropped with a note; objects are taken as they are", () => {
    const { request, notes } = decode({
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", tool_calls: [call("a", "A", "{broken"), call("b", "B", { x: 1 }), call("c", "C", "[1]")] },
      ],
    });
    expect(request.messages[1].content.map((block: Loose) => block.input)).toEqual([{}, { x: 1 }, {}]);
    expect(notes).toHaveLength(2);
  });

  test("refusals, empty texts and turns in a row", () => {
    const { request } = decode({
      messages: [
        { role: "user", content: "a" },
        {
          role: "user",
          content: [
            { type: "text", text: "" },
            { type: "text", text: "b" },
          ],
        },
        { role: "assistant", content: null, refusal: "No." },
        { role: "assistant", content: [{ type: "refusal", refusal: "Never." }] },
        { role: "assistant", content: "" },
        { role: "user", content: "c" },
      ],
    });
    expect(request.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "No." },
          { type: "text", text: "Never." },
        ],
      },
      { role: "user", content: [{ type: "text", text: "c" }] },
    ]);
  });

  test("parts of every type", () => {
    const { request, notes } = decode({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a", cache_control: { type: "ephemeral" } },
            { type: "image_url", image_url: { url: "https://a.example/x.png", detail: "high" } },
            { type: "image_url", image_url: "data:image/svg+xml,%3Csvg%2F%3E" },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
            { type: "file", file: { file_data: "JVBERi0=" } },
            { type: "file", file: { filename: "a.txt", file_data: "data:text/plain;base64,aGk=" } },
            { type: "file", file: { file_id: "file-1" } },
            { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
            { type: "hologram" },
          ],
        },
      ],
    });
    expect(request.messages[0].content).toEqual([
      { type: "text", text: "a", cache_control: { type: "ephemeral" } },
      { type: "image", source: { type: "url", url: "https://a.example/x.png" } },
      { type: "image", source: { type: "base64", media_type: "image/svg+xml", data: Buffer.from("<svg/>").toString("base64") } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" }, title: "a.pdf" },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "hi" }, title: "a.txt" },
      { type: "text", text: expect.stringContaining("given by its id") },
      { type: "text", text: expect.stringContaining("audio") },
    ]);
    expect(notes).toHaveLength(4);
  });

  test("thinking comes back in its place, and genuine signatures as they were", () => {
    const late = seal({ producer: hubProducer, payload: ["sig2", true, 1] });
    const { request } = decode({
      messages: [
        { role: "user", content: "go" },
        {
          role: "assistant",
          content: "text",
          reasoning_content: "onetwo",
          thinking_blocks: [
            { type: "thinking", thinking: "one", signature: "EqoB" },
            { type: "redacted_thinking", data: "gAAA" },
            { type: "thinking", thinking: "two", signature: late },
            { type: "thinking", thinking: "nobody's" },
          ],
          tool_calls: [call("a", "A", "{}"), call("b", "B", "{}")],
        },
      ],
    });
    expect(request.messages[1].content).toEqual([
      { type: "thinking", thinking: "one", signature: "EqoB" },
      { type: "redacted_thinking", data: "gAAA" },
      { type: "text", text: "text" },
      { type: "tool_use", id: "a", name: "A", input: {} },
      { type: "thinking", thinking: "two", signature: "sig2" },
      { type: "tool_use", id: "b", name: "B", input: {} },
    ]);
  });

  test.each([
    [{ messages: undefined }, "messages: found nothing, wanted a list of messages"],
    [{ messages: [] }, "messages: found a list, wanted at least one message that says something"],
    [{ messages: ["hi"] }, "messages.0: found a string, wanted an object"],
    [{ messages: [{ role: "king", content: "a" }] }, "messages.0.role: found a string, wanted system, developer, user, assistant or tool"],
    [{ messages: [{ role: "user", content: 1 }] }, "messages.0.content: found a number, wanted a text or a list of parts"],
    [{ messages: [{ role: "user", content: [{ text: "a" }] }] }, "messages.0.content.0.type: found nothing, wanted the type of the part"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages.0.content.0.text: found nothing, wanted a text"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "ftp://x" } }] }] },
      "messages.0.content.0.image_url.url: found a string, wanted a data: or http(s): URL",
    ],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.tool_call_id: found nothing, wanted the id of a call"],
    [
      { messages: [{ role: "assistant", tool_calls: [{ id: "a" }] }] },
      "messages.0.tool_calls.0.function.name: found nothing, wanted the name of a tool",
    ],
    [{ tools: {} }, "tools: found an object, wanted a list of tools"],
    [{ tools: [{ type: "function" }] }, "tools.0.function: found null, wanted an object with a name"],
  ])("a request with %j is refused with the place and what was wanted", (body, message) => {
    const error = thrown(() => decode(body as Loose));
    expect(error).toBeInstanceOf(ProxyError);
    expect(error).toMatchObject({ status: 400, kind: "invalid_request_error", message });
  });
});

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("tools", () => {
  const tools = [
    {
      type: "function",
      function: { name: "A", description: "does a", parameters: { type: "object", properties: { x: { type: "string" } } }, strict: true },
      cache_control: { type: "ephemeral" },
    },
    { type: "function", function: { name: "B" } },
    { type: "custom", custom: { name: "C", description: "free" } },
    { type: "bash_20250124", name: "bash" },
    { type: "unheard_of" },
  ];

  test("of every type", () => {
    const { request, notes } = decode({ tools });
    expect(request.tools).toEqual([
      {
        name: "A",
        description: "does a",
        input_schema: { type: "object", properties: { x: { type: "string" } } },
        strict: true,
        cache_control: { type: "ephemeral" },
      },
      { name: "B", input_schema: { type: "object", properties: {} } },
      { name: "C", description: "free", input_schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] } },
      { type: "bash_20250124", name: "bash" },
    ]);
    expect(notes).toHaveLength(1);
    expect(decode({ functions: [{ name: "A", parameters: { properties: {} } }] }).request.tools).toEqual([
      { name: "A", input_schema: { properties: {}, type: "object" } },
    ]);
  });

  test.each([
    ["auto", { type: "auto" }],
    ["none", { type: "none" }],
    ["required", { type: "any" }],
    [
      { type: "function", function: { name: "A" } },
      { type: "tool", name: "A" },
    ],
    [undefined, undefined],
  ])("the choice %j is %j", (tool_choice, expected) => {
    expect(decode({ tools, ...(tool_choice === undefined ? {} : { tool_choice }) }).request.tool_choice).toEqual(expected);
  });

  test("the old choice, and one call at a time", () => {
    expect(decode({ functions: [{ name: "A" }], function_call: { name: "A" } }).request.tool_choice).toEqual({ type: "tool", name: "A" });
    expect(decode({ tools, parallel_tool_calls: false }).request.tool_choice).toEqual({ type: "auto", disable_parallel_tool_use: true });
    expect(decode({ tools, parallel_tool_calls: false, tool_choice: "none" }).request.tool_choice).toEqual({ type: "none" });
    expect(decode({ parallel_tool_calls: false, tool_choice: "auto" }).request).not.toHaveProperty("tool_choice");
  });

  test("where only some tools are allowed, there are no others", () => {
    const tool_choice = {
      type: "allowed_tools",
      allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "B" } }] },
    };
    const { request } = decode({ tools, tool_choice });
    expect(request.tools.map(({ name }: Loose) => name)).toEqual(["B"]);
    expect(request.tool_choice).toEqual({ type: "any" });
  });

  test("a search is the hub's own tool", () => {
    const options = { search_context_size: "low", user_location: { type: "approximate", approximate: { country: "CH" } } };
    const expected = [{ type: "web_search_20250305", name: "web_search", user_location: { type: "approximate", country: "CH" } }];
    expect(decode({ web_search_options: options }).request.tools).toEqual(expected);
    expect(decode({ tools: [{ type: "web_search", ...options }] }).request.tools).toEqual(expected);
  });
});

describe("top-level fields", () => {
  test("limits, sampling, stops and the caller", () => {
    expect(decode().request.max_tokens).toBe(32_000);
    expect(decode({ max_tokens: 5, max_completion_tokens: 9 }).request.max_tokens).toBe(9);
    expect(decode({ max_tokens: 5 }).request.max_tokens).toBe(5);
    const { request, notes } = decode({ temperature: 1.5, top_p: 0.5, stop: "END", user: "u", safety_identifier: "s" });
    expect(request).toMatchObject({ temperature: 1, top_p: 0.5, stop_sequences: ["END"], metadata: { user_id: "s" } });
    expect(notes).toEqual([{ what: "temperature clamped", details: { from: 1.5, to: 1 } }]);
    expect(decode({ stop: ["a", "", "b"] }).request.stop_sequences).toEqual(["a", "b"]);
    expect(decode({ stop: null }).request).not.toHaveProperty("stop_sequences");
  });

  test.each([
    [{ reasoning_effort: "high" }, { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
    [{ reasoning_effort: "minimal" }, { thinking: { type: "adaptive" }, output_config: { effort: "low" } }],
    [{ reasoning_effort: "none" }, { thinking: { type: "disabled" } }],
    [{ reasoning: { effort: "low" } }, { thinking: { type: "adaptive" }, output_config: { effort: "low" } }],
    [{ reasoning: { enabled: false } }, { thinking: { type: "disabled" } }],
    [{ thinking: { type: "enabled", budget_tokens: 2000 } }, { thinking: { type: "enabled", budget_tokens: 2000 } }],
    [{}, {}],
  ])("the effort %j is %j", (body, expected) => {
    const { thinking, output_config } = decode(body).request;
    expect(JSON.parse(JSON.stringify({ thinking, output_config }))).toEqual(expected);
  });

  test("nobody thinks at a temperature", () => {
    const { request, notes } = decode({ reasoning_effort: "high", temperature: 0.2 });
    expect(request).not.toHaveProperty("temperature");
    expect(notes).toHaveLength(1);
    expect(decode({ reasoning_effort: "none", temperature: 0.2 }).request.temperature).toBe(0.2);
    expect(decode({ thinking: { type: "disabled" }, temperature: 0.2 }).request.temperature).toBe(0.2);
    expect(decode({ thinking: { type: "enabled", budget_tokens: 1024 }, temperature: 0.2 }).request).not.toHaveProperty("temperature");
  });

  test("formats", () => {
    const schema = { type: "object", properties: {} };
    expect(
      decode({ response_format: { type: "json_schema", json_schema: { name: "x", schema, strict: true } } }).request.output_config,
    ).toEqual({
      format: { type: "json_schema", schema },
    });
    const { request } = decode({
      response_format: { type: "json_object" },
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: "a" },
      ],
    });
    expect(request.system).toEqual([
      { type: "text", text: "s" },
      { type: "text", text: expect.stringContaining("JSON") },
    ]);
    expect(decode({ response_format: { type: "text" } }).request).not.toHaveProperty("system");
  });

  test("what the hub has not is dropped, and named", () => {
    const { request, notes } = decode({ n: 2, seed: 1, logprobs: true, logit_bias: null, brand_new: {} });
    expect(Object.keys(request)).toEqual(["model", "messages", "max_tokens", "stream"]);
    expect(notes).toEqual([{ what: "fields dropped that the hub has not", details: { fields: ["n", "seed", "logprobs", "brand_new"] } }]);
    expect(decode({ n: 1 }).notes).toEqual([]);
  });
});

test("a plain conversation crosses into the hub and back unchanged", () => {
  const words = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== "");
  const args = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(fc.integer(), words));
  const turn = fc.record({ user: words, said: words, calls: fc.array(args, { maxLength: 3 }) });
  fc.assert(
    fc.property(words, fc.array(turn, { minLength: 1, maxLength: 4 }), words, (system, turns, last) => {
      const messages: Loose[] = [{ role: "system", content: system }];
      for (const [at, { user, said, calls }] of turns.entries()) {
        messages.push({ role: "user", content: user });
        const tool_calls = calls.map((input, n) => call(`call_${at}_${n}`, "Bash", JSON.stringify(input)));
        messages.push({ role: "assistant", content: said, ...(calls.length === 0 ? {} : { tool_calls }) });
        for (const { id } of tool_calls) messages.push({ role: "tool", tool_call_id: id, content: user });
        if (calls.length > 0) messages.push({ role: "assistant", content: said });
      }
      messages.push({ role: "user", content: last });
      const tools = [
        {
          type: "function",
          function: { name: "Bash", description: "Runs", parameters: { type: "object", properties: { a: { type: "string" } } } },
        },
      ];
      const request = { model: "group", messages, tools, max_tokens: 99, stop: ["X"], temperature: 0.5, stream: true };
      const { note } = { note: () => {} };
      const hub = client.decode(makeReceived(request), note);
      expect(encoded(hub)).toEqual({ ...request, model: "model-x", stream_options: { include_usage: true } });
    }),
    { numRuns: 200 },
  );
});
