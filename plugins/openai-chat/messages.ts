/** The turns of a conversation as messages of this wire. */

import type { Json } from "../../sdk/body.ts";
import type {
  AssistantPart,
  ContentPart,
  Conversation,
  ImagePart,
  TextPart,
  ToolResultPart,
  Turn,
  UserPart,
} from "../../sdk/hub/conversation.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { ChatQuirks } from "../../sdk/quirks.ts";
import { wireCallId } from "./call-ids.ts";
import type { CacheMarks } from "./cache-marks.ts";
import { reasoningFields } from "./reasoning.ts";
import type { WireMessage, WirePart, WireToolCall } from "./wire.ts";

export interface MessageOptions {
  readonly quirks: ChatQuirks;
  readonly names: ToolNames;
  readonly marks: CacheMarks;
  /** Said at the end of the system's texts. */
  readonly instruction: string | undefined;
}

export function encodeMessages(conversation: Conversation, options: MessageOptions): readonly WireMessage[] {
  const messages = [...systemMessages(conversation.system, options), ...conversation.turns.flatMap((turn) => encodeTurn(turn, options))];
  return options.quirks.systemRole === "user" ? withoutNeighbours(messages) : messages;
}

function systemMessages(system: readonly TextPart[], { quirks, marks, instruction }: MessageOptions): readonly WireMessage[] {
  const parts: readonly TextPart[] = instruction === undefined ? system : [...system, { type: "text", text: instruction }];
  if (parts.length === 0) return [];
  const role = quirks.systemRole ?? "system";
  if (!parts.some((part) => marks.has(part))) return [{ role, content: parts.map(({ text }) => text).join("\n\n") }];
  return [{ role, content: parts.map((part) => marks.marked(part, { type: "text", text: part.text })) }];
}

/** Templates that know no system role want the user's and the assistant's turns to alternate. */
function withoutNeighbours(messages: readonly WireMessage[]): readonly WireMessage[] {
  const [first, second, ...others] = messages;
  if (first?.role !== "user" || second?.role !== "user") return messages;
  if (typeof first.content === "string" && typeof second.content === "string") {
    return [{ role: "user", content: `${first.content}\n\n${second.content}` }, ...others];
  }
  return [{ role: "user", content: [...partsOf(first.content), ...partsOf(second.content)] }, ...others];
}

function partsOf(content: Json): readonly Json[] {
  return Array.isArray(content) ? content : [{ type: "text", text: content }];
}

function encodeTurn(turn: Turn, options: MessageOptions): readonly WireMessage[] {
  if (turn.role === "system") return [{ role: options.quirks.systemRole ?? "system", content: turn.text }];
  return turn.role === "user" ? userMessages(turn.parts, options) : [assistantMessage(turn.parts, options)];
}

/** Every call is answered before anything else is said. */
function userMessages(parts: readonly UserPart[], options: MessageOptions): readonly WireMessage[] {
  const results = parts.filter((part) => part.type === "tool_result");
  const answers = options.quirks.tools === false ? [] : results.map((result) => toolMessage(result, options));
  const moved = results.flatMap((result) => movedParts(result, options));
  const said = [...moved, ...parts.filter((part) => part.type !== "tool_result")];
  if (said.length === 0) return answers;
  const between = answers.length > 0 && options.quirks.noUserAfterTool === true ? [{ role: "assistant", content: "OK." }] : [];
  return [...answers, ...between, { role: "user", content: userContent(said, options) }];
}

function toolMessage(result: ToolResultPart, options: MessageOptions): WireMessage {
  const { quirks } = options;
  const texts = result.content.filter((part) => part.type === "text");
  const others = result.content.filter((part) => part.type !== "text");
  const said = texts.map(({ text }) => text).join("\n");
  const words = result.isError ? `Error: ${said}` : said;
  const start = { role: "tool", tool_call_id: wireCallId(result.id, quirks.nineCharIds === true) };
  if (others.length === 0) {
    const content = options.marks.has(result) ? [options.marks.marked(result, { type: "text", text: words })] : words;
    return { ...start, content };
  }
  if (quirks.imagesInToolResults !== true) {
    return { ...start, content: [words, `[${count(others)} of this result: see the next message of the user]`].filter(isSaid).join("\n") };
  }
  const content = result.content.map((part) => contentPart(part, options));
  return { ...start, content: result.isError ? [{ type: "text", text: "Error:" }, ...content] : content };
}

/** What a message of role `tool` cannot hold here, with a word on where it belongs. */
function movedParts(result: ToolResultPart, { quirks }: MessageOptions): readonly ContentPart[] {
  if (quirks.tools === false) {
    const head = `Result of the tool ${result.name}${result.isError ? " (an error)" : ""}:`;
    return [{ type: "text", text: head }, ...result.content];
  }
  const others = result.content.filter((part) => part.type !== "text");
  if (others.length === 0 || quirks.imagesInToolResults === true) return [];
  const id = wireCallId(result.id, quirks.nineCharIds === true);
  return [{ type: "text", text: `[${count(others)} of the result of the tool call ${id}]` }, ...others];
}

function count(parts: readonly ContentPart[]): string {
  const what = parts.every(({ type }) => type === "image") ? "image" : "attachment";
  return `${parts.length} ${what}${parts.length === 1 ? "" : "s"}`;
}

function userContent(parts: readonly ContentPart[], options: MessageOptions): Json {
  const [only, ...others] = parts;
  if (only?.type === "text" && others.length === 0 && !options.marks.has(only)) return only.text;
  if (options.quirks.textContentOnly === true)
    return parts.map((part) => (part.type === "text" ? part.text : placeholder(part))).join("\n\n");
  return parts.map((part) => contentPart(part, options));
}

function contentPart(part: ContentPart, { marks }: MessageOptions): WirePart {
  if (part.type === "text") return marks.marked(part, { type: "text", text: part.text });
  if (part.type === "image") return marks.marked(part, { type: "image_url", image_url: { url: imageUrl(part) } });
  // A file is given as data; there is no field for an address.
  if (part.data === undefined) return { type: "text", text: placeholder(part) };
  return {
    type: "file",
    file: { filename: part.title ?? "document.pdf", file_data: `data:${part.mediaType};base64,${part.data}` },
  };
}

function imageUrl({ data, url, mediaType }: ImagePart): string {
  return url ?? `data:${mediaType};base64,${data ?? ""}`;
}

function placeholder(part: Exclude<ContentPart, TextPart>): string {
  return `[${part.type}${part.url === undefined ? "" : ` ${part.url}`}: cannot be shown here]`;
}

function assistantMessage(parts: readonly AssistantPart[], options: MessageOptions): WireMessage {
  const { quirks } = options;
  const calls = quirks.tools === false ? [] : parts.flatMap((part) => (part.type === "tool_call" ? [toolCall(part, options)] : []));
  const texts = parts.flatMap((part) => (part.type === "text" ? [part] : quirks.tools === false ? toldCall(part) : []));
  const content = assistantContent(texts, calls.length > 0, options);
  const reasoning = reasoningFields(parts, quirks, content);
  return {
    role: "assistant",
    content,
    ...reasoning,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function assistantContent(texts: readonly TextPart[], calls: boolean, { quirks, marks }: MessageOptions): Json {
  if (texts.length === 0) return calls && quirks.textContentOnly !== true ? null : "";
  if (texts.some((part) => marks.has(part))) return texts.map((part) => marks.marked(part, { type: "text", text: part.text }));
  // Sentences are cut into blocks where citations stand; put together they are what was said.
  return texts.map(({ text }) => text).join("");
}

function toolCall(part: Extract<AssistantPart, { readonly type: "tool_call" }>, { quirks, names }: MessageOptions): WireToolCall {
  return {
    id: wireCallId(part.id, quirks.nineCharIds === true),
    type: "function",
    function: { name: names.alias(part.name), arguments: JSON.stringify(part.input) },
  };
}

/** For hosts without tools: what was called, in words. */
function toldCall(part: AssistantPart): readonly TextPart[] {
  if (part.type !== "tool_call") return [];
  return [{ type: "text", text: `\n[called the tool ${part.name} with ${JSON.stringify(part.input)}]` }];
}

function isSaid(words: string): boolean {
  return words !== "";
}
