/**
 * Tells one reply, whichever way its events come: items may be interleaved on this wire, and the hub's blocks follow one
 * another. The first item that has not ended is told as it comes; what is said of those behind it waits.
 */

import type { Json } from "../../sdk/body.ts";
import type { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { MessageWriter, type StopReason } from "../../sdk/hub/message-writer.ts";
import { streamError } from "./errors.ts";
import { createItemTeller } from "./item-tellers.ts";
import type { ReaderOptions } from "./reply.ts";
import { StopSequences } from "./stop-sequences.ts";
import type { ItemTeller, Telling } from "./telling.ts";
import { readUsage } from "./usage.ts";
import { isList } from "./wire.ts";

export interface TellerOptions extends ReaderOptions {
  /** All of the reply is there already, its counts too. */
  readonly isWhole?: boolean;
}

type Key = string | number;

interface Item {
  readonly key: Key;
  teller: ItemTeller | undefined;
  pending: JsonObject[];
  isDone: boolean;
}

export class ReplyTeller {
  readonly #options: TellerOptions;
  readonly #writer: MessageWriter;
  readonly #telling: Telling;
  readonly #items = new Map<Key, Item>();
  /** Of items, where an event leaves out the index. */
  readonly #keys = new Map<string, Key>();
  /** Those not told to their end, in order. */
  readonly #queue: Item[] = [];
  #isRefused = false;
  #isDone = false;
  #searches = 0;

  constructor(options: TellerOptions) {
    const { request, target, names, note, stopSequences } = options;
    this.#options = options;
    this.#writer = new MessageWriter({ model: target.model, inputTokens: request.estimatedInputTokens });
    const noted = new Set<string>();
    this.#telling = {
      writer: this.#writer,
      names,
      producer: target.producer,
      stops: new StopSequences(stopSequences),
      note(what, details) {
        if (!noted.has(what)) note(what, details);
        noted.add(what);
      },
      refuse: () => (this.#isRefused = true),
      cut: (sequence) => this.#cut(sequence),
      searched: () => (this.#searches += 1),
    };
  }

  take(): readonly JsonObject[] {
    return this.#writer.take();
  }

  get isOver(): boolean {
    return this.#writer.isOver;
  }

  push(type: string, event: JsonObject): void {
    if (this.#writer.isOver) return;
    const response = record(event["response"]);
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        if (response !== undefined) this.begin(response);
        return;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.cancelled":
      case "response.done":
        this.finish({ status: type.slice("response.".length), ...response });
        return;
      case "error":
        this.#fail(streamError(event, this.#options.target));
        return;
      default:
        if (type.startsWith("response.")) this.#route(event);
        // An object of an error in the place of an event.
        else if (event["error"] !== undefined && event["error"] !== null) this.#fail(streamError(event, this.#options.target));
    }
  }

  begin(response: JsonRecord): void {
    this.#writer.identify({ id: text(response["id"]), model: text(response["model"]) });
    if (this.#options.isWhole !== true) this.#writer.start();
  }

  /** @param response as the last event has it */
  finish(response: JsonRecord): void {
    const status = text(response["status"]);
    const error = record(response["error"]);
    if (error !== undefined || status === "failed" || status === "cancelled") {
      const words = status === "cancelled" ? "The upstream cancelled its answer." : "The upstream's answer failed.";
      this.#fail(streamError(error ?? { message: words }, this.#options.target));
      return;
    }
    const usage = readUsage(record(response["usage"]));
    this.#writer.usage(usage);
    if (this.#options.isWhole === true) this.#writer.start();
    this.#tellOutput(isList(response["output"]) ? response["output"] : []);
    if (this.#writer.isOver) return;
    if (this.#searches > 0) this.#writer.usage({ server_tool_use: { web_search_requests: this.#searches } });
    this.#writer.stop(this.#isRefused ? "refusal" : stopReason(status, text(record(response["incomplete_details"])?.["reason"])));
    this.#end();
  }

  /** What some hosts of the wire end a stream with, the vendor does not. */
  done(): void {
    this.#isDone = true;
  }

  /** After the last byte. */
  end(): void {
    if (this.#writer.isOver) return;
    if (this.#isDone && this.#queue.length === 0 && this.#writer.hasContent) {
      if (this.#isRefused) this.#writer.stop("refusal");
      this.#end();
      return;
    }
    this.#writer.fail({ type: "api_error", message: "The upstream's answer ended before it was complete." });
  }

  #end(): void {
    if (this.#writer.isEstimated) this.#options.note("usage estimated: the upstream did not count");
    this.#writer.finish();
  }

  #fail(error: ProxyError): void {
    this.#writer.fail({ type: error.kind, message: error.message });
  }

  /** The reply ends here: nobody waits for what the model goes on to say. */
  #cut(sequence: string): void {
    this.#writer.stop("stop_sequence", sequence);
    this.#end();
  }

  /** Items that no event told of, or not to their end. */
  #tellOutput(output: readonly Json[]): void {
    const isTold = this.#items.size > 0;
    for (const [index, value] of output.entries()) {
      const item = this.#items.get(index);
      if (!isTold || item?.isDone === false) this.#route({ type: "response.output_item.done", output_index: index, item: value });
    }
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      this.#drain(item);
      if (!item.isDone) item.teller?.close(undefined);
      if (this.#queue[0] === item) this.#queue.shift();
    }
  }

  #route(event: JsonObject): void {
    const isStart = event["type"] === "response.output_item.added";
    const key = this.#keyOf(event);
    if (key === undefined) return;
    const item = this.#itemOf(key, isStart);
    if (this.#queue[0] !== item) {
      if (!item.isDone) item.pending.push(event);
      return;
    }
    this.#tell(item, event);
    while (this.#queue[0]?.isDone) {
      this.#queue.shift();
      const next = this.#queue[0];
      if (next !== undefined) this.#drain(next);
    }
  }

  #keyOf(event: JsonObject): Key | undefined {
    const index = event["output_index"];
    const id = text(event["item_id"]) ?? text(record(event["item"])?.["id"]);
    if (typeof index !== "number") return id === undefined ? undefined : (this.#keys.get(id) ?? id);
    if (id !== undefined && !this.#keys.has(id)) this.#keys.set(id, index);
    return index;
  }

  /** Hosts that count wrongly begin one item after the other under the same index. */
  #itemOf(key: Key, isStart: boolean): Item {
    const known = this.#items.get(key);
    if (known !== undefined && !(isStart && known.isDone)) return known;
    const item: Item = { key, teller: undefined, pending: [], isDone: false };
    this.#items.set(key, item);
    this.#queue.push(item);
    return item;
  }

  #drain(item: Item): void {
    const { pending } = item;
    item.pending = [];
    for (const event of pending) this.#tell(item, event);
  }

  #tell(item: Item, event: JsonObject): void {
    if (item.isDone || this.#writer.isOver) return;
    const type = text(event["type"]) ?? "";
    const whole = record(event["item"]);
    item.teller ??= createItemTeller(text(whole?.["type"]), type, item.key, this.#telling);
    if (type === "response.output_item.done") {
      item.teller.close(whole);
      item.isDone = true;
    } else {
      item.teller.push(type, event);
    }
  }
}

function stopReason(status: string | undefined, reason: string | undefined): StopReason {
  if (reason === "content_filter") return "refusal";
  return status === "incomplete" ? "max_tokens" : "end_turn";
}
