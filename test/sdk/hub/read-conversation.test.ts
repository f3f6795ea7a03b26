import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import type { Conversation } from "../../../sdk/hub/conversation.ts";
import { record } from "../../../sdk/hub/json.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { assistant, call, read, result, system, text, user } from "../../helpers/hub-messages.ts";

describe("a body of today's client", () => {
  it("is read whole: the billing block and foreign thinking are gone, the rest is there", () => {
    const notes: unknown[] = [];
    const body: JsonObject = JSON.parse(claudeCodeBody({ turns: 2, image: true }).toString());
    const read1 = read(body, { notes, target: { modelFacts: { maxOutputTokens: 32_000 } } });
    expect(read1.system.map(({ text: words }) => words.slice(0, 30))).toEqual([
      "You are a coding agent that wo",
      expect.not.stringContaining("billing"),
    ]);
    expect(read1.tools).toHaveLength(11);
    expect(read1.turns.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
    expect(read1).toMatchObject({
      effort: "high",
      maxTokens: 32_000,
      stream: true,
      parallelToolCalls: true,
      session: "s",
      webSearch: undefined,
    });
    expect(read1.user).toMatch(/^[0-9a-f]{64}$/);
    expect(notes).toEqual([
      ["thinking of another producer was left out", { count: 2 }],
      ["max_tokens was lowered to what the model can give", { asked: 64_000, most: 32_000 }],
    ]);
  });

  it("that searches the web has one tool, which is the provider's own", () => {
    const read1 = read(JSON.parse(claudeCodeBody({ kind: "auxiliary" }).toString()));
    expect(read1).toMatchObject({ tools: [], webSearch: { name: "web_search", maxUses: 8 }, effort: undefined, toolChoice: undefined });
  });
});

describe("tools", () => {
  const messages = [user("a")];
  const schema = { type: "object", properties: {} };
  const tool = (name: string, others: JsonObject = {}): JsonObject => ({ name, description: `d ${name}`, input_schema: schema, ...others });
  const names = (tools: Json, said: readonly Json[] = messages): readonly string[] =>
    read({ messages: said, tools }).tools.map(({ name }) => name);

  it("are read in their order, each name once", () => {
    const tools = [tool("B", { strict: true }), tool("A", { type: "custom" }), tool("B"), tool(""), { name: "C" }];
    expect(read({ messages, tools }).tools).toEqual([
      { name: "B", description: "d B", schema, strict: true },
      { name: "A", description: "d A", schema, strict: undefined },
      { name: "C", description: "", schema, strict: undefined },
    ]);
  });

  it("that are deferred join once they were named, in that order, behind the others", () => {
    const tools = [
      tool("L1", { defer_loading: true }),
      tool("A"),
      tool("L2", { defer_loading: true }),
      tool("L3", { defer_loading: true }),
    ];
    expect(names(tools)).toEqual(["A"]);
    const found = (name: string): JsonObject => result("1", [{ type: "tool_reference", tool_name: name }]);
    expect(names(tools, [user("a"), assistant([call("1")]), user([found("L3")])])).toEqual(["A", "L3"]);
    const more = [user("a"), assistant([call("1")]), user([found("L3")]), assistant([call("1")]), user([found("L1")])];
    expect(names(tools, more)).toEqual(["A", "L3", "L1"]);
    // After a compaction the reference is gone, but not the calls.
    expect(names(tools, [user("a"), assistant([call("1", "L2")]), user([result("1")])])).toEqual(["A", "L2"]);
    expect(names(tools, [user("a"), assistant([call("1")]), user([found("Unknown")])])).toEqual(["A"]);
  });

  it("are all there where the vendor itself would have looked for them", () => {
    const notes: unknown[] = [];
    const tools = [
      { type: "tool_search_tool_regex_20251119", name: "tool_search" },
      tool("L", { defer_loading: true }),
      tool("DeferredToolPlaceholder"),
    ];
    expect(read({ messages, tools }, { notes }).tools.map(({ name }) => name)).toEqual(["L"]);
    expect(notes).toEqual([["a tool of type tool_search_tool_regex_20251119 was left out, since only its vendor has it", { count: 1 }]]);
  });

  it.each<[string, string, readonly string[], readonly string[]]>([
    ["bash_20250124", "bash", ["command", "restart"], []],
    [
      "text_editor_20250124",
      "str_replace_editor",
      ["command", "file_text", "insert_line", "new_str", "old_str", "path", "view_range"],
      ["command", "path"],
    ],
    [
      "text_editor_20250728",
      "str_replace_based_edit_tool",
      ["command", "file_text", "insert_line", "insert_text", "new_str", "old_str", "path", "view_range"],
      ["command", "path"],
    ],
    [
      "memory_20250818",
      "memory",
      ["command", "file_text", "insert_line", "insert_text", "new_path", "new_str", "old_path", "old_str", "path", "view_range"],
      ["command"],
    ],
    ["computer_20241022", "computer", ["action", "coordinate", "text"], ["action"]],
    [
      "computer_20251124",
      "computer",
      ["action", "coordinate", "duration", "region", "scroll_amount", "scroll_direction", "start_coordinate", "text"],
      ["action"],
    ],
  ])("that every client has are described to models which were not trained on them: %s", (type, name, properties, required) => {
    const tools = [{ type, name, enable_zoom: true, display_width_px: 1024, display_height_px: 768 }];
    const [read1] = read({ messages, tools }).tools;
    expect(read1?.name).toBe(name);
    expect(read1?.description).not.toBe("");
    expect(Object.keys(record(read1?.schema["properties"]) ?? {}).sort()).toEqual(properties);
    expect(read1?.schema["required"] ?? []).toEqual(required);
    if (name === "computer") expect(read1?.description).toContain("1024 by 768");
  });

  it("of the vendor's servers are left out, but for a search", () => {
    const notes: unknown[] = [];
    const search = {
      type: "web_search_20260318",
      name: "web_search",
      max_uses: 3,
      allowed_domains: ["a.org"],
      user_location: { type: "approximate", city: "Bern" },
    };
    const tools = [search, { type: "web_fetch_20260318", name: "web_fetch" }, { type: "code_execution_20260521", name: "code_execution" }];
    expect(read({ messages, tools }, { notes })).toMatchObject({
      tools: [],
      webSearch: { name: "web_search", maxUses: 3, allowedDomains: ["a.org"], blockedDomains: [], userLocation: { city: "Bern" } },
    });
    expect(notes).toHaveLength(2);
  });

  it.each<[Json | undefined, boolean, Conversation["toolChoice"], boolean]>([
    [undefined, true, undefined, true],
    [{ type: "auto" }, true, { type: "auto" }, true],
    [{ type: "any", disable_parallel_tool_use: true }, true, { type: "any" }, false],
    [{ type: "none" }, true, { type: "none" }, true],
    [{ type: "tool", name: "A" }, true, { type: "tool", name: "A" }, true],
    [{ type: "tool", name: "Gone" }, true, undefined, true],
    [{ type: "something" }, true, undefined, true],
    [{ type: "any" }, false, undefined, true],
  ])("are chosen by %j, where there are any: %s", (choice, hasTools, toolChoice, parallelToolCalls) => {
    const body = { messages, tools: hasTools ? [tool("A")] : [], ...(choice === undefined ? {} : { tool_choice: choice }) };
    expect(read(body)).toMatchObject({ toolChoice, parallelToolCalls });
  });
});

describe("effort", () => {
  const low = system([], { output_config: { effort: "low" } });
  it.each<[string, JsonObject, string | undefined, number | undefined]>([
    ["nothing said", {}, undefined, undefined],
    ["an effort", { output_config: { effort: "xhigh" } }, "xhigh", undefined],
    ["an unknown effort", { output_config: { effort: "extreme" } }, undefined, undefined],
    ["adaptive", { thinking: { type: "adaptive" } }, "medium", undefined],
    ["adaptive, with an effort", { thinking: { type: "adaptive" }, output_config: { effort: "max" } }, "max", undefined],
    ["between tools", { thinking: { type: "between_tools" } }, "medium", undefined],
    ["a small budget", { thinking: { type: "enabled", budget_tokens: 1024 } }, "low", 1024],
    ["the least of the next band", { thinking: { type: "enabled", budget_tokens: 4096 } }, "medium", 4096],
    ["a great budget", { thinking: { type: "enabled", budget_tokens: 31_999 } }, "high", 31_999],
    ["enabled without a budget", { thinking: { type: "enabled" } }, "medium", undefined],
    ["a budget and an effort", { thinking: { type: "enabled", budget_tokens: 31_999 }, output_config: { effort: "low" } }, "low", 31_999],
    ["disabled, whatever else", { thinking: { type: "disabled" }, output_config: { effort: "high" } }, "none", undefined],
  ])("%s", (_, body, effort, thinkingBudget) => {
    expect(read({ messages: [user("a")], ...body })).toMatchObject({ effort, thinkingBudget });
  });

  it("that a message sets counts before the request's own, the last one", () => {
    const high = system([], { output_config: { effort: "high" } });
    const body = { output_config: { effort: "max" } };
    expect(read({ messages: [user("a"), low], ...body }).effort).toBe("low");
    expect(read({ messages: [user("a"), low, assistant("b"), user("c"), high], ...body }).effort).toBe("high");
    expect(read({ messages: [user("a"), high, assistant("b"), user("c"), system("S")], ...body }).effort).toBe("high");
  });
});

describe("limits and the rest", () => {
  const messages = [user("a")];
  it.each<[number | undefined, number | undefined, number | undefined, boolean]>([
    [64_000, 32_000, 32_000, true],
    [1000, 32_000, 1000, false],
    [undefined, 32_000, 32_000, false],
    [64_000, undefined, 64_000, false],
    [undefined, undefined, undefined, false],
  ])("asked for %s tokens of a model that gives %s: %s", (asked, most, maxTokens, isNoted) => {
    const notes: unknown[] = [];
    const body = { messages, ...(asked === undefined ? {} : { max_tokens: asked }) };
    expect(read(body, { target: { modelFacts: { maxOutputTokens: most } }, notes }).maxTokens).toBe(maxTokens);
    expect(notes.length > 0).toBe(isNoted);
  });

  it("are passed on as they are", () => {
    const schema = { type: "object" };
    const body = {
      messages,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      stop_sequences: ["END", "", 5],
      output_config: { format: { type: "json_schema", schema } },
    };
    expect(read(body)).toMatchObject({ temperature: 0, topP: 0.5, topK: 3, stopSequences: ["END"], outputSchema: schema, stream: false });
    expect(read({ messages, output_format: { type: "json_schema", schema } }).outputSchema).toEqual(schema);
    expect(read({ messages, temperature: null })).toMatchObject({ temperature: undefined, outputSchema: undefined });
  });

  it("name the user by a hash", () => {
    expect(read({ messages, metadata: { user_id: "user_1" } }).user).toBe(createHash("sha256").update("user_1").digest("hex"));
    expect(read({ messages, metadata: {} }).user).toBeUndefined();
  });
});

describe("marks of the cache", () => {
  const mark = { cache_control: { type: "ephemeral" } };
  const hour = { cache_control: { type: "ephemeral", ttl: "1h" } };
  const tool = (name: string): JsonObject => ({ name, input_schema: { type: "object" }, ...mark });

  it("stay with what bears them", () => {
    const read1 = read({
      system: [{ ...text("S"), ...hour }],
      messages: [
        user([{ ...text("a"), ...mark }]),
        assistant([{ ...call("1"), ...mark }]),
        user([result("1", [{ ...text("b"), ...mark }])]),
      ],
    });
    expect(read1.system[0]?.cache).toEqual({ ttl: "1h" });
    expect(read1.turns).toMatchObject([
      { parts: [{ cache: { ttl: "5m" } }] },
      { parts: [{ cache: { ttl: "5m" } }] },
      { parts: [{ cache: { ttl: "5m" } }] },
    ]);
    expect(JSON.stringify(read1.turns[2])).not.toContain('"text":"b","cache"');
  });

  it("are four at most: the last ones of each, and those of the messages before others", () => {
    const read1 = read({
      tools: [tool("A"), tool("B")],
      system: [
        { ...text("S"), ...mark },
        { ...text("T"), ...mark },
      ],
      messages: [
        user([
          { ...text("a"), ...mark },
          { ...text("b"), ...mark },
          { ...text("c"), ...mark },
        ]),
      ],
    });
    expect(read1.tools.map(({ cache }) => cache !== undefined)).toEqual([false, true]);
    expect(read1.system.map(({ cache }) => cache !== undefined)).toEqual([false, true]);
    const [turn] = read1.turns;
    expect(turn?.role === "user" ? turn.parts.map((part) => part.cache !== undefined) : []).toEqual([false, true, true]);
  });

  it("of the request as a whole stand on its last part", () => {
    const [turn] = read({ messages: [user([text("a"), text("b")])], ...hour }).turns;
    expect(turn).toEqual({ role: "user", parts: [text("a"), { ...text("b"), cache: { ttl: "1h" } }] });
  });

  it("that stood on what was left out are gone", () => {
    const read1 = read({
      system: [{ ...text("x-anthropic-billing-header: a"), ...mark }],
      messages: [user([text("a"), { ...text(""), ...mark }])],
    });
    expect(JSON.stringify(read1)).not.toContain('"cache"');
  });
});
