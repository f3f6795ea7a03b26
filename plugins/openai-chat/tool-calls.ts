/**
 * Calls of tools out of deltas in which hosts leave out, repeat or reuse what tells the calls apart: index, id and name
 * may be missing, late or empty; several whole calls may stand in one delta; an index may be used for the next call, too.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { MessageWriter } from "../../sdk/hub/message-writer.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import { JsonEnd } from "./json-end.ts";

interface Call {
  readonly key: number;
  readonly index: number | undefined;
  id: string | undefined;
  /** Of the wire; empty until it is said. */
  name: string;
  isStarted: boolean;
  isEnded: boolean;
  /** Pieces that came before the name. */
  waiting: string[];
  readonly input: JsonEnd;
}

/** For a call whose name never came: the client answers that there is no such tool, and the model tries again. */
const noName = "unknown_tool";

export class ToolCalls {
  readonly #writer: MessageWriter;
  readonly #names: ToolNames;
  /** Name of the only tool there is, which a call without a name must mean. */
  readonly #onlyTool: string | undefined;
  readonly #calls: Call[] = [];

  constructor(writer: MessageWriter, names: ToolNames, onlyTool: string | undefined) {
    this.#writer = writer;
    this.#names = names;
    this.#onlyTool = onlyTool;
  }

  get hasAny(): boolean {
    return this.#calls.length > 0;
  }

  /** @param deltas `tool_calls` of a delta or of a whole message */
  push(deltas: readonly Json[]): void {
    for (const [position, delta] of deltas.entries()) {
      const call = record(delta);
      if (call !== undefined) this.#piece(call, position);
    }
  }

  /** The form before there were several: `function_call`. */
  pushLegacy(call: JsonObject): void {
    this.#piece({ index: 0, function: call }, 0);
  }

  /** Something else is being said: what is complete is over. */
  settle(): void {
    for (const call of this.#calls) if (call.isStarted && !call.isEnded && call.input.isComplete) this.#end(call);
  }

  /** Nothing more comes. */
  finish(): void {
    for (const call of this.#calls) {
      if (!call.isStarted) this.#start(call, this.#onlyTool ?? noName);
      if (!call.isEnded) this.#end(call);
    }
  }

  #piece(delta: JsonObject, position: number): void {
    // Grammar-bound tools of the vendor's have an input instead; there are none in the hub.
    const details = record(delta["function"]) ?? record(delta["custom"]) ?? delta;
    const id = filled(delta["id"]);
    const name = filled(details["name"]);
    const input = details["arguments"] ?? details["input"];
    const piece = typeof input === "string" ? input : input == null ? "" : JSON.stringify(input);
    const call = this.#find(delta, { id, name, position, piece }) ?? this.#add(index(delta), id);
    call.id ??= id;
    if (call.name === "" && name !== undefined) call.name = name;
    if (!call.isStarted && call.name !== "") this.#start(call, call.name);
    this.#input(call, piece);
  }

  #find(
    delta: JsonObject,
    said: { readonly id?: string | undefined; readonly name?: string | undefined; readonly position: number; readonly piece: string },
  ): Call | undefined {
    const { id, name, position, piece } = said;
    const number = index(delta);
    const sameId = id === undefined ? undefined : this.#calls.findLast((call) => call.id === id);
    if (sameId !== undefined && (number === undefined || sameId.index === undefined || sameId.index === number)) return sameId;
    const last = number === undefined ? this.#calls.at(-1) : this.#calls.findLast((call) => call.index === number);
    if (last === undefined) return undefined;
    if (id !== undefined && last.id !== undefined) return undefined;
    if (number === undefined && id !== undefined) return last.id === undefined && last.name === "" ? last : undefined;
    // A name said anew behind a complete input begins the next call; one that is merely repeated comes without input.
    const isNext = name !== undefined && last.isStarted && last.input.isComplete && (piece !== "" || name !== last.name);
    if (isNext || (number === undefined && name !== undefined && position > 0)) return undefined;
    return last;
  }

  #add(index: number | undefined, id: string | undefined): Call {
    // Calls take turns, or are told at the same time: those that are complete make way, others wait for their rest.
    this.settle();
    const call: Call = {
      key: this.#calls.length,
      index,
      id,
      name: "",
      isStarted: false,
      isEnded: false,
      waiting: [],
      input: new JsonEnd(),
    };
    this.#calls.push(call);
    return call;
  }

  #start(call: Call, name: string): void {
    call.isStarted = true;
    this.#writer.toolStart(call.key, { id: hubToolId(call.id), name: this.#names.original(name) });
    for (const piece of call.waiting) this.#writer.toolInput(call.key, piece);
    call.waiting = [];
  }

  #input(call: Call, piece: string): void {
    if (piece === "" || call.isEnded) return;
    call.input.push(piece);
    if (call.isStarted) this.#writer.toolInput(call.key, piece);
    else call.waiting.push(piece);
  }

  #end(call: Call): void {
    call.isEnded = true;
    this.#writer.toolEnd(call.key);
  }
}

function index(delta: JsonObject): number | undefined {
  const number = delta["index"];
  return typeof number === "number" ? number : undefined;
}

function filled(value: Json | undefined): string | undefined {
  const said = text(value);
  return said === "" ? undefined : said;
}
