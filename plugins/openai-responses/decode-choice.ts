/** A client's tools and its choice among them, as top-level fields of the hub. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { type ClientTools, hubToolName } from "./client-tools.ts";
import { bad, refused } from "./decode-content.ts";
import { isList } from "./wire.ts";

/** @throws ProxyError 400 for a choice that cannot be kept */
export function decodeToolFields(request: JsonObject, tools: ClientTools, note: Note): JsonObject {
  const { choice, allowed } = decodeChoice(request["tool_choice"], tools, note);
  const kept = Array.from(tools).filter(([name]) => allowed === undefined || allowed.has(name));
  if (kept.length === 0) return {};
  const limit = request["max_tool_calls"];
  const list = kept.map(([, { kind, tool }]) =>
    kind === "web_search" && typeof limit === "number" ? { ...tool, max_uses: Math.max(1, limit) } : tool,
  );
  const single = request["parallel_tool_calls"] === false;
  const type = choice ?? (single ? { type: "auto" } : undefined);
  const only = single && type?.["type"] !== "none" ? { disable_parallel_tool_use: true } : {};
  return { tools: list, ...(type === undefined ? {} : { tool_choice: { ...type, ...only } }) };
}

interface Choice {
  readonly choice: JsonObject | undefined;
  /** Names in the hub of those that may be called at all; undefined: any. */
  readonly allowed?: ReadonlySet<string>;
}

const words: ReadonlyMap<string, string> = new Map([
  ["auto", "auto"],
  ["required", "any"],
  ["none", "none"],
]);

function decodeChoice(value: Json | undefined, tools: ClientTools, note: Note): Choice {
  if (value === undefined || value === null) return { choice: undefined };
  const word = text(value);
  if (word !== undefined) {
    const type = words.get(word);
    if (type === undefined) throw refused(`tool_choice: found another word, wanted auto, required or none`);
    return { choice: { type } };
  }
  const choice = record(value);
  if (choice === undefined) throw bad("tool_choice", value, "a word or an object");
  if (choice["type"] === "allowed_tools") {
    const allowed = new Set((isList(choice["tools"]) ? choice["tools"] : []).map((tool) => nameOf(record(tool) ?? {})));
    note("tools were left out that are not among the allowed ones");
    return { choice: { type: choice["mode"] === "required" ? "any" : "auto" }, allowed };
  }
  const name = nameOf(choice);
  // Another tool than the one that is demanded would be no answer.
  if (!tools.has(name)) throw refused("tool_choice: found a tool that is not declared or that only its vendor has, wanted one of `tools`");
  return { choice: { type: "tool", name } };
}

function nameOf(choice: JsonObject): string {
  const type = text(choice["type"]) ?? "";
  return type.startsWith("web_search") ? "web_search" : hubToolName(text(choice["name"]) ?? type, text(choice["namespace"]));
}
