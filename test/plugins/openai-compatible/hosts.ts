/** What each host that is marked as tested wants and answers, as its documentation shows it. The tests hold the rows against this. */

import type { JsonObject } from "../../../sdk/events.ts";

export interface Host {
  /** Provider and model, as `litellm_params.model` says them. */
  readonly model: string;
  /** The model that the host is asked for; default: what stands behind the provider. */
  readonly asked?: string;
  /** Path of the request on the host. */
  readonly path: string;
  /** Dialects, best first. */
  readonly dialects: readonly string[];
  readonly limit: "max_tokens" | "max_completion_tokens";
  readonly systemRole?: "system" | "developer";
  /** Fields that say how much to think, for the efforts of the hub. */
  readonly efforts: Readonly<Record<"none" | "low" | "medium" | "xhigh" | "max", JsonObject>>;
  /** `tool_choice` for the hub's `any`. */
  readonly any?: string | undefined;
  /** Top-level fields that must be there, e.g. `tool_stream`. */
  readonly sends?: JsonObject;
  /** Top-level fields that must not be there. */
  readonly omits?: readonly string[];
  /** Events of a reply that thinks, says something and calls a tool. */
  readonly reply: readonly (JsonObject | string)[];
  readonly usage: { readonly input: number; readonly output: number; readonly cacheRead?: number };
  /** What it thought, as the client is told; absent: it does not say. */
  readonly thinking?: string;
  /** Field that every turn with calls must have, an empty one where the thought was another vendor's. */
  readonly fills?: string;
  /** How the thought goes back with the next turn; absent: it does not. */
  readonly returns?: JsonObject;
}

const chat = "openai-chat";
const responses = "openai-responses";
const call = { index: 0, id: "call_1", type: "function", function: { name: "Bash", arguments: '{"command":"ls"}' } };
const callEnd = { finish_reason: "tool_calls" };

function chunk(delta: JsonObject, more: JsonObject = {}, top: JsonObject = {}): JsonObject {
  return {
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
    ...top,
  };
}

function usageChunk(usage: JsonObject, choices: readonly JsonObject[] = []): JsonObject {
  return { id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices, usage };
}

const plainUsage = { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 };

/** Thinks in one field, then calls a tool; usage in a chunk of its own. */
function thinksIn(field: string): readonly JsonObject[] {
  return [
    chunk({ role: "assistant", content: "" }),
    chunk({ [field]: "Let me " }),
    chunk({ [field]: "look." }),
    chunk({ content: "Looking." }),
    chunk({ tool_calls: [call] }),
    chunk({}, callEnd),
    usageChunk({ ...plainUsage, prompt_tokens_details: { cached_tokens: 600 } }),
  ];
}

const silent = [
  chunk({ role: "assistant", content: "Looking." }),
  chunk({ tool_calls: [call] }),
  chunk({}, callEnd),
  usageChunk(plainUsage),
];
const noEffort = { none: {}, low: {}, medium: {}, xhigh: {}, max: {} };
const cached = { input: 400, output: 50, cacheRead: 600 };
const counted = { input: 1000, output: 50 };
const thought = { thinking: "Let me look." };

function named(none: string, low: string, medium: string, xhigh: string, max: string): Host["efforts"] {
  const all = { none, low, medium, xhigh, max };
  return {
    none: { reasoning_effort: all.none },
    low: { reasoning_effort: all.low },
    medium: { reasoning_effort: all.medium },
    xhigh: { reasoning_effort: all.xhigh },
    max: { reasoning_effort: all.max },
  };
}

function switched(field: "thinking" | "reasoning", off: JsonObject, on: JsonObject): Host["efforts"] {
  const asked = { [field]: on };
  return { none: { [field]: off }, low: asked, medium: asked, xhigh: asked, max: asked };
}

const mistralReply = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Let me look." }] }] }),
  chunk({ content: "Looking." }),
  chunk({ tool_calls: [call] }, callEnd, { usage: plainUsage }),
];
const mistralBack = {
  content: [
    { type: "thinking", thinking: [{ type: "text", text: "Let me look." }] },
    { type: "text", text: "Looking." },
  ],
};

export const hosts: readonly Host[] = [
  {
    model: "openai/chat/gpt-5.5",
    asked: "gpt-5.5",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    systemRole: "developer",
    efforts: named("none", "low", "medium", "xhigh", "xhigh"),
    any: "required",
    omits: ["stop", "temperature", "top_p"],
    reply: silent,
    usage: counted,
  },
  {
    model: "openai/chat/gpt-6.1-sol",
    asked: "gpt-6.1-sol",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    systemRole: "developer",
    efforts: named("low", "low", "medium", "xhigh", "max"),
    any: "required",
    reply: silent,
    usage: counted,
  },
  {
    model: "openai/chat/gpt-6-sol",
    asked: "gpt-6-sol",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    systemRole: "developer",
    efforts: named("none", "none", "none", "none", "none"),
    any: "required",
    reply: silent,
    usage: counted,
  },
  {
    model: "openai/gpt-6.2-astra",
    path: "/v1/chat/completions",
    dialects: [responses, chat],
    limit: "max_completion_tokens",
    systemRole: "developer",
    efforts: named("low", "low", "medium", "xhigh", "xhigh"),
    any: "required",
    reply: silent,
    usage: counted,
  },
  {
    model: "openai/gpt-4o-mini",
    path: "/v1/chat/completions",
    dialects: [responses, chat],
    limit: "max_completion_tokens",
    efforts: noEffort,
    any: "required",
    sends: { stop: ["\n\nHuman:"], temperature: 0.5 },
    reply: silent,
    usage: counted,
  },
  {
    model: "mistral/mistral-large-4-0",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "high", "high"),
    any: "any",
    omits: ["stream_options", "user"],
    reply: mistralReply,
    usage: counted,
    ...thought,
    returns: mistralBack,
  },
  {
    model: "mistral/mistral-small-2603",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: named("none", "high", "high", "high", "high"),
    any: "any",
    omits: ["stream_options", "user"],
    reply: mistralReply,
    usage: counted,
    ...thought,
    returns: mistralBack,
  },
  {
    model: "codestral/codestral-latest",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: noEffort,
    any: "any",
    omits: ["stream_options", "user"],
    reply: silent,
    usage: counted,
  },
  {
    model: "deepseek/deepseek-v4-pro",
    path: "/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: {
      none: { thinking: { type: "disabled" } },
      low: { thinking: { type: "enabled" }, reasoning_effort: "low" },
      medium: { thinking: { type: "enabled" }, reasoning_effort: "high" },
      xhigh: { thinking: { type: "enabled" }, reasoning_effort: "high" },
      max: { thinking: { type: "enabled" }, reasoning_effort: "max" },
    },
    any: "required",
    omits: ["response_format"],
    reply: [
      ...thinksIn("reasoning_content").slice(0, -1),
      usageChunk({ ...plainUsage, prompt_cache_hit_tokens: 600, prompt_cache_miss_tokens: 400 }),
    ],
    usage: cached,
    ...thought,
    fills: "reasoning_content",
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "xai/grok-4.7",
    path: "/v1/chat/completions",
    dialects: [responses, chat],
    limit: "max_completion_tokens",
    efforts: named("low", "low", "medium", "xhigh", "xhigh"),
    any: "required",
    omits: ["stop"],
    reply: [
      ...thinksIn("reasoning_content").slice(0, -1),
      usageChunk({ prompt_tokens: 1000, completion_tokens: 30, total_tokens: 1050, completion_tokens_details: { reasoning_tokens: 20 } }),
    ],
    usage: counted,
    ...thought,
  },
  {
    model: "moonshot/kimi-k3",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: named("low", "low", "high", "max", "max"),
    any: "auto",
    omits: ["temperature", "top_p"],
    reply: [...thinksIn("reasoning_content").slice(0, -2), chunk({}, { ...callEnd, usage: { ...plainUsage, cached_tokens: 600 } })],
    usage: cached,
    ...thought,
    fills: "reasoning_content",
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "moonshot/kimi-k2.6",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: switched("thinking", { type: "disabled" }, { type: "enabled" }),
    any: "auto",
    omits: ["temperature", "top_p"],
    reply: thinksIn("reasoning_content"),
    usage: cached,
    ...thought,
    fills: "reasoning_content",
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "zai/glm-5.3",
    path: "/api/paas/v4/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: named("low", "low", "high", "max", "max"),
    any: "auto",
    sends: { tool_stream: true },
    omits: ["stream_options", "response_format"],
    reply: thinksIn("reasoning_content"),
    usage: cached,
    ...thought,
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "bigmodel/glm-4.7",
    path: "/api/paas/v4/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: switched("thinking", { type: "disabled" }, { type: "enabled" }),
    any: "auto",
    sends: { tool_stream: true },
    omits: ["stream_options", "response_format"],
    reply: thinksIn("reasoning_content"),
    usage: cached,
    ...thought,
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "minimax/MiniMax-M3",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: noEffort,
    any: undefined,
    sends: { reasoning_split: true },
    omits: ["tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"],
    reply: [
      chunk({ role: "assistant", content: "", reasoning_details: [{ type: "reasoning.text", id: "r1", index: 0, text: "Let me " }] }),
      chunk({ reasoning_details: [{ type: "reasoning.text", id: "r1", index: 0, text: "look." }] }),
      ...silent,
    ],
    usage: counted,
    ...thought,
    returns: { reasoning_details: [{ type: "reasoning.text", id: "r1", index: 0, text: "Let me look." }] },
  },
  {
    model: "minimax/MiniMax-M2.7",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: noEffort,
    any: undefined,
    sends: { reasoning_split: true },
    reply: [chunk({ role: "assistant", content: "<think>Let me " }), chunk({ content: "look.</think>\n\n" }), ...silent],
    usage: counted,
    ...thought,
    // A version that does not know the switch: what goes back is the field that most hosts have.
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "perplexity/openai/gpt-5.4",
    path: "/orchestrator/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "xhigh", "max"),
    any: "required",
    omits: ["thinking"],
    reply: [...silent.slice(0, -1), usageChunk({ ...plainUsage, cost: { total_cost: 0.01 } })],
    usage: counted,
  },
  {
    model: "groq/openai/gpt-oss-120b",
    path: "/openai/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_completion_tokens",
    efforts: named("low", "low", "medium", "high", "high"),
    any: "required",
    omits: ["response_format"],
    reply: [...thinksIn("reasoning").slice(0, -2), chunk({}, callEnd, { x_groq: { id: "req_1", usage: plainUsage } })],
    usage: counted,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "groq/qwen/qwen3-32b",
    path: "/openai/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_completion_tokens",
    efforts: named("none", "default", "default", "default", "default"),
    any: "required",
    sends: { reasoning_format: "parsed" },
    omits: ["response_format"],
    reply: thinksIn("reasoning"),
    usage: cached,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "cerebras/gpt-oss-120b",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: named("low", "low", "medium", "high", "high"),
    any: "required",
    omits: ["parallel_tool_calls"],
    reply: thinksIn("reasoning"),
    usage: cached,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "cerebras/zai-glm-4.7",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_completion_tokens",
    efforts: { ...noEffort, none: { reasoning_effort: "none" } },
    any: "required",
    omits: ["parallel_tool_calls"],
    reply: thinksIn("reasoning"),
    usage: cached,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "together_ai/deepseek-ai/DeepSeek-V4",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: switched("reasoning", { enabled: false }, { enabled: true }),
    any: "required",
    reply: thinksIn("reasoning"),
    usage: cached,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "together_ai/zai-org/GLM-5.3",
    path: "/v1/chat/completions",
    dialects: [chat],
    limit: "max_tokens",
    efforts: named("low", "low", "high", "max", "max"),
    any: "required",
    reply: thinksIn("reasoning_content"),
    usage: cached,
    ...thought,
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "fireworks_ai/kimi-k3",
    asked: "accounts/fireworks/models/kimi-k3",
    path: "/inference/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "xhigh", "max"),
    any: "any",
    reply: [...thinksIn("reasoning_content").slice(0, -2), chunk({}, callEnd, { usage: plainUsage })],
    usage: counted,
    ...thought,
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "openrouter/anthropic/claude-opus-5.5",
    path: "/api/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: {
      none: { reasoning: { enabled: false } },
      low: { reasoning: { effort: "low" } },
      medium: { reasoning: { effort: "medium" } },
      xhigh: { reasoning: { effort: "xhigh" } },
      max: { reasoning: { effort: "xhigh" } },
    },
    any: "required",
    omits: ["reasoning_effort"],
    reply: [
      ": OPENROUTER PROCESSING",
      chunk({
        role: "assistant",
        content: "",
        reasoning: "Let me ",
        reasoning_details: [{ type: "reasoning.text", format: "anthropic-claude-v1", index: 0, text: "Let me " }],
      }),
      chunk({
        reasoning: "look.",
        reasoning_details: [{ type: "reasoning.text", format: "anthropic-claude-v1", index: 0, text: "look." }],
      }),
      chunk({ reasoning_details: [{ type: "reasoning.text", format: "anthropic-claude-v1", index: 0, signature: "c2ln" }] }),
      ": OPENROUTER PROCESSING",
      ...silent.slice(0, -1),
      usageChunk({ ...plainUsage, cost: 0.01, prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100 } }),
    ],
    usage: { input: 300, output: 50, cacheRead: 600 },
    ...thought,
    returns: {
      reasoning_details: [{ type: "reasoning.text", format: "anthropic-claude-v1", index: 0, text: "Let me look.", signature: "c2ln" }],
    },
  },
  {
    model: "openrouter/auto",
    asked: "openrouter/auto",
    path: "/api/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: {
      none: { reasoning: { enabled: false } },
      low: { reasoning: { effort: "low" } },
      medium: { reasoning: { effort: "medium" } },
      xhigh: { reasoning: { effort: "xhigh" } },
      max: { reasoning: { effort: "xhigh" } },
    },
    any: "required",
    reply: silent,
    usage: counted,
  },
  {
    model: "hosted_vllm/Qwen/Qwen3.5-Coder",
    path: "/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "high", "high"),
    any: "required",
    reply: thinksIn("reasoning"),
    usage: cached,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "vllm/an-older-version",
    path: "/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "high", "high"),
    any: "required",
    reply: thinksIn("reasoning_content"),
    usage: cached,
    ...thought,
    returns: { reasoning_content: "Let me look." },
  },
  {
    model: "ollama_chat/gpt-oss:20b",
    path: "/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "high", "high"),
    any: "required",
    reply: [...thinksIn("reasoning").slice(0, -2), chunk({}, { finish_reason: "stop" }), usageChunk(plainUsage)],
    usage: counted,
    ...thought,
    returns: { reasoning: "Let me look." },
  },
  {
    model: "lm_studio/some-small-model",
    path: "/v1/chat/completions",
    dialects: [chat, responses],
    limit: "max_tokens",
    efforts: named("none", "low", "medium", "xhigh", "max"),
    any: "required",
    reply: [
      chunk({ role: "assistant", content: "<thi" }),
      chunk({ content: "nk>Let me " }),
      chunk({ content: "look.</think>" }),
      chunk({ content: "Looking." }),
      chunk({ tool_calls: [call] }),
      chunk({}, { finish_reason: "stop" }),
      usageChunk(plainUsage),
    ],
    usage: counted,
    ...thought,
  },
];
