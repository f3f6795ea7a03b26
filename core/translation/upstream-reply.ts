/** What an upstream answered, as a reply of the exchange: its bytes as they are where nobody has to translate them. */

import type { Json } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { AnthropicAssembler } from "../../sdk/hub/assemble.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Unframer } from "../../sdk/provider.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import { type EventSource, writeEvents } from "../stream/event-source.ts";
import { canDecode, decode } from "../upstream/decode.ts";
import { headerValue } from "../upstream/headers.ts";
import type { UpstreamResponse } from "../upstream/send.ts";
import type { Sending } from "./encode-attempt.ts";
import { filterEvents, filtersFor } from "./filtered-events.ts";
import { HubWatch } from "./hub-watch.ts";
import { decodeStream, eventsOf } from "./upstream-events.ts";

/** What an upstream sent, or what was read of it already. */
export type Answered = Omit<UpstreamResponse, "body"> & { readonly body: AsyncIterable<Uint8Array> };

/** Longer ones cannot be translated as a whole. */
const maxWholeBytes = 64 * 1024 * 1024;

/**
 * Of an answer that is no error.
 *
 * @throws ProxyError 502 for one that cannot be read, or an error in the place of an answer
 */
export async function readUpstreamReply(exchange: Exchange, { reader, format, deployment }: Sending, response: Answered): Promise<Reply> {
  const plain = plainReply(exchange, response, format ?? "client");
  const unframer = deployment.provider?.unframe?.(contentTypeOf(response.headers));
  const reply = unframer === undefined ? plain : { ...unframed(plain, unframer), isEventStream: true };
  if (reader === undefined) return reply;

  const watch = new HubWatch();
  const told = reply.isEventStream ? decodeStream(reply.body, reader.stream(), watch) : eventsOf(reader.whole(await wholeOf(reply)), watch);
  const source = filterEvents(
    told,
    filtersFor(deployment, () => exchange.request, exchange.note("call")),
  );
  const headers = response.headers.filter(([name]) => travels(name));
  if (exchange.facts.stream) {
    const type = ["content-type", "text/event-stream; charset=utf-8"] as const;
    return {
      status: 200,
      headers: [...headers, type],
      events: source,
      body: writeEvents(source),
      isEventStream: true,
      format: "hub",
      reported: watch,
    };
  }
  const bytes = Buffer.from(await assemble(source));
  const described: HeaderList = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.length)],
  ];
  return { status: 200, headers: [...headers, ...described], body: bodyOf(bytes), isEventStream: false, format: "hub", reported: watch };
}

/** Headers that mean the same whatever the body: what the host counts, and what it calls the request. */
function travels(name: string): boolean {
  return name.startsWith("x-ratelimit-") || name.startsWith("anthropic-ratelimit-") || name === "x-request-id" || name === "request-id";
}

function contentTypeOf(headers: HeaderList): string {
  return headerValue(headers, "content-type")?.toLowerCase() ?? "";
}

/** The bytes as they came, less a coding nobody asked for. */
function plainReply(exchange: Exchange, { status, headers, body }: Answered, format: Reply["format"]): Reply {
  const isEventStream = contentTypeOf(headers).startsWith("text/event-stream");
  const encoding = headerValue(headers, "content-encoding")?.trim().toLowerCase() ?? "";
  const isPlain = encoding === "" || encoding === "identity";
  // What the caller would decode was asked of nobody; a coding unknown here may still be known there.
  if (isPlain || (!isEventStream && !canDecode(encoding))) {
    // To a stream a ping or an error may yet be added, so its length is not known.
    return { status, headers: isEventStream ? without(headers, "content-length") : headers, body, isEventStream, format };
  }
  if (!canDecode(encoding)) void body[Symbol.asyncIterator]().return?.();
  const decoded = decode(body, encoding);
  exchange.trace.add("call", "decoded", { encoding });
  return { status, headers: without(without(headers, "content-encoding"), "content-length"), body: decoded, isEventStream, format };
}

function without(headers: HeaderList, name: string): HeaderList {
  return headers.filter(([candidate]) => candidate !== name);
}

function unframed(reply: Reply, unframer: Unframer): Reply {
  const headers = without(without(reply.headers, "content-type"), "content-length");
  return { ...reply, headers: [...headers, ["content-type", "text/event-stream; charset=utf-8"]], body: unframe(reply.body, unframer) };
}

async function* unframe(body: AsyncIterable<Uint8Array>, unframer: Unframer): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const bytes = unframer.push(chunk);
    if (bytes.length > 0) yield bytes;
  }
  const last = unframer.end();
  if (last.length > 0) yield last;
}

async function wholeOf(reply: Reply): Promise<JsonObject> {
  const collected = await collectReply(reply.body, maxWholeBytes);
  if (!collected.isWhole) throw unreadable(`is longer than ${maxWholeBytes / 1024 / 1024} MB`);
  try {
    const value: Json = JSON.parse(Buffer.from(collected.bytes).toString("utf8"));
    const object = record(value);
    if (object !== undefined) return object;
  } catch {
    // Told below.
  }
  throw unreadable("is no JSON object");
}

function unreadable(what: string): ProxyError {
  return new ProxyError(`The upstream's answer cannot be translated: it ${what}.`, { status: 502, kind: "api_error" });
}

/** @returns JSON text of the message @throws ProxyError in place of a message that ended in an error */
async function assemble(source: EventSource): Promise<string> {
  const assembler = new AnthropicAssembler();
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    for (const { type, value } of batch) {
      if (type === "error") {
        await source.close();
        const error = record(value?.["error"]);
        throw new ProxyError(text(error?.["message"]) ?? "The upstream ended its answer in an error.", { status: 502, kind: "api_error" });
      }
      if (value !== undefined) assembler.push(value);
    }
  }
  const message = assembler.complete ? assembler.message() : undefined;
  if (message === undefined) throw unreadable("ended before it was complete");
  return message;
}
