/** Who tells which item. */

import { record, text } from "../../sdk/hub/json.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import { createCallTeller } from "./call-teller.ts";
import { createMessageTeller } from "./message-teller.ts";
import { createReasoningTeller } from "./reasoning-teller.ts";
import { createSearchTeller } from "./search-teller.ts";
import type { ItemTeller, Telling } from "./telling.ts";

/**
 * @param itemType undefined where the first event of the item does not say
 * @param eventType from which it shows then
 */
export function createItemTeller(itemType: string | undefined, eventType: string, key: string | number, telling: Telling): ItemTeller {
  const type = itemType ?? typeOf(eventType);
  switch (type) {
    case "message":
      return createMessageTeller(telling);
    case "reasoning":
      return createReasoningTeller(telling);
    case "function_call":
      return createCallTeller(key, telling);
    case "custom_tool_call":
      return createCustomCallTeller(key, telling);
    case "web_search_call":
      return createSearchTeller(telling);
    default: {
      const what = /^[a-z][a-z0-9_]{0,63}$/.test(type) ? type : "unknown";
      telling.note(`an item of type ${what} was left out of the reply`);
      return { push() {}, close() {} };
    }
  }
}

function typeOf(eventType: string): string {
  if (/^response\.(?:content_part|output_text|refusal)\./.test(eventType)) return "message";
  if (eventType.startsWith("response.reasoning")) return "reasoning";
  if (eventType.startsWith("response.function_call")) return "function_call";
  if (eventType.startsWith("response.custom_tool_call")) return "custom_tool_call";
  return eventType.startsWith("response.web_search_call") ? "web_search_call" : "unknown";
}

/** A tool whose input is free text; in the hub, one property of an object. */
function createCustomCallTeller(key: string | number, { writer, names }: Telling): ItemTeller {
  let input: string | undefined;
  return {
    push(type, event) {
      if (type === "response.custom_tool_call_input.done") input = text(event["input"]);
    },
    close(item) {
      const whole = record(item);
      if (whole === undefined) return;
      writer.toolStart(key, {
        id: hubToolId(text(whole["call_id"]) || text(whole["id"])),
        name: names.original(text(whole["name"]) ?? ""),
      });
      writer.toolInput(key, JSON.stringify({ input: text(whole["input"]) ?? input ?? "" }));
      writer.toolEnd(key);
    },
  };
}
