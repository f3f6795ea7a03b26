/** What a function returned to the model, as a result of the hub. */

import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { decodeMedia } from "./decode-media.ts";
import { field, objects } from "./wire.ts";

/** @param response a `functionResponse` */
export function decodeResponse(response: JsonObject, hubId: string, note: Note): JsonObject {
  const { words, isError } = readOutcome(record(response["response"]) ?? {});
  const media = objects(field(response, "parts")).flatMap((part) => decodeMedia(part, note) ?? []);
  const content = [...(words === "" ? [] : [{ type: "text", text: words }]), ...media];
  return { type: "tool_result", tool_use_id: hubId, content, ...(isError ? { is_error: true } : {}) };
}

/** The keys `output`, `result` and `error` are said to hold what matters; whatever else an object holds is told as it is. */
function readOutcome(outcome: JsonObject): { readonly words: string; readonly isError: boolean } {
  const keys = Object.keys(outcome);
  const [only] = keys;
  if (keys.length !== 1 || only === undefined) return { words: keys.length === 0 ? "" : JSON.stringify(outcome), isError: false };
  const value = outcome[only] ?? null;
  const words = text(value) ?? JSON.stringify(value);
  if (only === "error") return { words, isError: true };
  return only === "output" || only === "result" ? { words, isError: false } : { words: JSON.stringify(outcome), isError: false };
}
