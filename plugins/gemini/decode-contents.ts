/**
 * Contents of a client of this dialect as messages of the hub: calls and responses find each other by id, or by name and
 * order where there is none; responses stand first in their message.
 */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import { unpack } from "./client-state.ts";
import { decodeMedia } from "./decode-media.ts";
import { decodeResponse } from "./decode-response.ts";
import { field, signatureSentinel } from "./wire.ts";

export interface DecodeOptions {
  readonly names: ToolNames;
  readonly note: Note;
}

interface Message {
  readonly role: "user" | "assistant";
  readonly content: JsonObject[];
}

/** A call that has no response yet. */
interface Call {
  /** As the client has it. */
  readonly id: string | undefined;
  readonly name: string;
  readonly hubId: string;
}

export function decodeContents(contents: Json | undefined, options: DecodeOptions): readonly JsonObject[] {
  if (typeof contents === "string") return [{ role: "user", content: [{ type: "text", text: contents }] }];
  const list: readonly Json[] = Array.isArray(contents) ? contents : record(contents) === undefined ? [] : [record(contents) ?? {}];
  if (list.length === 0) throw bad("contents", contents, "a list of contents, with one at least");
  const decoder = new ContentsDecoder(options);
  for (const [at, content] of list.entries()) decoder.push(content, at);
  return decoder.end();
}

class ContentsDecoder {
  readonly #options: DecodeOptions;
  readonly #messages: Message[] = [];
  readonly #ids = new Set<string>();
  /** Of the model's last turn. */
  #calls: Call[] = [];

  constructor(options: DecodeOptions) {
    this.#options = options;
  }

  push(value: Json, at: number): void {
    const path = `contents.${at}`;
    const content = record(value);
    if (content === undefined) throw bad(path, value, "an object");
    const role = roleOf(content["role"], path);
    const message = this.#message(role);
    for (const [place, item] of partsOf(content["parts"], path).entries()) {
      const partPath = `${path}.parts.${place}`;
      const part = record(item);
      if (part === undefined) throw bad(partPath, item, "an object");
      if (role === "assistant") this.#modelPart(part, message.content, `${at}_${place}`);
      else this.#userPart(part, message.content, partPath);
    }
  }

  end(): readonly JsonObject[] {
    const said = this.#messages.filter(({ content }) => content.length > 0);
    if (said.length === 0) throw new ProxyError("contents: found no part that says anything, wanted one", bad400);
    // The hub's conversations begin with the user.
    const opening: readonly Message[] =
      said[0]?.role === "assistant" ? [{ role: "user", content: [{ type: "text", text: "(no content)" }] }] : [];
    return [...opening, ...said].map(({ role, content }) => ({ role, content: resultsFirst(content) }));
  }

  #message(role: Message["role"]): Message {
    const last = this.#messages.at(-1);
    if (last?.role === role) return last;
    if (role === "assistant") this.#calls = [];
    const message: Message = { role, content: [] };
    this.#messages.push(message);
    return message;
  }

  #modelPart(part: JsonObject, content: JsonObject[], place: string): void {
    const thinking = this.#thinking(part);
    content.push(...thinking);
    const call = record(field(part, "functionCall"));
    const words = text(part["text"]);
    // What the model thought stands in what was packed; its words alone are of use to nobody.
    if (part["thought"] === true) return;
    if (call !== undefined) content.push(this.#call(call, place));
    else if (words !== undefined) addText(content, words);
    else this.#otherPart(part, content);
  }

  #thinking(part: JsonObject): readonly JsonObject[] {
    const signature = text(field(part, "thoughtSignature"));
    if (signature === undefined || signature === "" || signature === signatureSentinel) return [];
    const blocks = unpack(signature);
    if (blocks === undefined) this.#options.note("thought signatures of another producer were left out");
    return blocks ?? [];
  }

  #call(call: JsonObject, place: string): JsonObject {
    const id = text(call["id"]) || undefined;
    const name = this.#options.names.alias(text(call["name"]) ?? "");
    const wanted = id === undefined ? `gemini_${place}` : hubToolId(id);
    // Some clients count anew in every turn; the hub wants each id once.
    const hubId = this.#ids.has(wanted) ? `${wanted}_${place}` : wanted;
    this.#ids.add(hubId);
    this.#calls.push({ id, name, hubId });
    return { type: "tool_use", id: hubId, name, input: record(call["args"]) ?? {} };
  }

  #userPart(part: JsonObject, content: JsonObject[], path: string): void {
    const response = record(field(part, "functionResponse"));
    const words = text(part["text"]);
    if (response !== undefined) content.push(this.#response(response, path));
    else if (words === undefined) this.#otherPart(part, content);
    else if (words !== "") content.push({ type: "text", text: words });
  }

  #response(response: JsonObject, path: string): JsonObject {
    const id = text(response["id"]) || undefined;
    const name = this.#options.names.alias(text(response["name"]) ?? "");
    const byId = id === undefined ? -1 : this.#calls.findIndex((call) => call.id === id);
    const at = byId === -1 ? this.#calls.findIndex((call) => call.name === name && (call.id === undefined || id === undefined)) : byId;
    const [call] = at === -1 ? [] : this.#calls.splice(at, 1);
    if (call === undefined) {
      throw new ProxyError(
        `${path}.functionResponse: found no call in the turn before that it answers, wanted one of its id or name`,
        bad400,
      );
    }
    return decodeResponse(response, call.hubId, this.#options.note);
  }

  #otherPart(part: JsonObject, content: JsonObject[]): void {
    const media = decodeMedia(part, this.#options.note);
    if (media !== undefined) content.push(media);
  }
}

/** Pieces of one text that was streamed belong together. */
function addText(content: JsonObject[], words: string): void {
  if (words === "") return;
  const last = content.at(-1);
  const known = last?.["type"] === "text" ? text(last["text"]) : undefined;
  if (known === undefined) content.push({ type: "text", text: words });
  else content[content.length - 1] = { type: "text", text: known + words };
}

function roleOf(role: Json | undefined, path: string): Message["role"] {
  if (role === "model") return "assistant";
  // The last one is of earlier versions of the API.
  if (role === undefined || role === null || role === "" || role === "user" || role === "function") return "user";
  throw bad(`${path}.role`, role, '"user" or "model"');
}

function partsOf(parts: Json | undefined, path: string): readonly Json[] {
  if (Array.isArray(parts)) return parts;
  if (parts === undefined || parts === null) return [];
  const one = record(parts);
  if (one === undefined) throw bad(`${path}.parts`, parts, "a list of parts");
  return [one];
}

function resultsFirst(content: readonly JsonObject[]): readonly JsonObject[] {
  const isResult = (block: JsonObject): boolean => block["type"] === "tool_result";
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

const bad400 = { status: 400, kind: "invalid_request_error" } as const;

function bad(path: string, found: Json | undefined, wanted: string): ProxyError {
  const kind = found === undefined ? "nothing" : found === null ? "null" : Array.isArray(found) ? "a list" : typeof found;
  const shown = typeof found === "string" ? JSON.stringify(found.slice(0, 40)) : kind;
  return new ProxyError(`${path}: found ${shown}, wanted ${wanted}`, bad400);
}
