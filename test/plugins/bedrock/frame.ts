/** Frames of Amazon's event stream, made with the vendor's own codec. */

import { EventStreamCodec, type MessageHeaders } from "@smithy/eventstream-codec";

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (words) => Buffer.from(words),
);

export function frame(headers: Readonly<Record<string, string>>, payload: unknown): Uint8Array {
  const typed: MessageHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: "string", value }] as const),
  );
  return codec.encode({ headers: typed, body: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)) });
}

export function eventFrame(name: string, payload: unknown): Uint8Array {
  return frame({ ":event-type": name, ":content-type": "application/json", ":message-type": "event" }, payload);
}

function exceptionFrame(name: string, payload: unknown): Uint8Array {
  return frame({ ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" }, payload);
}

/** Of InvokeModelWithResponseStream. */
export function chunkFrame(event: unknown): Uint8Array {
  const json = typeof event === "string" ? event : JSON.stringify(event);
  return eventFrame("chunk", { bytes: Buffer.from(json).toString("base64"), p: "abcdefghij" });
}

/** As fixtures write it. */
export type Described =
  | { readonly event: string; readonly payload: unknown }
  | { readonly exception: string; readonly payload: unknown }
  | { readonly error: string; readonly message: string };

export function frameOf(described: Described): Uint8Array {
  if ("event" in described) return eventFrame(described.event, described.payload);
  if ("exception" in described) return exceptionFrame(described.exception, described.payload);
  return frame({ ":message-type": "error", ":error-code": described.error, ":error-message": described.message }, "");
}
