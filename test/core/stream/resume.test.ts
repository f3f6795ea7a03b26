import Anthropic from "@anthropic-ai/sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type EventItem, type EventSource, TranslatedEvent } from "../../../core/stream/event-source.ts";
import { type Resumable, resumable, resumableReply } from "../../../core/stream/resume.ts";
import { HubWatch } from "../../../core/translation/hub-watch.ts";
import { anthropic } from "../../../plugins/anthropic/index.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { faultsOf, parsedBySdk } from "../../helpers/event-protocol.ts";
import { encodeEvent, messageEvents, type ReplyMessage } from "../../helpers/events.ts";
import { ingressOf, queueReply, readAll } from "../../helpers/openings.ts";

type Events = readonly JsonObject[];

/** The events of a message whose texts are said in these pieces. */
function said(...texts: readonly (readonly string[])[]): Events {
  const usage = { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 1, output_tokens: 2 };
  return [
    {
      type: "message_start",
      message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, usage },
    },
    ...texts.flatMap((pieces, index) => [
      { type: "content_block_start", index, content_block: { type: "text", text: "" } },
      ...pieces.map((text) => ({ type: "content_block_delta", index, delta: { type: "text_delta", text } })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { ...usage, input_tokens: 17, output_tokens: 7 },
    },
    { type: "message_stop" },
  ];
}

/** One event a batch, watched; then the end, or this failure. */
function sourceOf(
  events: Events,
  failure?: Error,
): { readonly source: EventSource; readonly watch: HubWatch; readonly closed: () => number } {
  const watch = new HubWatch();
  let at = 0;
  let closed = 0;
  const source: EventSource = {
    async next() {
      const event = events[at++];
      if (event === undefined && failure !== undefined) throw failure;
      if (event === undefined) return undefined;
      watch.observe(event);
      return [new TranslatedEvent(event)];
    },
    async close() {
      closed++;
    },
  };
  return { source, watch, closed: () => closed };
}

const reset = new ProxyError("reset", { status: 502, kind: "api_error" });
const overloaded: JsonObject = { type: "error", error: { type: "overloaded_error", message: "busy" } };

interface Run {
  readonly events: readonly JsonObject[];
  readonly prefixes: readonly string[];
  readonly thrown: unknown;
  readonly resumed: Resumable;
}

/** Reads all of a reply that breaks after these events, and is gone on with by others. */
async function run(
  first: Events,
  broken: "thrown" | "ended" | "told",
  then: Events | undefined | Error,
  thenFailure?: Error,
): Promise<Run> {
  const prefixes: string[] = [];
  const { source, watch } = sourceOf(broken === "told" ? [...first, overloaded] : first, broken === "thrown" ? reset : undefined);
  const resumed = resumable(source, {
    async next(prefix) {
      prefixes.push(prefix);
      if (then instanceof Error) throw then;
      return then === undefined ? undefined : sourceOf(then, thenFailure).source;
    },
    signal: new AbortController().signal,
    reported: watch,
  });
  const events: JsonObject[] = [];
  let thrown: unknown;
  try {
    for (let batch = await resumed.events.next(); batch !== undefined; batch = await resumed.events.next()) {
      events.push(...batch.map(({ value }) => value ?? {}));
    }
  } catch (error) {
    thrown = error;
  }
  expect(await resumed.events.next()).toBeUndefined();
  return { events, prefixes, thrown, resumed };
}

function textOf(events: Events): string {
  return events.map((event) => (event["delta"] as { text?: string } | undefined)?.text ?? "").join("");
}

/** Up to the first event of this type, it included. */
function upTo(events: Events, type: string, count = 1): Events {
  const at = events.flatMap((event, index) => (event["type"] === type ? [index] : []))[count - 1] ?? -1;
  return events.slice(0, at + 1);
}

const whole = said(["Once ", "upon ", "a time"]);
const ending = said([" there was", " a proxy."]);

describe("a reply that does not break", () => {
  it("is given on as it came", async () => {
    const { events, prefixes, resumed } = await run(whole, "ended", ending);
    expect(events).toEqual(whole);
    expect(prefixes).toEqual([]);
    expect(resumed.reported.end()).toMatchObject({ complete: true, usage: { inputTokens: 17, outputTokens: 7 } });
  });
});

describe("a reply that breaks in a text", () => {
  it.each(["thrown", "ended", "told"] as const)("goes on elsewhere in the same block (%s)", async (how) => {
    const { events, prefixes, thrown } = await run(upTo(whole, "content_block_delta", 3), how, ending);
    expect([thrown, prefixes]).toEqual([undefined, ["Once upon a time"]]);
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe("Once upon a time there was a proxy.");
    expect(events.filter(({ type }) => type === "content_block_start")).toHaveLength(1);
    expect(await parsedBySdk(events)).toMatchObject({
      content: [{ type: "text", text: "Once upon a time there was a proxy." }],
      stop_reason: "end_turn",
    });
  });

  it("asks for the text without white space at its end, and says none of that twice", async () => {
    const first = upTo(said(["Once upon \n"]), "content_block_delta");
    for (const [then, text] of [
      [said([" \n", "a time"]), "Once upon \na time"],
      [said([" ", "\n", "a time"]), "Once upon \na time"],
      [said([" \na", " time"]), "Once upon \na time"],
      [said(["a time"]), "Once upon \na time"],
      [said([" a time"]), "Once upon \na time"],
      [said(["\na time"]), "Once upon \n\na time"],
      [said([" \n \na time"]), "Once upon \n \na time"],
    ] as const) {
      const { events, prefixes } = await run(first, "ended", then);
      expect([prefixes, textOf(events)]).toEqual([["Once upon"], text]);
      expect(faultsOf(events)).toEqual([]);
    }
  });

  it("says white space no second time in the block after it, but after a call", async () => {
    const first = upTo(said(["Once \n"]), "content_block_stop");
    expect(textOf((await run(first, "ended", said([" \nupon"]))).events)).toBe("Once \nupon");
    const call = { ...block("tool_use"), content_block: { type: "tool_use", id: "toolu_1", name: "f", input: {} } };
    const then = said([" \nupon"]).map((event) => (typeof event["index"] === "number" ? { ...event, index: event["index"] + 1 } : event));
    const [begin = {}, ...rest] = then;
    const { events } = await run(first, "ended", [begin, call, { type: "content_block_stop", index: 0 }, ...rest]);
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe("Once \n \nupon");
  });

  it("is not asked to be gone on from what was said twice: what comes is given", async () => {
    const { events } = await run(upTo(whole, "content_block_delta", 3), "ended", said(["a time there was"]));
    expect(textOf(events)).toBe("Once upon a timea time there was");
  });

  it("goes on in the block after it, where the text had ended", async () => {
    const { events, prefixes } = await run(upTo(whole, "content_block_stop"), "ended", ending);
    expect(prefixes).toEqual(["Once upon a time"]);
    expect(faultsOf(events)).toEqual([]);
    expect(events.filter(({ type }) => type === "content_block_start").map((event) => event["index"])).toEqual([0, 1]);
  });

  it("goes on from all texts there were", async () => {
    const first = upTo(said(["One. "], ["Two"]), "content_block_delta", 2);
    const { events, prefixes } = await run(first, "ended", said(["."], ["Three."]));
    expect(prefixes).toEqual(["One. Two"]);
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe("One. Two.Three.");
  });

  it("may go on with a call", async () => {
    const calls = messageEvents({
      blocks: [{ type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } }],
      model: "m",
    }) as unknown as Events;
    const { events } = await run(upTo(whole, "content_block_delta", 2), "thrown", calls);
    expect(faultsOf(events)).toEqual([]);
    expect(await parsedBySdk(events)).toMatchObject({
      content: [
        { type: "text", text: "Once upon " },
        { type: "tool_use", id: "toolu_1", input: { a: 1 } },
      ],
      stop_reason: "tool_use",
    });
  });

  it("may have been all there was to say", async () => {
    const { events } = await run(upTo(whole, "content_block_delta", 3), "thrown", said());
    expect(faultsOf(events)).toEqual([]);
    expect(await parsedBySdk(events)).toMatchObject({ content: [{ type: "text", text: "Once upon a time" }], stop_reason: "end_turn" });
  });

  it("had said nothing yet: then the same is asked again", async () => {
    for (const count of [0, 1, 2]) {
      const { events, prefixes } = await run(whole.slice(0, count), "ended", whole);
      expect(prefixes).toEqual([""]);
      expect(faultsOf(events)).toEqual([]);
      expect(await parsedBySdk(events)).toMatchObject({ content: [{ type: "text", text: "Once upon a time" }] });
    }
  });

  it("tells the caller how long its conversation is once, and what was made in sum; the books all of it", async () => {
    const { events, resumed } = await run(upTo(whole, "content_block_delta", 3), "ended", ending);
    expect(events.at(-2)?.["usage"]).toEqual({
      input_tokens: 10,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 1,
      output_tokens: 9,
    });
    expect(resumed.reported.end()).toEqual({
      complete: true,
      error: undefined,
      errorMessage: undefined,
      usage: { inputTokens: 27, outputTokens: 9, cacheReadTokens: 10, cacheWriteTokens: 2 },
    });
  });

  it("counts the usage of a reply told from its beginning once", async () => {
    const { events, resumed } = await run([], "ended", whole);
    expect(events).toEqual(whole);
    expect(resumed.reported.end().usage).toMatchObject({ inputTokens: 17, outputTokens: 7 });
  });
});

const [start = {}] = whole;
const block = (type: string): JsonObject => ({ type: "content_block_start", index: 0, content_block: { type } });

describe("a reply is not gone on with", () => {
  it.each([
    ["thoughts", [start, block("thinking")]],
    ["a call", [...upTo(whole, "content_block_stop"), { ...block("tool_use"), index: 1 }]],
    ["a search", [start, block("server_tool_use")]],
    ["something unknown in a text", [start, block("text"), { type: "content_block_delta", index: 0, delta: { type: "odd_delta" } }]],
    ["a reason to stop", upTo(whole, "message_delta")],
  ] as const)("after %s", async (_, first) => {
    for (const how of ["thrown", "ended", "told"] as const) {
      const { events, prefixes, thrown } = await run(first, how, ending);
      expect(prefixes).toEqual([]);
      expect(events).toEqual(how === "told" ? [...first, overloaded] : first);
      expect(thrown).toBe(how === "thrown" ? reset : undefined);
    }
  });

  it.each([
    ["nobody can", undefined, undefined],
    ["the asking fails", new Error("no"), undefined],
    ["the other breaks off", ending.slice(0, 3), new Error("too")],
    ["the other ends early", ending.slice(0, 3), undefined],
    ["the other is an error", [ending[0] ?? {}, { type: "error", error: { type: "api_error", message: "another" } }], undefined],
  ])("where %s: the first failure is told", async (_, then, thenFailure) => {
    const first = upTo(whole, "content_block_delta", 2);
    for (const how of ["thrown", "ended", "told"] as const) {
      const { events, prefixes, thrown } = await run(first, how, then, thenFailure);
      expect(prefixes).toHaveLength(1);
      expect(thrown).toBe(how === "thrown" ? reset : undefined);
      expect(JSON.stringify(events)).not.toContain("another");
      expect(events.at(-1)).toEqual(how === "told" ? overloaded : expect.objectContaining({ type: "content_block_delta" }));
      expect(events.slice(0, first.length)).toEqual(first);
    }
  });

  it("for a caller that has left", async () => {
    const abort = new AbortController();
    abort.abort(new Error("left"));
    const asked: string[] = [];
    const { events } = resumable(sourceOf([], reset).source, {
      async next(prefix) {
        asked.push(prefix);
        return undefined;
      },
      signal: abort.signal,
      reported: undefined,
    });
    await expect(events.next()).rejects.toBe(reset);
    expect(asked).toEqual([]);
  });
});

describe("whoever stops reading", () => {
  it("lets the reply go that is being read", async () => {
    const first = sourceOf([], undefined);
    const second = sourceOf(ending);
    const { events } = resumable(first.source, {
      next: async () => second.source,
      signal: new AbortController().signal,
      reported: undefined,
    });
    await events.next();
    expect([first.closed(), second.closed()]).toEqual([1, 0]);
    await events.close();
    expect([first.closed(), second.closed()]).toEqual([1, 1]);
    expect(await events.next()).toBeUndefined();
  });

  it("lets the reply go that was asked for meanwhile", async () => {
    const asked = Promise.withResolvers<EventSource>();
    const begun = Promise.withResolvers<void>();
    const second = sourceOf(ending);
    const { events } = resumable(sourceOf([]).source, {
      next() {
        begun.resolve();
        return asked.promise;
      },
      signal: new AbortController().signal,
      reported: undefined,
    });
    const next = events.next();
    await begun.promise;
    await events.close();
    asked.resolve(second.source);
    expect(await next).toBeUndefined();
    expect(second.closed()).toBe(1);
  });
});

it("is one message for the vendor's own client, wherever it breaks and however it goes on", async () => {
  const words = fc.array(fc.string({ unit: "grapheme", maxLength: 6 }), { maxLength: 4 });
  const texts = fc.array(words, { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      texts,
      texts,
      fc.nat(),
      fc.constantFrom("thrown" as const, "ended" as const, "told" as const),
      async (one, two, at, how) => {
        const before = said(...one);
        // Not behind the reason to stop.
        const first = before.slice(0, at % (before.length - 1));
        const then = said(...two);
        const { events, thrown, prefixes } = await run(first, how, then);
        expect([thrown, faultsOf(events)]).toEqual([undefined, []]);
        expect(prefixes).toEqual([textOf(first).trimEnd()]);
        const joined = textOf(events);
        expect(joined.startsWith(textOf(first))).toBe(true);
        // Nothing is lost but white space that was said already.
        const given = textOf(first).slice(prefixes[0]?.length);
        const rest = joined.slice(textOf(first).length);
        expect(textOf(then).endsWith(rest) && given.startsWith(textOf(then).slice(0, textOf(then).length - rest.length))).toBe(true);
        await parsedBySdk(events);
      },
    ),
    { numRuns: 300 },
  );
});

describe("a whole stream", () => {
  const message: ReplyMessage = { blocks: [{ type: "text", text: "Once upon a time" }], model: "claude-sonnet-4-5" };
  const bytes = messageEvents(message).map(encodeEvent);
  const hub = { ingress: ingressOf(anthropic) };

  it("is the same bytes up to where it breaks, and one stream for the vendor's own client", async () => {
    const { queue, reply } = queueReply();
    const begun = [...bytes.slice(0, 4), Buffer.from(": a comment\n\n")];
    const resumed = resumableReply(hub, reply, { next: async () => sourceOf(ending).source, signal: new AbortController().signal });
    for (const chunk of begun) queue.push(chunk);
    queue.fail(reset);
    const text = await readAll(resumed.body);
    expect(text.startsWith(Buffer.concat(begun).toString())).toBe(true);
    const served = async (): Promise<Response> => new Response(text, { headers: { "content-type": "text/event-stream" } });
    const client = new Anthropic({ apiKey: "none", maxRetries: 0, fetch: served, logLevel: "off" });
    const found = await client.messages.stream({ model: "m", max_tokens: 1, messages: [] }).finalMessage();
    expect(found).toMatchObject({ content: [{ type: "text", text: "Once upon a time there was a proxy." }], stop_reason: "end_turn" });
    expect(resumed.reported?.end()).toMatchObject({ complete: true, usage: { inputTokens: 27 } });
  });

  it("that does not break is the same bytes", async () => {
    const { queue, reply } = queueReply();
    for (const chunk of bytes) queue.push(chunk);
    queue.end();
    const resumed = resumableReply(hub, reply, { next: () => Promise.reject(new Error("asked")), signal: new AbortController().signal });
    expect(await readAll(resumed.body)).toBe(Buffer.concat(bytes).toString());
  });

  it("keeps the watch of a reply that was translated", async () => {
    const { source, watch } = sourceOf(whole);
    const { reply } = queueReply({ format: "hub", events: source, reported: watch });
    const resumed = resumableReply({ ingress: ingressOf(openaiChat) }, reply, {
      next: () => Promise.reject(new Error("asked")),
      signal: new AbortController().signal,
    });
    await readAll(resumed.body);
    expect(resumed.reported?.end()).toEqual(watch.end());
    expect(watch.end().complete).toBe(true);
  });

  it.each([
    ["of another dialect", { ingress: ingressOf(openaiChat) }, {}],
    ["in one piece", hub, { isEventStream: false }],
    ["that cannot be read", hub, { headers: [["content-encoding", "odd"]] as const }],
  ])("%s stays as it is", (_, exchange, changes) => {
    const { reply } = queueReply(changes);
    expect(resumableReply(exchange, reply, { next: async () => undefined, signal: new AbortController().signal })).toBe(reply);
  });
});

it("gives on what says nothing", async () => {
  const comment: EventItem = { raw: Buffer.from(": x\n\n"), type: "", data: "", value: undefined };
  let at = 0;
  const source: EventSource = { next: async () => (at++ === 0 ? [comment] : undefined), close: async () => undefined };
  const { events } = resumable(source, { next: async () => undefined, signal: new AbortController().signal, reported: undefined });
  expect([await events.next(), await events.next()]).toEqual([[comment], undefined]);
});
