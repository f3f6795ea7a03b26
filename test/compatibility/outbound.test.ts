/** The checks of what leaves must themselves be able to fail. */

import { expect, it } from "vitest";

import { anthropicWire } from "../helpers/wires/anthropic.ts";
import { bedrockWire } from "../helpers/wires/bedrock.ts";
import { geminiWire } from "../helpers/wires/gemini.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../helpers/wires/openai-responses.ts";
import type { Wire, WireName } from "../helpers/wires/wire.ts";
import type { UpstreamRequest } from "../helpers/upstream.ts";
import { ruleFaults } from "./outbound/rules.ts";
import { typeFaults } from "./outbound/types.ts";

type Body = Readonly<Record<string, unknown>>;

const wires: Readonly<Record<WireName, { readonly wire: Wire; readonly path: string }>> = {
  "openai-chat": { wire: openaiChatWire, path: "/v1/chat/completions" },
  "openai-responses": { wire: openaiResponsesWire, path: "/v1/responses" },
  gemini: { wire: geminiWire, path: "/v1beta/models/gemini-4-argon:generateContent" },
  "bedrock-converse": { wire: bedrockWire, path: "/model/amazon.nova-pro-v1:0/converse" },
  anthropic: { wire: anthropicWire, path: "/v1/messages" },
};

/** Bodies without a fault, one for each wire, with a call and its answer. */
const good: Readonly<Record<WireName, Body>> = {
  "openai-chat": {
    model: "gpt-6-sol",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Hello." }] },
      { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "clock", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "call_1", content: "noon" },
    ],
    tools: [{ type: "function", function: { name: "clock", parameters: { type: "object" } } }],
    tool_choice: { type: "function", function: { name: "clock" } },
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 100,
  },
  "openai-responses": {
    model: "gpt-6-sol",
    input: [
      { role: "user", content: [{ type: "input_text", text: "Hello." }] },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed" },
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "clock", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "noon" },
    ],
    tools: [{ type: "function", name: "clock", parameters: { type: "object" }, strict: false }],
    include: ["reasoning.encrypted_content"],
    store: false,
    stream: true,
    max_output_tokens: 100,
  },
  gemini: {
    contents: [
      { role: "user", parts: [{ text: "Hello." }] },
      { role: "model", parts: [{ functionCall: { name: "clock", args: {} }, thoughtSignature: "c2VhbGVk" }] },
      { role: "user", parts: [{ functionResponse: { name: "clock", response: { output: "noon" } } }] },
    ],
    systemInstruction: { parts: [{ text: "Be brief." }] },
    tools: [{ functionDeclarations: [{ name: "clock", parametersJsonSchema: { type: "object" } }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["clock"] } },
    generationConfig: { maxOutputTokens: 100, thinkingConfig: { thinkingLevel: "HIGH", includeThoughts: true } },
  },
  "bedrock-converse": {
    messages: [
      {
        role: "user",
        content: [{ text: "Hello." }, { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } }, { cachePoint: { type: "default" } }],
      },
      { role: "assistant", content: [{ toolUse: { toolUseId: "tooluse_1", name: "clock", input: {} } }] },
      { role: "user", content: [{ toolResult: { toolUseId: "tooluse_1", content: [{ text: "noon" }], status: "success" } }] },
    ],
    system: [{ text: "Be brief." }],
    toolConfig: { tools: [{ toolSpec: { name: "clock", inputSchema: { json: { type: "object" } } } }], toolChoice: { auto: {} } },
    inferenceConfig: { maxTokens: 100 },
  },
  anthropic: {
    model: "claude-sonnet-5-5",
    max_tokens: 100,
    messages: [
      { role: "user", content: "Hello." },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "", signature: "anthropic-state-1" },
          { type: "tool_use", id: "toolu_1", name: "clock", input: {} },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "noon" }] },
    ],
    tools: [{ name: "clock", input_schema: { type: "object" } }],
  },
};

const names = Object.keys(good) as readonly WireName[];

function faultsOf(name: WireName, body: Body): readonly string[] {
  const { wire, path } = wires[name];
  const request = { path, url: path, json: () => body } as unknown as UpstreamRequest;
  return ruleFaults(name, wire.read(request));
}

/** A copy with one place changed; undefined removes it. */
function changed(name: WireName, place: string, value: unknown): Body {
  const copy: Record<string, unknown> = structuredClone(good[name]);
  const keys = place.split(".");
  const last = keys.pop() ?? "";
  let parent: Record<string, unknown> = copy;
  for (const key of keys) parent = parent[key] as Record<string, unknown>;
  if (Array.isArray(parent) && value === undefined) parent.splice(Number(last), 1);
  else if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

it.each(names)("%s: a good body has no fault", (name) => {
  expect(faultsOf(name, good[name])).toEqual([]);
});

const typed: readonly (readonly [WireName, string, unknown])[] = [
  ["openai-chat", "cache_control", { type: "ephemeral" }],
  ["openai-chat", "messages.1.content.0", { type: "text", text: "Hello.", cache_control: { type: "ephemeral" } }],
  ["openai-chat", "messages.2.tool_calls.0.function.arguments", {}],
  ["openai-chat", "tools.0.function.input_schema", {}],
  ["openai-chat", "reasoning_effort", "enormous"],
  ["openai-responses", "max_tokens", 100],
  ["openai-responses", "input.0.content.0.type", "text"],
  ["openai-responses", "tools.0.function", {}],
  ["openai-responses", "input.2.call_id", undefined],
  ["gemini", "contents.0.parts.0.type", "text"],
  ["gemini", "generationConfig.max_output_tokens", 100],
  ["gemini", "toolConfig.functionCallingConfig.mode", "any"],
  ["gemini", "model", "gemini-4-argon"],
  ["bedrock-converse", "messages.0.content.0", { type: "text", text: "Hello." }],
  ["bedrock-converse", "messages.0.content.1.image.format", "image/png"],
  ["bedrock-converse", "modelId", "amazon.nova-pro-v1:0"],
  ["bedrock-converse", "inferenceConfig.topK", 3],
  ["anthropic", "messages.1.content.1.arguments", "{}"],
  ["anthropic", "parallel_tool_calls", true],
  ["anthropic", "tools.0.parameters", {}],
];

it("a field that the vendor's SDK does not know is found, and so is a wrong value; good bodies pass", async () => {
  const planted = typed.map(([wire, place, value]) => ({ wire, label: `${wire} ${place}`, body: changed(wire, place, value) }));
  const faults = await typeFaults([...names.map((wire) => ({ wire, label: `good ${wire}`, body: good[wire] })), ...planted]);
  for (const { label } of planted)
    expect(
      faults.some((fault) => fault.startsWith(label)),
      label,
    ).toBe(true);
  expect(faults.filter((fault) => fault.startsWith("good") || fault.startsWith("the preamble"))).toEqual([]);
});

const long = "x".repeat(65);
it.each([
  ["openai-chat", "messages.3", undefined, "no answers to call_1"],
  ["openai-chat", "messages.3.tool_call_id", "call_2", "was not called just before"],
  ["openai-chat", "messages.1.content", [], "content is empty"],
  ["openai-chat", "messages.2", { role: "assistant", content: "" }, "says nothing"],
  ["openai-chat", "tools.0.function.name", long, "no name of a tool"],
  ["openai-chat", "tools", undefined, "tool_choice without tools"],
  ["openai-chat", "tool_choice.function.name", "calendar", "calendar is not declared"],
  ["openai-chat", "max_tokens", 100, "both limits"],
  ["openai-chat", "stream", false, "stream_options without a stream"],
  ["openai-chat", "stop", ["a", "b", "c", "d", "e"], "5 stop sequences"],
  ["openai-responses", "input.3", undefined, "no answer to call_1"],
  ["openai-responses", "input.2", { role: "user", content: "and?" }, "reasoning without the item"],
  ["openai-responses", "input.2.id", "toolu_1", "id is toolu_1"],
  ["openai-responses", "input.0.role", "assistant", "has a part input_text"],
  ["openai-responses", "tools.0.strict", undefined, "strict is on by default"],
  ["openai-responses", "store", undefined, "would be stored"],
  ["openai-responses", "max_output_tokens", 1, "below 16"],
  ["gemini", "contents.2", undefined, "no answers"],
  ["gemini", "contents.2.parts.0.functionResponse.name", "calendar", "in another order"],
  ["gemini", "contents.1.parts.0.thoughtSignature", undefined, "without its signature"],
  ["gemini", "contents.0.role", "model", "first content"],
  ["gemini", "tools.0.functionDeclarations.0.name", "1clock", "no name of a function"],
  ["gemini", "tools.0.functionDeclarations.0.parameters", {}, "said twice"],
  ["gemini", "generationConfig.thinkingConfig.thinkingBudget", 3, "a level and a budget"],
  ["gemini", "toolConfig.functionCallingConfig.allowedFunctionNames", ["calendar"], "calendar is not declared"],
  ["bedrock-converse", "messages.2", undefined, "no answers"],
  ["bedrock-converse", "messages.1.role", "user", "role is user"],
  ["bedrock-converse", "messages.0.content.0.text", " ", "blank text"],
  ["bedrock-converse", "messages.2.content.0.toolResult.toolUseId", "other", "called were tooluse_1"],
  ["bedrock-converse", "toolConfig", undefined, "no toolConfig"],
  ["bedrock-converse", "system", Array.from({ length: 4 }, () => ({ cachePoint: { type: "default" } })), "5 cache points"],
  [
    "bedrock-converse",
    "messages.0.content.1",
    { document: { name: "a.b", format: "pdf", source: { bytes: "AA==" } } },
    "no name of a document",
  ],
  ["anthropic", "messages.2", undefined, "no answers"],
  ["anthropic", "messages.1.content.0.signature", "gemini-state-1", "not this vendor's"],
  ["anthropic", "max_tokens", undefined, "no max_tokens"],
  ["anthropic", "messages.0.content", [{ type: "text", text: "" }], "empty text"],
  ["anthropic", "tools.0.name", "a name", "no name of a tool"],
] as const)("%s with %s as %j: %s", (name, place, value, words) => {
  expect(faultsOf(name, changed(name, place, value)).join("\n")).toContain(words);
});
