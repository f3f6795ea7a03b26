/** A client's items as messages of the hub: turns alternate, results of tools stand first, the system's texts in front. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { hubProducer, unseal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { Note } from "../../sdk/wire.ts";
import { hubToolName } from "./client-tools.ts";
import { bad, decodeContent, refused, textBlock } from "./decode-content.ts";
import { Turns } from "./turns.ts";
import { isList } from "./wire.ts";

export interface DecodedItems {
  /** Text blocks. */
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
  /** Set among the items, the last one. */
  readonly effort: string | undefined;
}

/** @throws ProxyError 400 that names the path of what is no item, or cannot be read here */
export function decodeItems(input: Json | undefined, note: Note): DecodedItems {
  const items = typeof input === "string" ? [{ role: "user", content: input }] : input;
  if (!isList(items)) throw bad("input", input, "a text or a list of items");
  const decoder = new ItemDecoder(note);
  for (const [index, value] of items.entries()) {
    const item = record(value);
    if (item === undefined) throw bad(`input.${index}`, value, "an object");
    decoder.push(item, `input.${index}`);
  }
  return decoder.end();
}

class ItemDecoder {
  readonly #note: Note;
  readonly #turns = new Turns();
  #effort: string | undefined;

  constructor(note: Note) {
    this.#note = note;
  }

  end(): DecodedItems {
    const { system, messages } = this.#turns.end();
    if (messages.length === 0) throw refused("input: found nothing that says something, wanted at least one message");
    return { system, messages, effort: this.#effort };
  }

  push(item: JsonObject, path: string): void {
    const type = text(item["type"]) ?? (item["role"] === undefined ? "" : "message");
    switch (type) {
      case "message":
        this.#message(item, path);
        return;
      case "reasoning":
        this.#reasoning(item);
        return;
      case "function_call":
        this.#call(item, path, parsedInput(item["arguments"], this.#note));
        return;
      case "custom_tool_call":
        this.#call(item, path, { input: item["input"] ?? "" });
        return;
      case "configuration_update":
        this.#effort = text(record(item["reasoning"])?.["effort"]) ?? this.#effort;
        return;
      case "item_reference":
        throw refused(`${path}: found a reference to an item, wanted the item itself: nothing is stored here, so send the whole input`);
      case "compaction":
        throw refused(
          `${path}: found a compaction, which only its maker can read; send the conversation itself, or a summary of it as text`,
        );
      // Read with the tools.
      case "additional_tools":
        return;
      default:
        this.#vendorItem(type, item, path);
    }
  }

  #message(item: JsonObject, path: string): void {
    const role = text(item["role"]);
    const blocks = decodeContent(item["content"], `${path}.content`, this.#note);
    switch (role ?? "") {
      case "user":
        this.#turns.user(blocks);
        return;
      case "assistant":
        this.#turns.assistant(blocks.filter((block) => block["type"] === "text"));
        return;
      case "system":
      case "developer":
        this.#turns.system(blocks.filter((block) => block["type"] === "text"));
        return;
      default:
        throw bad(`${path}.role`, item["role"], "user, assistant, system or developer");
    }
  }

  /** What was packed here; of another's reasoning nobody but itself could make anything. */
  #reasoning(item: JsonObject): void {
    const sealed = unseal(text(item["encrypted_content"]) ?? "");
    const block = sealed?.producer === hubProducer ? record(sealed.payload) : undefined;
    if (block === undefined) this.#note("reasoning was left out that was not made here");
    else this.#turns.assistant([block]);
  }

  #call(item: JsonObject, path: string, input: JsonObject): void {
    const name = text(item["name"]);
    const id = text(item["call_id"]);
    if (name === undefined || name === "") throw bad(`${path}.name`, item["name"], "the name of a tool");
    if (id === undefined || id === "") throw bad(`${path}.call_id`, item["call_id"], "the id of the call");
    this.#turns.assistant([{ type: "tool_use", id: hubToolId(id), name: hubToolName(name, text(item["namespace"])), input }]);
  }

  /** Tools that only the vendor's models know, yet the client carries out: their history stays, in the hub's words. */
  #vendorItem(type: string, item: JsonObject, path: string): void {
    const id = text(item["call_id"]) ?? "";
    if (type.endsWith("_output")) {
      const call = id === "" ? text(item["id"]) : id;
      if (call === undefined || call === "") throw bad(`${path}.call_id`, item["call_id"], "the id of the call");
      this.#turns.result(hubToolId(call), this.#output(item, path));
      return;
    }
    if (type.endsWith("_call") && id !== "") {
      const input = record(item["arguments"] ?? item["action"] ?? item["operation"]) ?? parsedInput(item["arguments"], this.#note);
      this.#turns.assistant([{ type: "tool_use", id: hubToolId(id), name: type.slice(0, -"_call".length), input }]);
      return;
    }
    if (type === "") throw bad(`${path}.type`, item["type"], "the type of the item");
    this.#note("an item of a type that the hub does not have was left out");
  }

  #output(item: JsonObject, path: string): readonly JsonObject[] {
    if (item["type"] === "tool_search_output") return textBlock(foundTools(item["tools"]));
    const output = item["output"];
    if (typeof output === "string") return textBlock(output);
    const screenshot = record(output);
    if (screenshot !== undefined) return decodeContent([screenshot], `${path}.output`, this.#note);
    const parts = isList(output) ? output : [];
    const isContent = parts.every((part) => text(record(part)?.["type"])?.startsWith("input_") === true);
    return isContent ? decodeContent(output, `${path}.output`, this.#note) : textBlock(JSON.stringify(output));
  }
}

function foundTools(tools: Json | undefined): string {
  const names = (isList(tools) ? tools : []).flatMap((value) => {
    const tool = record(value);
    const inner = tool?.["type"] === "namespace" && isList(tool["tools"]) ? tool["tools"] : undefined;
    if (inner === undefined) return hubToolName(text(tool?.["name"]) ?? "", undefined);
    return inner.map((one) => hubToolName(text(record(one)?.["name"]) ?? "", text(tool?.["name"])));
  });
  return names.length === 0 ? "No tools were found." : names.map((name) => `The tool ${name} can be called from now on.`).join("\n");
}

/** Text of what a model wrote, which may be anything. */
function parsedInput(value: Json | undefined, note: Note): JsonObject {
  const given = record(value);
  if (given !== undefined) return given;
  const json = text(value)?.trim() ?? "";
  if (json === "") return {};
  try {
    const parsed: Json = JSON.parse(json);
    const object = record(parsed);
    if (object !== undefined) return object;
  } catch {
    // Noted below.
  }
  note("arguments of a call were left out that are no JSON object");
  return {};
}
