import { getEventListeners } from "node:events";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Reply } from "../../../core/exchange.ts";
import { type EventItem, type EventSource, TranslatedEvent, readEvents } from "../../../core/stream/event-source.ts";
import { type Opening, openReply } from "../../../core/stream/opening.ts";
import { HubWatch } from "../../../core/translation/hub-watch.ts";
import { anthropic } from "../../../plugins/anthropic/index.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import type { Ingress } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { encodeEvent, messageEvents, messageObject } from "../../helpers/events.ts";
import { ingressOf, pulledBody, queueReply, readAll } from "../../helpers/openings.ts";

const ingress = ingressOf(anthropic);
const message = { blocks: [{ type: "text" as const, text: "hello é😀" }], model: "claude-sonnet-5-5" };
const events = messageEvents(message);
const texts = events.map((event) => encodeEvent(event).toString());
const whole = texts.join("");
const [start = "", blockStart = ""] = texts;
const ping = encodeEvent({ type: "ping" }).toString();
const comment = ": one\n\n";
const overloaded = encodeEvent({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }).toString();

interface Options {
  readonly holdMs?: number;
  readonly signal?: AbortSignal;
  readonly ingress?: Ingress;
}

function open(reply: Reply, { ingress: side = ingress, ...options }: Options = {}): Promise<Opening> {
  return openReply({ ingress: side }, reply, { holdMs: 10_000, signal: new AbortController().signal, ...options });
}

/** What it came to by now; undefined where that is open. */
function watched(opening: Promise<Opening>): { readonly now: () => Promise<Opening | undefined> } {
  let result: Opening | undefined;
  void opening.then((found) => (result = found));
  return {
    async now() {
      await vi.advanceTimersByTimeAsync(0);
      return result;
    },
  };
}

function replyIn(opening: Opening): Reply {
  if (opening.type === "failed") throw opening.error;
  return opening.reply;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a stream as bytes", () => {
  it("is held until there is content, and goes on in the same queue, byte for byte", async () => {
    const { queue, flow, reply } = queueReply();
    const opening = open(reply);
    const { now } = watched(opening);
    const [begun, last] = [blockStart.slice(0, -1), blockStart.slice(-1)];
    for (const preamble of [start, comment, ping, begun]) {
      queue.push(Buffer.from(preamble));
      await vi.advanceTimersByTimeAsync(1000);
      expect(await now()).toBeUndefined();
    }
    queue.push(Buffer.from(last));
    expect(await opening).toEqual({ type: "content", reply });
    const rest = whole.slice(start.length + blockStart.length);
    queue.push(Buffer.from(rest));
    queue.end();
    expect(await readAll(queue)).toBe(start + comment + ping + blockStart + rest);
    expect(flow).toEqual({ paused: 0, resumed: 0, aborted: 0 });
  });

  it("that is there already is known in the same turn, without a timer", async () => {
    const { queue, reply } = queueReply();
    for (const text of texts) queue.push(Buffer.from(text));
    queue.end();
    const opening = open(reply);
    expect(vi.getTimerCount()).toBe(0);
    expect(await readAll(replyIn(await opening).body)).toBe(whole);
  });

  it("may begin with much that says nothing", async () => {
    const { queue, reply } = queueReply();
    queue.push(Buffer.from(comment.repeat(1000) + start + blockStart));
    expect((await open(reply)).type).toBe("content");
  });

  it("is told in the turn in which the content comes", async () => {
    const { queue, reply } = queueReply();
    let isKnown = false;
    void open(reply).then(() => (isKnown = true));
    queue.push(Buffer.from(start + blockStart));
    // Promises only, no timer and no I/O.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(isKnown).toBe(true);
  });

  it("is read no further than there is content", async () => {
    const { queue, flow, reply } = queueReply();
    queue.push(Buffer.from(start));
    const opening = open(reply);
    queue.push(Buffer.from(blockStart));
    const piece = Buffer.alloc(20_000, "x");
    for (let count = 0; count < 4; count++) queue.push(piece);
    await opening;
    expect(queue.bufferedBytes).toBe(start.length + blockStart.length + 80_000);
    expect(flow).toEqual({ paused: 1, resumed: 0, aborted: 0 });
    const read = readAll(queue);
    queue.end();
    expect((await read).length).toBe(start.length + blockStart.length + 80_000);
    expect(flow.resumed).toBe(1);
  });

  it("is the same however it is cut", async () => {
    const bytes = Buffer.from(comment + ping + whole);
    const cut = fc.array(fc.nat(bytes.length), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cut, fc.boolean(), async (cuts, isQueue) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const { queue, reply } = queueReply();
        const pulled = pulledBody();
        const opening = open(isQueue ? reply : { ...reply, body: pulled.body });
        for (const chunk of chunks) {
          if (isQueue) queue.push(chunk);
          else pulled.give(chunk);
        }
        queue.end();
        pulled.end();
        const opened = await opening;
        expect(opened.type).toBe("content");
        expect(await readAll(replyIn(opened).body)).toBe(bytes.toString());
      }),
    );
  });

  it.each([
    ["an error event after the start", start + overloaded, "error", { kind: "overloaded_error", status: 529, message: "Overloaded" }],
    ["an error event alone", overloaded, "error", { kind: "overloaded_error", status: 529 }],
    [
      "an error of a kind that is not known",
      encodeEvent({ type: "error", error: { type: "odd", message: "odd" } }).toString(),
      "error",
      { kind: "api_error", status: 500, message: "odd" },
    ],
    ["an error without words", 'data: {"type":"error"}\n\n', "error", { kind: "api_error", status: 500 }],
    ["an end without content", start + (texts.at(-1) ?? ""), "empty", { status: 502 }],
    ["nothing", "", "empty", { status: 502 }],
    ["nothing but comments", comment + comment, "empty", { status: 502 }],
    ["a cut behind the start", start, "broken", { status: 502 }],
    ["a cut within the start", start.slice(0, 40), "broken", { status: 502 }],
    ["a page", "<html>busy</html>", "broken", { status: 502 }],
    ["an error that is no stream", '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}', "error", { status: 429 }],
  ])("with %s comes to nothing", async (_, text, found, error) => {
    const { queue, reply } = queueReply();
    const opening = open(reply);
    if (text !== "") queue.push(Buffer.from(text));
    queue.end();
    expect(await opening).toMatchObject({ type: "failed", found, error });
  });

  it.each([
    ["a refusal without words", encodeEvent({ type: "message_delta", delta: { stop_reason: "refusal" }, usage: {} }).toString()],
    ["a turn that needs no words", encodeEvent({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: {} }).toString()],
    ["a delta whose block was never begun", encodeEvent({ type: "content_block_delta", index: 0, delta: {} }).toString()],
    ["an event whose last line break is missing", blockStart.trimEnd()],
  ])("with %s is a reply", async (_, text) => {
    const { queue, reply } = queueReply();
    const opening = open(reply);
    queue.push(Buffer.from(start + text));
    queue.end();
    expect((await opening).type).toBe("content");
  });

  it("with an error event lets its upstream go", async () => {
    const { queue, flow, reply } = queueReply();
    const opening = open(reply);
    queue.push(Buffer.from(start + overloaded));
    await opening;
    expect(flow.aborted).toBe(1);
  });

  it("with an error behind its content is a reply, the error is the caller's", async () => {
    const { queue, reply } = queueReply();
    queue.push(Buffer.from(start + blockStart + overloaded));
    expect((await open(reply)).type).toBe("content");
  });

  it("that breaks off fails with the reason itself", async () => {
    const { queue, reply } = queueReply();
    const opening = open(reply);
    const reason = new ProxyError("reset", { status: 502, kind: "api_error" });
    queue.push(Buffer.from(start));
    queue.fail(reason);
    const opened = await opening;
    expect(opened).toEqual({ type: "failed", found: "broken", error: reason });
    expect(opened.type === "failed" && opened.error).toBe(reason);
  });

  it("that breaks off for a reason that nobody should see fails without telling it", async () => {
    const { queue, reply } = queueReply();
    const opening = open(reply);
    queue.fail(new Error("a secret"));
    const opened = await opening;
    if (opened.type !== "failed") expect.fail();
    expect(opened.error.message).not.toContain("secret");
    expect(opened.error.cause).toMatchObject({ message: "a secret" });
  });
});

describe("the time for holding", () => {
  it("over, the reply goes on with what there is, and what comes after", async () => {
    const { queue, reply } = queueReply();
    const opening = open(reply, { holdMs: 5000 });
    const { now } = watched(opening);
    queue.push(Buffer.from(start));
    await vi.advanceTimersByTimeAsync(4999);
    expect(await now()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(await now()).toEqual({ type: "undecided", reply });
    const read = readAll(queue);
    queue.push(Buffer.from(whole.slice(start.length)));
    queue.end();
    expect(await read).toBe(whole);
  });

  it("over, a body that was asked for its next chunk gives that one first", async () => {
    const { reply } = queueReply();
    const pulled = pulledBody();
    const opening = open({ ...reply, body: pulled.body }, { holdMs: 100 });
    pulled.give(start);
    await vi.advanceTimersByTimeAsync(100);
    const opened = await opening;
    expect(opened.type).toBe("undecided");
    const read = readAll(replyIn(opened).body);
    pulled.give(blockStart);
    pulled.give(overloaded);
    pulled.end();
    expect(await read).toBe(start + blockStart + overloaded);
    expect(pulled.returned()).toBe(0);
  });

  it("over, the failure of a body is its reader's", async () => {
    const { reply } = queueReply();
    const pulled = pulledBody();
    const opening = open({ ...reply, body: pulled.body }, { holdMs: 100 });
    await vi.advanceTimersByTimeAsync(100);
    const iterator = replyIn(await opening).body[Symbol.asyncIterator]();
    const next = iterator.next();
    pulled.end(new Error("reset"));
    await expect(next).rejects.toThrow("reset");
  });

  it("does not count for whole replies", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply, { holdMs: 5000 });
    const { now } = watched(opening);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await now()).toBeUndefined();
    queue.push(Buffer.from(JSON.stringify(messageObject(message))));
    queue.end();
    expect((await opening).type).toBe("content");
  });
});

describe("a signal", () => {
  it.each([true, false])("ends the holding at once, and lets everything go (a queue: %s)", async (isQueue) => {
    const { queue, flow, reply } = queueReply();
    const { body, returned } = pulledBody();
    const abort = new AbortController();
    const opening = open(isQueue ? reply : { ...reply, body }, { signal: abort.signal });
    queue.push(Buffer.from(start));
    const reason = new Error("left");
    abort.abort(reason);
    await expect(opening).rejects.toBe(reason);
    expect(isQueue ? flow.aborted : returned()).toBe(1);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  it("ends the asking, too", async () => {
    const { reply } = queueReply();
    const pulled = pulledBody();
    const abort = new AbortController();
    const opening = open({ ...reply, body: pulled.body }, { signal: abort.signal });
    abort.abort(new Error("left"));
    await expect(opening).rejects.toThrow("left");
    const asked = pulled.asked();
    pulled.give(start);
    await vi.advanceTimersByTimeAsync(0);
    expect(pulled.asked()).toBe(asked);
  });

  it("that has fired already ends it as well", async () => {
    const { flow, reply } = queueReply();
    await expect(open(reply, { signal: AbortSignal.abort(new Error("left")) })).rejects.toThrow("left");
    expect(flow.aborted).toBe(1);
  });

  it("is the reason where the body fails for it first", async () => {
    const { queue, reply } = queueReply();
    const abort = new AbortController();
    abort.signal.addEventListener("abort", () => queue.fail(new ProxyError("cut", { status: 502, kind: "api_error" })));
    const opening = open(reply, { signal: abort.signal });
    abort.abort(new Error("left"));
    await expect(opening).rejects.toThrow("left");
  });

  it.each(["content", "undecided", "failed"])("is listened to no longer when it is known: %s", async (how) => {
    const { queue, reply } = queueReply();
    const abort = new AbortController();
    const opening = open(reply, { signal: abort.signal, holdMs: 10 });
    if (how !== "undecided") queue.push(Buffer.from(how === "content" ? blockStart : overloaded));
    await vi.advanceTimersByTimeAsync(10);
    expect((await opening).type).toBe(how);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });
});

/** Gives the batches, one after the other, then ends or fails. */
function sourceOf(batches: readonly (readonly EventItem[])[], failure?: Error): EventSource & { readonly closed: () => number } {
  let at = 0;
  let closed = 0;
  return {
    closed: () => closed,
    async next() {
      if (at === batches.length && failure !== undefined) throw failure;
      return batches[at++];
    },
    async close() {
      closed++;
    },
  };
}

const items = events.map((event) => new TranslatedEvent(JSON.parse(JSON.stringify(event))));

describe("a stream as events", () => {
  const reply: Reply = { ...queueReply().reply, format: "hub", headers: [["content-type", "text/event-stream"]] };

  it("is held until there is content, and begins with what was held", async () => {
    const batches = items.map((item) => [item]);
    for (const isRead of ["as events", "as bytes"]) {
      const opened = replyIn(await open({ ...reply, events: sourceOf(batches) }));
      if (isRead === "as bytes") {
        expect(await readAll(opened.body)).toBe(whole);
        continue;
      }
      const given: EventItem[] = [];
      for (let batch = await opened.events?.next(); batch !== undefined; batch = await opened.events?.next()) given.push(...batch);
      expect(given).toEqual(items);
    }
  });

  it("is watched as it was: every event once, held or not", async () => {
    const { queue } = queueReply();
    for (const text of texts) queue.push(Buffer.from(text));
    queue.end();
    const watch = new HubWatch();
    const opened = replyIn(await open({ ...reply, events: readEvents(queue, watch), reported: watch }));
    expect(opened.reported).toBe(watch);
    expect(await readAll(opened.body)).toBe(whole);
    expect(watch.end()).toMatchObject({ complete: true, usage: { inputTokens: 10, outputTokens: 1 } });
  });

  it.each([
    ["an error", [{ type: "error", error: { type: "rate_limit_error", message: "slow" } }], "error", { status: 429, message: "slow" }],
    ["an end without content", [{ type: "message_stop" }], "empty", { status: 502 }],
    ["no end", [], "broken", { status: 502 }],
  ] as const)("with %s comes to nothing, and is let go", async (_, rest, found, error) => {
    const source = sourceOf([[items[0] as EventItem], ...rest.map((event) => [new TranslatedEvent(event)])]);
    expect(await open({ ...reply, events: source })).toMatchObject({ type: "failed", found, error });
    expect(source.closed()).toBe(1);
  });

  it("that breaks off fails with the reason itself", async () => {
    const reason = new ProxyError("reset", { status: 504, kind: "timeout_error" });
    expect(await open({ ...reply, events: sourceOf([items.slice(0, 1)], reason) })).toEqual({
      type: "failed",
      found: "broken",
      error: reason,
    });
  });

  it("released undecided gives the batch that was asked for, and fails as its source does", async () => {
    const asked = Promise.withResolvers<readonly EventItem[] | undefined>();
    let at = 0;
    const source: EventSource = {
      next: () => (at++ === 0 ? Promise.resolve(items.slice(0, 1)) : asked.promise),
      close: () => Promise.resolve(),
    };
    const opening = open({ ...reply, events: source }, { holdMs: 50 });
    await vi.advanceTimersByTimeAsync(50);
    const opened = await opening;
    expect(opened.type).toBe("undecided");
    const { events: rest } = replyIn(opened);
    expect(await rest?.next()).toEqual(items.slice(0, 1));
    asked.resolve(items.slice(1));
    expect(await rest?.next()).toEqual(items.slice(1));
    asked.resolve(undefined);
  });
});

describe("a reply in one piece", () => {
  const json = JSON.stringify(messageObject(message));

  it("is held until it is complete", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply);
    const { now } = watched(opening);
    queue.push(Buffer.from(json.slice(0, 100)));
    expect(await now()).toBeUndefined();
    queue.push(Buffer.from(json.slice(100)));
    expect(await now()).toBeUndefined();
    queue.end();
    expect(await opening).toEqual({ type: "content", reply });
    expect(await readAll(queue)).toBe(json);
  });

  it("is one whole wherever it is cut", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply);
    const { now } = watched(opening);
    const at = json.indexOf("[");
    queue.push(Buffer.from(json.slice(0, at)));
    queue.push(Buffer.from(json.slice(at)));
    expect(await now()).toBeUndefined();
    queue.end();
    expect((await opening).type).toBe("content");
  });

  it("is released as it is when it is too long to be held", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply);
    const { now } = watched(opening);
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    for (let count = 0; count < 8; count++) queue.push(megabyte);
    expect(await now()).toBeUndefined();
    queue.push(megabyte);
    expect((await opening).type).toBe("undecided");
    const read = readAll(queue);
    queue.end();
    expect((await read).length).toBe(9 * 1024 * 1024);
  });

  it.each([
    ["nothing at all", "", "empty", {}],
    ["what is no JSON", "<html>", "broken", {}],
    ["half of it", json.slice(0, -1), "broken", {}],
    ["what is no object", '"hello"', "broken", {}],
    ["an object of something else", "{}", "empty", {}],
    ["neither content nor a reason", JSON.stringify({ ...messageObject({ ...message, blocks: [] }), stop_reason: null }), "empty", {}],
    ["an error", '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', "error", { status: 529, message: "busy" }],
  ])("of %s comes to nothing", async (_, text, found, error) => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply);
    queue.push(Buffer.from(text));
    queue.end();
    expect(await opening).toMatchObject({ type: "failed", found, error: { ...error } });
  });

  it.each(["end_turn", "refusal", "tool_use", "pause_turn", "max_tokens"])("without content may end for a reason: %s", async (reason) => {
    const { queue, reply } = queueReply({ isEventStream: false });
    queue.push(Buffer.from(JSON.stringify(messageObject({ ...message, blocks: [], stopReason: reason }))));
    queue.end();
    expect((await open(reply)).type).toBe("content");
  });

  it("that is cut short fails with the reason itself", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const reason = new ProxyError("other length", { status: 502, kind: "api_error" });
    queue.push(Buffer.from(json));
    queue.fail(reason);
    expect(await open(reply)).toEqual({ type: "failed", found: "broken", error: reason });
  });

  it("that is a list streams: nobody waits for its end", async () => {
    const { queue, reply } = queueReply({ isEventStream: false });
    const opening = open(reply);
    queue.push(Buffer.from("\r\n"));
    queue.push(Buffer.from("[{"));
    expect((await opening).type).toBe("content");
  });
});

describe("a reply is not looked at", () => {
  it.each([
    ["of another status", { status: 202 }],
    ["in a coding that is not known", { headers: [["content-encoding", "odd"]] as const }],
  ])("%s", async (_, changes) => {
    const { reply } = queueReply(changes);
    expect(await open(reply)).toEqual({ type: "content", reply });
  });

  it("of a dialect that does not say how", async () => {
    const blind = { ...ingress };
    delete blind.meaning;
    const { reply } = queueReply();
    expect(await open(reply, { ingress: blind })).toEqual({ type: "content", reply });
  });
});

it("is read as its own bytes are: of the hub where the upstream speaks that, whatever the client speaks", async () => {
  const chat = ingressOf(openaiChat);
  for (const [format, text, type] of [
    ["hub", overloaded, "failed"],
    ["client", 'data: {"error":{"message":"no"}}\n\n', "failed"],
    ["client", 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', "content"],
    ["hub", blockStart, "content"],
  ] as const) {
    const { queue, reply } = queueReply({ format });
    queue.push(Buffer.from(text));
    expect((await open(reply, { ingress: chat })).type).toBe(type);
  }
});
