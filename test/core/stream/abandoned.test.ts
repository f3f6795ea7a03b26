import { getEventListeners, once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ClientGone } from "../../../core/body/collect.ts";
import type { Reply } from "../../../core/exchange.ts";
import { type Abandoned, type AbandonedLimits, createAbandoned, detachable, onDisconnectOf } from "../../../core/stream/abandoned.ts";
import { type EventSource, readEvents } from "../../../core/stream/event-source.ts";
import { HubWatch } from "../../../core/translation/hub-watch.ts";
import { Pools } from "../../../core/upstream/pools.ts";
import { send } from "../../../core/upstream/send.ts";
import { anthropic } from "../../../plugins/anthropic/index.ts";
import { bedrock } from "../../../plugins/bedrock/index.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import type { Ingress, ReplySummary } from "../../../sdk/dialect.ts";
import { defaultRouting } from "../../../core/config/router-types.ts";
import { encodeEvent, messageEvents, messageObject } from "../../helpers/events.ts";
import { ingressOf, queueReply, readAll } from "../../helpers/openings.ts";

const message = { blocks: [{ type: "text" as const, text: "hello" }], model: "m", usage: { input_tokens: 11, output_tokens: 42 } };
const events = messageEvents(message).map(encodeEvent);
const headers: Reply["headers"] = [["content-type", "text/event-stream"]];
const hub = ingressOf(anthropic);
const chat = ingressOf(openaiChat);

interface Kept {
  readonly abandoned: Abandoned;
  readonly background: Promise<unknown>[];
  readonly summaries: ReplySummary[];
  readonly caller: AbortController;
  readonly keep: (reply: Reply, ingress?: Ingress) => Reply;
}

function keeping(limits: Partial<AbandonedLimits> = {}): Kept {
  const background: Promise<unknown>[] = [];
  const summaries: ReplySummary[] = [];
  const caller = new AbortController();
  const all = { maxBytes: 1_000_000, maxMs: 60_000, maxCount: 100, ...limits };
  const abandoned = createAbandoned({ inBackground: (work) => void background.push(work) }, all);
  return {
    abandoned,
    background,
    summaries,
    caller,
    keep: (reply, ingress = hub) => abandoned.keep({ ingress, signal: caller.signal }, reply, (summary) => void summaries.push(summary)),
  };
}

const gone = new ClientGone("the client closed the connection");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a reply whose caller stays", () => {
  it.each(["as bytes", "as events"])("is what it was, and nothing goes on in the background (%s)", async (how) => {
    const { keep, background, summaries, caller } = keeping();
    const { queue, reply } = queueReply({ headers });
    const watch = new HubWatch();
    const asEvents: Reply = { ...reply, format: "hub", events: readEvents(queue, watch), reported: watch };
    const kept = keep(how === "as bytes" ? reply : asEvents);
    for (const event of events) queue.push(event);
    queue.end();
    expect(await readAll(kept.body)).toBe(Buffer.concat(events).toString());
    expect([background, summaries]).toEqual([[], []]);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  it("that breaks off breaks off", async () => {
    const { keep, background } = keeping();
    const { queue, reply } = queueReply({ headers });
    const kept = keep(reply);
    queue.fail(new Error("reset"));
    await expect(readAll(kept.body)).rejects.toThrow("reset");
    expect(background).toEqual([]);
  });
});

describe("a reply whose caller leaves", () => {
  it.each([
    ["while nothing comes", true],
    ["between two pieces", false],
  ])("is read to its end for what it cost, its reader is told at once (%s)", async (_, isWaiting) => {
    const { keep, background, summaries, caller, abandoned } = keeping();
    const { queue, flow, reply } = queueReply({ headers });
    const body = keep(reply).body[Symbol.asyncIterator]();
    queue.push(events[0] ?? Buffer.of());
    await body.next();
    if (isWaiting) {
      const next = body.next();
      caller.abort(gone);
      await expect(next).rejects.toBe(gone);
    } else {
      caller.abort(gone);
      await body.return?.();
    }
    expect(abandoned.count).toBe(1);
    for (const event of events.slice(1)) {
      queue.push(event);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(summaries).toEqual([]);
    queue.end();
    await Promise.all(background);
    expect(summaries).toMatchObject([{ complete: true, usage: { inputTokens: 11, outputTokens: 42 } }]);
    expect([flow.aborted, abandoned.count]).toEqual([0, 0]);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    expect(await body.next()).toMatchObject({ done: true });
  });

  it("is read on where its reader gives up for another reason", async () => {
    const { keep, background, summaries } = keeping();
    const { queue, reply } = queueReply({ headers });
    const body = keep(reply).body[Symbol.asyncIterator]();
    await body.return?.();
    for (const event of events) queue.push(event);
    queue.end();
    await Promise.all(background);
    expect(summaries).toMatchObject([{ usage: { outputTokens: 42 } }]);
  });

  it("and that was translated is told as its translation was watched", async () => {
    const { keep, background, summaries, caller } = keeping();
    const { queue, reply } = queueReply({ headers, format: "hub" });
    const watch = new HubWatch();
    const kept = keep({ ...reply, events: readEvents(queue, watch), reported: watch }, chat);
    expect(kept.reported).toBe(watch);
    const next = kept.events?.next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    for (const event of events) queue.push(event);
    queue.end();
    await Promise.all(background);
    expect(summaries).toEqual([watch.end()]);
    expect(watch.end().complete).toBe(true);
  });

  it("and comes in bytes of the hub to a client of another dialect is read as what it is", async () => {
    const { keep, background, summaries, caller } = keeping();
    const { queue, reply } = queueReply({ headers, format: "hub" });
    const kept = keep(reply, chat);
    const next = kept.body[Symbol.asyncIterator]().next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    for (const event of events) queue.push(event);
    queue.end();
    await Promise.all(background);
    expect(summaries).toMatchObject([{ complete: true, usage: { outputTokens: 42 } }]);
  });

  it("in one piece is read to its end as well", async () => {
    const { keep, background, summaries, caller } = keeping();
    const { queue, reply } = queueReply({ headers: [["content-type", "application/json"]], isEventStream: false });
    const next = keep(reply).body[Symbol.asyncIterator]().next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    queue.push(Buffer.from(JSON.stringify(messageObject(message))));
    queue.end();
    await Promise.all(background);
    expect(summaries).toMatchObject([{ usage: { outputTokens: 42 } }]);
  });

  it("and breaks off then is told as far as it came", async () => {
    const { keep, background, summaries, caller } = keeping();
    const { queue, reply } = queueReply({ headers });
    const next = keep(reply).body[Symbol.asyncIterator]().next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    queue.push(events[0] ?? Buffer.of());
    queue.fail(new Error("reset"));
    await Promise.all(background);
    expect(summaries).toMatchObject([{ complete: false, usage: { inputTokens: 11 } }]);
  });
});

describe("what is read on is bounded", () => {
  it("in bytes", async () => {
    const { keep, background, summaries, caller } = keeping({ maxBytes: 100 });
    const { queue, flow, reply } = queueReply({ headers });
    const next = keep(reply).body[Symbol.asyncIterator]().next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    queue.push(Buffer.alloc(100, "x"));
    await vi.advanceTimersByTimeAsync(0);
    expect(flow.aborted).toBe(0);
    queue.push(Buffer.alloc(1, "x"));
    await Promise.all(background);
    expect([flow.aborted, summaries.length]).toEqual([1, 1]);
  });

  it("in time", async () => {
    const { keep, background, summaries, caller, abandoned } = keeping({ maxMs: 5000 });
    const { flow, reply } = queueReply({ headers });
    const next = keep(reply).body[Symbol.asyncIterator]().next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    await vi.advanceTimersByTimeAsync(4999);
    expect([flow.aborted, abandoned.count]).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(background);
    expect([flow.aborted, abandoned.count, summaries.length]).toEqual([1, 0, 1]);
  });

  it("in number", async () => {
    const { keep, caller, abandoned, summaries } = keeping({ maxCount: 1 });
    const replies = [queueReply({ headers }), queueReply({ headers })];
    const reading = replies.map(({ reply }) => keep(reply).body[Symbol.asyncIterator]().next());
    caller.abort(gone);
    for (const next of reading) await expect(next).rejects.toBe(gone);
    expect([abandoned.count, replies.map(({ flow }) => flow.aborted)]).toEqual([1, [0, 1]]);
    abandoned.stop();
    await vi.advanceTimersByTimeAsync(0);
    expect([abandoned.count, replies.map(({ flow }) => flow.aborted), summaries.length]).toEqual([0, [1, 1], 1]);
  });

  it("by the proxy's own end: then nothing is read on", async () => {
    const { keep, caller, background } = keeping();
    const { flow, reply } = queueReply({ headers });
    const next = keep(reply).body[Symbol.asyncIterator]().next();
    const stopping = new Error("stopping");
    caller.abort(stopping);
    await expect(next).rejects.toBe(stopping);
    expect([flow.aborted, background]).toEqual([1, []]);
  });
});

describe("a reply is left as it is", () => {
  it.each([
    ["in a coding that is not known", hub, { headers: [["content-encoding", "odd"]] as const }],
    ["in one piece that is translated as a whole", chat, { format: "hub", isEventStream: false } as const],
  ])("%s", (_, ingress, changes) => {
    const { reply } = queueReply(changes);
    expect(keeping().keep(reply, ingress)).toBe(reply);
  });
});

describe("who is read on", () => {
  const provider = bedrock.setup().providers?.[0];

  it("is whoever bills it anyway, unless the configuration says otherwise", () => {
    expect(onDisconnectOf({ routing: defaultRouting, provider })).toBe("drain");
    expect(onDisconnectOf({ routing: defaultRouting, provider: anthropic.setup().providers?.[0] })).toBe("abort");
    expect(onDisconnectOf({ routing: defaultRouting, provider: undefined })).toBe("abort");
    expect(onDisconnectOf({ routing: { ...defaultRouting, onDisconnect: "abort" }, provider })).toBe("abort");
    expect(onDisconnectOf({ routing: { ...defaultRouting, onDisconnect: "drain" }, provider: undefined })).toBe("drain");
  });
});

describe("a signal that can be detached", () => {
  it("follows the other until then", () => {
    const outer = new AbortController();
    const followed = detachable(outer.signal);
    outer.abort(gone);
    expect(followed.signal.reason).toBe(gone);
    expect(detachable(outer.signal).signal.reason).toBe(gone);
  });

  it("hears no more of it then", () => {
    const outer = new AbortController();
    const { signal, detach } = detachable(outer.signal);
    detach();
    expect(getEventListeners(outer.signal, "abort")).toEqual([]);
    outer.abort(gone);
    expect(signal.aborted).toBe(false);
  });
});

it("reads a real upstream to its end, though its caller has left", async () => {
  vi.useRealTimers();
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    responses.push(response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(events[0]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pools = new Pools();
  try {
    const { keep, caller, background, summaries } = keeping();
    const { signal, detach } = detachable(caller.signal);
    const timeouts = { connectMs: 1000, headersMs: 1000, idleMs: 10_000 };
    const {
      status,
      headers: received,
      body,
    } = await send(pools.get(origin), { method: "POST", path: "/", headers: [], body: "{}", timeouts, signal, origin });
    detach();
    const kept = keep({ status, headers: received, body, isEventStream: true, format: "client" }).body[Symbol.asyncIterator]();
    await kept.next();
    const next = kept.next();
    caller.abort(gone);
    await expect(next).rejects.toBe(gone);
    const [response] = responses;
    for (const event of events.slice(1)) response?.write(event);
    response?.end();
    await Promise.all(background);
    expect(response?.writableFinished).toBe(true);
    expect(summaries).toMatchObject([{ complete: true, usage: { outputTokens: 42 } }]);
  } finally {
    await pools.close();
    server.close().closeAllConnections();
    vi.useFakeTimers();
  }
});

it("closes a source of events once, when it has been enough", async () => {
  const { keep, background, caller } = keeping({ maxBytes: 1 });
  let closed = 0;
  const source: EventSource = {
    next: async () => [{ raw: undefined, type: "ping", data: '{"type":"ping"}', value: { type: "ping" } }],
    close: async () => void closed++,
  };
  const kept = keep({ ...queueReply({ headers }).reply, format: "hub", events: source, reported: new HubWatch() });
  await kept.events?.next();
  caller.abort(gone);
  await kept.events?.close();
  await Promise.all(background);
  expect(closed).toBe(1);
});
