/** Tells responses of generateContent, one after the other, in the hub's events. A whole reply is a stream of one. */

import { randomUUID } from "node:crypto";

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { MessageWriter } from "../../sdk/hub/message-writer.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import { scrub } from "../../sdk/hub/upstream-errors.ts";
import type { Note, Target } from "../../sdk/wire.ts";
import { decodeErrorObject } from "./errors.ts";
import { finishOf, usageOf } from "./finish.ts";
import { readGrounding } from "./grounding.ts";
import { PartialArgs } from "./partial-args.ts";
import type { SealedState } from "./state.ts";
import { field, objects, parseObject } from "./wire.ts";

export interface TellerOptions {
  readonly target: Target;
  /** Those of the request. */
  readonly names: ToolNames;
  /** Name of the hub's tool that became the upstream's own search. */
  readonly searchName: string | undefined;
  readonly estimatedInputTokens: number;
  readonly note: Note;
}

interface OpenCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly signature: string | undefined;
  readonly args: PartialArgs;
}

export class ReplyTeller {
  readonly #options: TellerOptions;
  readonly #writer: MessageWriter;
  readonly #noted = new Set<string>();
  readonly #ids = new Set<string>();
  #calls = 0;
  #openCall: OpenCall | undefined;
  #isTextOpen = false;
  /** Of text that was told already; only what follows it can carry it. */
  #unplaced: Extract<SealedState, { place: "before" }> | undefined;
  /** Where there was a search, for the offsets of what it found. */
  readonly #words: string[] = [];
  #grounding: JsonObject | undefined;

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#writer = new MessageWriter({ model: options.target.model, inputTokens: options.estimatedInputTokens });
  }

  take(): readonly JsonObject[] {
    return this.#writer.take();
  }

  push(reply: JsonObject): void {
    const error = record(reply["error"]);
    if (error !== undefined) {
      const decoded = decodeErrorObject(error, this.#options.target).error;
      this.fail(decoded.kind, decoded.message);
      return;
    }
    this.#writer.identify({ id: text(field(reply, "responseId")), model: text(field(reply, "modelVersion")) });
    const usage = record(field(reply, "usageMetadata"));
    if (usage !== undefined) this.#writer.usage(usageOf(usage));
    const candidate = objects(reply["candidates"])[0];
    if (candidate !== undefined) this.#candidate(candidate);
    else if (text(field(record(field(reply, "promptFeedback")), "blockReason")) !== undefined) this.#writer.stop("refusal");
  }

  fail(type: string, message: string): void {
    this.#writer.fail({ type, message });
  }

  /** After the last response. A reply has no mark at its end but the reason for it. */
  end(): void {
    const writer = this.#writer;
    if (writer.isOver) return;
    if (!writer.hasStop) {
      this.fail("api_error", "The upstream's reply ended before it was complete.");
      return;
    }
    if (this.#openCall !== undefined) this.#note("a call that was begun and never completed was left out");
    // Behind the last text nothing may stand: clients take the last block for the answer.
    if (this.#unplaced !== undefined)
      this.#note("the signature of the reply's last text was left out: nothing follows that could carry it");
    this.#tellGrounding();
    if (writer.isEstimated) this.#note("usage estimated: the upstream did not count");
    writer.finish();
  }

  #candidate(candidate: JsonObject): void {
    for (const part of objects(record(candidate["content"])?.["parts"])) this.#part(part);
    this.#grounding = record(field(candidate, "groundingMetadata")) ?? this.#grounding;
    const reason = text(field(candidate, "finishReason"));
    if (reason === undefined || reason === "FINISH_REASON_UNSPECIFIED") return;
    const finish = finishOf(reason, text(field(candidate, "finishMessage")));
    if (finish === undefined) this.#note("the reply ended for a reason that is not known here", { reason: reason.slice(0, 64) });
    if (finish !== undefined && "error" in finish) this.fail("api_error", scrub(finish.error));
    else this.#writer.stop(finish?.stop ?? "end_turn");
  }

  #part(part: JsonObject): void {
    const signature = text(field(part, "thoughtSignature")) || undefined;
    const words = text(part["text"]);
    const call = record(field(part, "functionCall"));
    if (part["thought"] === true) this.#thought(words ?? "", signature);
    else if (call !== undefined) this.#functionCall(call, signature);
    else if (words !== undefined) this.#text(words, signature);
    else if (field(part, "toolCall") !== undefined || field(part, "toolResponse") !== undefined) this.#serverPart(part);
    else if (signature !== undefined && Object.keys(part).length === 1) this.#text("", signature);
    else this.#other(part);
  }

  #thought(words: string, signature: string | undefined): void {
    this.#place();
    this.#isTextOpen = false;
    this.#writer.thinking(words);
    if (signature !== undefined) this.#seal({ place: "thought", signature, length: words.length });
  }

  #text(words: string, signature: string | undefined): void {
    if (words !== "") {
      if (this.#unplaced !== undefined) this.#note("the signature of a text was left out: more text followed, of which it is no part");
      this.#unplaced = undefined;
      // A signature that comes with the first of a text can stand in front of it, one that comes later only behind.
      if (signature !== undefined && !this.#isTextOpen) this.#seal({ place: "text", signature, length: words.length });
    }
    if (signature !== undefined && (this.#isTextOpen || words === ""))
      this.#unplaced = { place: "before", signature, length: words.length };
    this.#say(words);
  }

  #say(words: string): void {
    if (words === "") return;
    this.#writer.text(words);
    this.#isTextOpen = true;
    if (this.#options.searchName !== undefined) this.#words.push(words);
  }

  #functionCall(call: JsonObject, signature: string | undefined): void {
    const id = text(call["id"]);
    const pieces = field(call, "partialArgs");
    const name = text(call["name"]) ?? "";
    const continues = field(call, "willContinue") === true;
    // What continues a call has no name.
    if (this.#openCall === undefined || name !== "") {
      this.#closeCall();
      if (pieces === undefined && !continues) {
        this.#tellCall({ id, name, signature, input: inputOf(call["args"]) });
        return;
      }
      this.#openCall = { id, name, signature, args: new PartialArgs() };
    }
    this.#openCall.args.add(pieces);
    if (!continues) this.#closeCall();
  }

  #closeCall(): void {
    const open = this.#openCall;
    this.#openCall = undefined;
    if (open !== undefined) this.#tellCall({ ...open, input: open.args.value() });
  }

  #tellCall({
    id,
    name,
    signature,
    input,
  }: {
    id: string | undefined;
    name: string;
    signature: string | undefined;
    input: JsonObject;
  }): void {
    if (name === "") {
      this.#note("a call without a name was left out");
      return;
    }
    this.#place();
    this.#isTextOpen = false;
    if (signature !== undefined) this.#seal({ place: "call", signature });
    const hubId = hubToolId(id);
    const key = this.#calls++;
    // Two calls of one id could not be told apart by their results.
    this.#writer.toolStart(key, { id: this.#ids.has(hubId) ? hubToolId(undefined) : hubId, name: this.#options.names.original(name) });
    this.#ids.add(hubId);
    this.#writer.toolInput(key, JSON.stringify(input));
    this.#writer.toolEnd(key);
  }

  /** What a tool of the host did, which the host wants back. */
  #serverPart(part: JsonObject): void {
    this.#place();
    this.#isTextOpen = false;
    this.#seal({ place: "part", part });
  }

  #other(part: JsonObject): void {
    const code = record(field(part, "executableCode"));
    const result = record(field(part, "codeExecutionResult"));
    if (code !== undefined) this.#say(`\n\`\`\`${(text(code["language"]) ?? "").toLowerCase()}\n${text(code["code"]) ?? ""}\n\`\`\`\n`);
    else if (result !== undefined) this.#say(`\n\`\`\`\n${text(result["output"]) ?? ""}\n\`\`\`\n`);
    else if (Object.keys(part).length > 0) {
      this.#note("a part was left out that the hub has nothing like", { kind: (Object.keys(part)[0] ?? "").slice(0, 64) });
    }
  }

  /** Something follows the text: now its signature can stand behind it. */
  #place(): void {
    const state = this.#unplaced;
    this.#unplaced = undefined;
    if (state === undefined) return;
    this.#isTextOpen = false;
    this.#seal(state);
  }

  #seal(payload: SealedState): void {
    this.#writer.signature(seal({ producer: this.#options.target.producer, payload }));
  }

  #tellGrounding(): void {
    if (this.#grounding === undefined) return;
    const opaque = seal({ producer: this.#options.target.producer, payload: null });
    const { queries, results, citations } = readGrounding(this.#grounding, { words: this.#words.join(""), opaque });
    if (queries.length === 0 && results.length === 0) return;
    for (const citation of citations) this.#writer.citation(citation);
    this.#writer.endPart();
    const id = `srvtoolu_${randomUUID().replaceAll("-", "")}`;
    this.#writer.serverTool({ id, name: this.#options.searchName ?? "web_search", input: { query: queries.join("; ") } });
    this.#writer.block({ type: "web_search_tool_result", tool_use_id: id, content: results });
    this.#writer.usage({ server_tool_use: { web_search_requests: Math.max(1, queries.length) } });
  }

  #note(what: string, details?: Readonly<Record<string, Json>>): void {
    if (!this.#noted.has(what)) this.#options.note(what, details);
    this.#noted.add(what);
  }
}

/** Some hosts write the arguments as text. */
function inputOf(args: Json | undefined): JsonObject {
  return record(args) ?? (typeof args === "string" ? parseObject(args) : undefined) ?? {};
}
