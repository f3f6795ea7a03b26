/** Tells the call of a tool. The name may come late, and the arguments only at the end. */

import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import { type ItemTeller, type Telling, rest } from "./telling.ts";

export function createCallTeller(key: string | number, { writer, names }: Telling): ItemTeller {
  let isStarted = false;
  let id: string | undefined;
  let name = "";
  /** Of the arguments, characters; and what came before there was a name. */
  let told = 0;
  let waiting = "";

  function learn(item: JsonRecord | undefined): void {
    id ??= text(item?.["call_id"]) || text(item?.["id"]) || undefined;
    if (name === "") name = text(item?.["name"]) ?? "";
  }

  function start(isLast: boolean): void {
    if (isStarted || ((name === "" || id === undefined) && !isLast)) return;
    isStarted = true;
    writer.toolStart(key, { id: hubToolId(id), name: names.original(name) });
    writer.toolInput(key, waiting);
    waiting = "";
  }

  function say(piece: string): void {
    told += piece.length;
    if (isStarted) writer.toolInput(key, piece);
    else waiting += piece;
  }

  return {
    push(type, event) {
      switch (type) {
        case "response.output_item.added":
          learn(record(event["item"]));
          start(false);
          return;
        case "response.function_call_arguments.delta":
          say(text(event["delta"]) ?? "");
          return;
        case "response.function_call_arguments.done":
          if (name === "") name = text(event["name"]) ?? "";
          start(false);
          say(rest(text(event["arguments"]), told));
          return;
        default:
      }
    },
    close(item) {
      learn(item);
      start(true);
      say(rest(text(item?.["arguments"]), told));
      // One that is not known to be whole stays open until the reply says how it ended.
      if (item !== undefined) writer.toolEnd(key);
    },
  };
}
