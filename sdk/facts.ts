/** What is known of a request without reading its text. */

export type ClientKind = "claude-code" | "anthropic-sdk" | "openai-sdk" | "other";
export type RequestClass = "main" | "subagent" | "auxiliary" | "compaction" | "unknown";
export type ThinkingMode = "none" | "disabled" | "enabled" | "adaptive";

/** Cheap facts of one request. Each is computed when first read, and then kept. */
export interface Facts {
  /** The `model` field as sent; empty when absent or not a string. */
  readonly model: string;
  readonly stream: boolean;
  /** Session id of the client, where it sends one. */
  readonly session: string | undefined;
  readonly client: ClientKind;
  readonly requestClass: RequestClass;
  readonly agentId: string | undefined;
  readonly agentType: string | undefined;
  /** `none` when the field is absent or unknown. */
  readonly thinking: ThinkingMode;
  /** `output_config.effort` as sent. */
  readonly effort: string | undefined;
  /** Names of declared tools, in order. */
  readonly toolNames: readonly string[];
  /** Types of declared tools (`custom` where the tool names none), in order. */
  readonly toolTypes: readonly string[];
  /** Names of tools that a `tool_use` block of the conversation called, without repetition. */
  readonly usedToolNames: readonly string[];
  readonly messageCount: number;
  /** Whether any message holds an image, those inside tool results too. */
  readonly hasImage: boolean;
  readonly bodyBytes: number;
}

/** Request headers by lower-case name. Credentials are not among them. */
export interface HeaderReader {
  get(name: string): string | undefined;
}
