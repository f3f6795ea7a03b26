/** A client's messages as those of the hub: turns alternate, results of tools stand first, the system's texts in front. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { Note } from "../../sdk/wire.ts";
import { bad, cacheControl, decodeContent } from "./decode-content.ts";
import { placeThinking, unpackThinking } from "./thinking-blocks.ts";

export interface DecodedMessages {
  /** Text blocks. */
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

/** @throws ProxyError 400 that names the path of what is no message */
export function decodeMessages(messages: Json | undefined, note: Note): DecodedMessages {
  if (!Array.isArray(messages)) throw bad("messages", messages, "a list of messages");
  const turns = new Turns(note);
  for (const [index, value] of messages.entries()) {
    const message = record(value);
    if (message === undefined) throw bad(`messages.${index}`, value, "an object");
    turns.push(message, `messages.${index}`);
  }
  const decoded = turns.end();
  if (decoded.messages.length === 0) throw bad("messages", messages, "at least one message that says something");
  return decoded;
}

type Run =
  | { readonly role: "user"; readonly results: JsonObject[]; readonly blocks: JsonObject[] }
  | { readonly role: "assistant"; readonly blocks: JsonObject[] }
  | { readonly role: "system"; readonly blocks: JsonObject[] };

class Turns {
  readonly #note: Note;
  readonly #system: JsonObject[] = [];
  readonly #runs: Run[] = [];
  /** Calls that have no result yet. */
  #pending: { readonly id: string; readonly name: string }[] = [];
  #calls = 0;

  constructor(note: Note) {
    this.#note = note;
  }

  push(message: JsonObject, path: string): void {
    const role = text(message["role"]);
    switch (role ?? "") {
      case "system":
      case "developer":
        this.#instruct(message, path);
        return;
      case "user":
        this.#user().blocks.push(...decodeContent(message["content"], `${path}.content`, this.#note));
        return;
      case "assistant":
        this.#answer(message, path);
        return;
      case "tool":
      case "function":
        this.#result(message, path);
        return;
      default:
        throw bad(`${path}.role`, message["role"], "system, developer, user, assistant or tool");
    }
  }

  end(): DecodedMessages {
    const messages: JsonObject[] = [];
    for (const [index, run] of this.#runs.entries()) {
      const last = messages.at(-1);
      const next = this.#runs[index + 1];
      if (run.role !== "system") {
        const content = run.role === "user" ? [...run.results, ...run.blocks] : run.blocks;
        if (content.length === 0) this.#note("a message that says nothing left out");
        else if (last?.["role"] === run.role && Array.isArray(last["content"]))
          messages[messages.length - 1] = merged(run.role, last["content"], content);
        else messages.push({ role: run.role, content });
      } else if (last?.["role"] === "user" && next?.role !== "user") {
        messages.push({ role: "system", content: run.blocks });
      } else {
        // The hub has the role behind a user's turn only; elsewhere its words stand in the user's.
        const content = run.blocks.map((block) => ({
          ...block,
          text: `<system-reminder>\n${text(block["text"]) ?? ""}\n</system-reminder>`,
        }));
        if (last?.["role"] === "user" && Array.isArray(last["content"]))
          messages[messages.length - 1] = merged("user", last["content"], content);
        else messages.push({ role: "user", content });
      }
    }
    return { system: this.#system, messages };
  }

  #instruct(message: JsonObject, path: string): void {
    const blocks = decodeContent(message["content"], `${path}.content`, this.#note).filter((block) => block["type"] === "text");
    if (blocks.length === 0) return;
    const last = this.#runs.at(-1);
    if (last === undefined) this.#system.push(...blocks);
    else if (last.role === "system") last.blocks.push(...blocks);
    else this.#runs.push({ role: "system", blocks: [...blocks] });
  }

  #user(): Extract<Run, { readonly role: "user" }> {
    const last = this.#runs.at(-1);
    if (last?.role === "user") return last;
    const run = { role: "user" as const, results: [], blocks: [] };
    this.#runs.push(run);
    return run;
  }

  #answer(message: JsonObject, path: string): void {
    const said = decodeContent(message["content"] ?? message["refusal"], `${path}.content`, this.#note);
    const calls = this.#decodeCalls(message, path);
    const given = message["thinking_blocks"];
    const thinking = Array.isArray(given) ? unpackThinking(given) : [];
    if (thinking.length === 0 && (text(message["reasoning_content"]) ?? text(message["reasoning"])) !== undefined) {
      this.#note("reasoning dropped: nobody signed it");
    }
    const blocks = placeThinking(said, calls, thinking);
    const last = this.#runs.at(-1);
    if (last?.role === "assistant") last.blocks.push(...blocks);
    else this.#runs.push({ role: "assistant", blocks: [...blocks] });
  }

  #decodeCalls(message: JsonObject, path: string): readonly JsonObject[] {
    const { tool_calls, function_call } = message;
    const legacy = record(function_call);
    if (legacy !== undefined) return [this.#call({ function: legacy }, `${path}.function_call`)];
    if (tool_calls === undefined || tool_calls === null) return [];
    if (!Array.isArray(tool_calls)) throw bad(`${path}.tool_calls`, tool_calls, "a list of calls");
    return tool_calls.map((value, index) => {
      const call = record(value);
      if (call === undefined) throw bad(`${path}.tool_calls.${index}`, value, "an object");
      return this.#call(call, `${path}.tool_calls.${index}`);
    });
  }

  #call(call: JsonObject, path: string): JsonObject {
    const details = record(call["function"]) ?? record(call["custom"]);
    const name = text(details?.["name"]);
    if (name === undefined || name === "") throw bad(`${path}.function.name`, details?.["name"], "the name of a tool");
    this.#calls += 1;
    // The same place in the same conversation has the same id.
    const id = hubToolId(text(call["id"]) || `call_${this.#calls}`);
    this.#pending.push({ id, name });
    const input = details?.["input"] === undefined ? this.#input(details?.["arguments"]) : { input: details["input"] };
    return { type: "tool_use", id, name, input, ...cacheControl(call) };
  }

  #input(value: Json | undefined): JsonObject {
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
    this.#note("arguments of a call that are no JSON object dropped");
    return {};
  }

  #result(message: JsonObject, path: string): void {
    const content = decodeContent(message["content"], `${path}.content`, this.#note);
    const name = text(message["name"]);
    const said = text(message["tool_call_id"]);
    const named =
      said === undefined || said === "" ? this.#pending.find((call) => name === undefined || call.name === name)?.id : hubToolId(said);
    if (named === undefined) throw bad(`${path}.tool_call_id`, message["tool_call_id"], "the id of a call");
    this.#pending = this.#pending.filter(({ id }) => id !== named);
    const { results } = this.#user();
    const result = { type: "tool_result", tool_use_id: named, content: plain(content), ...cacheControl(message) };
    // Said twice, the last word counts: the hub's vendor refuses two results of one call.
    const known = results.findIndex((other) => other["tool_use_id"] === named);
    if (known === -1) results.push(result);
    else results[known] = result;
  }
}

/** One text is said as a text. */
function plain(content: readonly JsonObject[]): Json {
  const [only, ...others] = content;
  const words = text(only?.["text"]);
  if (only === undefined) return "";
  return words !== undefined && others.length === 0 && only["cache_control"] === undefined ? words : content;
}

/** Of turns in a row; results stay in front. */
function merged(role: string, before: readonly Json[], after: readonly JsonObject[]): JsonObject {
  const isResult = (block: Json): boolean => record(block)?.["type"] === "tool_result";
  const all = [...before, ...after];
  return { role, content: role === "user" ? [...all.filter(isResult), ...all.filter((block) => !isResult(block))] : all };
}
