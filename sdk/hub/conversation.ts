/**
 * A request of the hub, read once for all wires: what each of them would have to work out anew stands here in one
 * plain form. The same turn always reads the same, whatever comes after it, so that caches of prefixes keep hitting.
 */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";

/** `cache_control` of a block. */
export interface CacheMark {
  readonly ttl: "5m" | "1h";
}

export interface TextPart {
  readonly type: "text";
  /** Never empty. */
  readonly text: string;
  readonly cache?: CacheMark;
}

export interface ImagePart {
  readonly type: "image";
  /** Exactly one of `data` (base64) and `url`. */
  readonly data?: string;
  readonly url?: string;
  /** E.g. `image/png`; empty for a URL. */
  readonly mediaType: string;
  readonly cache?: CacheMark;
}

export interface DocumentPart {
  readonly type: "document";
  /** Base64 of a PDF, or a URL; documents that are text come as text parts. */
  readonly data?: string;
  readonly url?: string;
  readonly mediaType: string;
  readonly title: string | undefined;
  readonly cache?: CacheMark;
}

export type ContentPart = TextPart | ImagePart | DocumentPart;

export interface ToolResultPart {
  readonly type: "tool_result";
  /** As in the hub. */
  readonly id: string;
  /** Of the tool that was called, as in the hub; empty when the conversation does not say. */
  readonly name: string;
  readonly content: readonly ContentPart[];
  readonly isError: boolean;
  readonly cache?: CacheMark;
}

export interface ToolCallPart {
  readonly type: "tool_call";
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly cache?: CacheMark;
}

export interface ThinkingPart {
  readonly type: "thinking";
  readonly text: string;
  /** What this target's producer sealed; undefined for thinking that is its own in words only. Of others there is none here. */
  readonly payload: Json | undefined;
}

export type UserPart = ContentPart | ToolResultPart;
export type AssistantPart = TextPart | ThinkingPart | ToolCallPart;

export type Turn =
  | { readonly role: "user"; readonly parts: readonly UserPart[] }
  | { readonly role: "assistant"; readonly parts: readonly AssistantPart[] }
  /** Only where the reader was told that the wire has such a thing; else its text stands in the user's turn. */
  | { readonly role: "system"; readonly text: string };

export interface FunctionTool {
  /** As in the hub. */
  readonly name: string;
  readonly description: string;
  /** As declared. */
  readonly schema: JsonObject;
  readonly strict: boolean | undefined;
  readonly cache?: CacheMark;
}

/** A search that the provider is asked to make itself. */
export interface WebSearchTool {
  readonly name: string;
  readonly maxUses: number | undefined;
  readonly allowedDomains: readonly string[];
  readonly blockedDomains: readonly string[];
  readonly userLocation: JsonObject | undefined;
}

export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

export interface Conversation {
  /** Texts of the top-level system, in order; what is the hub vendor's own affair is left out. */
  readonly system: readonly TextPart[];
  /** Roles alternate between user and assistant (system turns aside); the first is the user's. Each call has its result. */
  readonly turns: readonly Turn[];
  /** In the order in which they joined; a deferred one only once it was referenced. */
  readonly tools: readonly FunctionTool[];
  readonly webSearch: WebSearchTool | undefined;
  /** Undefined where nothing was said, or there is no tool to choose. */
  readonly toolChoice: { readonly type: "auto" | "any" | "none" } | { readonly type: "tool"; readonly name: string } | undefined;
  /** False where only one call at a time was asked for. */
  readonly parallelToolCalls: boolean;
  /** As asked for, at most what the model can give; undefined where neither is known. */
  readonly maxTokens: number | undefined;
  readonly stopSequences: readonly string[];
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  /** Undefined where nothing was said. Budgets of older clients are put into bands. */
  readonly effort: Effort | undefined;
  /** Tokens, where the client named a budget. */
  readonly thinkingBudget: number | undefined;
  readonly outputSchema: JsonObject | undefined;
  /** Hash of `metadata.user_id`, 64 hex digits. */
  readonly user: string | undefined;
  readonly session: string | undefined;
  readonly stream: boolean;
}

export interface ConversationOptions {
  /** Whether the wire takes system texts between turns. */
  readonly midSystem: boolean;
  /** A model that cannot see gets a placeholder that says what was there. */
  readonly images: boolean;
  readonly documents: boolean;
}
