/**
 * A Messages request as Bedrock takes it: on its Messages-native endpoint, and in InvokeModel. Either answers 400 "Extra
 * inputs are not permitted" to a field it does not know, so that only known ones are sent on.
 * Written from docs.aws.amazon.com/bedrock/latest/userguide: inference-messages-api,
 * model-parameters-anthropic-claude-messages-request-response, request-metadata; bugs: github.com/BerriAI/litellm/issues/27532
 * (context_management), github.com/agentgateway/agentgateway/issues/1739 (metadata.user_id).
 */

import type { Json, RequestBody } from "../../sdk/body.ts";
import { type Item, type Splice, bufferOf, itemsOf, memberOf, removeItems, spliceBytes } from "../../sdk/hub/json-bytes.ts";
import { record, text } from "../../sdk/hub/json.ts";

export interface BodyOptions {
  /** Top-level fields of `extra_body`: whoever names a field means it. */
  readonly added: ReadonlySet<string>;
}

/** Of InvokeModel, where the model stands in the path, and whether to stream as well. */
const invokeFields: ReadonlySet<string> = new Set([
  "messages",
  "system",
  "max_tokens",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "context_management",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
]);

/** Of the Messages-native endpoint. */
const messagesFields: ReadonlySet<string> = new Set([...invokeFields, "model", "stream", "metadata", "cache_control"]);

/** Members of tools that only the vendor itself knows. */
const refusedToolFields: ReadonlySet<string> = new Set(["strict", "eager_input_streaming", "allowed_callers"]);

export function forMessagesEndpoint(body: RequestBody, { added }: BodyOptions): Uint8Array {
  const bytes = bufferOf(body.bytes);
  const fields = itemsOf(bytes, bytes.indexOf("{"));
  const isDoomed = ({ name }: Item): boolean => !messagesFields.has(name) && !added.has(name);
  const metadata = memberOf(fields, "metadata");
  const isRefusedMetadata = metadata !== undefined && !added.has("metadata") && !isPlainMetadata(body.read(metadata));
  const splices = [
    ...removeItems(fields, (item) => isDoomed(item) || (isRefusedMetadata && item.name === "metadata")),
    ...withoutToolFields(bytes, fields),
  ];
  return splices.length === 0 ? body.bytes : spliceBytes(bytes, splices);
}

export interface InvokeOptions extends BodyOptions {
  /** Those of the header that this operation knows. */
  readonly betas: readonly string[];
}

export function forInvoke(body: RequestBody, { added, betas }: InvokeOptions): Uint8Array {
  const bytes = bufferOf(body.bytes);
  const open = bytes.indexOf("{");
  const fields = itemsOf(bytes, open);
  const management = memberOf(fields, "context_management");
  const edits = management === undefined ? undefined : compactions(body.read(management), betas);
  const isDoomed = ({ name }: Item): boolean => {
    if (added.has(name)) return false;
    return !invokeFields.has(name) || (name === "context_management" && edits === undefined);
  };
  const kept = fields.filter((item) => !isDoomed(item));
  const head = [`"anthropic_version":"bedrock-2023-05-31"`, ...(betas.length === 0 ? [] : [`"anthropic_beta":${JSON.stringify(betas)}`])];
  const splices: Splice[] = [
    { start: open + 1, end: open + 1, content: head.join(",") + (kept.length === 0 ? "" : ",") },
    ...removeItems(fields, isDoomed),
    ...withoutToolFields(bytes, fields),
  ];
  if (edits !== undefined && management !== undefined) splices.push({ ...management, content: JSON.stringify(edits) });
  return spliceBytes(bytes, splices);
}

/** Of the ways to shorten a conversation this operation knows one. Undefined where that was not asked for. */
function compactions(value: Json, betas: readonly string[]): Json | undefined {
  const management = record(value);
  const edits = management?.["edits"];
  if (!Array.isArray(edits) || !betas.some((beta) => beta.startsWith("compact-"))) return undefined;
  const known = edits.filter((edit: Json) => text(record(edit)?.["type"])?.startsWith("compact_") === true);
  return known.length === 0 ? undefined : { ...management, edits: known };
}

function withoutToolFields(bytes: Buffer, fields: readonly Item[]): readonly Splice[] {
  const tools = memberOf(fields, "tools");
  if (tools === undefined) return [];
  const written = bytes.subarray(tools.start, tools.end);
  if (![...refusedToolFields].some((field) => written.includes(`"${field}"`))) return [];
  return itemsOf(bytes, tools.start).flatMap((tool) => removeItems(itemsOf(bytes, tool.start), ({ name }) => refusedToolFields.has(name)));
}

/** Bedrock keeps it with its logs, in this alphabet; that of Claude Code is JSON and would be refused. */
function isPlainMetadata(value: Json): boolean {
  const metadata = record(value);
  const id = metadata?.["user_id"];
  if (metadata === undefined || Object.keys(metadata).some((key) => key !== "user_id")) return false;
  return id === undefined || id === null || (typeof id === "string" && /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/.test(id));
}
