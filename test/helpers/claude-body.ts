/** Builds request bodies of the shape today's Claude Code sends, of a chosen size, the same bytes for the same options. */

import { createProse, type Prose } from "./prose.ts";

type BodyKind =
  /** A turn of the main conversation. */
  | "main"
  /** The inner request of a web search: one server tool, no thinking, one user text. */
  | "auxiliary"
  /** The whole conversation and one user text that asks for a summary. */
  | "compaction";

export interface ClaudeBodyOptions {
  readonly model?: string;
  readonly kind?: BodyKind;
  /**
   * Finished tool loops before the last user text. The first n turns of a longer body are the first n
   * turns of a shorter one, so two bodies that differ only here are a growing conversation.
   */
  readonly turns?: number;
  /** Exact size in bytes; turns are added (unless given) and the last user text is padded until it fits. */
  readonly bytes?: number;
  readonly thinking?: "adaptive" | "enabled" | "disabled" | "none";
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max";
  /** Replaces the twelve tools of an empty session. */
  readonly tools?: readonly unknown[];
  /** The last tool result holds an image, as a `Read` of one returns. */
  readonly image?: boolean;
  /** Where the wandering cache mark stands: on the last block (as the client does) or nowhere. */
  readonly cacheMarks?: boolean;
  readonly session?: string;
  /** Text of the last user message. */
  readonly prompt?: string;
}

const TOOL_NAMES = [
  "Agent",
  "Bash",
  "Edit",
  "Read",
  "Write",
  "Skill",
  "ToolSearch",
  "Workflow",
  "TaskStop",
  "EnterPlanMode",
  "AskUserQuestion",
  "DeferredToolPlaceholder",
];
const TURN_BYTES = 8000;
/** System prompt and tools of an empty session, together. */
const PREAMBLE_BYTES = 46_000;
const SMALLEST_BYTES = 16_000;

/** A one-pixel PNG. */
export const TINY_PNG: string = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/**
 * @returns the JSON of one `POST /v1/messages` body, UTF-8.
 * @throws RangeError when `bytes` is too small for the shape asked for.
 */
export function claudeCodeBody(options: ClaudeBodyOptions = {}): Buffer {
  const { bytes } = options;
  if (bytes !== undefined && bytes < SMALLEST_BYTES && options.tools === undefined) {
    throw new RangeError(`a body of ${bytes} bytes was asked for; the smallest with all its tools has ${SMALLEST_BYTES}`);
  }
  const preambleBytes = Math.min(PREAMBLE_BYTES, (bytes ?? 50_000) - 5000);
  const build = (turns: number, prompt: string): Buffer => Buffer.from(JSON.stringify(assemble(options, turns, prompt, preambleBytes)));
  const prompt = options.prompt ?? "Please go on with the next step.";
  if (bytes === undefined) return build(options.turns ?? 1, prompt);

  let turns = options.turns ?? 0;
  let body = build(turns, prompt);
  if (options.turns === undefined) {
    while (body.length + TURN_BYTES < bytes) {
      turns += Math.max(1, Math.floor((bytes - body.length) / (TURN_BYTES * 1.5)));
      body = build(turns, prompt);
    }
    while (body.length > bytes && turns > 0) body = build(--turns, prompt);
  }
  if (body.length > bytes) throw new RangeError(`${turns} turns make ${body.length} bytes, more than the ${bytes} asked for`);
  return build(turns, prompt + createProse("padding").plain(bytes - body.length));
}

function assemble(options: ClaudeBodyOptions, turns: number, prompt: string, preambleBytes: number): Record<string, unknown> {
  const model = options.model ?? "claude-opus-5-5";
  const kind = options.kind ?? "main";
  if (kind === "auxiliary") return webSearch(model, prompt, options);
  const effort = options.effort ?? "high";
  const thinking = options.thinking ?? "adaptive";
  return {
    model,
    messages: conversation(
      options,
      turns,
      kind === "compaction" ? `Write a summary of the conversation. Call no tools. ${prompt}` : prompt,
    ),
    system: system(Math.floor(preambleBytes * 0.35)),
    tools: options.tools ?? tools(Math.floor(preambleBytes * 0.65)),
    metadata: metadata(options),
    max_tokens: 64_000,
    ...THINKING_FIELDS[thinking],
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    output_config: { effort },
    stream: true,
  };
}

const THINKING_FIELDS = {
  adaptive: { thinking: { type: "adaptive", display: "omitted" } },
  enabled: { thinking: { type: "enabled", budget_tokens: 31_999 } },
  disabled: { thinking: { type: "disabled" } },
  none: {},
};

function webSearch(model: string, prompt: string, options: ClaudeBodyOptions): Record<string, unknown> {
  return {
    model,
    messages: [{ role: "user", content: [{ type: "text", text: `Perform a web search for the query: ${prompt}` }] }],
    system: [
      { type: "text", text: BILLING },
      { type: "text", text: "You are an assistant for performing a web search tool use" },
    ],
    tools: options.tools ?? [{ type: "web_search_20250305", name: "web_search", max_uses: 8 }],
    tool_choice: { type: "auto" },
    metadata: metadata(options),
    max_tokens: 64_000,
    stream: true,
  };
}

const BILLING = "x-anthropic-billing-header: cc_version=2.1.330.abc; cc_entrypoint=sdk-cli;";

function metadata(options: ClaudeBodyOptions): Record<string, unknown> {
  const session = options.session ?? "0b7d2c1e-5a4f-4c3b-9f1e-2d3c4b5a6978";
  return { user_id: JSON.stringify({ device_id: "d".repeat(64), account_uuid: "", session_id: session }) };
}

function system(bytes: number): unknown[] {
  const mark = { type: "ephemeral", ttl: "1h" };
  return [
    { type: "text", text: BILLING },
    { type: "text", text: "You are a coding agent that works in a terminal.", cache_control: mark },
    { type: "text", text: createProse("system").manual(bytes), cache_control: mark },
  ];
}

function tools(bytes: number): unknown[] {
  const each = Math.floor(bytes / TOOL_NAMES.length);
  return TOOL_NAMES.map((name) => {
    const prose = createProse(`tool ${name}`);
    return {
      name,
      description: prose.manual(Math.max(40, each - 700)),
      input_schema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          file_path: { type: "string", description: prose.plain(60) },
          command: { type: "string", description: prose.plain(80) },
          timeout: { type: "number", description: prose.plain(50) },
        },
        required: ["command"],
        additionalProperties: false,
      },
      defer_loading: name === "DeferredToolPlaceholder" ? true : undefined,
    };
  });
}

function conversation(options: ClaudeBodyOptions, turns: number, prompt: string): unknown[] {
  const messages: unknown[] = [{ role: "user", content: [{ type: "text", text: createProse("task").plain(300) }] }];
  for (let turn = 0; turn < turns; turn++) messages.push(...toolLoop(turn, options.image === true && turn === turns - 1));
  const cache = options.cacheMarks === false ? {} : { cache_control: { type: "ephemeral", ttl: "1h" } };
  messages.push({ role: "user", content: [{ type: "text", text: prompt, ...cache }] });
  return messages;
}

function toolLoop(turn: number, withImage: boolean): unknown[] {
  const prose: Prose = createProse(`turn ${turn}`);
  const id = `toolu_01${String(turn).padStart(22, "0")}`;
  const input = withImage
    ? { file_path: `/srv/app/picture-${turn}.png` }
    : { file_path: `/srv/app/src/part-${turn}.ts`, offset: 1, limit: 200 };
  const result = withImage
    ? [{ type: "image", source: { type: "base64", media_type: "image/png", data: TINY_PNG } }]
    : prose.numberedCode(TURN_BYTES - 2000);
  return [
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: prose.plain(500), signature: prose.base64(400) },
        { type: "text", text: prose.plain(300) },
        { type: "tool_use", id, name: "Read", input },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: id, content: result },
        { type: "text", text: prose.plain(80) },
      ],
    },
  ];
}
