/** A stored reply as the reply of another request: as it came where it can be, in the hub's words where one wants a stream and the other none. */

import type { Json } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { events as hubEvents } from "../../sdk/hub/events.ts";
import { record } from "../../sdk/hub/json.ts";
import { type Exchange, type Reply, replyOf } from "../exchange.ts";
import type { Registry } from "../registry.ts";
import type { CachePlan } from "./plan.ts";
import { isHubs } from "./storable.ts";
import type { Restored } from "./stored-reply.ts";

/** @returns undefined where this request cannot be answered with it */
export function giveAgain(
  exchange: Exchange,
  { form, streamOptions }: Pick<CachePlan, "form" | "streamOptions">,
  { head, chunks }: Restored,
  registry: Pick<Registry, "dialects">,
): Reply | undefined {
  const isStream = form !== "whole";
  const isHub = isHubs(exchange.ingress, head.format);
  const isSameForm = isHub
    ? head.isEventStream === isStream
    : form !== "other" && head.isEventStream === isStream && (!isStream || head.streamOptions === streamOptions);
  if (isSameForm)
    return { ...replyOf({ status: head.status, headers: head.headers, chunks }, head.format), isEventStream: head.isEventStream };
  try {
    const body = Buffer.concat(chunks);
    const told = isHub ? eventsOfHub(body, head.isEventStream) : eventsOfClient(exchange, body, head.isEventStream, registry);
    return told === undefined ? undefined : retold(told, isStream);
  } catch {
    // What only its own dialect can say is asked for anew.
    return undefined;
  }
}

function eventsOfHub(body: Buffer, isEventStream: boolean): readonly JsonObject[] | undefined {
  if (!isEventStream)
    return hubEvents
      .explode(body.toString("utf8"))
      ?.map((text) => hubEvents.read(text))
      .filter(isTold);
  const splitter = hubEvents.split();
  return [...splitter.push(body), ...splitter.end()].map(({ value }) => value).filter(isTold);
}

function isTold(event: JsonObject | undefined): event is JsonObject {
  return event !== undefined;
}

/** By whoever reads this dialect where an upstream speaks it. */
function eventsOfClient(
  exchange: Exchange,
  body: Buffer,
  isEventStream: boolean,
  registry: Pick<Registry, "dialects">,
): readonly JsonObject[] | undefined {
  const deployment = exchange.target?.deployment;
  const wire = registry.dialects.get(exchange.dialect)?.wire;
  if (deployment === undefined || wire?.encode === undefined) return undefined;
  const request = { body: exchange.request.json(), session: exchange.facts.session, estimatedInputTokens: 0 };
  const { reader } = wire.encode(request, deployment, () => undefined);
  if (isEventStream) {
    const decoder = reader.stream();
    return [...decoder.push(body), ...decoder.end()];
  }
  const value: Json = JSON.parse(body.toString("utf8"));
  const reply = record(value);
  return reply === undefined ? undefined : reader.whole(reply);
}

const eventStream: HeaderList = [["content-type", "text/event-stream; charset=utf-8"]];

function retold(events: readonly JsonObject[], isStream: boolean): Reply | undefined {
  const assembler = hubEvents.assemble();
  for (const event of events) {
    if (event["type"] === "error") return undefined;
    assembler.push(event);
  }
  const message = assembler.complete ? assembler.message() : undefined;
  if (message === undefined) return undefined;
  if (isStream) {
    const chunks = events.map((event) => hubEvents.encode(JSON.stringify(event)));
    return replyOf({ status: 200, headers: eventStream, chunks }, "hub");
  }
  const bytes = Buffer.from(message);
  const headers: HeaderList = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.length)],
  ];
  return replyOf({ status: 200, headers, chunks: [bytes] }, "hub");
}
