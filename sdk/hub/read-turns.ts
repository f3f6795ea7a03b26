/**
 * The messages of the hub as turns: roles alternate, results come first in the order of their calls, and each call has
 * one. Every turn is read from its own messages alone, so that it reads the same whatever follows it.
 */

import type { JsonObject } from "../events.ts";
import type { AssistantPart, ContentPart, ToolCallPart, ToolResultPart, Turn, UserPart } from "./conversation.ts";
import { text, type JsonRecord } from "./json.ts";
import { readAssistantBlock, type AssistantReading } from "./read-assistant.ts";
import { blocksOf, readContent, reminder, textPart } from "./read-blocks.ts";
import { cacheOf, withoutMark } from "./read-marks.ts";
import { readSystemMessage } from "./read-system.ts";

/** What stands where a message was that says nothing. */
const nothingSaid = "(no content)";
const nothingReturned = "(no output)";
const neverReturned = "[No result of this call was passed on.]";

/** @param messages of the hub, in order */
export function readTurns(messages: readonly JsonObject[], reading: AssistantReading): readonly Turn[] {
  const reader = new TurnReader(reading);
  for (const message of messages) reader.push(message);
  return reader.end();
}

class TurnReader {
  readonly #reading: AssistantReading;
  readonly #turns: Turn[] = [];
  #run: AssistantRun | UserRun | undefined;
  /** Of the assistant's last turn, until they are answered. */
  #calls: readonly ToolCallPart[] = [];

  constructor(reading: AssistantReading) {
    this.#reading = reading;
  }

  push(message: JsonObject): void {
    switch (text(message["role"]) ?? "") {
      case "assistant": {
        const run = this.#assistant();
        for (const block of blocksOf(message["content"])) run.parts.push(...readAssistantBlock(block, this.#reading));
        return;
      }
      case "system":
        this.#between(message);
        return;
      default:
        readUserMessage(message, this.#user(), this.#reading);
    }
  }

  end(): readonly Turn[] {
    this.#close();
    // Calls that nothing follows.
    if (this.#calls.length > 0) this.#user();
    this.#close();
    return this.#turns;
  }

  #between(message: JsonObject): void {
    const words = readSystemMessage(message, this.#reading);
    if (words === "") return;
    const { items } = this.#user();
    if (this.#reading.options.midSystem) items.push({ type: "system", text: words });
    else items.push(...textPart(reminder(words), blocksOf(message["content"]).at(-1)));
  }

  #assistant(): AssistantRun {
    if (this.#run?.role === "assistant") return this.#run;
    this.#close();
    const run: AssistantRun = { role: "assistant", parts: [] };
    this.#run = run;
    return run;
  }

  #user(): UserRun {
    if (this.#run?.role === "user") return this.#run;
    this.#close();
    const run: UserRun = { role: "user", results: new Map(), items: [] };
    this.#run = run;
    return run;
  }

  #close(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run?.role === "user") {
      this.#turns.push(...finishUser(run, this.#calls, this.#reading));
      this.#calls = [];
    } else if (run?.role === "assistant") {
      const parts = finishAssistant(run, this.#reading);
      const hasBegun = this.#turns.some((turn) => turn.role === "user");
      if (!hasBegun) this.#turns.push({ role: "user", parts: [{ type: "text", text: nothingSaid }] });
      this.#turns.push({ role: "assistant", parts });
      this.#calls = parts.filter((part) => part.type === "tool_call");
    }
  }
}

interface AssistantRun {
  readonly role: "assistant";
  readonly parts: AssistantPart[];
}

interface Between {
  readonly type: "system";
  readonly text: string;
}

/** Messages in a row that are not the assistant's. */
interface UserRun {
  readonly role: "user";
  /** By the id of the call; the last one counts. */
  readonly results: Map<string, JsonRecord>;
  readonly items: (UserPart | Between | { readonly type: "orphan"; readonly block: JsonRecord })[];
}

function readUserMessage(message: JsonObject, run: UserRun, reading: AssistantReading): void {
  let saysNothing = true;
  for (const block of blocksOf(message["content"])) {
    if (block["type"] === "tool_result") {
      saysNothing = false;
      const id = text(block["tool_use_id"]) ?? "";
      if (run.results.has(id)) reading.tally.add("of several results of one call the last one was kept");
      run.results.set(id, block);
      run.items.push({ type: "orphan", block });
    } else {
      const parts = readContent(block, reading);
      run.items.push(...parts);
      saysNothing &&= parts.length === 0;
    }
  }
  if (saysNothing) run.items.push({ type: "text", text: nothingSaid });
}

/** Thinking alone is no answer that a wire could hold. */
function finishAssistant({ parts }: AssistantRun, { tally }: AssistantReading): readonly AssistantPart[] {
  const ids = new Set<string>();
  const once = parts.filter((part) => {
    if (part.type !== "tool_call") return true;
    if (ids.has(part.id)) tally.add("a call whose id was taken was left out");
    return !ids.has(part.id) && ids.add(part.id);
  });
  return once.some((part) => part.type !== "thinking") ? once : [{ type: "text", text: nothingSaid }];
}

function finishUser(run: UserRun, calls: readonly ToolCallPart[], reading: AssistantReading): readonly Turn[] {
  const answered = new Set(calls.map((call) => call.id));
  const results = calls.map((call) => readResult(call, run.results.get(call.id), reading));
  const turns: Turn[] = [];
  let parts: UserPart[] = results;
  for (const item of run.items) {
    if (item.type === "system") {
      if (parts.length > 0) turns.push({ role: "user", parts });
      turns.push({ role: "system", text: item.text });
      parts = [];
    } else if (item.type === "orphan") {
      const id = text(item.block["tool_use_id"]) ?? "";
      if (!answered.has(id) && run.results.get(id) === item.block) parts.push(...readOrphan(item.block, reading));
    } else {
      parts.push(item);
    }
  }
  if (parts.length > 0) turns.push({ role: "user", parts });
  return turns;
}

function readResult(call: ToolCallPart, block: JsonRecord | undefined, reading: AssistantReading): ToolResultPart {
  const { id, name } = call;
  if (block === undefined) {
    reading.tally.add("a call had no result, and was given one that says so");
    return { type: "tool_result", id, name, content: [{ type: "text", text: neverReturned }], isError: true };
  }
  const content = resultContent(block, reading);
  // A mark on what a result holds is one on the result: not all wires could set it further in.
  const cache = cacheOf(block).cache ?? content.findLast((part) => part.cache !== undefined)?.cache;
  return {
    type: "tool_result",
    id,
    name,
    content: content.map(withoutMark),
    isError: block["is_error"] === true,
    ...(cache === undefined ? {} : { cache }),
  };
}

function resultContent(block: JsonRecord, reading: AssistantReading): readonly ContentPart[] {
  const content = blocksOf(block["content"]).flatMap((inner) => readContent(inner, reading));
  return content.length === 0 ? [{ type: "text", text: nothingReturned }] : content;
}

/** A result that no call before it asked for: what it says is kept, as text. */
function readOrphan(block: JsonRecord, reading: AssistantReading): readonly ContentPart[] {
  reading.tally.add("a result without its call was turned into text");
  return [{ type: "text", text: "[Result of an earlier tool call:]" }, ...resultContent(block, reading)];
}
