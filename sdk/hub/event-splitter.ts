/** Splits the bytes of an event stream into the hub's events. */

import type { EventSplitter, JsonObject, StreamEvent } from "../events.ts";
import type { Json } from "../body.ts";
import { record, text } from "./json.ts";
import { SseSplitter, readFields } from "./sse.ts";

export class AnthropicEventSplitter implements EventSplitter {
  readonly #splitter: SseSplitter;

  constructor(maxEventBytes?: number) {
    this.#splitter = new SseSplitter(maxEventBytes);
  }

  push(chunk: Uint8Array): readonly StreamEvent[] {
    return this.#splitter.push(chunk).map(readEvent);
  }

  end(): readonly StreamEvent[] {
    return this.#splitter.end().map(readEvent);
  }
}

function readEvent(raw: Uint8Array): StreamEvent {
  const { name, data } = readFields(raw);
  const value = parseObject(data);
  const type = text(value?.["type"]) ?? "";
  if (type !== "") return { raw, type, data, value };
  if (value === undefined || name === "") return { raw, type: "", data: "", value: undefined };
  // Some hosts leave the type to the name of the event.
  const named = { ...value, type: name };
  return { raw, type: name, data: JSON.stringify(named), value: named };
}

function parseObject(data: string): JsonObject | undefined {
  if (data === "") return undefined;
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}
