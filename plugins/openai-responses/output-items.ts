/** Blocks of the hub as items of a response, each told in its own events. One is told at a time. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { hubProducer, seal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { producerToolId } from "../../sdk/hub/tool-ids.ts";
import type { ClientTool } from "./client-tools.ts";
import { isList } from "./wire.ts";

/** How an item is told. The events of an item that says nothing are none. */
export interface ItemOutlet {
  /** Adds the item to the response; of use once. @returns its id */
  add(prefix: string, item: JsonObject): string;
  /** One of its events; the item and its place are filled in. */
  tell(type: string, fields: JsonObject): void;
  /** The item as it is in the end. */
  done(item: JsonObject): void;
}

export interface OutputItem {
  /** Of the same item another block, where it may hold several. */
  again?(start: JsonObject): void;
  delta(delta: JsonObject): void;
  /** A block that belongs to it. @returns whether it does */
  result?(block: JsonObject): boolean;
  /** The end of the block; of the item, only once it is clear how the reply went on. */
  stop(): void;
  /** @param isCut the reply ends here for want of tokens */
  close(isCut: boolean): void;
}

/** Text blocks in a row are one text: a vendor that cites cuts it into many. */
export function messageItem(outlet: ItemOutlet, start: JsonObject): OutputItem {
  const part = { type: "output_text", annotations: [], logprobs: [], text: "" };
  const annotations: JsonObject[] = [];
  let id: string | undefined;
  let said = "";
  let citations: JsonObject[] = [];
  let blockStart = 0;

  function say(piece: string): void {
    if (piece === "") return;
    if (id === undefined) {
      id = outlet.add("msg", { type: "message", status: "in_progress", role: "assistant", content: [] });
      outlet.tell("response.content_part.added", { content_index: 0, part });
    }
    said += piece;
    outlet.tell("response.output_text.delta", { content_index: 0, delta: piece, logprobs: [] });
  }

  say(text(start["text"]) ?? "");
  return {
    again(next) {
      blockStart = said.length;
      say(text(next["text"]) ?? "");
    },
    delta(delta) {
      if (delta["type"] === "text_delta") say(text(delta["text"]) ?? "");
      else if (delta["type"] === "citations_delta") citations.push(record(delta["citation"]) ?? {});
    },
    stop() {
      for (const citation of citations) {
        const url = text(citation["url"]);
        if (url === undefined || id === undefined) continue;
        const title = text(citation["title"]) ?? url;
        const annotation = { type: "url_citation", url, title, start_index: blockStart, end_index: said.length };
        outlet.tell("response.output_text.annotation.added", { content_index: 0, annotation_index: annotations.length, annotation });
        annotations.push(annotation);
      }
      citations = [];
    },
    close(isCut) {
      if (id === undefined) return;
      const whole = { ...part, annotations, text: said };
      outlet.tell("response.output_text.done", { content_index: 0, text: said, logprobs: [] });
      outlet.tell("response.content_part.done", { content_index: 0, part: whole });
      outlet.done({ type: "message", status: isCut ? "incomplete" : "completed", role: "assistant", content: [whole] });
    },
  };
}

export function tellRefusal(outlet: ItemOutlet, words: string): void {
  outlet.add("msg", { type: "message", status: "in_progress", role: "assistant", content: [] });
  outlet.tell("response.content_part.added", { content_index: 0, part: { type: "refusal", refusal: "" } });
  outlet.tell("response.refusal.delta", { content_index: 0, delta: words });
  outlet.tell("response.refusal.done", { content_index: 0, refusal: words });
  outlet.tell("response.content_part.done", { content_index: 0, part: { type: "refusal", refusal: words } });
  outlet.done({ type: "message", status: "completed", role: "assistant", content: [{ type: "refusal", refusal: words }] });
}

/** The whole block is packed where this wire has its cipher, so that its maker gets it back as it was. */
export function reasoningItem(outlet: ItemOutlet, start: JsonObject): OutputItem {
  const isRedacted = start["type"] === "redacted_thinking";
  let id: string | undefined;
  let thought = "";
  let signature = text(start["signature"]) ?? "";

  function begin(): void {
    id ??= outlet.add("rs", { type: "reasoning", summary: [] });
  }

  function say(piece: string): void {
    if (piece === "") return;
    begin();
    if (thought === "")
      outlet.tell("response.reasoning_summary_part.added", { summary_index: 0, part: { type: "summary_text", text: "" } });
    thought += piece;
    outlet.tell("response.reasoning_summary_text.delta", { summary_index: 0, delta: piece });
  }

  say(text(start["thinking"]) ?? "");
  return {
    delta(delta) {
      if (delta["type"] === "thinking_delta") say(text(delta["thinking"]) ?? "");
      else if (delta["type"] === "signature_delta") signature += text(delta["signature"]) ?? "";
    },
    stop() {
      if (thought === "") return;
      const part = { type: "summary_text", text: thought };
      outlet.tell("response.reasoning_summary_text.done", { summary_index: 0, text: thought });
      outlet.tell("response.reasoning_summary_part.done", { summary_index: 0, part });
    },
    close() {
      const block = isRedacted ? start : signature === "" ? undefined : { type: "thinking", thinking: thought, signature };
      if (block === undefined && id === undefined) return;
      begin();
      outlet.done({
        type: "reasoning",
        summary: thought === "" ? [] : [{ type: "summary_text", text: thought }],
        ...(block === undefined ? {} : { encrypted_content: seal({ producer: hubProducer, payload: block }) }),
      });
    },
  };
}

/** @param tool as the client declared it; undefined where it did not */
export function callItem(outlet: ItemOutlet, start: JsonObject, tool: ClientTool | undefined): OutputItem {
  const call_id = producerToolId(text(start["id"]) ?? "");
  const name = tool?.name ?? text(start["name"]) ?? "";
  const named = { call_id, name, ...(tool?.namespace === undefined ? {} : { namespace: tool.namespace }) };
  const given = record(start["input"]) ?? {};
  let json = "";
  const input = (): string => (json === "" ? JSON.stringify(given) : json);

  if (tool?.kind === "custom" || tool?.kind === "tool_search") {
    return {
      delta(delta) {
        json += text(delta["partial_json"]) ?? "";
      },
      stop() {},
      close(isCut) {
        // Half of a patch would be carried out as if it were all of it.
        const whole = parse(input());
        if (whole === undefined && isCut) return;
        if (tool.kind === "custom") tellCustom(outlet, named, text(whole?.["input"]) ?? input());
        else tellSearchCall(outlet, call_id, whole ?? {});
      },
    };
  }
  const call = { type: "function_call", ...named };
  outlet.add("fc", { ...call, status: "in_progress", arguments: "" });
  return {
    delta(delta) {
      const piece = text(delta["partial_json"]) ?? "";
      if (piece === "") return;
      json += piece;
      outlet.tell("response.function_call_arguments.delta", { delta: piece });
    },
    stop() {},
    close(isCut) {
      if (json === "") outlet.tell("response.function_call_arguments.delta", { delta: input() });
      outlet.tell("response.function_call_arguments.done", { name, arguments: input() });
      const isWhole = !isCut || parse(input()) !== undefined;
      outlet.done({ ...call, status: isWhole ? "completed" : "incomplete", arguments: input() });
    },
  };
}

function tellCustom(outlet: ItemOutlet, named: JsonObject, input: string): void {
  const call = { type: "custom_tool_call", ...named };
  outlet.add("ctc", { ...call, input: "" });
  outlet.tell("response.custom_tool_call_input.delta", { delta: input });
  outlet.tell("response.custom_tool_call_input.done", { input });
  outlet.done({ ...call, input });
}

function tellSearchCall(outlet: ItemOutlet, call_id: string, wanted: JsonObject): void {
  const call = { type: "tool_search_call", call_id, execution: "client" };
  outlet.add("tsc", { ...call, status: "in_progress", arguments: {} });
  outlet.done({ ...call, status: "completed", arguments: wanted });
}

/** A search that the upstream made; what it found comes in a block of its own. */
export function webSearchItem(outlet: ItemOutlet, start: JsonObject): OutputItem {
  const id = text(start["id"]);
  let json = "";
  let sources: readonly JsonObject[] = [];
  let isFailed = false;
  outlet.add("ws", { type: "web_search_call", status: "in_progress", action: { type: "search", query: "" } });
  outlet.tell("response.web_search_call.in_progress", {});
  outlet.tell("response.web_search_call.searching", {});
  return {
    delta(delta) {
      json += text(delta["partial_json"]) ?? "";
    },
    result(block) {
      if (block["tool_use_id"] !== id) return false;
      isFailed = !isList(block["content"]);
      sources = sourcesOf(block["content"]);
      return true;
    },
    stop() {},
    close() {
      const query = text((json === "" ? record(start["input"]) : parse(json))?.["query"]) ?? "";
      outlet.tell("response.web_search_call.completed", {});
      const action = { type: "search", query, queries: [query], sources };
      outlet.done({ type: "web_search_call", status: isFailed ? "failed" : "completed", action });
    },
  };
}

function sourcesOf(content: Json | undefined): readonly JsonObject[] {
  return (isList(content) ? content : []).flatMap((result) => {
    const url = text(record(result)?.["url"]);
    return url === undefined ? [] : [{ type: "url", url }];
  });
}

function parse(json: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}
