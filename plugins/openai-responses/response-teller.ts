/**
 * Tells a reply of the hub in the events of this wire: created, its items one after the other, and exactly one end that
 * holds the same items. Whether anyone listens makes no difference to the response that comes of it.
 */

import type { Json } from "../../sdk/body.ts";
import type { ReplyOptions } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { type ClientTools, readClientTools } from "./client-tools.ts";
import { responseError } from "./errors.ts";
import { type ItemOutlet, type OutputItem, callItem, messageItem, reasoningItem, tellRefusal, webSearchItem } from "./output-items.ts";
import { type ResponseFields, responseFields } from "./response-object.ts";
import { wireUsage } from "./usage.ts";

/** @param event without its number */
export type Tell = (type: string, event: JsonObject) => void;

export class ResponseTeller {
  readonly #options: ReplyOptions;
  readonly #fields: ResponseFields;
  readonly #tell: Tell;
  readonly #output: JsonObject[] = [];
  #tools: ClientTools | undefined;
  #model: string;
  #usage: JsonObject = {};
  #stopReason: string | undefined;
  #refusal: string | undefined;
  #item: OutputItem | undefined;
  /** Whether the block that is being told is an item's; others are left out. */
  #isTold = false;
  #hasStarted = false;
  #isOver = false;
  #response: JsonObject | undefined;

  constructor(options: ReplyOptions, tell: Tell) {
    this.#options = options;
    this.#fields = responseFields(options);
    this.#model = options.head.model;
    this.#tell = tell;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The one of the last event. */
  get response(): JsonObject | undefined {
    return this.#response;
  }

  push(event: JsonObject): void {
    if (this.#isOver) return;
    switch (text(event["type"]) ?? "") {
      case "message_start":
        this.#begin(record(event["message"]) ?? {});
        return;
      case "content_block_start":
        this.#begin({});
        this.#open(record(event["content_block"]) ?? {});
        return;
      case "content_block_delta":
        if (this.#isTold) this.#item?.delta(record(event["delta"]) ?? {});
        return;
      case "content_block_stop":
        if (this.#isTold) this.#item?.stop();
        this.#isTold = false;
        return;
      case "message_delta":
        this.#conclude(event);
        return;
      case "message_stop":
        this.#begin({});
        this.#finish();
        return;
      case "error": {
        const error = record(event["error"]) ?? {};
        this.fail({
          type: text(error["type"]) ?? "api_error",
          message: text(error["message"]) ?? "The upstream ended its answer in an error.",
        });
        return;
      }
      default:
    }
  }

  /** What had begun stays without an end. */
  fail(error: { readonly type: string; readonly message: string }): void {
    if (this.#isOver) return;
    this.#begin({});
    this.#end("failed", { error: responseError(error), usage: null });
  }

  #begin(message: JsonObject): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#model = text(message["model"]) || this.#model;
    this.#count(message["usage"]);
    const response = this.#describe("in_progress", { usage: null });
    this.#tell("response.created", { response });
    this.#tell("response.in_progress", { response });
  }

  #open(block: JsonObject): void {
    this.#isTold = true;
    switch (text(block["type"]) ?? "") {
      case "text":
        if (this.#item?.again === undefined) this.#next((outlet) => messageItem(outlet, block));
        else this.#item.again(block);
        return;
      case "thinking":
      case "redacted_thinking":
        this.#next((outlet) => reasoningItem(outlet, block));
        return;
      case "tool_use":
        this.#next((outlet) => callItem(outlet, block, this.#toolOf(text(block["name"]) ?? "")));
        return;
      case "server_tool_use":
        if (block["name"] === "web_search") this.#next((outlet) => webSearchItem(outlet, block));
        else this.#isTold = false;
        return;
      case "web_search_tool_result":
        this.#isTold = false;
        if (this.#item?.result?.(block) === true) this.#close(false);
        return;
      default:
        // This wire has nothing like it.
        this.#isTold = false;
    }
  }

  /** Looked up when the first one is called. */
  #toolOf(hubName: string): ReturnType<ClientTools["get"]> {
    this.#tools ??= readClientTools(this.#options.received.body.json(), () => {});
    return this.#tools.get(hubName);
  }

  #next(create: (outlet: ItemOutlet) => OutputItem): void {
    this.#close(false);
    this.#item = create(this.#outlet());
  }

  #close(isCut: boolean): void {
    const item = this.#item;
    this.#item = undefined;
    item?.close(isCut);
  }

  #outlet(): ItemOutlet {
    const output_index = this.#output.length;
    let id = "";
    return {
      add: (prefix, item) => {
        id = `${prefix}_${this.#fields.id}${output_index}`;
        this.#tell("response.output_item.added", { output_index, item: { id, ...item } });
        return id;
      },
      tell: (type, fields) => this.#tell(type, { item_id: id, output_index, ...fields }),
      done: (item) => {
        const whole = { id, ...item };
        this.#output.push(whole);
        this.#tell("response.output_item.done", { output_index, item: whole });
      },
    };
  }

  #conclude(event: JsonObject): void {
    const delta = record(event["delta"]);
    this.#stopReason = text(delta?.["stop_reason"]) ?? this.#stopReason;
    this.#refusal = text(record(delta?.["stop_details"])?.["explanation"]) ?? this.#refusal;
    this.#count(event["usage"]);
  }

  #count(usage: Json | undefined): void {
    const counted = Object.entries(record(usage) ?? {}).filter(([, count]) => count !== null);
    if (counted.length > 0) this.#usage = { ...this.#usage, ...Object.fromEntries(counted) };
  }

  #finish(): void {
    const reason = this.#stopReason;
    const isCut = reason === "max_tokens" || reason === "model_context_window_exceeded";
    this.#close(isCut);
    if (reason === "refusal" && !this.#output.some((item) => item["type"] === "message")) {
      tellRefusal(this.#outlet(), this.#refusal ?? "The model declined to answer.");
    }
    const usage = wireUsage(this.#usage);
    if (isCut) this.#end("incomplete", { incomplete_details: { reason: "max_output_tokens" }, usage });
    else if (reason === "refusal") this.#end("incomplete", { incomplete_details: { reason: "content_filter" }, usage });
    else {
      const completed_at = Math.max(this.#fields.createdAt, Math.floor(Date.now() / 1000));
      // Known to agents: the model has more to say, and is to be asked again as it is.
      this.#end("completed", { completed_at, ...(reason === "pause_turn" ? { end_turn: false } : {}), usage });
    }
  }

  #end(status: "completed" | "incomplete" | "failed", fields: JsonObject): void {
    this.#isOver = true;
    this.#response = this.#describe(status, fields);
    this.#tell(`response.${status}`, { response: this.#response });
  }

  #describe(status: string, fields: JsonObject): JsonObject {
    const { id, createdAt, echo } = this.#fields;
    return {
      id: `resp_${id}`,
      object: "response",
      created_at: createdAt,
      status,
      completed_at: null,
      error: null,
      incomplete_details: null,
      model: this.#model,
      output: [...this.#output],
      ...echo,
      ...fields,
    };
  }
}
