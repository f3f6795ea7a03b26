/**
 * The parts of Amazon Bedrock's Converse wire that are read or written here.
 * Documented at docs.aws.amazon.com/bedrock/latest/APIReference: API_runtime_Converse, API_runtime_ConverseStream,
 * API_runtime_ContentBlock, API_runtime_ToolResultContentBlock, API_runtime_ReasoningContentBlock, API_runtime_CachePointBlock,
 * API_runtime_TokenUsage, API_runtime_ConverseStreamMetadataEvent, API_runtime_OutputConfig; and in the service model that
 * the package @aws-sdk/client-bedrock-runtime 3.1164 is made from. Bytes stand in JSON as base64.
 */

import type { JsonObject } from "../../sdk/events.ts";

export type WireCachePoint = {
  readonly cachePoint: { readonly type: "default"; readonly ttl?: "5m" | "1h" };
};

export type WireText = {
  readonly text: string;
};

export type WireImage = {
  readonly image: { readonly format: "png" | "jpeg" | "gif" | "webp"; readonly source: WireSource };
};

export type WireDocument = {
  readonly document: { readonly format: string; readonly name: string; readonly source: WireSource };
};

export type WireSource = { readonly bytes: string } | { readonly s3Location: { readonly uri: string } };

export type WireToolUse = {
  readonly toolUse: { readonly toolUseId: string; readonly name: string; readonly input: JsonObject };
};

export type WireToolResult = {
  readonly toolResult: {
    readonly toolUseId: string;
    readonly content: readonly (WireText | WireImage | WireDocument)[];
    readonly status?: "error";
  };
};

export type WireReasoning = {
  readonly reasoningContent:
    | { readonly reasoningText: { readonly text: string; readonly signature: string } }
    | { readonly redactedContent: string };
};

export type WireBlock = WireText | WireImage | WireDocument | WireToolUse | WireToolResult | WireReasoning | WireCachePoint;

export type WireMessage = {
  readonly role: "user" | "assistant";
  readonly content: readonly WireBlock[];
};

export type WireToolSpec = {
  readonly toolSpec: { readonly name: string; readonly description?: string; readonly inputSchema: { readonly json: JsonObject } };
};

export type WireToolChoice = { readonly any: JsonObject } | { readonly tool: { readonly name: string } };

export type WireToolConfig = {
  readonly tools: readonly (WireToolSpec | WireCachePoint)[];
  readonly toolChoice?: WireToolChoice;
};

export type WireInferenceConfig = {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stopSequences?: readonly string[];
};

export type WireOutputConfig = {
  readonly textFormat: {
    readonly type: "json_schema";
    readonly structure: { readonly jsonSchema: { readonly schema: string; readonly name: string } };
  };
};

/** Without `modelId`, which stands in the path. */
export type WireRequest = {
  readonly messages: readonly WireMessage[];
  readonly system?: readonly (WireText | WireCachePoint)[];
  readonly inferenceConfig?: WireInferenceConfig;
  readonly toolConfig?: WireToolConfig;
  readonly additionalModelRequestFields?: JsonObject;
  readonly outputConfig?: WireOutputConfig;
  readonly guardrailConfig?: JsonObject;
  readonly performanceConfig?: JsonObject;
  readonly serviceTier?: JsonObject;
  readonly requestMetadata?: JsonObject;
};

/** Path of an operation below the base. Ids hold colons and ARNs slashes, all of which are encoded. */
export function modelPath(id: string, operation: "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream"): string {
  const encoded = encodeURIComponent(id).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/model/${encoded}/${operation}`;
}
