/** Facts of a Messages request, each computed when first read. */

import type { Json, RequestBody, Span } from "../body.ts";
import type { ClientKind, Facts, HeaderReader, RequestClass, ThinkingMode } from "../facts.ts";
import { type JsonRecord, record, text } from "./json.ts";
import { classifyRequest } from "./request-class.ts";

export class MessagesFacts implements Facts {
  readonly #body: RequestBody;
  readonly #headers: HeaderReader;
  #model: string | undefined;
  #toolNames: readonly string[] | undefined;
  #toolTypes: readonly string[] | undefined;
  #usedToolNames: readonly string[] | undefined;
  #hasImage: boolean | undefined;
  #messages: readonly Span[] | undefined;
  #requestClass: RequestClass | undefined;

  constructor(body: RequestBody, headers: HeaderReader) {
    this.#body = body;
    this.#headers = headers;
  }

  get model(): string {
    return (this.#model ??= text(this.#body.value("model")) ?? "");
  }

  get stream(): boolean {
    return this.#body.value("stream") === true;
  }

  get session(): string | undefined {
    const named = this.#headers.get("x-claude-code-session-id") || sessionOfUserId(text(record(this.#body.value("metadata"))?.["user_id"]));
    return named !== undefined && sessionPattern.test(named) ? named : undefined;
  }

  get client(): ClientKind {
    return clientKind(this.#headers);
  }

  get requestClass(): RequestClass {
    return (this.#requestClass ??= classifyRequest(this.#body, this.#headers, this.#messageSpans()));
  }

  get agentId(): string | undefined {
    return this.#headers.get("x-claude-code-agent-id");
  }

  get agentType(): string | undefined {
    return this.#headers.get("x-claude-code-agent-type");
  }

  get thinking(): ThinkingMode {
    const type = record(this.#body.value("thinking"))?.["type"];
    return type === "enabled" || type === "adaptive" || type === "disabled" ? type : "none";
  }

  get effort(): string | undefined {
    return text(record(this.#body.value("output_config"))?.["effort"]);
  }

  get toolNames(): readonly string[] {
    return (this.#toolNames ??= this.#tools().map((tool) => text(tool["name"]) ?? ""));
  }

  get toolTypes(): readonly string[] {
    return (this.#toolTypes ??= this.#tools().map((tool) => text(tool["type"]) ?? "custom"));
  }

  get usedToolNames(): readonly string[] {
    this.#usedToolNames ??= [...new Set(this.#blocksOfType("tool_use").map((block) => text(block["name"]) ?? ""))];
    return this.#usedToolNames;
  }

  get messageCount(): number {
    return this.#messageSpans().length;
  }

  get hasImage(): boolean {
    return (this.#hasImage ??= this.#blocksOfType("image").length > 0);
  }

  get bodyBytes(): number {
    return this.#body.bytes.length;
  }

  #messageSpans(): readonly Span[] {
    if (this.#messages === undefined) {
      const span = this.#body.field("messages");
      this.#messages = span === undefined ? [] : this.#body.elements(span);
    }
    return this.#messages;
  }

  #tools(): readonly JsonRecord[] {
    const tools = this.#body.value("tools");
    return Array.isArray(tools) ? tools.map((tool) => record(tool) ?? {}) : [];
  }

  /** Only messages whose bytes hold the quoted type are parsed: most hold none. */
  #blocksOfType(type: string): readonly JsonRecord[] {
    const quoted = Buffer.from(`"${type}"`);
    const found: JsonRecord[] = [];
    for (const span of this.#messageSpans()) {
      const slice = this.#body.slice(span);
      if (!Buffer.from(slice.buffer, slice.byteOffset, slice.length).includes(quoted)) continue;
      collectBlocks(record(this.#body.read(span))?.["content"], type, found);
    }
    return found;
  }
}

export function clientKind(headers: HeaderReader): ClientKind {
  const agent = headers.get("user-agent") ?? "";
  if (agent.startsWith("claude-cli/")) return "claude-code";
  if (agent.startsWith("Anthropic/")) return "anthropic-sdk";
  if (agent.startsWith("OpenAI/") || agent.startsWith("AsyncOpenAI/")) return "openai-sdk";
  return "other";
}

/** Tool results hold blocks of their own. */
function collectBlocks(content: Json | undefined, type: string, found: JsonRecord[]): void {
  if (!Array.isArray(content)) return;
  for (const item of content) {
    const block = record(item);
    if (block === undefined) continue;
    if (block["type"] === type) found.push(block);
    else if (block["type"] === "tool_result") collectBlocks(block["content"], type, found);
  }
}

/** It is written to the log and used as a key: whatever else a caller puts there is no session. */
const sessionPattern = /^[\x21-\x7e]{1,200}$/;

/** Today a JSON string with `session_id`; older clients joined user, account and session with underscores. */
function sessionOfUserId(userId: string | undefined): string | undefined {
  if (userId === undefined) return undefined;
  if (userId.startsWith("{")) {
    try {
      const parsed: Json = JSON.parse(userId);
      return text(record(parsed)?.["session_id"]);
    } catch {
      return undefined;
    }
  }
  const parts = userId.split("_session_");
  return parts.length === 2 ? parts[1] : undefined;
}
