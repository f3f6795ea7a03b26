/** How hosts depart from the dialect they speak. A host that follows it needs none. */

import type { JsonObject } from "./events.ts";

/** Of hosts that speak Chat Completions. */
export interface ChatQuirks {
  /** Name of the limit on tokens of the reply. Default `max_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Role of the system's texts. Default `system`. */
  readonly systemRole?: "system" | "developer" | "user";
  /** System messages may stand behind others. Default true; false folds them into user turns. */
  readonly midSystem?: boolean;
  /** Field of an assistant message that takes its reasoning back; absent: reasoning is not sent back. */
  readonly reasoningField?: "reasoning_content" | "reasoning" | "reasoning_details" | "thinking_parts";
  /** Every assistant turn with tool calls must carry that field, an empty one if need be. */
  readonly reasoningRequired?: boolean;
  /**
   * How effort is asked for: `reasoning_effort`; OpenRouter's object `reasoning`; or `thinking` with a type, and
   * `reasoning_effort` beside it for those efforts that `effortNames` names. Default `reasoning_effort` for models that
   * are known to reason; models that are known not to are never asked.
   */
  readonly effort?: "reasoning_effort" | "reasoning" | "thinking" | "none";
  /** What each effort of the hub (`none` … `max`) is called here; an effort mapped to null is left out. */
  readonly effortNames?: Readonly<Record<string, string | null>>;
  /** Whether it knows tools at all. Default true; else calls and results of the history are told in words. */
  readonly tools?: boolean;
  /** Tool call ids of exactly nine letters and digits. */
  readonly nineCharIds?: boolean;
  /** `tool_choice` that forces any tool. Default `required`; with `auto` a certain tool cannot be forced either. */
  readonly anyToolChoice?: "required" | "any" | "auto";
  /** Default true. */
  readonly parallelToolCalls?: boolean;
  /** `strict` in tools: left out where false. Default false. */
  readonly strictTools?: boolean;
  /** Images in messages of role `tool`. Default false: they follow in a user message. */
  readonly imagesInToolResults?: boolean;
  /** PDF as a `file` part. Default false: a placeholder says what was left out. */
  readonly documents?: boolean;
  /** `stream_options.include_usage`. Default true. */
  readonly streamUsage?: boolean;
  /** `cache_control` marks are understood. */
  readonly cacheControl?: boolean;
  /** `prompt_cache_key` is understood. */
  readonly promptCacheKey?: boolean;
  /** `response_format` of type `json_schema`. Default true; false asks in words. */
  readonly jsonSchema?: boolean;
  /** Form of the schemas of tools that are not strict. Default `openai`. */
  readonly schema?: "openai" | "plain";
  /** Field that takes the hash of the user. Default `user`. */
  readonly userField?: "user" | "safety_identifier" | "none";
  /** `top_k` is understood. */
  readonly topK?: boolean;
  /** Content must be one string. */
  readonly textContentOnly?: boolean;
  /** A user message straight after a tool message is refused: an assistant one is put between. */
  readonly noUserAfterTool?: boolean;
  /** How a search of the provider's own is asked for. */
  readonly webSearch?: "web_search_options" | "openrouter" | "built-in";
  /** Range that is clamped to; `fixed` leaves out `temperature` and `top_p`. */
  readonly temperature?: readonly [min: number, max: number] | "fixed";
  readonly stopLimit?: number;
  /** Top-level fields that are refused here. */
  readonly refused?: readonly string[];
  /**
   * Fields of messages that are refused here, taken out of bodies that pass as bytes, too.
   * Default: `thinking_blocks`, which the proxy itself gives its clients.
   */
  readonly refusedMessageFields?: readonly string[];
  /** Top-level fields that are called otherwise here, for bodies that pass as bytes too. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Sent with every request, unless it says otherwise. */
  readonly defaults?: JsonObject;
  /** Reasoning tokens are not among the output tokens that are reported. */
  readonly reasoningOutsideOutput?: boolean;
  /** `<think>` … `</think>` at the front of the content is reasoning. */
  readonly thinkTags?: boolean;
}

/** Of hosts that speak Responses. */
export interface ResponsesQuirks {
  readonly encryptedReasoning?: boolean;
  readonly promptCacheKey?: boolean;
  readonly webSearch?: boolean;
  readonly documents?: boolean;
  readonly refused?: readonly string[];
  readonly defaults?: JsonObject;
}

/** Of hosts that speak Messages and are not Anthropic's own. */
export interface MessagesQuirks {
  /** Betas that may be named; absent: all are passed on. `none` names none. */
  readonly betas?: readonly string[] | "none";
  /** `role: "system"` between messages. Default true. */
  readonly midSystem?: boolean;
  /** Top-level fields that are refused here. */
  readonly refused?: readonly string[];
  /** The billing block at the front of `system` is Anthropic's own affair. Default: kept for Anthropic's hosts only. */
  readonly keepBilling?: boolean;
}

/** Of hosts that speak generateContent. Absent fields mean what every such host understands. */
export interface GeminiQuirks {
  /** `id` in calls and results of functions. Default: from Gemini 3 on, which matches results to calls by it. */
  readonly callIds?: boolean;
  /** `fileData` takes any public `https:` URL. Default false: a placeholder says what was left out. */
  readonly fileUrls?: boolean;
  /** Search and functions in one request, with `toolConfig.includeServerSideToolInvocations`. Default false: functions go first. */
  readonly mixedTools?: boolean;
  /** `googleSearch.excludeDomains` is understood. Default false. */
  readonly excludeDomains?: boolean;
  /** Field of a function's schema. Default `parametersJsonSchema` from Gemini 2.5 on, `parameters` before. */
  readonly schemaField?: "parametersJsonSchema" | "parameters";
}

export interface Quirks {
  readonly chat?: ChatQuirks;
  readonly responses?: ResponsesQuirks;
  readonly messages?: MessagesQuirks;
  readonly gemini?: GeminiQuirks;
}
