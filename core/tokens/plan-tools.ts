/** Plans the count of the declared tools and of the hidden prompt that comes with them. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import type { BlockCollector } from "./content-blocks.ts";
import type { ModelProfile } from "./model-profile.ts";
import { shortText } from "./spans.ts";

/** Tools whose definition the provider supplies, by the start of their type; from the pages of these tools. */
const PROVIDED_TOOLS: readonly (readonly [type: string, tokens: number])[] = [
  ["bash_", 245],
  ["text_editor_", 700],
  ["computer_", 735],
];
/** For those without a documented figure. */
const PROVIDED_TOOL_TOKENS = 500;

const TRUE = 0x74;

export function planTools(body: RequestBody, profile: ModelProfile, blocks: BlockCollector): void {
  const list = body.field("tools");
  const tools = list === undefined ? [] : body.elements(list).filter((tool) => isVisible(body, tool, blocks.referencedTools));
  if (tools.length === 0) return;
  blocks.addFixed(mustCall(body) ? profile.toolPrompt.forced : profile.toolPrompt.free);
  for (const tool of tools) planTool(body, tool, profile, blocks);
}

/** A deferred tool stays out of the context until a search brought it in. */
function isVisible(body: RequestBody, tool: Span, referenced: ReadonlySet<string>): boolean {
  const members = body.members(tool);
  const deferred = members.get("defer_loading");
  if (deferred === undefined || body.bytes[deferred.start] !== TRUE) return true;
  return referenced.has(shortText(body, members.get("name")) ?? "");
}

function mustCall(body: RequestBody): boolean {
  const choice = body.field("tool_choice");
  const type = choice && shortText(body, body.members(choice).get("type"));
  return type === "any" || type === "tool";
}

function planTool(body: RequestBody, tool: Span, profile: ModelProfile, blocks: BlockCollector): void {
  const members = body.members(tool);
  const schema = members.get("input_schema");
  const type = shortText(body, members.get("type")) ?? "custom";
  if (schema === undefined && type !== "custom") {
    blocks.addFixed(PROVIDED_TOOLS.find(([start]) => type.startsWith(start))?.[1] ?? PROVIDED_TOOL_TOKENS);
    return;
  }
  blocks.addFixed(profile.toolFrame.definition);
  blocks.add("text", members.get("name"));
  blocks.add("text", members.get("description"));
  blocks.add("json", schema);
}
