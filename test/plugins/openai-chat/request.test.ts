import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { seal } from "../../../sdk/hub/envelope.ts";
import type { ChatQuirks } from "../../../sdk/quirks.ts";
import { collectNotes, encoded, makeHubRequest, makeTarget, wire, type Loose } from "./targets.ts";

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const pdf = { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" } };

/** A turn that calls, and its answer. */
function turn(results: readonly JsonObject[], others: readonly JsonObject[] = [], thinking: readonly JsonObject[] = []): JsonObject {
  return {
    messages: [
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: [
          ...thinking,
          ...results.map((_, index) => ({ type: "tool_use", id: `toolu_${index}`, name: "Bash", input: { n: index } })),
        ],
      },
      {
        role: "user",
        content: [...results.map((result, index) => ({ type: "tool_result", tool_use_id: `toolu_${index}`, ...result })), ...others],
      },
    ],
  };
}

function messagesOf(body: JsonObject, quirks: ChatQuirks = {}, facts = {}): readonly Loose[] {
  return encoded(body, quirks, facts)["messages"] as Loose[];
}

describe("messages", () => {
  test("results answer their calls in order, before anything else of the user's turn", () => {
    const messages = messagesOf({
      messages: [
        { role: "user", content: "go" },
        {
          role: "assistant",
          content: [
            { type: "text", text: "Let me see." },
            { type: "tool_use", id: "toolu_a", name: "Bash", input: { command: "ls" } },
            { type: "tool_use", id: "toolu_b", name: "Read", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "text", text: "and hurry" },
            { type: "tool_result", tool_use_id: "toolu_b", content: "B", is_error: true },
            {
              type: "tool_result",
              tool_use_id: "toolu_a",
              content: [
                { type: "text", text: "A1" },
                { type: "text", text: "A2" },
              ],
            },
          ],
        },
      ],
    });
    expect(messages).toEqual([
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [
          { id: "toolu_a", type: "function", function: { name: "Bash", arguments: '{"command":"ls"}' } },
          { id: "toolu_b", type: "function", function: { name: "Read", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "toolu_a", content: "A1\nA2" },
      { role: "tool", tool_call_id: "toolu_b", content: "Error: B" },
      { role: "user", content: "and hurry" },
    ]);
  });

  test("images of results move into the user's message behind them, and both sides say so", () => {
    const messages = messagesOf(
      turn([{ content: [{ type: "text", text: "here" }, image] }, { content: [image, image] }], [{ type: "text", text: "go on" }]),
    );
    expect(messages.slice(2)).toEqual([
      { role: "tool", tool_call_id: "toolu_0", content: "here\n[1 image of this result: see the next message of the user]" },
      { role: "tool", tool_call_id: "toolu_1", content: "[2 images of this result: see the next message of the user]" },
      {
        role: "user",
        content: [
          { type: "text", text: "[1 image of the result of the tool call toolu_0]" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          { type: "text", text: "[2 images of the result of the tool call toolu_1]" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          { type: "text", text: "go on" },
        ],
      },
    ]);
  });

  test("images of results stay where the host takes them", () => {
    const [, , result] = messagesOf(turn([{ content: [image], is_error: true }]), { imagesInToolResults: true });
    expect(result).toEqual({
      role: "tool",
      tool_call_id: "toolu_0",
      content: [
        { type: "text", text: "Error:" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
      ],
    });
  });

  test("a model that cannot see is told what was there", () => {
    const body = turn([{ content: [image] }]);
    for (const messages of [messagesOf(body, {}, { images: false }), messagesOf(body, { textContentOnly: true })]) {
      expect(JSON.stringify(messages)).not.toContain("iVBOR");
      expect(messages.at(-1)).toEqual({ role: "tool", tool_call_id: "toolu_0", content: expect.stringMatching(/image/) });
    }
  });

  test("documents go as files where the host knows files, else in words", () => {
    const body = { messages: [{ role: "user", content: [pdf, { type: "text", text: "what is it?" }] }] };
    expect(messagesOf(body, { documents: true })).toEqual([
      {
        role: "user",
        content: [
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
          { type: "text", text: "what is it?" },
        ],
      },
    ]);
    expect(JSON.stringify(messagesOf(body))).not.toContain("JVBERi0");
  });

  test("images are given by address too", () => {
    const body = { messages: [{ role: "user", content: [{ type: "image", source: { type: "url", url: "https://a.example/x.png" } }] }] };
    expect(messagesOf(body)).toEqual([{ role: "user", content: [{ type: "image_url", image_url: { url: "https://a.example/x.png" } }] }]);
  });

  const between = {
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.330;" },
      { type: "text", text: "Be brief." },
      { type: "text", text: "Be kind." },
    ],
    messages: [
      { role: "user", content: "Hello" },
      { role: "system", content: "Now be long." },
      { role: "assistant", content: "Hi" },
      { role: "user", content: "Bye" },
    ],
  };

  test("the system's texts are one message, those between the turns stay there", () => {
    expect(messagesOf(between)).toEqual([
      { role: "system", content: "Be brief.\n\nBe kind." },
      { role: "user", content: "Hello" },
      { role: "system", content: "Now be long." },
      { role: "assistant", content: "Hi" },
      { role: "user", content: "Bye" },
    ]);
    expect(messagesOf(between, { systemRole: "developer" }).map(({ role }) => role)).toEqual([
      "developer",
      "user",
      "developer",
      "assistant",
      "user",
    ]);
  });

  test("a host without system messages between the turns gets them in the user's", () => {
    const messages = messagesOf(between, { midSystem: false });
    expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(JSON.stringify(messages[1])).toContain("Now be long.");
  });

  test("a host without system messages at all gets them in front of the first turn", () => {
    const messages = messagesOf(between, { systemRole: "user" });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(JSON.stringify(messages[0])).toContain("Be brief.");
  });

  test("a user's message straight behind a result is kept apart where it is refused", () => {
    const roles = (quirks: ChatQuirks) =>
      messagesOf(turn([{ content: "x" }], [{ type: "text", text: "go on" }]), quirks).map(({ role }) => role);
    expect(roles({})).toEqual(["user", "assistant", "tool", "user"]);
    expect(roles({ noUserAfterTool: true })).toEqual(["user", "assistant", "tool", "assistant", "user"]);
  });

  test("content is one string where nothing else is taken", () => {
    const body = { messages: [{ role: "user", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }, image] }] };
    const [message] = messagesOf(body, { textContentOnly: true });
    expect(message.content).toMatch(/^a\n\nb\n\n/);
    const calls = messagesOf(turn([{ content: "x" }]), { textContentOnly: true });
    expect(calls[1].content).toBe("");
    expect(messagesOf(turn([{ content: "x" }]))[1].content).toBeNull();
  });

  test("a host without tools reads in words what was called and what came of it", () => {
    const body = encoded(
      { ...turn([{ content: "x", is_error: true }]), tools: [{ name: "Bash", input_schema: { type: "object" } }] },
      { tools: false },
    );
    expect(body["tools"]).toBeUndefined();
    expect(JSON.stringify(body["messages"])).not.toMatch(/tool_call/);
    expect(body["messages"]).toEqual([
      { role: "user", content: "go" },
      { role: "assistant", content: '\n[called the tool Bash with {"n":0}]' },
      {
        role: "user",
        content: [
          { type: "text", text: "Result of the tool Bash (an error):" },
          { type: "text", text: "x" },
        ],
      },
    ]);
  });
});

describe("ids of calls", () => {
  const idOf = (id: string, quirks: ChatQuirks = {}): string =>
    messagesOf(
      {
        messages: [
          { role: "user", content: "go" },
          { role: "assistant", content: [{ type: "tool_use", id, name: "Bash", input: {} }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "x" }] },
        ],
      },
      quirks,
    )[1].tool_calls[0].id;

  test("are the producer's own again", () => {
    expect(idOf("call_abc")).toBe("call_abc");
    expect(idOf("ccid_ZnVuY3Rpb25zLkJhc2g6MA")).toBe("functions.Bash:0");
  });

  test("are cut down to what the wire takes", () => {
    const [one, other] = [idOf(`toolu_${"a".repeat(60)}`), idOf(`toolu_${"a".repeat(59)}b`)];
    expect(one.length).toBeLessThanOrEqual(40);
    expect(one).not.toBe(other);
  });

  test("are nine letters and digits for hosts that want it, the same in every turn and on both sides", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/), (id) => {
        fc.pre(!id.startsWith("ccid_"));
        const nine = idOf(id, { nineCharIds: true });
        expect(nine).toMatch(/^[a-zA-Z0-9]{9}$/);
        expect(idOf(id, { nineCharIds: true })).toBe(nine);
      }),
    );
    expect(idOf("abcDEF123", { nineCharIds: true })).toBe("abcDEF123");
    const messages = messagesOf(turn([{ content: "x" }]), { nineCharIds: true });
    expect(messages[2].tool_call_id).toBe(messages[1].tool_calls[0].id);
  });
});

describe("reasoning", () => {
  const producer = "testhost api.example";
  const thought = (thinking: string, payload: Loose, by = producer) => ({
    type: "thinking",
    thinking,
    signature: seal({ producer: by, payload }),
  });
  const assistant = (quirks: ChatQuirks, thinking: readonly JsonObject[], others = {}) =>
    (
      wire.encode!(makeHubRequest(turn([{ content: "x" }], [], thinking), others), makeTarget(quirks), () => {}).body["messages"] as Loose[]
    )[1];

  test("goes back under the host's name, or the one it used itself", () => {
    const thinking = [thought("a", { field: "reasoning_content" }), thought("b", { field: "reasoning_content" })];
    expect(assistant({ reasoningField: "reasoning_content" }, thinking)).toMatchObject({ reasoning_content: "ab" });
    expect(assistant({ reasoningField: "reasoning" }, thinking)).toMatchObject({ reasoning_content: "ab" });
    expect(assistant({ reasoningField: "reasoning" }, [thought("a", { field: "thinking_parts" })])).toMatchObject({ reasoning: "a" });
  });

  test("stays here where the host wants none of it, and what others thought stays in any case", () => {
    expect(assistant({}, [thought("a", { field: "reasoning" })])).not.toHaveProperty("reasoning");
    const foreign = [thought("a", { field: "reasoning_content" }, "else where"), { type: "thinking", thinking: "b", signature: "EqoB" }];
    expect(Object.keys(assistant({ reasoningField: "reasoning_content" }, foreign))).toEqual(["role", "content", "tool_calls"]);
  });

  test("is said to be empty where a host must hear of it", () => {
    const quirks: ChatQuirks = { reasoningField: "reasoning_content", reasoningRequired: true };
    expect(assistant(quirks, [])).toMatchObject({ reasoning_content: "" });
    expect(assistant(quirks, [thought("a", { field: "reasoning_content" })], { withoutThinking: true })).toMatchObject({
      reasoning_content: "",
    });
    // Only of turns with calls.
    const body = {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
        { role: "user", content: "c" },
      ],
    };
    expect(messagesOf(body, quirks)[1]).toEqual({ role: "assistant", content: "b" });
  });

  test("details go back whole and in order, pieces put together", () => {
    const details = [
      { type: "reasoning.text", text: "a", index: 0, format: "anthropic-claude-v1" },
      { type: "reasoning.encrypted", data: "x", id: "e1", index: 1 },
    ];
    const late = [{ type: "reasoning.text", text: "", index: 0, signature: "sig" }];
    const thinking = [thought("a", { field: "reasoning_details", details }), thought("", { field: "reasoning_details", details: late })];
    const message = assistant({ reasoningField: "reasoning_details" }, thinking);
    expect(message.reasoning_details).toEqual([{ ...details[0], signature: "sig" }, details[1]]);
    expect(message).not.toHaveProperty("reasoning");
  });

  test("details that were never sent are replaced by the words", () => {
    expect(assistant({ reasoningField: "reasoning_details" }, [thought("a", { field: "reasoning" })])).toMatchObject({ reasoning: "a" });
  });

  test("goes back as parts in front of the content", () => {
    const body = {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: [thought("hm", { field: "thinking_parts" }), { type: "text", text: "b" }] },
        { role: "user", content: "c" },
      ],
    };
    expect(messagesOf(body, { reasoningField: "thinking_parts" })[1]).toEqual({
      role: "assistant",
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
        { type: "text", text: "b" },
      ],
    });
  });

  test("an answer that was nothing but thinking still says something", () => {
    const body = {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: [thought("hm", { field: "reasoning" })] },
        { role: "user", content: "c" },
      ],
    };
    expect(messagesOf(body)[1].content).not.toBe("");
  });
});

describe("tools", () => {
  const tools = [
    {
      name: "Bash",
      description: "Runs",
      strict: true,
      input_schema: { $schema: "x", type: "object", properties: { command: { type: "string" } } },
    },
  ];

  test("are functions; strict only where the host knows it", () => {
    const [tool] = encoded({ tools })["tools"] as Loose[];
    expect(tool).toMatchObject({ type: "function", function: { name: "Bash", description: "Runs", parameters: { type: "object" } } });
    expect(tool.function).not.toHaveProperty("strict");
    const [strict] = encoded({ tools }, { strictTools: true })["tools"] as Loose[];
    expect(strict.function).toMatchObject({ strict: true, parameters: { additionalProperties: false, required: ["command"] } });
  });

  test("names that are too long are put otherwise, the same in tools, history and choice", () => {
    const name = `mcp__${"x".repeat(80)}`;
    const body = encoded({
      tools: [{ name, input_schema: { type: "object" } }],
      tool_choice: { type: "tool", name },
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: [{ type: "tool_use", id: "t1", name, input: {} }] },
      ],
    });
    const alias = (body["tools"] as Loose)[0].function.name;
    expect(alias).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body["tool_choice"]).toEqual({ type: "function", function: { name: alias } });
    expect((body["messages"] as Loose)[1].tool_calls[0].function.name).toBe(alias);
  });

  test.each([
    [{ type: "auto" }, {}, undefined],
    [{ type: "none" }, {}, "none"],
    [{ type: "any" }, {}, "required"],
    [{ type: "any" }, { anyToolChoice: "any" }, "any"],
    [{ type: "tool", name: "Bash" }, {}, { type: "function", function: { name: "Bash" } }],
    [{ type: "tool", name: "Bash" }, { anyToolChoice: "auto" }, "auto"],
  ] as const)("the choice %j with %j is %j", (tool_choice, quirks, expected) => {
    expect(encoded({ tools, tool_choice }, quirks)["tool_choice"]).toEqual(expected);
  });

  test("one call at a time is asked for where that can be asked", () => {
    const tool_choice = { type: "auto", disable_parallel_tool_use: true };
    expect(encoded({ tools, tool_choice })["parallel_tool_calls"]).toBe(false);
    expect(encoded({ tools, tool_choice }, { parallelToolCalls: false })).not.toHaveProperty("parallel_tool_calls");
    expect(encoded({ tool_choice })).not.toHaveProperty("parallel_tool_calls");
  });

  test("no choice goes without tools", () => {
    expect(encoded({ tool_choice: { type: "any" }, tools: [] })).not.toHaveProperty("tool_choice");
    expect(encoded({ tool_choice: { type: "any" }, tools: [] })).not.toHaveProperty("tools");
  });

  const search = [
    {
      type: "web_search_20250305",
      name: "web_search",
      max_uses: 8,
      allowed_domains: ["a.example"],
      user_location: { type: "approximate", city: "Bern" },
    },
  ];

  test("a search is asked for as the host knows it", () => {
    expect(encoded({ tools: search }, { webSearch: "web_search_options" })).toMatchObject({
      web_search_options: { user_location: { type: "approximate", approximate: { city: "Bern" } } },
    });
    expect(encoded({ tools: search }, { webSearch: "openrouter" })["tools"]).toEqual([
      {
        type: "openrouter:web_search",
        parameters: { allowed_domains: ["a.example"], user_location: { type: "approximate", city: "Bern" } },
      },
    ]);
    const builtIn = encoded({ tools: search }, { webSearch: "built-in" });
    expect(builtIn).not.toHaveProperty("tools");
    expect(builtIn).not.toHaveProperty("web_search_options");
  });

  test("a search that is all that was asked for, of a host without one, is a clear error", () => {
    expect(() => encoded({ tools: search })).toThrow(ProxyError);
    expect(() => encoded({ tools: search })).toThrow(/"testhost" has no web search/);
    expect(encoded({ tools: [...tools, ...search] })["tools"]).toHaveLength(1);
  });
});

describe("top-level fields", () => {
  test("stand in one order, whatever order they came in", () => {
    const body = encoded({
      stream: true,
      temperature: 0.5,
      stop_sequences: ["x"],
      tools: [{ name: "a", input_schema: { type: "object" } }],
      system: "s",
    });
    expect(Object.keys(body)).toEqual(["model", "messages", "tools", "max_tokens", "stop", "temperature", "stream", "stream_options"]);
    expect(body["model"]).toBe("model-x");
  });

  test("usage is asked for, unless the host does not know the question", () => {
    expect(encoded({ stream: true })).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(encoded({ stream: true }, { streamUsage: false })).not.toHaveProperty("stream_options");
    expect(encoded({})).not.toHaveProperty("stream");
  });

  test("the limit has the host's name, and is what the model can give", () => {
    expect(encoded({ max_tokens: 5000 }, { maxTokensField: "max_completion_tokens" }, { maxOutputTokens: 4096 })).toMatchObject({
      max_completion_tokens: 4096,
    });
  });

  test.each([
    ["low", {}, { reasoning: true }, { reasoning_effort: "low" }],
    ["low", {}, {}, {}],
    ["low", { effort: "reasoning_effort" }, {}, { reasoning_effort: "low" }],
    ["low", { effort: "reasoning_effort" }, { reasoning: false }, {}],
    ["max", { effort: "reasoning_effort", effortNames: { max: "high" } }, {}, { reasoning_effort: "high" }],
    ["max", { effort: "reasoning_effort", effortNames: { max: null } }, {}, {}],
    ["high", { effort: "reasoning" }, {}, { reasoning: { effort: "high" } }],
    ["high", { effort: "reasoning", effortNames: { high: null } }, {}, { reasoning: { enabled: true } }],
    ["high", { effort: "thinking" }, {}, { thinking: { type: "enabled" } }],
    ["xhigh", { effort: "thinking", effortNames: { xhigh: "max" } }, {}, { thinking: { type: "enabled" }, reasoning_effort: "max" }],
    ["low", { effort: "none" }, { reasoning: true }, {}],
  ] as const)("effort %s with %j of a model with %j is %j", (effort, quirks, facts, expected) => {
    const body = encoded({ thinking: { type: "adaptive" }, output_config: { effort } }, quirks, facts);
    const { reasoning_effort, reasoning, thinking } = body as Loose;
    expect(JSON.parse(JSON.stringify({ reasoning_effort, reasoning, thinking }))).toEqual(expected);
  });

  test("thinking that is switched off is switched off", () => {
    const off = { thinking: { type: "disabled" } };
    expect(encoded(off, { effort: "thinking" })).toMatchObject({ thinking: { type: "disabled" } });
    expect(encoded(off, { effort: "reasoning" })).toMatchObject({ reasoning: { enabled: false } });
    expect(encoded(off, { effort: "reasoning_effort", effortNames: { none: "low" } })).toMatchObject({ reasoning_effort: "low" });
  });

  test("sampling keeps to what the host takes", () => {
    expect(encoded({ temperature: 1, top_p: 0.9, top_k: 5 }, { temperature: [0, 0.99] })).toMatchObject({ temperature: 0.99, top_p: 0.9 });
    expect(encoded({ top_k: 5 }, { topK: true })).toMatchObject({ top_k: 5 });
    expect(encoded({ top_k: 5 })).not.toHaveProperty("top_k");
    const fixed = encoded({ temperature: 0, top_p: 0.9 }, { temperature: "fixed" });
    expect(fixed).not.toHaveProperty("temperature");
    expect(fixed).not.toHaveProperty("top_p");
  });

  test("stop sequences are at most as many as the host takes", () => {
    const stop_sequences = ["a", "b", "c", "d", "e"];
    expect(encoded({ stop_sequences })["stop"]).toEqual(["a", "b", "c", "d"]);
    expect(encoded({ stop_sequences }, { stopLimit: 1 })["stop"]).toEqual(["a"]);
    expect(encoded({ stop_sequences }, { refused: ["stop"] })).not.toHaveProperty("stop");
  });

  test("an output schema is a strict format, or a request in words", () => {
    const format = { type: "json_schema", schema: { type: "object", properties: { a: { type: "string" } } } };
    expect(encoded({ output_config: { format } })["response_format"]).toMatchObject({
      type: "json_schema",
      json_schema: { name: "output", strict: true, schema: { additionalProperties: false } },
    });
    const words = encoded({ output_config: { format }, system: "s" }, { jsonSchema: false });
    expect(words).not.toHaveProperty("response_format");
    expect((words["messages"] as Loose)[0].content).toMatch(/^s\n\n.*JSON Schema/);
  });

  test("the user is a hash, the session a key of the cache", () => {
    const body = { metadata: { user_id: "someone@example.org" } };
    expect(encoded(body)["user"]).toMatch(/^[0-9a-f]{64}$/);
    expect(encoded(body, { userField: "safety_identifier" })["safety_identifier"]).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(encoded(body, { userField: "none" }))).not.toMatch(/[0-9a-f]{64}/);
    expect(encoded({}, { promptCacheKey: true }, {}, { session: "s1" })["prompt_cache_key"]).toBe("s1");
    expect(encoded({}, {}, {}, { session: "s1" })).not.toHaveProperty("prompt_cache_key");
  });

  test("refused fields go with a note, others are renamed, and defaults stand back", () => {
    const { note, notes } = collectNotes();
    const quirks: ChatQuirks = { refused: ["user"], renamed: { stop: "stop_words" }, defaults: { max_tokens: 1, safe: true } };
    const body = wire.encode!(makeHubRequest({ metadata: { user_id: "u" }, stop_sequences: ["x"] }), makeTarget(quirks), note).body;
    expect(body).toMatchObject({ stop_words: ["x"], max_tokens: 1000, safe: true });
    expect(body).not.toHaveProperty("user");
    expect(notes).toContainEqual({ what: expect.stringContaining("refuses"), details: { field: "user" } });
  });
});

test("marks of the cache go along to hosts that understand them, and nowhere else", () => {
  const mark = { cache_control: { type: "ephemeral", ttl: "1h" } };
  const body = {
    system: [{ type: "text", text: "s", ...mark }],
    tools: [{ name: "a", input_schema: { type: "object" }, ...mark }],
    messages: [{ role: "user", content: [{ type: "text", text: "hello", cache_control: { type: "ephemeral" } }] }],
  };
  const marked = encoded(body, { cacheControl: true }) as Loose;
  expect(marked.messages).toEqual([
    { role: "system", content: [{ type: "text", text: "s", ...mark }] },
    { role: "user", content: [{ type: "text", text: "hello", cache_control: { type: "ephemeral" } }] },
  ]);
  expect(marked.tools[0]).toMatchObject(mark);
  expect(JSON.stringify(encoded(body))).not.toContain("cache_control");
});

test("the same turn reads the same, whatever comes after it", () => {
  const text = fc.string({ minLength: 1 }).map((words) => ({ type: "text", text: words }));
  const exchange = fc.record({
    user: fc.array(text, { minLength: 1, maxLength: 2 }),
    said: fc.array(text, { maxLength: 2 }),
    calls: fc.nat(2),
    picture: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 5 }), fc.boolean(), (exchanges, nineCharIds) => {
      const messages: Loose[] = [];
      for (const [at, { user, said, calls, picture }] of exchanges.entries()) {
        const results = (messages.at(-1)?.content ?? []).filter((block: Loose) => block.type === "tool_use");
        messages.push({
          role: "user",
          content: [
            ...results.map(({ id }: Loose) => ({ type: "tool_result", tool_use_id: id, content: picture ? [image] : "x" })),
            ...user,
          ],
        });
        const uses = Array.from({ length: calls }, (_, n) => ({ type: "tool_use", id: `t_${at}_${n}`, name: "Bash", input: { n } }));
        messages.push({ role: "assistant", content: [...said, { type: "text", text: "." }, ...uses] });
      }
      const quirks: ChatQuirks = { nineCharIds };
      const all = messagesOf({ system: "s", messages: [...messages, { role: "user", content: "end" }] }, quirks);
      for (let length = 1; length < messages.length; length += 2) {
        const part = messagesOf({ system: "s", messages: messages.slice(0, length) }, quirks);
        expect(all.slice(0, part.length)).toEqual(part);
      }
    }),
    { numRuns: 200 },
  );
});
