/**
 * Mends the inputs of tool calls, for deployments that ask for it. What is right passes as it came. What is not waits for
 * the end of the reply, and all that follows it too, since blocks come one after the other: only the end tells whether
 * the reply was cut, and of a cut reply nothing is mended.
 */

import type { JsonObject } from "../../../sdk/events.ts";
import { record, text, type JsonRecord } from "../../../sdk/hub/json.ts";
import type { Note } from "../../../sdk/wire.ts";
import { coerceInput } from "./coerce-input.ts";
import { type EventFilter, isWhole } from "./event-filter.ts";
import { parseObject, repairObject } from "./repair-json.ts";

export interface ToolRepairOptions {
  /** Input schemas as the client declared them, by name. */
  readonly schemas: ReadonlyMap<string, JsonObject>;
  readonly note: Note;
}

interface OpenCall {
  readonly index: unknown;
  readonly name: string;
  readonly deltas: JsonObject[];
}

/** A call that waits: its deltas as they came, or what they were mended to. */
interface HeldCall {
  readonly deltas: readonly JsonObject[];
  readonly mended: JsonObject;
  readonly how: string;
}

export function createToolRepair({ schemas, note }: ToolRepairOptions): EventFilter {
  let call: OpenCall | undefined;
  /** From the first call that waits; undefined while all streams on. */
  let held: (JsonObject | HeldCall)[] | undefined;

  const pass = (events: readonly (JsonObject | HeldCall)[]): readonly JsonObject[] => {
    if (held === undefined) return events.filter(isEvent);
    held.push(...events);
    return [];
  };
  const release = (isMended: boolean): readonly JsonObject[] => {
    const events = (held ?? []).flatMap((item) => (isEvent(item) ? [item] : isMended ? [item.mended] : item.deltas));
    for (const item of isMended ? (held ?? []) : []) if (!isEvent(item)) note("the input of a tool call was mended", { how: item.how });
    held = undefined;
    return events;
  };
  /** All as it came, the call that has not ended too. */
  const giveUp = (): readonly JsonObject[] => {
    const waiting = call?.deltas ?? [];
    call = undefined;
    return [...release(false), ...waiting];
  };

  return {
    push(event) {
      switch (text(event["type"]) ?? "") {
        case "ping":
          return [event];
        case "content_block_start": {
          const block = record(event["content_block"]);
          if (block?.["type"] === "tool_use") call = { index: event["index"], name: text(block["name"]) ?? "", deltas: [] };
          return pass([event]);
        }
        case "content_block_delta":
          if (call === undefined || event["index"] !== call.index) return pass([event]);
          call.deltas.push(event);
          return [];
        case "content_block_stop": {
          if (call === undefined || event["index"] !== call.index) return pass([event]);
          const { deltas } = call;
          const mended = mend(call, schemas.get(call.name));
          call = undefined;
          if (mended === undefined) return pass([...deltas, event]);
          held ??= [];
          return pass([{ deltas, ...mended }, event]);
        }
        case "message_delta":
          return [...release(isWhole(record(event["delta"])?.["stop_reason"])), event];
        case "error":
          return [...giveUp(), event];
        default:
          return pass([event]);
      }
    },
    end: giveUp,
  };
}

function isEvent(item: JsonObject | HeldCall): item is JsonObject {
  return !("mended" in item);
}

/** Undefined where nothing is to be done, or nothing can be. */
function mend({ index, deltas }: OpenCall, schema: JsonRecord | undefined): Omit<HeldCall, "deltas"> | undefined {
  const json = deltas.map((event) => text(record(event["delta"])?.["partial_json"]) ?? "").join("");
  if (json === "") return undefined;
  const parsed = parseObject(json);
  const input = parsed ?? repairObject(json);
  if (input === undefined) return undefined;
  const coerced = schema === undefined ? input : coerceInput(input, schema);
  if (parsed !== undefined && coerced === parsed) return undefined;
  const how = [...(parsed === undefined ? ["json"] : []), ...(coerced === input ? [] : ["types"])].join(", ");
  const delta = { type: "input_json_delta", partial_json: JSON.stringify(coerced) };
  return { mended: { type: "content_block_delta", index: typeof index === "number" ? index : 0, delta }, how };
}
