/** Parts of a client that are neither text nor calls, as blocks of the hub. */

import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { field, fieldNames } from "./wire.ts";

/** Of the hub's vendor, https://platform.claude.com/docs/en/build-with-claude/vision. */
const images = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const pdf = "application/pdf";

/** A block, text that says what was there, or undefined for what says nothing. */
export function decodeMedia(part: JsonObject, note: Note): JsonObject | undefined {
  const inline = record(field(part, "inlineData"));
  if (inline !== undefined) return decodeInline(inline, note);
  const file = record(field(part, "fileData"));
  if (file !== undefined) return decodeFile(file, note);
  const code = record(field(part, "executableCode"));
  if (code !== undefined) {
    return textBlock(`\`\`\`${(text(code["language"]) ?? "").toLowerCase()}\n${text(code["code"]) ?? ""}\n\`\`\``);
  }
  const result = record(field(part, "codeExecutionResult"));
  if (result !== undefined) return textBlock(`\`\`\`\n${text(result["output"]) ?? ""}\n\`\`\``);
  const kind = fieldNames(part).find((key) => !flags.has(key));
  if (kind !== undefined) note("a part was left out that the hub has nothing like", { kind });
  return undefined;
}

const flags = new Set(["thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"]);

function decodeInline(inline: JsonObject, note: Note): JsonObject {
  const type = (text(field(inline, "mimeType")) ?? "").toLowerCase();
  const data = text(inline["data"]) ?? "";
  // The alphabet for URLs is taken by this wire and not by the hub.
  const source = { type: "base64", media_type: type, data: /[-_]/.test(data) ? data.replaceAll("-", "+").replaceAll("_", "/") : data };
  if (images.has(type)) return { type: "image", source };
  if (type === pdf) return { type: "document", source };
  if (type.startsWith("text/")) return textBlock(Buffer.from(data, "base64").toString("utf8"));
  note("a file was left out whose type the hub does not take", { type: type.slice(0, 64) });
  return textBlock(`[A file of the type ${type} was here; it could not be passed on.]`);
}

function decodeFile(file: JsonObject, note: Note): JsonObject {
  const type = (text(field(file, "mimeType")) ?? "").toLowerCase();
  const url = text(field(file, "fileUri")) ?? "";
  // Files that were uploaded to the vendor, and its buckets, are open to the vendor alone.
  const isPublic = url.startsWith("https://") && !url.startsWith("https://generativelanguage.googleapis.com/");
  if (isPublic && images.has(type)) return { type: "image", source: { type: "url", url } };
  if (isPublic && type === pdf) return { type: "document", source: { type: "url", url } };
  note("a file was left out that only the vendor of this dialect can read", { type: type.slice(0, 64) });
  return textBlock(`[A file of the type ${type === "" ? "unknown" : type} was here; it could not be passed on.]`);
}

function textBlock(words: string): JsonObject {
  return { type: "text", text: words };
}
