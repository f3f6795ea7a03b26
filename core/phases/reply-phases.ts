/** The way back of a reply through user code: its events, then the whole of it. Nothing is looked at that no hook asks for. */

import type { Json } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import { readEvents, writeEvents } from "../stream/event-source.ts";
import { HubWatch } from "../translation/hub-watch.ts";
import { headerValue } from "../upstream/headers.ts";
import { maxHeldBytes, runPostCall } from "./post-call.ts";
import { hookEvents, hookWholeReply } from "./reply-events.ts";
import { type PostCallServices, hookStream, skipTooLong } from "./reply-post-call.ts";
import type { LoadedUnit, UserProgram } from "./user-program.ts";

interface ReplyHooks {
  readonly program: UserProgram;
  readonly onEvent: readonly LoadedUnit[];
  readonly postCall: readonly LoadedUnit[];
}

/**
 * Errors, counts of tokens and what is neither JSON nor a stream of the protocol go by untouched.
 *
 * @throws ProxyError when a hook denies a reply that has not left yet, fails and its failure does, or the upstream breaks off
 */
export async function runReplyPhases(exchange: Exchange, services: PostCallServices, reply: Reply): Promise<Reply> {
  const { userProgram: program, operation } = exchange;
  if (program === undefined || operation !== "generate" || reply.status !== 200) return reply;
  const hooks: ReplyHooks = { program, onEvent: program.hooks("onEvent"), postCall: program.hooks("postCall") };
  if (hooks.onEvent.length === 0 && hooks.postCall.length === 0) return reply;
  if (reply.isEventStream) return hookedStream(exchange, services, reply, hooks);
  return isPlainJson(reply.headers) ? hookedWhole(exchange, services, reply, hooks) : reply;
}

function hookedStream(exchange: Exchange, services: PostCallServices, reply: Reply, { program, onEvent, postCall }: ReplyHooks): Reply {
  const reported = new HubWatch();
  let source = reply.events ?? readEvents(reply.body, reported);
  if (onEvent.length > 0) source = hookEvents(exchange, services, program, onEvent, source);
  if (postCall.length > 0) source = hookStream(exchange, services, program, postCall, source);
  exchange.reported ??= reported;
  return { ...reply, events: source, body: writeEvents(source) };
}

async function hookedWhole(
  exchange: Exchange,
  services: PostCallServices,
  reply: Reply,
  { program, onEvent, postCall }: ReplyHooks,
): Promise<Reply> {
  const collected = await collectReply(reply.body, maxHeldBytes);
  if (!collected.isWhole) {
    skipTooLong(exchange, services, { hooks: onEvent, phase: "onEvent" });
    skipTooLong(exchange, services, { hooks: postCall, phase: "postCall" });
    return { ...reply, body: collected.body };
  }
  const { bytes } = collected;
  const same: Reply = { ...reply, body: bodyOf(bytes) };
  const original = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  const parsed = parseMessage(original);
  if (parsed === undefined) return same;
  const reported = new HubWatch();
  reported.observeMessage(parsed);
  exchange.reported ??= reported;
  let message = onEvent.length === 0 ? original : await hookWholeReply(exchange, services, program, onEvent, original);
  if (postCall.length > 0) {
    const result = await runPostCall(exchange, services, program, postCall, message);
    if (result.reply !== undefined) return result.reply;
    message = result.message;
  }
  return message === original ? same : changedReply(reply, message);
}

function changedReply(reply: Reply, message: string): Reply {
  const bytes = Buffer.from(message);
  const headers = reply.headers.filter(([name]) => name !== "content-length");
  return { ...reply, headers: [...headers, ["content-length", String(bytes.length)]], body: bodyOf(bytes) };
}

/** A coding that is unknown here may be known to the caller; nobody here can read what is in it. */
function isPlainJson(headers: HeaderList): boolean {
  const encoding = headerValue(headers, "content-encoding")?.trim().toLowerCase() ?? "";
  const isJson = /^application\/([a-z0-9.-]+\+)?json\b/i.test(headerValue(headers, "content-type") ?? "");
  return isJson && (encoding === "" || encoding === "identity");
}

function parseMessage(json: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(json);
    const message = record(value);
    return message?.["type"] === "message" ? message : undefined;
  } catch {
    return undefined;
  }
}
