/** Content blocks of the hub as parts of a user's turn, or of a tool's result. */

import type { Json } from "../body.ts";
import type { ContentPart, ConversationOptions, TextPart } from "./conversation.ts";
import { record, text, type JsonRecord } from "./json.ts";
import { cacheOf } from "./read-marks.ts";
import type { Tally } from "./read-tally.ts";

export interface Reading {
  readonly options: ConversationOptions;
  readonly tally: Tally;
  /** Names of tools in the order in which the conversation first spoke of them. */
  readonly mentioned: Set<string>;
}

/** The blocks of a message or of a result; a plain string is one text. */
export function blocksOf(content: Json | undefined): readonly JsonRecord[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return records(content);
}

/** The objects of a list. */
export function records(list: Json | undefined): readonly JsonRecord[] {
  return Array.isArray(list) ? list.map((item: Json) => record(item)).filter((item) => item !== undefined) : [];
}

/** Nothing for a block that says nothing; several where one of the hub's holds several. */
export function readContent(block: JsonRecord, reading: Reading): readonly ContentPart[] {
  switch (text(block["type"]) ?? "") {
    case "text":
      return textPart(text(block["text"]) ?? "", block);
    case "image":
      return [readImage(block, reading)];
    case "document":
      return readDocument(block, reading);
    case "search_result":
      return textPart(searchResult(block), block);
    case "tool_reference": {
      const name = text(block["tool_name"]) ?? text(block["name"]) ?? "";
      reading.mentioned.add(name);
      return textPart(`The tool ${name} can be called from now on.`, block);
    }
    // Its words are the system's, wherever it stands.
    case "mid_conv_system":
      return textPart(reminder(plainText(block["content"])), block);
    default:
      return textPart(placeholder(block, reading), block);
  }
}

/** What the system says in between, for wires that know no such thing. */
export function reminder(words: string): string {
  return words === "" ? "" : `<system-reminder>\n${words}\n</system-reminder>`;
}

/** The texts among the blocks, in lines of their own. */
export function plainText(content: Json | undefined): string {
  return blocksOf(content)
    .flatMap((block) => (block["type"] === "text" ? (text(block["text"]) ?? []) : []))
    .filter((piece) => piece !== "")
    .join("\n");
}

export function textPart(words: string, block: JsonRecord = {}): readonly TextPart[] {
  return words === "" ? [] : [{ type: "text", text: words, ...cacheOf(block) }];
}

function placeholder(block: JsonRecord, { tally }: Reading): string {
  const type = typeName(block);
  tally.add(`a block of type ${type} was replaced by words that say so`);
  return `[Content of the type "${type}" was here; it could not be passed on.]`;
}

/** Such as a vendor gives them, so that nothing else gets into the trace. */
export function typeName(block: JsonRecord): string {
  const type = text(block["type"]) ?? "";
  return /^[a-z][a-z0-9_.-]{0,63}$/i.test(type) ? type : "unknown";
}

function readImage(block: JsonRecord, { options, tally }: Reading): ContentPart {
  const source = record(block["source"]);
  const mediaType = text(source?.["media_type"]) ?? "";
  const data = text(source?.["data"]);
  const url = text(source?.["url"]);
  const cache = cacheOf(block);
  if (!options.images) {
    tally.add("an image was replaced by words, since the model sees none");
    return { type: "text", text: `[An image${named(mediaType)} was here; this model cannot see images.]`, ...cache };
  }
  if (source?.["type"] === "base64" && data !== undefined) return { type: "image", data, mediaType: mediaType || "image/png", ...cache };
  if (source?.["type"] === "url" && url !== undefined) return { type: "image", url, mediaType: "", ...cache };
  tally.add("an image that is stored with another vendor was replaced by words");
  return { type: "text", text: "[An image was here that is stored elsewhere; it could not be passed on.]", ...cache };
}

function readDocument(block: JsonRecord, { options, tally, mentioned }: Reading): readonly ContentPart[] {
  const source = record(block["source"]);
  const title = text(block["title"]);
  const data = text(source?.["data"]);
  const url = text(source?.["url"]);
  const mediaType = text(source?.["media_type"]) ?? "application/pdf";
  const cache = cacheOf(block);
  const context = textPart(text(block["context"]) ?? "");
  switch (text(source?.["type"]) ?? "") {
    case "text":
      return [...context, ...textPart(fenced(data ?? "", title), block)];
    case "content": {
      // Text and images in a row; each stands for itself.
      const parts = blocksOf(source?.["content"]).flatMap((part) => readContent(part, { options, tally, mentioned }));
      const heading = textPart(title === undefined ? "" : `Document "${title}":`);
      return [...context, ...heading, ...withLastMark(parts, cache)];
    }
    case "base64":
    case "url": {
      if (!options.documents) {
        tally.add("a document was replaced by words, since the model reads none");
        const words = `[A document${named(mediaType)}${titled(title)} was here; this model cannot read documents.]`;
        return [...context, { type: "text", text: words, ...cache }];
      }
      if (source?.["type"] === "base64" && data !== undefined) return [...context, { type: "document", data, mediaType, title, ...cache }];
      if (url !== undefined) return [...context, { type: "document", url, mediaType, title, ...cache }];
      break;
    }
    default:
  }
  tally.add("a document that is stored with another vendor was replaced by words");
  const words = `[A document${titled(title)} was here that is stored elsewhere; it could not be passed on.]`;
  return [...context, { type: "text", text: words, ...cache }];
}

function withLastMark(parts: readonly ContentPart[], cache: { readonly cache?: ContentPart["cache"] }): readonly ContentPart[] {
  const last = parts.at(-1);
  if (last === undefined || cache.cache === undefined) return parts;
  return [...parts.slice(0, -1), { ...last, cache: cache.cache }];
}

function named(mediaType: string): string {
  return mediaType === "" ? "" : ` (${mediaType})`;
}

function titled(title: string | undefined): string {
  return title === undefined || title === "" ? "" : ` titled "${title}"`;
}

/** A fence that nothing in the text can end. */
function fenced(words: string, title: string | undefined): string {
  if (words === "") return "";
  const longest = words.match(/`{3,}/g)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0;
  const fence = "`".repeat(Math.max(3, longest + 1));
  const heading = title === undefined || title === "" ? "" : `Document "${title}":\n`;
  return `${heading}${fence}\n${words}\n${fence}`;
}

function searchResult(block: JsonRecord): string {
  const heading = [text(block["title"]), text(block["source"])].filter((piece) => piece !== undefined && piece !== "").join(" – ");
  const words = plainText(block["content"]);
  return [heading === "" ? "" : `Search result: ${heading}`, words].filter((piece) => piece !== "").join("\n");
}
