/** Content of a client's items as blocks of the hub. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { isList } from "./wire.ts";

/** @param path in the request, e.g. `input.0.content` */
export function bad(path: string, found: Json | undefined, wanted: string): ProxyError {
  const kind = found === null ? "null" : isList(found) ? "a list" : typeof found === "object" ? "an object" : `a ${typeof found}`;
  return refused(`${path}: found ${found === undefined ? "nothing" : kind}, wanted ${wanted}`);
}

export function refused(message: string): ProxyError {
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

/**
 * A text, or a list of parts; what says nothing gives no blocks.
 * @throws ProxyError 400 for anything else
 */
export function decodeContent(content: Json | undefined, path: string, note: Note): readonly JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return textBlock(content);
  if (!isList(content)) throw bad(path, content, "a text or a list of parts");
  return content.flatMap((value, index) => {
    const part = record(value);
    if (part === undefined) throw bad(`${path}.${index}`, value, "an object");
    return decodePart(part, `${path}.${index}`, note);
  });
}

/** The hub's vendor refuses a text of blanks alone. */
export function textBlock(words: string): readonly JsonObject[] {
  return words.trim() === "" ? [] : [{ type: "text", text: words }];
}

function decodePart(part: JsonObject, path: string, note: Note): readonly JsonObject[] {
  const type = text(part["type"]);
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
    case "summary_text":
    case "reasoning_text": {
      const words = text(part["text"]);
      if (words === undefined) throw bad(`${path}.text`, part["text"], "a text");
      return textBlock(words);
    }
    case "refusal":
      return textBlock(text(part["refusal"]) ?? "");
    case "input_image":
    case "computer_screenshot":
      return [decodeImage(part, path, note)];
    case "input_file":
      return [decodeFile(part, path, note)];
    case undefined:
      throw bad(`${path}.type`, part["type"], "the type of the part");
    default:
      note("a part of a type that the hub does not have was left out");
      return [];
  }
}

function decodeImage(part: JsonObject, path: string, note: Note): JsonObject {
  const url = text(part["image_url"]) ?? text(record(part["image_url"])?.["url"]);
  if (url === undefined) {
    if (text(part["file_id"]) === undefined) throw bad(`${path}.image_url`, part["image_url"], "a data: or http(s): URL");
    return storedElsewhere("image", note);
  }
  const data = readDataUrl(url);
  if (data !== undefined) return { type: "image", source: { type: "base64", media_type: data.mediaType, data: data.data } };
  if (!/^https?:\/\//i.test(url)) throw refused(`${path}.image_url: found another kind of URL, wanted one that begins with data: or http`);
  return { type: "image", source: { type: "url", url } };
}

function decodeFile(part: JsonObject, path: string, note: Note): JsonObject {
  const url = text(part["file_url"]);
  const given = text(part["file_data"]);
  const name = text(part["filename"]);
  const title = name === undefined || name === "" ? {} : { title: name };
  if (url !== undefined) return { type: "document", source: { type: "url", url }, ...title };
  if (given === undefined) {
    if (text(part["file_id"]) === undefined) throw bad(`${path}.file_data`, part["file_data"], "a data: URL");
    return storedElsewhere("file", note);
  }
  // Without a header it is base64 of a PDF, the one kind that all take.
  const { mediaType, data } = readDataUrl(given) ?? { mediaType: "application/pdf", data: given };
  if (mediaType.startsWith("image/")) return { type: "image", source: { type: "base64", media_type: mediaType, data } };
  if (!mediaType.startsWith("text/")) return { type: "document", source: { type: "base64", media_type: mediaType, data }, ...title };
  const words = Buffer.from(data, "base64").toString("utf8");
  return { type: "document", source: { type: "text", media_type: "text/plain", data: words }, ...title };
}

function storedElsewhere(what: string, note: Note): JsonObject {
  note(`an ${what === "image" ? what : "uploaded file"} was replaced by words: only its own host can read its id`);
  return { type: "text", text: `[An uploaded ${what} was here, given by its id; it could not be passed on.]` };
}

interface DataUrl {
  readonly mediaType: string;
  /** Base64. */
  readonly data: string;
}

/** Looks at no more than the header: what follows may have megabytes. */
function readDataUrl(url: string): DataUrl | undefined {
  const comma = /^data:/i.test(url) ? url.indexOf(",") : -1;
  if (comma === -1) return undefined;
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
