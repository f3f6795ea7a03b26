/** Random conversations that grow as those of a coding client do: each request holds all of the one before it. */

import * as fc from "fast-check";
import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { TINY_PNG } from "./claude-body.ts";

/** Whoever reads the conversation and says so can read back what is sealed in this name. */
export const OWN_PRODUCER = "own example.com";

interface Call {
  readonly tool: number;
  readonly input: string;
  readonly result: "text" | "blocks" | "image" | "references" | "empty" | "error" | "missing" | "twice";
}

interface Step {
  readonly user: string;
  readonly system: "none" | "text" | "effort" | "both";
  readonly thinking: "none" | "own" | "foreign" | "genuine" | "redacted";
  readonly answer: string;
  readonly calls: readonly Call[];
  /** Results in another order than their calls. */
  readonly isReversed: boolean;
  /** Results in messages of their own. */
  readonly isSplit: boolean;
  readonly systemBeforeResults: boolean;
  readonly lateResult: boolean;
  readonly searches: boolean;
  readonly isResent: boolean;
}

const EAGER = ["Bash", "Read", "ToolSearch"];
const DEFERRED = [
  "WebFetch",
  "mcp__github__create_issue",
  "mcp__github__list_issues",
  "NotebookEdit",
  "mcp__a_very_long_server_name_that_goes_on__and_a_tool",
];

const words = fc.string({ minLength: 0, maxLength: 30 });
const call: fc.Arbitrary<Call> = fc.record({
  tool: fc.nat(EAGER.length + DEFERRED.length - 1),
  input: words,
  result: fc.constantFrom("text", "blocks", "image", "references", "empty", "error", "missing", "twice"),
});
const step: fc.Arbitrary<Step> = fc.record({
  user: words,
  system: fc.constantFrom("none", "none", "text", "effort", "both"),
  thinking: fc.constantFrom("none", "own", "foreign", "genuine", "redacted"),
  answer: words,
  calls: fc.array(call, { maxLength: 4 }),
  isReversed: fc.boolean(),
  isSplit: fc.boolean(),
  systemBeforeResults: fc.boolean(),
  lateResult: fc.boolean(),
  searches: fc.boolean(),
  isResent: fc.boolean(),
});

export interface GrowingConversation {
  /** Bodies of `POST /v1/messages`; each one's messages begin with those of the one before. */
  readonly bodies: readonly JsonObject[];
  /** Whether between two of them the user said more without an answer in between. */
  readonly isResent: boolean;
}

export const growingConversation: fc.Arbitrary<GrowingConversation> = fc
  .record({ steps: fc.array(step, { minLength: 1, maxLength: 6 }), allDeclared: fc.boolean() })
  .map(({ steps, allDeclared }) => build(steps, allDeclared));

type Message = { readonly role: string; readonly content: readonly JsonObject[]; readonly output_config?: JsonObject };

function build(steps: readonly Step[], allDeclared: boolean): GrowingConversation {
  const messages: Message[] = [];
  const found: string[] = [];
  const bodies: JsonObject[] = [];
  const request = (): void => {
    bodies.push(body(messages, allDeclared ? DEFERRED : found, bodies.length));
  };
  for (const [index, one] of steps.entries()) {
    messages.push({ role: "user", content: [text(one.user)] });
    addSystem(messages, one);
    request();
    if (one.isResent) {
      messages.push({ role: "user", content: [text("[Request interrupted by user]"), text("Go on.")] });
      request();
    }
    messages.push({ role: "assistant", content: answer(one, index, found) });
    if (one.calls.length > 0) {
      if (one.systemBeforeResults) addSystem(messages, one);
      messages.push(...results(one, index, found));
      request();
      messages.push({ role: "assistant", content: [text(`Done ${index}`)] });
    }
    if (one.lateResult)
      messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: `toolu_${index}_0`, content: "late" }] });
  }
  return { bodies, isResent: steps.some(({ isResent }) => isResent) };
}

function addSystem(messages: Message[], { system }: Step): void {
  if (system === "none") return;
  const effort = system === "text" ? {} : { output_config: { effort: "low" } };
  messages.push({ role: "system", content: system === "effort" ? [] : [text("The date changed."), text("A file was edited.")], ...effort });
}

function answer(one: Step, index: number, found: readonly string[]): JsonObject[] {
  const names = [...EAGER, ...found];
  return [
    ...thinking(one),
    ...(one.searches
      ? [
          { type: "server_tool_use", id: `srvtoolu_${index}`, name: "web_search", input: { query: "ccproxy" } },
          {
            type: "web_search_tool_result",
            tool_use_id: `srvtoolu_${index}`,
            content: [{ type: "web_search_result", title: "A page", url: "https://example.com", encrypted_content: "x" }],
          },
        ]
      : []),
    ...(one.answer === "" ? [] : [text(one.answer)]),
    ...one.calls.map(({ tool, input }, at) => ({
      type: "tool_use",
      id: `toolu_${index}_${at}`,
      name: names[tool % names.length] ?? "Bash",
      input: { command: input },
    })),
  ];
}

function thinking(one: Step): JsonObject[] {
  switch (one.thinking) {
    case "own":
      return [{ type: "thinking", thinking: one.answer, signature: seal({ producer: OWN_PRODUCER, payload: { state: one.answer } }) }];
    case "foreign":
      return [{ type: "thinking", thinking: "hm", signature: seal({ producer: "other", payload: "secret state" }) }];
    case "genuine":
      return [{ type: "thinking", thinking: "", signature: "EqQBCgIYAhIM" }];
    case "redacted":
      return [{ type: "redacted_thinking", data: "EqQBCgIYAhIM" }];
    case "none":
    default:
      return [];
  }
}

function results(one: Step, index: number, found: string[]): Message[] {
  const blocks = one.calls.flatMap((made, at) => result(made, `toolu_${index}_${at}`, found));
  const ordered = one.isReversed ? blocks.toReversed() : blocks;
  const after = text(one.user);
  if (!one.isSplit) return [{ role: "user", content: [...ordered, after] }];
  return [...ordered.map((block) => ({ role: "user", content: [block] })), { role: "user", content: [after] }];
}

function result(made: Call, id: string, found: string[]): JsonObject[] {
  const base = { type: "tool_result", tool_use_id: id };
  switch (made.result) {
    case "twice":
      return [
        { ...base, content: "first" },
        { ...base, content: "second" },
      ];
    case "error":
      return [{ ...base, content: "It failed.", is_error: true }];
    case "empty":
      return [{ ...base, content: "" }];
    case "text":
      return [{ ...base, content: made.input }];
    case "blocks":
      return [{ ...base, content: [text(made.input), text("more")] }];
    case "image":
      return [{ ...base, content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: TINY_PNG } }] }];
    case "references": {
      const names = DEFERRED.slice(0, 1 + (made.tool % DEFERRED.length)).toReversed();
      for (const name of names) if (!found.includes(name)) found.push(name);
      return [{ ...base, content: names.map((name) => ({ type: "tool_reference", tool_name: name })) }];
    }
    case "missing":
    default:
      return [];
  }
}

function text(words: string): JsonObject {
  return { type: "text", text: words };
}

/** Marks stand on the newest block; a message that bears none may come as one string. */
function body(messages: readonly Message[], deferred: readonly string[], request: number): JsonObject {
  const mark = { cache_control: { type: "ephemeral", ttl: "1h" } };
  const written = messages.map((message, index): Json => {
    const { content } = message;
    const isLast = index === messages.length - 1;
    const marked: readonly JsonObject[] = isLast
      ? content.map((block, at) => (at === content.length - 1 ? { ...block, ...mark } : block))
      : content;
    const [only] = marked;
    const isString = !isLast && only?.["type"] === "text" && (marked.length === 1 || message.role === "system");
    const joined = marked.map((block) => (typeof block["text"] === "string" ? block["text"] : "")).join("\n");
    return { ...message, content: isString && (request + index) % 2 === 0 ? joined : marked };
  });
  return {
    model: "claude-opus-5-5",
    messages: written,
    system: [
      { type: "text", text: `x-anthropic-billing-header: cc_version=${request};` },
      { type: "text", text: "You are a coding agent.", ...mark },
    ],
    tools: [
      ...EAGER.map((name) => tool(name, {})),
      tool("DeferredToolPlaceholder", { defer_loading: true }),
      // In an order of its own, which is not that in which they were found.
      ...[...deferred].sort().map((name) => tool(name, { defer_loading: true })),
    ],
    max_tokens: 64_000,
    thinking: { type: "adaptive" },
    output_config: { effort: "high" },
    stream: true,
  };
}

function tool(name: string, others: JsonObject): JsonObject {
  return {
    name,
    description: `What ${name} does.`,
    input_schema: { type: "object", properties: { command: { type: "string" } } },
    ...others,
  };
}
