/** Turns of a conversation as contents of generateContent: roles alternate, the first is the user's, each call has its response. */

import type { JsonObject } from "../../sdk/events.ts";
import type { AssistantPart, ContentPart, DocumentPart, ImagePart, ToolResultPart, Turn, UserPart } from "../../sdk/hub/conversation.ts";
import { producerToolId } from "../../sdk/hub/tool-ids.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import type { Family } from "./families.ts";
import { readState, signBack, signFront, type SealedState } from "./state.ts";
import { signatureSentinel, type WireContent, type WireFunctionCall, type WireFunctionResponse } from "./wire.ts";

export interface ContentOptions {
  readonly names: ToolNames;
  readonly family: Family;
  readonly callIds: boolean;
  readonly fileUrls: boolean;
  readonly note: Note;
}

/** A turn of the conversation is a content: it has something to say, and roles alternate there already. */
export function encodeTurns(turns: readonly Turn[], options: ContentOptions): readonly WireContent[] {
  return turns.map((turn) => ({ role: turn.role === "assistant" ? "model" : "user", parts: encodeTurn(turn, options) }));
}

function encodeTurn(turn: Turn, options: ContentOptions): readonly JsonObject[] {
  switch (turn.role) {
    case "assistant":
      return encodeAssistant(turn.parts, options);
    case "user":
      return turn.parts.flatMap((part) => encodeUserPart(part, options));
    case "system":
      return [{ text: turn.text }];
    default:
      return turn satisfies never;
  }
}

function encodeAssistant(parts: readonly AssistantPart[], options: ContentOptions): readonly JsonObject[] {
  const encoded: JsonObject[] = [];
  let forCall: string | undefined;
  let forText: Extract<SealedState, { place: "text" }> | undefined;
  let isFirstCall = true;
  for (const part of parts) {
    switch (part.type) {
      case "thinking": {
        const state = readState(part.payload);
        if (state?.place === "call") forCall = state.signature;
        else if (state?.place === "text") forText = state;
        else if (state?.place === "before") encoded.push(...signLast(encoded, state));
        else if (state?.place === "thought") encoded.push(...signBack(part.text, state, { thought: true }));
        else if (state?.place === "part") encoded.push(state.part);
        break;
      }
      case "text":
        encoded.push(...(forText === undefined ? [{ text: part.text }] : signFront(part.text, forText)));
        forText = undefined;
        break;
      case "tool_call": {
        const signature = forCall ?? (isFirstCall ? standIn(options) : undefined);
        encoded.push({ functionCall: encodeCall(part, options), ...(signature === undefined ? {} : { thoughtSignature: signature }) });
        forCall = undefined;
        isFirstCall = false;
        break;
      }
      default:
        part satisfies never;
    }
  }
  return encoded;
}

/**
 * A step whose first call carries no signature is refused. Asked of the current turn only, and given to every one: what
 * was sent once must read the same in all later requests, or caches of the prefix miss.
 */
function standIn({ family, note }: ContentOptions): string | undefined {
  if (!family.isThird) return undefined;
  note("a call without a signature of this producer carries the stand-in that the vendor names");
  return signatureSentinel;
}

/** Takes the last text away, and returns it with its signature. */
function signLast(encoded: JsonObject[], state: Extract<SealedState, { place: "before" }>): readonly JsonObject[] {
  const last = encoded.at(-1);
  const words = last?.["text"];
  if (typeof words !== "string" || last?.["thoughtSignature"] !== undefined || last?.["thought"] === true) {
    return [{ text: "", thoughtSignature: state.signature }];
  }
  encoded.pop();
  return signBack(words, state);
}

function encodeCall(part: Extract<AssistantPart, { type: "tool_call" }>, { names, callIds }: ContentOptions): WireFunctionCall {
  return { ...(callIds ? { id: producerToolId(part.id) } : {}), name: names.alias(part.name), args: part.input };
}

function encodeUserPart(part: UserPart, options: ContentOptions): readonly JsonObject[] {
  return part.type === "tool_result" ? encodeResult(part, options) : [encodeContent(part, options)];
}

/** Media that a result may hold, https://ai.google.dev/gemini-api/docs/function-calling (multimodal function responses). */
const resultMedia = new Set(["image/png", "image/jpeg", "image/webp", "application/pdf"]);

/**
 * The text of a result is handed on as it is, under `output` or `error`, even where it is JSON: a result that has such
 * keys of its own would be taken for something else. Media that cannot stand inside stand right behind.
 */
function encodeResult(part: ToolResultPart, options: ContentOptions): readonly JsonObject[] {
  const words: string[] = [];
  const inside: { readonly inlineData: { readonly mimeType: string; readonly data: string } }[] = [];
  const behind: JsonObject[] = [];
  for (const item of part.content) {
    if (item.type === "text") {
      words.push(item.text);
      continue;
    }
    const encoded = encodeMedia(item, options);
    if (typeof encoded === "string") words.push(encoded);
    else if (options.family.isThird && item.data !== undefined && resultMedia.has(item.mediaType)) {
      inside.push({ inlineData: { mimeType: item.mediaType, data: item.data } });
    } else behind.push(encoded);
  }
  const media = inside.length + behind.length;
  const said = words.length === 0 && media > 0 ? `[${media} ${media === 1 ? "file" : "files"} attached]` : words.join("\n");
  const response: WireFunctionResponse = {
    ...(options.callIds ? { id: producerToolId(part.id) } : {}),
    name: options.names.alias(part.name),
    response: part.isError ? { error: said } : { output: said },
    ...(inside.length === 0 ? {} : { parts: inside }),
  };
  return [{ functionResponse: response }, ...behind];
}

function encodeContent(part: ContentPart, options: ContentOptions): JsonObject {
  if (part.type === "text") return { text: part.text };
  const encoded = encodeMedia(part, options);
  return typeof encoded === "string" ? { text: encoded } : encoded;
}

/** https://ai.google.dev/gemini-api/docs/image-understanding; others, GIF among them, are refused. */
const inlineMedia = new Set([...resultMedia, "image/heic", "image/heif"]);

/** A part, or the text that stands for what cannot be sent. */
function encodeMedia(part: ImagePart | DocumentPart, { family, fileUrls, note }: ContentOptions): JsonObject | string {
  const kind = part.type === "image" ? "image" : "document";
  if (part.data !== undefined) {
    if (inlineMedia.has(part.mediaType)) return { inlineData: { mimeType: part.mediaType, data: part.data } };
    note(`a file of a type that this wire does not take was left out`, { type: part.mediaType });
    return `[A file of the type ${part.mediaType} was here; it could not be passed on.]`;
  }
  const url = part.url ?? "";
  if (fileUrls && family.isModern && url.startsWith("https://")) return { fileData: { mimeType: typeOfUrl(url, kind), fileUri: url } };
  note(`the ${kind} behind a URL was left out: this host does not fetch it, and nothing is downloaded here`);
  return `[The ${kind} at ${url} was here; it could not be passed on.]`;
}

const typesByEnding: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["webp", "image/webp"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
  ["pdf", "application/pdf"],
]);

/** The type has to be named, and the hub does not know it. */
function typeOfUrl(url: string, kind: "image" | "document"): string {
  const ending = /\.(?<ending>[a-z]{3,4})(?:[?#]|$)/i.exec(url)?.groups?.["ending"]?.toLowerCase() ?? "";
  const known = typesByEnding.get(ending);
  return known ?? (kind === "image" ? "image/jpeg" : "application/pdf");
}
