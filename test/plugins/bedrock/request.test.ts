import { BedrockRuntimeClient, ConverseCommand, type ConverseRequest } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bedrock } from "../../../plugins/bedrock/index.ts";
import { wireToolId } from "../../../plugins/bedrock/content.ts";
import { claudeGeneration, familyOf } from "../../../plugins/bedrock/models.ts";
import type { WireRequest } from "../../../plugins/bedrock/wire.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { seal } from "../../../sdk/hub/envelope.ts";
import { hubToolId } from "../../../sdk/hub/tool-ids.ts";
import type { Target } from "../../../sdk/wire.ts";
import { OWN_PRODUCER, growingConversation } from "../../helpers/random-conversation.ts";
import { targetOf } from "../../helpers/targets.ts";

const wire = bedrock.setup().dialects?.[0]?.wire;

const opus = "us.anthropic.claude-opus-5";
const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const nova = "amazon.nova-pro-v1:0";
const nova2 = "us.amazon.nova-2-lite-v1:0";
const gptOss = "openai.gpt-oss-120b-1:0";
const png = "iVBORw0KGgo=";
const hi = [{ role: "user", content: "Hi" }];
const bash = { name: "Bash", description: "Runs it.", input_schema: { type: "object", properties: { command: { type: "string" } } } };

describe("the body", () => {
  test("of a request of today's client", async () => {
    const { body } = await encode(opus, {
      model: "claude",
      max_tokens: 32000,
      stream: true,
      system: [
        { type: "text", text: "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;" },
        { type: "text", text: "You are helpful.", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Look." }] },
        { role: "system", content: "The day is new." },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: sealed({ signature: "c2ln" }) },
            { type: "thinking", thinking: "", signature: sealed({ redacted: "Zm9v" }) },
            { type: "thinking", thinking: "Not ours.", signature: "EqQBgenuine" },
            { type: "text", text: "Both." },
            { type: "tool_use", id: "tooluse_1", name: "Bash", input: { command: "ls" } },
            { type: "tool_use", id: "tooluse_2", name: "Read", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "tooluse_2",
              content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }],
            },
            { type: "tool_result", tool_use_id: "tooluse_1", content: "no such file", is_error: true },
            { type: "text", text: "So?", cache_control: { type: "ephemeral" } },
          ],
        },
      ],
      tools: [
        { ...bash, cache_control: { type: "ephemeral" } },
        { ...bash, name: "Read", description: "" },
      ],
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "xhigh" },
      metadata: { user_id: '{"device_id":"d"}' },
      stop_sequences: ["END", " "],
      temperature: 1,
    });
    const expected = {
      system: [{ text: "You are helpful." }, { cachePoint: { type: "default", ttl: "1h" } }],
      messages: [
        { role: "user", content: [{ text: "Look." }, { text: "<system-reminder>\nThe day is new.\n</system-reminder>" }] },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: bytes("Zm9v") } },
            { text: "Both." },
            { toolUse: { toolUseId: "tooluse_1", name: "Bash", input: { command: "ls" } } },
            { toolUse: { toolUseId: "tooluse_2", name: "Read", input: {} } },
          ],
        },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "tooluse_1", content: [{ text: "no such file" }], status: "error" } },
            { toolResult: { toolUseId: "tooluse_2", content: [{ image: { format: "png", source: { bytes: bytes(png) } } }] } },
            { text: "So?" },
            { cachePoint: { type: "default" } },
          ],
        },
      ],
      toolConfig: {
        tools: [
          { toolSpec: { name: "Bash", description: "Runs it.", inputSchema: { json: bash.input_schema } } },
          { cachePoint: { type: "default" } },
          { toolSpec: { name: "Read", inputSchema: { json: bash.input_schema } } },
        ],
      },
      inferenceConfig: { maxTokens: 32000, stopSequences: ["END"] },
      additionalModelRequestFields: { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "xhigh" } },
    } satisfies Omit<ConverseRequest, "modelId">;
    expect(body).toEqual(inBase64(expected));
  });

  test("has no more than it was asked for", async () => {
    const { body } = await encode(nova, { messages: hi });
    const expected = { messages: [{ role: "user", content: [{ text: "Hi" }] }] } satisfies Omit<ConverseRequest, "modelId">;
    expect(body).toEqual(expected);
  });

  test("holds the settings of the deployment", async () => {
    const params = {
      guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1", trace: "enabled" },
      performanceConfig: { latency: "optimized" },
      service_tier: "flex",
      requestMetadata: { team: "a" },
      anthropic_beta: ["b-1"],
    } as const;
    const { body } = await encode(opus, { messages: hi }, { params });
    const { service_tier, anthropic_beta, ...same } = params;
    const expected = {
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
      ...same,
      serviceTier: { type: service_tier },
      additionalModelRequestFields: { anthropic_beta: [...anthropic_beta] },
    } satisfies Omit<ConverseRequest, "modelId">;
    expect(body).toEqual(expected);
  });

  test("asks for a schema of the reply", async () => {
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
    const asked = { messages: hi, output_config: { format: { type: "json_schema", schema } } };
    const { body } = await encode(gptOss, asked);
    const structure = { jsonSchema: { name: "reply", schema: JSON.stringify(schema) } };
    expect(body.outputConfig).toEqual({ textFormat: { type: "json_schema", structure } });
    const nothing = await encode(nova, asked);
    expect(nothing.body).not.toHaveProperty("outputConfig");
    expect(nothing.notes).toContain("the schema of the reply was left out: this model takes none");
  });
});

describe("content", () => {
  test("blank texts are never sent, and a message is never empty", async () => {
    const { body } = await encode(nova, {
      system: [{ type: "text", text: " " }],
      messages: [
        { role: "user", content: [{ type: "text", text: "\n" }] },
        { role: "assistant", content: [{ type: "text", text: "  " }] },
        {
          role: "user",
          content: [
            { type: "text", text: " " },
            { type: "text", text: "Hi" },
          ],
        },
      ],
    });
    expect(body).toEqual({
      messages: [
        { role: "user", content: [{ text: "(blank)" }] },
        { role: "assistant", content: [{ text: "(blank)" }] },
        { role: "user", content: [{ text: "(blank)" }, { text: "Hi" }] },
      ],
    });
  });

  test("thinking and a mark of the cache alone are no answer", async () => {
    const content = [
      { type: "thinking", thinking: "B", signature: sealed({ signature: "c2ln" }) },
      { type: "text", text: " ", cache_control: { type: "ephemeral" } },
    ];
    const { body } = await encode(opus, { messages: [...hi, { role: "assistant", content }, ...hi] });
    expect(body.messages[1]?.content.at(-1)).toEqual({ text: "(blank)" });
  });

  test("a document has a name of plain letters, another than the rest, and a text beside it", async () => {
    const document = (title?: string): JsonObject => ({
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
      ...(title === undefined ? {} : { title }),
    });
    const { body } = await encode(opus, {
      messages: [
        { role: "user", content: [document("Q3  report_v2.pdf (final) – Ü"), document()] },
        { role: "assistant", content: "Yes." },
        { role: "user", content: [document("Q3"), { type: "text", text: "And this?" }] },
      ],
    });
    const names = body.messages.flatMap(({ content }) => content.flatMap((block) => ("document" in block ? [block.document.name] : [])));
    expect(names).toEqual(["Q3 report v2 pdf (final) 1", "Document 2", "Q3 3"]);
    const texts = body.messages.map(({ content }) => content.map((block) => ("text" in block ? block.text : "")));
    expect(texts).toEqual([["Attached document:", "", ""], ["Yes."], ["Attached document:", "", "And this?"]]);
  });

  test("what cannot be passed on is said in words: URLs and unknown types", async () => {
    const { body, notes } = await encode(opus, {
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "url", url: "https://x.example/a.png" } },
            { type: "image", source: { type: "base64", media_type: "image/tiff", data: "AAAA" } },
            { type: "image", source: { type: "url", url: "s3://bucket/a.jpeg" } },
            { type: "document", source: { type: "url", url: "https://x.example/a.pdf" } },
          ],
        },
      ],
    });
    expect(body.messages[0]?.content).toEqual([
      { text: "[An image was here: https://x.example/a.png]" },
      { text: "[An image was here of a type that cannot be passed on.]" },
      { image: { format: "jpeg", source: { s3Location: { uri: "s3://bucket/a.jpeg" } } } },
      { text: "[A document was here: https://x.example/a.pdf]" },
    ]);
    expect(notes.join()).not.toContain("x.example");
    expect(notes).toHaveLength(2);
  });

  test("results hold images and say that they failed where the model's results can; elsewhere both follow in words", async () => {
    const messages = [
      ...hi,
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "a", name: "Bash", input: {} },
          { type: "tool_use", id: "b", name: "Bash", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "a",
            content: [{ type: "image", source: { type: "base64", media_type: "image/jpeg", data: png } }],
          },
          { type: "tool_result", tool_use_id: "b", content: "no", is_error: true },
          { type: "text", text: "So?" },
        ],
      },
    ];
    const rich = await encode(nova, { messages, tools: [bash] });
    const image = { image: { format: "jpeg", source: { bytes: png } } };
    expect(rich.body.messages[2]?.content).toEqual([
      { toolResult: { toolUseId: "a", content: [image] } },
      { toolResult: { toolUseId: "b", content: [{ text: "no" }], status: "error" } },
      { text: "So?" },
    ]);
    const plain = await encode("meta.llama4-maverick-17b-instruct-v1:0", { messages, tools: [bash] });
    expect(plain.body.messages[2]?.content).toEqual([
      { toolResult: { toolUseId: "a", content: [{ text: "[The image follows below.]" }] } },
      { toolResult: { toolUseId: "b", content: [{ text: "[The call failed:]" }, { text: "no" }] } },
      image,
      { text: "So?" },
    ]);
    const last = messages.map((message, at) => (at === 2 ? { ...message, content: message.content.slice(0, 2) } : message));
    const ended = await encode("meta.llama4-maverick-17b-instruct-v1:0", { messages: last, tools: [bash] });
    expect(ended.body.messages[2]?.content.at(-1)).toEqual(image);
  });

  test("a model that cannot see gets words", async () => {
    const modelFacts = { ...targetOf().modelFacts, images: false };
    const content = [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }];
    const { body } = await encode(gptOss, { messages: [{ role: "user", content }] }, { modelFacts });
    expect(JSON.stringify(body)).not.toContain(png);
  });

  test("thinking goes back only to who sealed it, and not where it was refused", async () => {
    const content = [
      { type: "thinking", thinking: "A", signature: seal({ producer: "other", payload: { signature: "x" } }) },
      { type: "thinking", thinking: "B", signature: sealed({ signature: "c2ln" }) },
      { type: "thinking", thinking: "C", signature: sealed({ nonsense: 1 }) },
      { type: "text", text: "Yes." },
    ];
    const messages = [...hi, { role: "assistant", content }, ...hi];
    expect((await encode(opus, { messages })).body.messages[1]?.content).toEqual([
      { reasoningContent: { reasoningText: { text: "B", signature: "c2ln" } } },
      { text: "Yes." },
    ]);
    expect((await encode(opus, { messages }, {}, true)).body.messages[1]?.content).toEqual([{ text: "Yes." }]);
  });

  test("marks of the cache: four at most, for models that keep prefixes, an hour only where it is known", async () => {
    const cache_control = { type: "ephemeral", ttl: "1h" };
    const request = {
      tools: [{ ...bash, cache_control }],
      system: [{ type: "text", text: "S", cache_control }],
      messages: Array.from({ length: 6 }, (_, at) => ({
        role: at % 2 === 0 ? "user" : "assistant",
        content: [{ type: "text", text: String(at), cache_control }],
      })),
    };
    const count = async (model: string): Promise<number> =>
      JSON.stringify((await encode(model, request)).body).split("cachePoint").length - 1;
    expect(await count(opus)).toBe(4);
    expect(await count(gptOss)).toBe(0);
    const novaBody = (await encode(nova, request)).body;
    expect(JSON.stringify(novaBody.toolConfig)).not.toContain("cachePoint");
    expect(JSON.stringify(novaBody.system)).toContain("cachePoint");
    expect(JSON.stringify(novaBody)).not.toContain("1h");
    expect(JSON.stringify((await encode(opus, request)).body)).toContain('"ttl":"1h"');
    expect(JSON.stringify((await encode("anthropic.claude-3-7-sonnet-20250219-v1:0", request)).body)).not.toContain("1h");
  });

  test.each(["tooluse_abc", "call_x", "toolu_01", hubToolId("odd id:1"), hubToolId("x".repeat(70)), "y".repeat(90), hubToolId(undefined)])(
    "the id %s fits, and is the same each time",
    (id) => {
      expect(wireToolId(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(wireToolId(id)).toBe(wireToolId(id));
      if (/^[a-zA-Z0-9_-]{1,64}$/.test(id)) expect(wireToolId(id)).toBe(id);
    },
  );
});

describe("tools", () => {
  const history = [
    ...hi,
    { role: "assistant", content: [{ type: "tool_use", id: "a", name: "Bash", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "ok" }] },
  ];

  test("those that the history calls are declared where the request has none", async () => {
    const { body, notes } = await encode(opus, { messages: history });
    expect(body.toolConfig?.tools).toEqual([
      { toolSpec: { name: "Bash", description: "No longer available.", inputSchema: { json: { type: "object", properties: {} } } } },
    ]);
    expect(notes.join()).toContain("declared");
  });

  test("none to be called: there are none, unless the history calls some", async () => {
    const none = { tools: [bash], tool_choice: { type: "none" } };
    expect((await encode(opus, { ...none, messages: hi })).body).not.toHaveProperty("toolConfig");
    const kept = await encode(opus, { ...none, messages: history });
    expect(kept.body.toolConfig?.tools).toHaveLength(1);
    expect(kept.body.toolConfig).not.toHaveProperty("toolChoice");
  });

  test.each([
    [nova, { type: "any" }, { any: {} }],
    [nova, { type: "tool", name: "Bash" }, { tool: { name: "Bash" } }],
    [nova, { type: "auto" }, undefined],
    [opus, { type: "any" }, { any: {} }],
    ["anthropic.claude-opus-5-5", { type: "any" }, undefined],
    ["anthropic.claude-fable-5-1", { type: "tool", name: "Bash" }, undefined],
    ["anthropic.claude-fable-5", { type: "any" }, { any: {} }],
    [gptOss, { type: "any" }, undefined],
    ["mistral.mistral-large-2407-v1:0", { type: "any" }, { any: {} }],
  ])("%s is made to call by %j: %j", async (model, tool_choice, expected) => {
    const { body } = await encode(model, { messages: hi, tools: [bash], tool_choice });
    expect(body.toolConfig?.toolChoice).toEqual(expected);
  });

  test("a model that thinks is not made to call", async () => {
    const asked = { messages: hi, tools: [bash], tool_choice: { type: "any" }, output_config: { effort: "high" } };
    const { body, notes } = await encode(opus, asked);
    expect(body.toolConfig).not.toHaveProperty("toolChoice");
    expect(notes.join()).toContain("tool_choice was left to the model");
  });

  test("names that are too long or strange are the same in declarations, calls and choice", async () => {
    const name = `mcp__${"x".repeat(80)}__read.file`;
    const { body } = await encode(nova, {
      tools: [{ ...bash, name }],
      tool_choice: { type: "tool", name },
      messages: [...hi, { role: "assistant", content: [{ type: "tool_use", id: "a", name, input: {} }] }],
    });
    const [declared] = body.toolConfig?.tools ?? [];
    const alias = declared !== undefined && "toolSpec" in declared ? declared.toolSpec.name : "";
    expect(alias).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body.toolConfig?.toolChoice).toEqual({ tool: { name: alias } });
    expect(JSON.stringify(body.messages[1])).toContain(alias);
  });

  test("a request that is a search and nothing else is refused, and says what to do", async () => {
    const asked = { messages: hi, tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 8 }] };
    await expect(encode(nova, asked)).rejects.toMatchObject({ status: 400, message: expect.stringMatching(/has no web search\. Route/) });
  });

  test("strict is left out, web search and one call at a time are said to be missing", async () => {
    const { body, notes } = await encode(nova, {
      messages: hi,
      tools: [
        { ...bash, strict: true },
        { type: "web_search_20250305", name: "web_search" },
      ],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
    expect(JSON.stringify(body)).not.toContain("strict");
    expect(notes).toEqual(
      expect.arrayContaining([
        "strict was left out of a tool",
        "web search was left out: this wire has none",
        "disable_parallel_tool_use was left out: this wire has no such field",
      ]),
    );
  });
});

describe("thinking and sampling", () => {
  const effort = (level: string): JsonObject => ({ output_config: { effort: level } });
  const sampled = { max_tokens: 4000, temperature: 0.5, top_p: 0.9, top_k: 10 };

  test.each<[string, JsonObject, unknown, unknown]>([
    [opus, effort("max"), { thinking: { type: "adaptive" }, output_config: { effort: "max" } }, {}],
    [opus, { thinking: { type: "disabled" } }, { thinking: { type: "disabled" } }, {}],
    ["anthropic.claude-fable-5-1", { thinking: { type: "disabled" } }, undefined, {}],
    [
      sonnet45,
      { max_tokens: 20000, thinking: { type: "enabled", budget_tokens: 5000 } },
      { thinking: { type: "enabled", budget_tokens: 5000 } },
      { maxTokens: 20000 },
    ],
    [sonnet45, { max_tokens: 20000, ...effort("low") }, { thinking: { type: "enabled", budget_tokens: 2048 } }, { maxTokens: 20000 }],
    [sonnet45, { max_tokens: 3000, ...effort("high") }, { thinking: { type: "enabled", budget_tokens: 2999 } }, { maxTokens: 3000 }],
    [sonnet45, { max_tokens: 500, ...effort("high") }, undefined, { maxTokens: 500 }],
    ["anthropic.claude-3-haiku-20240307-v1:0", effort("high"), undefined, {}],
    [
      nova2,
      { max_tokens: 99, ...effort("medium") },
      { reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } },
      { maxTokens: 99 },
    ],
    [nova2, { ...sampled, ...effort("max") }, { reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } }, {}],
    [nova2, { thinking: { type: "disabled" } }, undefined, {}],
    [gptOss, effort("xhigh"), { reasoning_effort: "high" }, {}],
    ["moonshot.kimi-k2-thinking", effort("low"), { reasoning_effort: "low" }, {}],
    ["openai.gpt-6-sol", { ...sampled, ...effort("max") }, { reasoning: { effort: "max" } }, { maxTokens: 4000 }],
    ["openai.gpt-6-sol", { thinking: { type: "disabled" } }, { reasoning: { effort: "none" } }, {}],
    ["deepseek.v3-v1:0", effort("high"), undefined, {}],
    [nova, sampled, { inferenceConfig: { topK: 10 } }, { maxTokens: 4000, temperature: 0.5 }],
    [nova, { top_p: 0.9 }, undefined, { topP: 0.9 }],
    [sonnet45, sampled, { top_k: 10 }, { maxTokens: 4000, temperature: 0.5 }],
    [sonnet45, { ...sampled, ...effort("low") }, { thinking: { type: "enabled", budget_tokens: 2048 } }, { maxTokens: 4000 }],
    [opus, sampled, undefined, { maxTokens: 4000 }],
    [gptOss, sampled, undefined, { maxTokens: 4000, temperature: 0.5 }],
  ])("%s asked for %j", async (model, asked, fields, inference) => {
    const { body } = await encode(model, { messages: hi, ...asked });
    expect(body.additionalModelRequestFields).toEqual(fields);
    expect(body.inferenceConfig ?? {}).toEqual(inference);
  });

  test("an ARN is of the family that is written beside it", async () => {
    const model = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x";
    const { body } = await encode(model, { messages: hi, ...effort("high") }, { params: { base_model: "anthropic.claude-opus-5" } });
    expect(body.additionalModelRequestFields).toMatchObject({ thinking: { type: "adaptive" } });
  });
});

describe("names of models", () => {
  test.each([
    ["anthropic.claude-v2:1", 2],
    ["anthropic.claude-instant-v1", 1],
    ["anthropic.claude-3-haiku-20240307-v1:0", 3],
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", 3.5],
    ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", 3.7],
    ["anthropic.claude-sonnet-4-20250514-v1:0", 4],
    ["anthropic.claude-opus-4-1-20250805-v1:0", 4.1],
    [sonnet45, 4.5],
    ["anthropic.claude-opus-4-6-v1", 4.6],
    ["global.anthropic.claude-opus-4-8", 4.8],
    [opus, 5],
    ["anthropic.claude-haiku-5-5", 5.5],
    ["anthropic.claude-fable-5-2", 5.2],
    ["anthropic.claude-mythos-preview", 99],
  ])("%s is of generation %d", (id, generation) => {
    expect(claudeGeneration(id)).toBe(generation);
    expect(familyOf(id)).toBe("claude");
  });

  test.each([
    ["us.amazon.nova-2-lite-v1:0", "nova-2"],
    ["amazon.nova-micro-v1:0", "nova"],
    ["openai.gpt-oss-20b-1:0", "gpt-oss"],
    ["openai.gpt-6-astra", "openai"],
    ["moonshotai.kimi-k2.5", "kimi"],
    ["mistral.pixtral-large-2502-v1:0", "mistral"],
    ["qwen.qwen3-coder-480b-a35b-v1:0", "other"],
    ["acme.novastar-1", "other"],
    ["nova-2/arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/x", "nova-2"],
  ])("%s is of the family %s", (id, family) => {
    expect(familyOf(id)).toBe(family);
  });
});

test.each([opus, nova, gptOss])("for %s a conversation that grows begins with what it was", async (model) => {
  await fc.assert(
    fc.asyncProperty(growingConversation, async ({ bodies, isResent }) => {
      let earlier: WireRequest | undefined;
      for (const request of bodies) {
        const { body: later } = await encode(model, request, { producer: OWN_PRODUCER }, false, false);
        if (earlier !== undefined) {
          const [before, after] = [earlier, later].map(({ messages }) => unmarked(messages));
          // Whoever says more before he was answered adds to his own message.
          const flat = (messages: readonly Said[]): unknown[] =>
            messages.flatMap(({ role, content }) => content.map((block) => [role, block]));
          if (isResent) expect(flat(after ?? []).slice(0, flat(before ?? []).length)).toEqual(flat(before ?? []));
          else expect(after?.slice(0, before?.length)).toEqual(before);
          const tools = [earlier, later].map(({ toolConfig }) => toolConfig?.tools.filter((tool) => "toolSpec" in tool) ?? []);
          expect(tools[1]?.slice(0, tools[0]?.length)).toEqual(tools[0]);
          expect(later.system).toEqual(earlier.system);
        }
        earlier = later;
      }
    }),
    { numRuns: 350 },
  );
});

interface Said {
  readonly role: string;
  readonly content: readonly unknown[];
}

function unmarked(messages: WireRequest["messages"]): readonly Said[] {
  return messages.map(({ role, content }) => ({ role, content: content.filter((block) => !("cachePoint" in block)) }));
}

function sealed(payload: JsonObject): string {
  return seal({ producer: targetOf().producer, payload });
}

interface Made {
  readonly body: WireRequest;
  readonly notes: readonly string[];
}

/** What is made is also what AWS's own client makes of it: a field that it does not know would be missing there. */
async function encode(
  model: string,
  request: JsonObject,
  overrides: Partial<Target> = {},
  withoutThinking = false,
  isChecked = true,
): Promise<Made> {
  const notes: string[] = [];
  const target = targetOf({ model, ...overrides });
  const made = wire?.encode?.({ body: request, session: undefined, estimatedInputTokens: 1, withoutThinking }, target, (what) =>
    notes.push(what),
  );
  const body = made?.body as unknown as WireRequest;
  if (isChecked) expect(await byTheirClient(body)).toEqual(body);
  return { body, notes };
}

async function byTheirClient(body: WireRequest): Promise<unknown> {
  let sent = "";
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
    requestHandler: {
      handle({ body: made }: { body: string | Uint8Array }) {
        sent = typeof made === "string" ? made : Buffer.from(new Uint8Array(made)).toString("utf8");
        return Promise.reject(new Error("captured"));
      },
    },
  });
  const input = fromBase64(body) as Omit<ConverseRequest, "modelId">;
  await client.send(new ConverseCommand({ modelId: "x", ...input })).catch((error: unknown) => {
    if (!(error instanceof Error) || error.message !== "captured") throw error;
  });
  return JSON.parse(sent);
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

const ofBytes = new Set(["bytes", "redactedContent"]);

function fromBase64(value: unknown, key = ""): unknown {
  if (typeof value === "string") return ofBytes.has(key) ? bytes(value) : value;
  if (Array.isArray(value)) return value.map((item) => fromBase64(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromBase64(item, name)]));
}

function inBase64(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(inBase64);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inBase64(item)]));
}
