/**
 * Turns calls that a small model wrote into its text into calls of tools, for deployments that say so. Text before the
 * first call streams on; from there all waits for the end of the reply, since of a cut reply nothing is turned.
 */

import type { JsonObject } from "../../../sdk/events.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { hubToolId } from "../../../sdk/hub/tool-ids.ts";
import type { Note } from "../../../sdk/wire.ts";
import { type EventFilter, isWhole } from "./event-filter.ts";
import { type Segment, TextCallScanner } from "./text-call-scanner.ts";

export interface TextToolCallsOptions {
  /** Of the tools that the client declared; nothing else is taken for a call. */
  readonly names: ReadonlySet<string>;
  readonly note: Note;
}

type Item =
  | Segment
  | { readonly type: "text-start"; readonly event: JsonObject }
  | { readonly type: "text-end" }
  | { readonly type: "event"; readonly event: JsonObject };

export function createTextToolCalls({ names, note }: TextToolCallsOptions): EventFilter {
  let scanner: TextCallScanner | undefined;
  /** From the first call on; undefined while all streams on. */
  let held: Item[] | undefined;
  const output = new BlockOutput();

  const take = (items: readonly Item[]): readonly JsonObject[] =>
    items.flatMap((item) => {
      if (held === undefined && item.type !== "calls") return output.write(item, false);
      held ??= [];
      held.push(item);
      return [];
    });
  const release = (isTurned: boolean): readonly JsonObject[] => {
    const items = isTurned ? withoutOrphans(held ?? []) : (held ?? []);
    held = undefined;
    const turned = isTurned ? items.reduce((sum, item) => sum + (item.type === "calls" ? item.calls.length : 0), 0) : 0;
    if (turned > 0) note("calls that stood in the text were made calls of tools", { count: turned });
    return items.flatMap((item) => output.write(item, isTurned));
  };
  const giveUp = (): readonly JsonObject[] => {
    const rest = scanner?.end() ?? [];
    scanner = undefined;
    return [...take(rest), ...release(false)];
  };

  return {
    push(event) {
      switch (text(event["type"]) ?? "") {
        case "ping":
          return [event];
        case "content_block_start": {
          const block = record(event["content_block"]);
          if (block?.["type"] !== "text") return take([{ type: "event", event }]);
          scanner = new TextCallScanner(names);
          return take([{ type: "text-start", event }, ...scanner.push(text(block["text"]) ?? "")]);
        }
        case "content_block_delta": {
          const piece = text(record(event["delta"])?.["text"]);
          if (scanner === undefined || piece === undefined) return take([{ type: "event", event }]);
          return take(scanner.push(piece));
        }
        case "content_block_stop": {
          if (scanner === undefined) return take([{ type: "event", event }]);
          const rest = scanner.end();
          scanner = undefined;
          return take([...rest, { type: "text-end" }]);
        }
        case "message_delta": {
          const isTurned = isWhole(record(event["delta"])?.["stop_reason"]);
          const events = release(isTurned);
          return [...events, output.hasCalls ? withToolUse(event) : event];
        }
        case "error":
          return [...giveUp(), event];
        default:
          return take([{ type: "event", event }]);
      }
    },
    end: giveUp,
  };
}

/** Some close a call in a tag that they did not open. */
function withoutOrphans(items: readonly Item[]): readonly Item[] {
  const joined: Item[] = [];
  for (const item of items) {
    const last = joined.at(-1);
    if (item.type === "text" && last?.type === "text") joined[joined.length - 1] = { type: "text", text: last.text + item.text };
    else joined.push(item);
  }
  return joined.map((item, index) =>
    item.type === "text" && joined[index - 1]?.type === "calls" ? { ...item, text: item.text.replace(/^\s*<\/tool_call>/, "") } : item,
  );
}

function withToolUse(event: JsonObject): JsonObject {
  return { ...event, delta: { ...record(event["delta"]), stop_reason: "tool_use" } };
}

/** Writes blocks in a row, with numbers of its own. */
class BlockOutput {
  hasCalls = false;
  #next = 0;
  /** What the text block that is being read began with. */
  #start: JsonObject | undefined;
  /** Number of the text block that is being written. */
  #text: number | undefined;
  /** Whether anything was written for the text block that is being read. */
  #wrote = false;
  /** White space that is only written if something follows. */
  #blank = "";
  /** Number of the other block that is being written. */
  #other = 0;

  /** @param isTurned whether calls are written as such */
  write(item: Item, isTurned: boolean): readonly JsonObject[] {
    switch (item.type) {
      case "text-start":
        this.#start = item.event;
        this.#wrote = false;
        this.#blank = "";
        return [];
      case "text":
        return this.#say(item.text);
      case "calls":
        return isTurned ? [...this.#close(), ...item.calls.flatMap((call) => this.#call(call))] : this.#say(item.text);
      case "text-end":
        return this.#endText();
      case "event":
      default:
        return this.#pass(item.event);
    }
  }

  #say(words: string): readonly JsonObject[] {
    if (this.#text === undefined && words.trim() === "") {
      this.#blank += words;
      return [];
    }
    const start = this.#open();
    const delta = { type: "text_delta", text: this.#blank + words };
    this.#blank = "";
    return [...start, { type: "content_block_delta", index: this.#text ?? 0, delta }];
  }

  #open(): readonly JsonObject[] {
    if (this.#text !== undefined) return [];
    this.#text = this.#next++;
    this.#wrote = true;
    return [{ ...this.#start, type: "content_block_start", index: this.#text, content_block: { type: "text", text: "" } }];
  }

  #close(): readonly JsonObject[] {
    this.#blank = "";
    if (this.#text === undefined) return [];
    const index = this.#text;
    this.#text = undefined;
    return [{ type: "content_block_stop", index }];
  }

  /** A block that said nothing but white space is passed on as it was. */
  #endText(): readonly JsonObject[] {
    const blank = this.#blank;
    this.#blank = "";
    const start = this.#wrote ? [] : this.#open();
    this.#start = undefined;
    const index = this.#text ?? 0;
    const delta = { type: "text_delta", text: blank };
    return [...start, ...(start.length === 0 || blank === "" ? [] : [{ type: "content_block_delta", index, delta }]), ...this.#close()];
  }

  #call({ name, input }: { readonly name: string; readonly input: JsonObject }): readonly JsonObject[] {
    const index = this.#next++;
    this.hasCalls = true;
    this.#wrote = true;
    return [
      { type: "content_block_start", index, content_block: { type: "tool_use", id: hubToolId(undefined), name, input: {} } },
      { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: JSON.stringify(input) } },
      { type: "content_block_stop", index },
    ];
  }

  #pass(event: JsonObject): readonly JsonObject[] {
    if (event["index"] === undefined) return [event];
    if (event["type"] === "content_block_start") this.#other = this.#next++;
    // Something else than text in a text block, e.g. a citation.
    const start = this.#start !== undefined && this.#text === undefined ? this.#open() : [];
    const index = this.#text ?? this.#other;
    return [...start, event["index"] === index ? event : { ...event, index }];
  }
}
