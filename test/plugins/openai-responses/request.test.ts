import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { hubProducer, seal } from "../../../sdk/hub/envelope.ts";
import { growingConversation } from "../../helpers/random-conversation.ts";
import { type Loose, encoded, makeTarget, notesOf, producer, wire } from "./targets.ts";

const png = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
const tool = { name: "Bash", description: "Runs.", input_schema: { type: "object", properties: { command: { type: "string" } } } };
const thought = (payload: JsonObject, words = "hm"): JsonObject => ({
  type: "thinking",
  thinking: words,
  signature: seal({ producer, payload }),
});

describe("the input", () => {
  test("begins with the system's texts as one item of the developer, and keeps later ones where they stand", () => {
    const body = encoded({
      system: [
        { type: "text", text: "x-anthropic-billing-header: cc_version=2;" },
        { type: "text", text: "One." },
        { type: "text", text: "Two.", cache_control: { type: "ephemeral" } },
      ],
      messages: [
        { role: "user", content: "Hi" },
        { role: "system", content: "Later." },
      ],
    });
    expect(body.instructions).toBeUndefined();
    expect(body.input).toEqual([
      {
        type: "message",
        role: "developer",
        content: [
          { type: "input_text", text: "One." },
          { type: "input_text", text: "Two." },
        ],
      },
      { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] },
      { type: "message", role: "developer", content: [{ type: "input_text", text: "Later." }] },
    ]);
  });

  test("of a model of another vendor has a system role in front only", () => {
    const { input } = encoded(
      {
        system: "One.",
        messages: [
          { role: "user", content: "Hi" },
          { role: "system", content: "Later." },
        ],
      },
      { model: "qwen3" },
    );
    expect(input.map((item: Loose) => item.role)).toEqual(["system", "user"]);
    expect(JSON.stringify(input[1])).toContain("<system-reminder>");
  });

  test("has images and files, in messages and in results", () => {
    const { input } = encoded({
      messages: [
        {
          role: "user",
          content: [{ type: "text", text: "Look" }, png, { type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
        },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "Read", input: { path: "/a" } }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "An image" }, png] },
            { type: "document", title: "Report", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } },
            { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } },
          ],
        },
      ],
    });
    expect(input).toEqual([
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "Look" },
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          { type: "input_image", image_url: "https://example.com/a.png", detail: "auto" },
        ],
      },
      { type: "function_call", call_id: "toolu_1", name: "Read", arguments: '{"path":"/a"}' },
      {
        type: "function_call_output",
        call_id: "toolu_1",
        output: [
          { type: "input_text", text: "An image" },
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
        ],
      },
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_file", filename: "Report.pdf", file_data: "data:application/pdf;base64,JVBE" },
          { type: "input_file", file_url: "https://example.com/a.pdf" },
        ],
      },
    ]);
  });

  test("says of a result that it is an error, in words", () => {
    const result = (content: JsonObject["content"]): Loose =>
      encoded({
        messages: [
          { role: "user", content: "Go" },
          { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "Bash", input: {} }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", is_error: true, content: content! }] },
        ],
      }).input.at(-1).output;
    expect(result("No such file")).toBe("Error: No such file");
    expect(result([png])).toEqual([{ type: "input_text", text: "Error:" }, expect.objectContaining({ type: "input_image" })]);
  });

  test("keeps ids of calls to 64 characters, the same on both sides", () => {
    const id = `toolu_${"x".repeat(80)}`;
    const { input } = encoded({
      messages: [
        { role: "user", content: "Go" },
        { role: "assistant", content: [{ type: "tool_use", id, name: "Bash", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "ok" }] },
      ],
    });
    const [, call, output] = input;
    expect(call.call_id).toMatch(/^call_[0-9a-f]{59}$/);
    expect(output.call_id).toBe(call.call_id);
  });
});

describe("reasoning that comes back", () => {
  const turn = (...blocks: JsonObject[]): JsonObject => ({
    messages: [
      { role: "user", content: "Go" },
      { role: "assistant", content: blocks },
      { role: "user", content: "On" },
    ],
  });
  const call = { type: "tool_use", id: "toolu_1", name: "Bash", input: {} };

  test("stands in front of what it led to, as its producer gave it", () => {
    const { input } = encoded(turn(thought({ id: "rs_1", encrypted_content: "gAAA" }), call));
    expect(input[1]).toEqual({ type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAA" });
    expect(input[2]).toMatchObject({ type: "function_call" });
  });

  test("without words has an empty summary; of an open model its words", () => {
    expect(encoded(turn(thought({ id: "rs_1", encrypted_content: "gAAA" }, ""), call)).input[1]).toMatchObject({
      summary: [],
      encrypted_content: "gAAA",
    });
    expect(encoded(turn(thought({ id: "rs_1", open: true }), call)).input[1]).toEqual({
      type: "reasoning",
      id: "rs_1",
      summary: [],
      content: [{ type: "reasoning_text", text: "hm" }],
    });
  });

  test("is left out where nothing follows it, where there is nothing to give back, and where the model does not reason", () => {
    const types = (body: JsonObject, target = {}): string[] => encoded(body, target).input.map((item: Loose) => item.type);
    expect(types(turn({ type: "text", text: "Hm." }, thought({ id: "rs_1", encrypted_content: "gAAA" })))).not.toContain("reasoning");
    expect(types(turn({ type: "thinking", thinking: "hm", signature: seal({ producer, payload: null }) }, call))).not.toContain(
      "reasoning",
    );
    expect(types(turn(thought({ id: "rs_1", encrypted_content: "gAAA" }), call), { model: "gpt-4.1" })).not.toContain("reasoning");
  });

  test("of another producer, of Anthropic, or refused before, never goes", () => {
    const others = [
      { type: "thinking", thinking: "hm", signature: seal({ producer: "other", payload: { id: "rs_1", encrypted_content: "gAAA" } }) },
      { type: "thinking", thinking: "hm", signature: "EqQBCgIYAhIM" },
      { type: "redacted_thinking", data: "EmwKAhgB" },
    ];
    for (const block of others) expect(JSON.stringify(encoded(turn(block, call)))).not.toMatch(/gAAA|EqQB|Emw|"reasoning_text"/);
    const own = turn(thought({ id: "rs_1", encrypted_content: "gAAA" }), call);
    expect(JSON.stringify(encoded(own, {}, { withoutThinking: true }).input)).not.toContain("gAAA");
  });
});

describe("phases", () => {
  const messages = [
    { role: "user", content: "Go" },
    {
      role: "assistant",
      content: [
        { type: "text", text: "Looking." },
        { type: "tool_use", id: "toolu_1", name: "Bash", input: {} },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "ok" }] },
    { role: "assistant", content: "Done." },
    { role: "user", content: "More" },
  ];
  const phases = (model: string): unknown[] =>
    encoded({ messages }, { model }).input.flatMap((item: Loose) => (item.role === "assistant" ? [item.phase] : []));

  test.each(["gpt-5.3-codex", "gpt-5.4-mini", "gpt-5.6-sol", "gpt-6-astra", "openai/gpt-6.2-sol"])("are told to %s", (model) => {
    expect(phases(model)).toEqual(["commentary", "final_answer"]);
  });

  test.each(["gpt-5.2", "gpt-5.1-codex", "gpt-4.1", "o3", "grok-4.7"])("are nothing that %s knows", (model) => {
    expect(phases(model)).toEqual([undefined, undefined]);
  });
});

describe("effort", () => {
  const asked = (effort: string, model: string): Loose =>
    encoded({ thinking: { type: "adaptive" }, output_config: { effort } }, { model }).reasoning;

  test.each([
    ["gpt-6.2-sol", "max", "xhigh"],
    ["gpt-6.2-sol", "low", "low"],
    ["gpt-6-astra", "max", "max"],
    ["gpt-5.6-sol", "max", "max"],
    ["gpt-5.5", "max", "xhigh"],
    ["gpt-5.1", "xhigh", "high"],
    ["gpt-5-pro", "low", "high"],
    ["gpt-5.4-pro", "low", "medium"],
    ["gpt-5.1-codex", "xhigh", "high"],
    ["gpt-5.1-codex-max", "xhigh", "xhigh"],
    ["gpt-5-mini-2025-08-07", "xhigh", "high"],
    ["o4-mini", "max", "high"],
    ["openai/gpt-5.6-luna", "xhigh", "xhigh"],
  ])("%s asked for %s gets %s", (model, effort, expected) => {
    expect(asked(effort, model)).toEqual({ effort: expected, summary: "auto" });
  });

  test.each([
    ["gpt-5.6-sol", { effort: "none" }],
    ["gpt-6-luna", { effort: "none" }],
    ["gpt-6.1-terra", { effort: "low", summary: "auto" }],
    ["gpt-6.2-astra", { effort: "low", summary: "auto" }],
    ["gpt-5", { effort: "minimal", summary: "auto" }],
    ["gpt-5.3-codex", { effort: "low", summary: "auto" }],
  ])("%s told not to think gets %j", (model, expected) => {
    expect(encoded({ thinking: { type: "disabled" } }, { model }).reasoning).toEqual(expected);
  });

  test("is left to the model where nobody says, and its reasoning is asked for all the same", () => {
    expect(encoded({})).toMatchObject({ reasoning: { summary: "auto" }, include: ["reasoning.encrypted_content"], store: false });
  });

  test("is not named to models that do not reason, or are not known to", () => {
    for (const model of ["gpt-4.1", "gpt-4o", "gpt-5-chat-latest", "some-model"]) {
      const body = encoded({ thinking: { type: "adaptive" }, temperature: 0.5 }, { model });
      expect(body.reasoning).toBeUndefined();
      expect(body.include).toBeUndefined();
      expect(body.temperature).toBe(0.5);
    }
    expect(encoded({ thinking: { type: "adaptive" } }, { model: "some-model", modelFacts: { reasoning: true } }).reasoning).toEqual({
      effort: "medium",
    });
    expect(encoded({ thinking: { type: "adaptive" } }, { model: "gpt-5.6", modelFacts: { reasoning: false } }).reasoning).toBeUndefined();
    expect(asked("high", "grok-4-fast")).toBeUndefined();
    expect(
      encoded({ thinking: { type: "adaptive" } }, { model: "my-deployment", params: { base_model: "azure/gpt-5.1" } }).reasoning.effort,
    ).toBe("medium");
  });

  test("takes sampling away, unless there is none", () => {
    expect(encoded({ temperature: 0.2, top_p: 0.9 })).not.toHaveProperty("temperature");
    expect(encoded({ temperature: 0.2, top_p: 0.9, thinking: { type: "disabled" } }, { model: "gpt-5.2" })).toMatchObject({
      temperature: 0.2,
      top_p: 0.9,
    });
    expect(notesOf({ temperature: 0.2, top_k: 4 })).toContain("sampling was left out that the model does not take");
  });
});

describe("tools", () => {
  test("are flat, and say that they are not strict", () => {
    expect(encoded({ tools: [tool] }).tools).toEqual([
      { type: "function", name: "Bash", description: "Runs.", parameters: expect.objectContaining({ type: "object" }), strict: false },
    ]);
  });

  test("are strict where that was asked for and changes nothing of the schema", () => {
    const strict = (input_schema: JsonObject): unknown => encoded({ tools: [{ name: "T", strict: true, input_schema }] }).tools[0].strict;
    const inner = { type: "object", properties: { b: { type: "string" } }, required: ["b"], additionalProperties: false };
    expect(strict({ type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false })).toBe(true);
    expect(
      strict({ type: "object", properties: { a: { type: "array", items: inner } }, required: ["a"], additionalProperties: false }),
    ).toBe(true);
    expect(strict({ type: "object", properties: { a: { type: "string" } }, additionalProperties: false })).toBe(false);
    expect(strict({ type: "object", properties: { a: { ...inner, required: [] } }, required: ["a"], additionalProperties: false })).toBe(
      false,
    );
    expect(strict({ type: "object", properties: { a: { type: "string" } }, required: ["a"] })).toBe(false);
  });

  test("with long or strange names are aliased, in the history too", () => {
    const name = `mcp__server__${"x".repeat(80)}.y`;
    const body = encoded({
      tools: [{ ...tool, name }],
      tool_choice: { type: "tool", name },
      messages: [
        { role: "user", content: "Go" },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name, input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "ok" }] },
      ],
    });
    const alias = body.tools[0].name;
    expect(alias).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body.tool_choice).toEqual({ type: "function", name: alias });
    expect(body.input[1].name).toBe(alias);
  });

  test.each([
    [{ type: "auto" }, undefined, undefined],
    [{ type: "any" }, "required", undefined],
    [{ type: "none" }, "none", undefined],
    [{ type: "any", disable_parallel_tool_use: true }, "required", false],
    [{ type: "auto", disable_parallel_tool_use: true }, undefined, false],
  ])("are chosen by %j", (choice, tool_choice, parallel_tool_calls) => {
    const body = encoded({ tools: [tool], tool_choice: choice });
    expect([body.tool_choice, body.parallel_tool_calls]).toEqual([tool_choice, parallel_tool_calls]);
    expect(encoded({ tool_choice: choice })).not.toHaveProperty("tool_choice");
  });

  test("are at most 128", () => {
    const many = Array.from({ length: 200 }, (_, index) => ({ ...tool, name: `t${index}` }));
    expect(encoded({ tools: many }).tools).toHaveLength(128);
    expect(notesOf({ tools: many })).toContain("tools were left out: the wire takes no more");
  });

  test("of the vendor's search have its filters and its place, and ask for the sources", () => {
    const search = {
      type: "web_search_20250305",
      name: "web_search",
      max_uses: 8,
      allowed_domains: ["example.com"],
      user_location: { type: "approximate", city: "Bern", country: "CH" },
    };
    const body = encoded({ tools: [search], tool_choice: { type: "auto" } });
    expect(body.tools).toEqual([
      {
        type: "web_search",
        filters: { allowed_domains: ["example.com"] },
        user_location: { type: "approximate", city: "Bern", country: "CH" },
      },
    ]);
    expect(body.include).toEqual(["reasoning.encrypted_content", "web_search_call.action.sources"]);
    expect(encoded({ tools: [{ ...search, allowed_domains: [], blocked_domains: ["x.com"] }] }).tools[0].filters).toEqual({
      blocked_domains: ["x.com"],
    });
  });

  test("of a search on a host without one: an error where it is all that was asked for, a note elsewhere", () => {
    const search = { type: "web_search_20250305", name: "web_search" };
    const target = { quirks: { responses: { webSearch: false } } };
    expect(() => encoded({ tools: [search] }, target)).toThrow(ProxyError);
    expect(encoded({ tools: [search, tool] }, target).tools).toHaveLength(1);
    expect(encoded({ tools: [search, tool] }, target).include).toEqual(["reasoning.encrypted_content"]);
  });
});

describe("the other fields", () => {
  test("limits, format, identity", () => {
    const body = encoded(
      {
        max_tokens: 4,
        stream: true,
        metadata: { user_id: "user_1" },
        output_config: {
          format: {
            type: "json_schema",
            schema: { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false },
          },
        },
        stop_sequences: ["END"],
      },
      {},
      { session: "s".repeat(100) },
    );
    expect(body).toMatchObject({
      model: "gpt-5.6-sol",
      max_output_tokens: 16,
      stream: true,
      safety_identifier: expect.stringMatching(/^[0-9a-f]{64}$/),
      prompt_cache_key: expect.stringMatching(/^[0-9a-f]{64}$/),
      text: { format: { type: "json_schema", name: "output", strict: true } },
    });
    expect(body).not.toHaveProperty("stop");
    expect(encoded({ max_tokens: 500_000 }, { modelFacts: { maxOutputTokens: 128_000 } }).max_output_tokens).toBe(128_000);
  });

  test("are what the host takes", () => {
    const responses = {
      encryptedReasoning: false,
      promptCacheKey: false,
      refused: ["safety_identifier"],
      defaults: { service_tier: "flex", store: true },
    };
    const body = encoded({ metadata: { user_id: "u" } }, { quirks: { responses } }, { session: "s" });
    for (const field of ["include", "prompt_cache_key", "safety_identifier"]) expect(body).not.toHaveProperty(field);
    expect(body).toMatchObject({ service_tier: "flex", store: false });
  });

  test("that nobody here knows are noted, not refused", () => {
    expect(notesOf({ context_management: { edits: [] }, novelty: 1 })).toEqual(["fields were left out that the wire does not have"]);
  });
});

test("what a conversation grows into begins with what it was", () => {
  fc.assert(
    fc.property(growingConversation, ({ bodies, isResent }) => {
      // Two of the user's messages in a row are one turn: it grows within.
      fc.pre(!isResent);
      for (const [index, body] of bodies.slice(1).entries()) {
        const options = { model: "gpt-5.6-sol", producer: "own example.com" };
        const before = encoded(bodies[index]!, options);
        const after = encoded(body, options);
        expect(after.input.slice(0, before.input.length)).toEqual(before.input);
        expect(after.tools.slice(0, before.tools.length)).toEqual(before.tools);
      }
    }),
    { numRuns: 1000 },
  );
});

describe("a request of the same dialect", () => {
  const adapted = (body: JsonObject): string =>
    Buffer.from(wire.adapt(bodyOf(Buffer.from(JSON.stringify(body))), makeTarget(), "generate").bytes).toString();

  test("is passed with another model at most", () => {
    expect(adapted({ model: "gpt-5.6-sol", input: "Hi", x: 1 })).toBe('{"model":"gpt-5.6-sol","input":"Hi","x":1}');
    expect(adapted({ model: "group", input: "Hi", x: 1 })).toBe('{"model":"gpt-5.6-sol","input":"Hi","x":1}');
  });

  test("goes without reasoning that was packed here for another vendor", () => {
    const own = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" };
    const packed = {
      type: "reasoning",
      id: "rs_2",
      summary: [],
      encrypted_content: seal({ producer: hubProducer, payload: { type: "thinking" } }),
    };
    expect(JSON.parse(adapted({ model: "group", input: [own, packed, { role: "user", content: "Hi" }] })).input).toEqual([
      own,
      { role: "user", content: "Hi" },
    ]);
  });
});
