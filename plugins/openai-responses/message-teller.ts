/** Tells a message: text with its citations, or a refusal. Each part of its content is a block of its own. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { type ItemTeller, type Telling, rest } from "./telling.ts";
import { isList } from "./wire.ts";

interface Part {
  readonly index: number;
  /** Characters. */
  told: number;
  annotations: number;
}

export function createMessageTeller(telling: Telling): ItemTeller {
  const { writer, stops } = telling;
  const parts = new Map<number, Part>();
  let current: Part | undefined;

  function partOf(event: JsonObject): Part {
    const index = typeof event["content_index"] === "number" ? event["content_index"] : 0;
    if (current?.index === index) return current;
    endPart();
    const part = parts.get(index) ?? { index, told: 0, annotations: 0 };
    parts.set(index, part);
    current = part;
    return part;
  }

  function endPart(): void {
    if (current === undefined) return;
    current = undefined;
    flush();
    writer.endPart();
  }

  function flush(): void {
    writer.text(stops.flush());
  }

  function say(part: Part, piece: string): void {
    if (piece === "") return;
    part.told += piece.length;
    const { text: words, sequence } = stops.push(piece);
    writer.text(words);
    if (sequence !== undefined) telling.cut(sequence);
  }

  function refuse(part: Part, piece: string): void {
    telling.refuse();
    part.told += piece.length;
    writer.text(piece);
  }

  function cite(part: Part, annotation: Json | undefined): void {
    part.annotations += 1;
    const citation = citationOf(record(annotation), telling.producer);
    if (citation === undefined) return;
    flush();
    writer.citation(citation);
  }

  function complete(part: Part, content: JsonRecord | undefined): void {
    if (content?.["type"] === "refusal") refuse(part, rest(text(content["refusal"]), part.told));
    else say(part, rest(text(content?.["text"]), part.told));
    const annotations = isList(content?.["annotations"]) ? content["annotations"] : [];
    for (const annotation of annotations.slice(part.annotations)) cite(part, annotation);
  }

  return {
    push(type, event) {
      switch (type) {
        case "response.output_text.delta":
          say(partOf(event), text(event["delta"]) ?? "");
          return;
        case "response.refusal.delta":
          refuse(partOf(event), text(event["delta"]) ?? "");
          return;
        case "response.output_text.annotation.added":
          cite(partOf(event), event["annotation"]);
          return;
        case "response.output_text.done": {
          const part = partOf(event);
          say(part, rest(text(event["text"]), part.told));
          return;
        }
        case "response.refusal.done": {
          const part = partOf(event);
          refuse(part, rest(text(event["refusal"]), part.told));
          return;
        }
        case "response.content_part.done":
          complete(partOf(event), record(event["part"]));
          return;
        default:
      }
    },
    close(item) {
      const content = isList(item?.["content"]) ? item["content"] : [];
      for (const [index, value] of content.entries()) {
        const part = parts.get(index);
        const isTold = part !== undefined && part !== current;
        if (!isTold) complete(partOf({ content_index: index }), record(value));
      }
      endPart();
    },
  };
}

/** No page goes along with an address here, so nothing was cited in words; what the hub's vendor needs is marked as not its own. */
function citationOf(annotation: JsonRecord | undefined, producer: string): JsonObject | undefined {
  const url = text(annotation?.["url"]);
  if (annotation?.["type"] !== "url_citation" || url === undefined) return undefined;
  return {
    type: "web_search_result_location",
    url,
    title: text(annotation["title"]) ?? url,
    cited_text: "",
    encrypted_index: seal({ producer, payload: null }),
  };
}
