/**
 * Judges a row of hub events by the order that the vendor documents:
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */

import { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";

/** What kinds of deltas a block may have. */
const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
};

/** What is wrong, in words; empty where nothing is. */
export function faultsOf(events: readonly JsonObject[]): readonly string[] {
  const faults: string[] = [];
  let hasStarted = false;
  let open: { readonly index: number; readonly type: string } | undefined;
  let blocks = 0;
  let hasDelta = false;
  let end: string | undefined;
  for (const [at, event] of events.entries()) {
    const type = text(event["type"]) ?? "";
    const fault = (what: string): void => {
      faults.push(`event ${at} (${type}): ${what}`);
    };
    if (end !== undefined) fault(`comes after ${end}`);
    if (!hasStarted && !["message_start", "ping", "error"].includes(type)) fault("comes before message_start");
    switch (type) {
      case "message_start":
        if (hasStarted) fault("is the second one");
        hasStarted = true;
        break;
      case "content_block_start":
        if (open !== undefined) fault(`begins while block ${open.index} is open`);
        if (hasDelta) fault("comes after message_delta");
        if (event["index"] !== blocks) fault(`has index ${JSON.stringify(event["index"])}, wanted ${blocks}`);
        open = { index: blocks++, type: text(record(event["content_block"])?.["type"]) ?? "" };
        break;
      case "content_block_delta": {
        const kind = text(record(event["delta"])?.["type"]) ?? "";
        if (open === undefined || event["index"] !== open.index) fault("belongs to no open block");
        else if (!(deltasOf[open.type] ?? []).includes(kind)) fault(`${kind} in a block of type ${open.type}`);
        break;
      }
      case "content_block_stop":
        if (open === undefined || event["index"] !== open.index) fault("belongs to no open block");
        open = undefined;
        break;
      case "message_delta":
        if (open !== undefined) fault(`comes while block ${open.index} is open`);
        if (hasDelta) fault("is the second one");
        hasDelta = true;
        break;
      case "message_stop":
        if (!hasDelta) fault("comes before message_delta");
        end = type;
        break;
      case "error":
        end = type;
        break;
      case "ping":
        break;
      default:
        fault("is unknown");
    }
  }
  if (end === undefined) faults.push("there is no end");
  return faults;
}

/** The message that the vendor's own parser reads. @throws what it throws */
export async function parsedBySdk(events: readonly JsonObject[]): Promise<JsonObject> {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join("");
  const stream = MessageStream.fromReadableStream(new Blob([lines]).stream());
  return JSON.parse(JSON.stringify(await stream.finalMessage()));
}
