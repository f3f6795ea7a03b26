/** Tools of a conversation as the Converse wire declares them. */

import type { CacheMark, Conversation, Turn } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import { type Family, claudeTraits } from "./models.ts";
import type { WireCachePoint, WireToolChoice, WireToolConfig, WireToolSpec } from "./wire.ts";

export interface ToolOptions {
  readonly family: Family;
  readonly knownAs: string;
  /** Whether the model is asked to think. */
  readonly thinks: boolean;
  readonly names: ToolNames;
  readonly note: Note;
  /** Undefined where the model keeps no prefix that ends in its tools. */
  readonly cachePoint: ((mark: CacheMark) => WireCachePoint) | undefined;
}

/** Undefined where there is no tool, nor was one. */
export function writeTools(conversation: Conversation, options: ToolOptions): WireToolConfig | undefined {
  const { tools, turns, toolChoice } = conversation;
  const called = calledTools(turns);
  // Calls in the history are refused without declarations.
  if (tools.length === 0 && called.length === 0) return undefined;
  const { names, note, cachePoint } = options;
  if (tools.length === 0) {
    note("tools that the history calls were declared, since this wire refuses calls of what is not", { tools: called.length });
    return { tools: called.map((name) => standIn(names.alias(name))) };
  }
  if (toolChoice?.type === "none" && called.length === 0) {
    note("tools were left out, since none was to be called");
    return undefined;
  }
  if (toolChoice?.type === "none") note("tool_choice none was left out: this wire has no such thing, and the history calls tools");
  const declared = tools.flatMap(({ name, description, schema, cache, strict }) => {
    if (strict === true) note("strict was left out of a tool");
    const toolSpec: WireToolSpec["toolSpec"] = {
      name: names.alias(name),
      ...(description.trim() === "" ? {} : { description }),
      inputSchema: { json: lowerSchema(schema, "converse", note) },
    };
    return cache === undefined || cachePoint === undefined ? [{ toolSpec }] : [{ toolSpec }, cachePoint(cache)];
  });
  const choice = writeChoice(toolChoice, options);
  return { tools: declared, ...(choice === undefined ? {} : { toolChoice: choice }) };
}

function standIn(name: string): WireToolSpec {
  return { toolSpec: { name, description: "No longer available.", inputSchema: { json: { type: "object", properties: {} } } } };
}

/** Once each, in the order in which they were first called. */
function calledTools(turns: readonly Turn[]): readonly string[] {
  const calls = turns.flatMap((turn) => (turn.role === "assistant" ? turn.parts : []));
  return [...new Set(calls.flatMap((part) => (part.type === "tool_call" ? [part.name] : [])))];
}

/** Left out where the model decides by itself, which all of them do unasked. */
function writeChoice(
  choice: Conversation["toolChoice"],
  { family, knownAs, thinks, names, note }: ToolOptions,
): WireToolChoice | undefined {
  if (choice?.type !== "any" && choice?.type !== "tool") return undefined;
  const canForce = family === "claude" ? !thinks && claudeTraits(knownAs).forcedTools : forcing.has(family);
  if (!canForce) {
    note("tool_choice was left to the model, since it cannot be made to call a tool", { asked: choice.type });
    return undefined;
  }
  return choice.type === "tool" ? { tool: { name: names.alias(choice.name) } } : { any: {} };
}

/** Families beside Claude that can be made to call a tool. */
const forcing: ReadonlySet<Family> = new Set<Family>(["nova", "nova-2", "mistral"]);
