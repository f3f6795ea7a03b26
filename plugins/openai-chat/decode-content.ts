/** Content of a client's messages as blocks of the hub. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";

/** @param path in the request, e.g. `messages.0.content` */
export function bad(path: string, found: Json | undefined, wanted: string): ProxyError {
  const message = `${path}: found ${found === undefined ? "nothing" : kindOf(found)}, wanted ${wanted}`;
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * A text, or a list of parts; null and what says nothing give no blocks.
 * @throws ProxyError 400 for anything else
 */
export function decodeContent(content: Json | undefined, path: string, note: Note): readonly JsonObject[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw bad(path, content, "a text or a list of parts");
  return content.flatMap((value, index) => {
    const part = typeof value === "string" ? { type: "text", text: value } : record(value);
    if (part === undefined) throw bad(`${path}.${index}`, value, "an object");
    return decodePart(part, `${path}.${index}`, note);
  });
}

function decodePart(part: JsonObject, path: string, note: Note): readonly JsonObject[] {
  const type = text(part["type"]);
  switch (type) {
    case "text":
    case "input_text":
    case "output_text": {
      const words = text(part["text"]);
      if (words === undefined) throw bad(`${path}.text`, part["text"], "a text");
      return words === "" ? [] : [{ type: "text", text: words, ...cacheControl(part) }];
    }
    case "refusal":
      return decodeContent(text(part["refusal"]), path, note);
    case "image_url":
    case "input_image":
      return [{ ...decodeImage(part, path, note), ...cacheControl(part) }];
    case "file":
    case "input_file":
      return decodeFile(part, path, note).map((block) => ({ ...block, ...cacheControl(part) }));
    case "image":
    case "document":
      // The hub's own form, as LiteLLM takes it, too.
      return [part];
    case "input_audio":
      note("audio dropped: the hub has none");
      return [{ type: "text", text: "[an audio recording, which cannot be passed on]" }];
    case undefined:
      throw bad(`${path}.type`, part["type"], "the type of the part");
    default:
      note("a part of an unknown type dropped");
      return [];
  }
}

/** To be spread into a block. */
export function cacheControl(part: JsonObject): JsonObject {
  const mark = record(part["cache_control"]);
  return mark === undefined ? {} : { cache_control: mark };
}

function decodeImage(part: JsonObject, path: string, note: Note): JsonObject {
  const image = part["image_url"];
  const url = text(image) ?? text(record(image)?.["url"]);
  if (url === undefined) throw bad(`${path}.image_url`, image, "an object with a url");
  if ((record(image)?.["detail"] ?? part["detail"]) !== undefined) note("detail of images dropped");
  const data = readDataUrl(url);
  if (data !== undefined) return { type: "image", source: { type: "base64", media_type: data.mediaType, data: data.data } };
  if (!/^https?:\/\//i.test(url)) throw bad(`${path}.image_url.url`, url, "a data: or http(s): URL");
  return { type: "image", source: { type: "url", url } };
}

function decodeFile(part: JsonObject, path: string, note: Note): readonly JsonObject[] {
  const file = record(part["file"]) ?? part;
  const name = text(file["filename"]);
  const data = text(file["file_data"]);
  const url = text(file["file_url"]);
  const title = name === undefined || name === "" ? {} : { title: name };
  if (url !== undefined) return [{ type: "document", source: { type: "url", url }, ...title }];
  if (data === undefined) {
    if (text(file["file_id"]) === undefined) throw bad(`${path}.file`, part["file"], "an object with file_data");
    note("a file of another host dropped: only that host can read its id");
    return [{ type: "text", text: `[a file${name === undefined ? "" : ` "${name}"`} that was given by its id and cannot be passed on]` }];
  }
  // Without a header it is base64 of a PDF, the one kind that all take.
  const { mediaType, data: base64 } = readDataUrl(data) ?? { mediaType: text(file["format"]) ?? "application/pdf", data };
  if (mediaType.startsWith("image/")) return [{ type: "image", source: { type: "base64", media_type: mediaType, data: base64 } }];
  if (mediaType.startsWith("text/")) {
    const words = Buffer.from(base64, "base64").toString("utf8");
    return [{ type: "document", source: { type: "text", media_type: "text/plain", data: words }, ...title }];
  }
  return [{ type: "document", source: { type: "base64", media_type: mediaType, data: base64 }, ...title }];
}

interface DataUrl {
  readonly mediaType: string;
  /** Base64. */
  readonly data: string;
}

/** Looks at no more than the header: what follows may have megabytes. */
function readDataUrl(url: string): DataUrl | undefined {
  if (!/^data:/i.test(url)) return undefined;
  const comma = url.indexOf(",");
  if (comma < 0) return undefined;
  const [mediaType = "", ...parameters] = url.slice("data:".length, comma).split(";");
  const data = url.slice(comma + 1);
  const isBase64 = parameters.some((parameter) => parameter.trim().toLowerCase() === "base64");
  return {
    mediaType: mediaType === "" ? "text/plain" : mediaType.toLowerCase(),
    data: isBase64 ? data : Buffer.from(decodeText(data)).toString("base64"),
  };
}

function decodeText(data: string): string {
  try {
    return decodeURIComponent(data);
  } catch {
    return data;
  }
}
