/** The vocabulary of rules and hooks: requests, replies and stream events in the shape of Anthropic's Messages API. */

import type { Json } from "./body.ts";

/** Fields that are not named here keep their value and may be read and set like the others. */
interface OtherFields {
  [field: string]: unknown;
}

export interface TextBlock extends OtherFields {
  type: "text";
  text: string;
}

export interface ToolUseBlock extends OtherFields {
  type: "tool_use";
  id: string;
  name: string;
  input: { [key: string]: Json };
}

export interface ToolResultBlock extends OtherFields {
  type: "tool_result";
  tool_use_id: string;
  content?: string | ContentBlock[];
  is_error?: boolean;
}

/** Signed: a changed thinking block is refused by the vendor. */
export interface ThinkingBlock extends OtherFields {
  type: "thinking";
  thinking: string;
  signature: string;
}

/** Images, documents, and whatever comes after this version. */
export interface OtherBlock extends OtherFields {
  type: "image" | "document" | "redacted_thinking" | "server_tool_use" | "web_search_tool_result" | "container_upload";
}

export type ContentBlock = TextBlock | ToolUseBlock | ToolResultBlock | ThinkingBlock | OtherBlock;

export interface Message extends OtherFields {
  role: "user" | "assistant" | "system";
  content: string | ContentBlock[];
}

export interface Tool extends OtherFields {
  name: string;
  description?: string;
  input_schema?: { [key: string]: Json };
}

/**
 * The request as it came in. It looks like a plain object and may be changed like one; only what is read is
 * copied, and only what is changed is written back: every other byte goes to the upstream as it came.
 */
export interface MessagesRequest extends OtherFields {
  model: string;
  messages: Message[];
  system?: string | TextBlock[];
  tools?: Tool[];
  tool_choice?: { [key: string]: Json };
  max_tokens?: number;
  temperature?: number;
  stream?: boolean;
  stop_sequences?: string[];
  thinking?: { type: "enabled" | "disabled" | "adaptive"; budget_tokens?: number };
  output_config?: { effort?: string; [key: string]: Json | undefined };
  metadata?: { user_id?: string; [key: string]: Json | undefined };
}

/** Token counts as reported upstream; missing ones were not reported. */
export interface ReplyUsage extends OtherFields {
  input_tokens?: number;
  output_tokens?: number;
  cache_creation_input_tokens?: number | null;
  cache_read_input_tokens?: number | null;
}

/** A whole reply. A streamed one is put together from its events. */
export interface MessagesReply extends OtherFields {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  content: ContentBlock[];
  stop_reason: string | null;
  stop_sequence?: string | null;
  usage: ReplyUsage;
}

export type ContentDelta =
  | { type: "text_delta"; text: string }
  | { type: "input_json_delta"; partial_json: string }
  | { type: "thinking_delta"; thinking: string }
  | { type: "signature_delta"; signature: string };

/** One event of a reply. A reply that was not streamed is told in the same events. */
export type ReplyEvent =
  | ({ type: "message_start"; message: MessagesReply } & OtherFields)
  | ({ type: "content_block_start"; index: number; content_block: ContentBlock } & OtherFields)
  | ({ type: "content_block_delta"; index: number; delta: ContentDelta } & OtherFields)
  | ({ type: "content_block_stop"; index: number } & OtherFields)
  | ({ type: "message_delta"; delta: { stop_reason?: string | null; stop_sequence?: string | null }; usage?: ReplyUsage } & OtherFields)
  | ({ type: "message_stop" } & OtherFields)
  | ({ type: "ping" } & OtherFields)
  | ({ type: "error"; error: { type: string; message: string } } & OtherFields);
