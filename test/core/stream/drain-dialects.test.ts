import { ApiError as GoogleError, GoogleGenAI } from "@google/genai";
import OpenAI, { APIError } from "openai";
import { afterEach, describe, expect, it, vi } from "vitest";

import { gemini } from "../../../plugins/gemini/index.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import { openaiResponses } from "../../../plugins/openai-responses/index.ts";
import type { Ingress } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { ask, openAnswer } from "../../helpers/client.ts";
import { closeServed, ping, serve } from "../../helpers/drained.ts";
import { ingressOf } from "../../helpers/openings.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  closeServed();
});

const cutOff = new ProxyError("the upstream broke off", { status: 502, kind: "overloaded_error" });

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const event = (type: string, rest: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
const part = (text: string, rest: object = {}): string =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text }] }, ...rest }] })}\r\n\r\n`;

interface Spoken {
  readonly ingress: Ingress;
  readonly events: readonly string[];
  /** How the vendor's client ends with these bytes. */
  readonly read: (text: string) => Promise<unknown>;
}

function client(text: string): OpenAI {
  const served = async (): Promise<Response> => new Response(text, { headers: { "content-type": "text/event-stream" } });
  return new OpenAI({ apiKey: "none", maxRetries: 0, fetch: served, logLevel: "off" });
}

async function endOf(reading: () => Promise<AsyncIterable<unknown>>): Promise<unknown> {
  try {
    for await (const each of await reading()) void each;
    return "a clean end";
  } catch (error) {
    return error;
  }
}

const dialects: Readonly<Record<string, Spoken>> = {
  "openai-chat": {
    ingress: ingressOf(openaiChat),
    events: [chunk({ role: "assistant", content: "" }), chunk({ content: "hello é😀" }), chunk({}, "stop"), "data: [DONE]\n\n"],
    read: (text) => endOf(() => client(text).chat.completions.create({ model: "m", messages: [], stream: true })),
  },
  "openai-responses": {
    ingress: ingressOf(openaiResponses),
    events: [
      event("response.created", { response: { id: "r", status: "in_progress", output: [] } }),
      event("response.output_text.delta", { delta: "hello é😀", item_id: "i", output_index: 0, content_index: 0 }),
      event("response.completed", { response: { id: "r", status: "completed", output: [] } }),
    ],
    read: (text) => endOf(() => client(text).responses.create({ model: "m", input: "", stream: true })),
  },
  gemini: {
    ingress: ingressOf(gemini),
    events: [part("hello"), part(" é😀"), part("", { finishReason: "STOP" })],
    read(text) {
      vi.stubGlobal("fetch", async () => new Response(text, { headers: { "content-type": "text/event-stream" } }));
      return endOf(() => new GoogleGenAI({ apiKey: "none" }).models.generateContentStream({ model: "m", contents: "" }));
    },
  },
};

describe.each(Object.entries(dialects))("a stream of %s", (_, { ingress, events, read }) => {
  const whole = events.join("");

  it("that breaks at any byte, or ends there, is an error for the vendor's client, and never a clean end; between events it is ours", async () => {
    const bytes = Buffer.from(whole);
    const [first = "", second = ""] = events;
    const from = Buffer.byteLength(first);
    const to = from + Buffer.byteLength(second);
    const last = bytes.length - Buffer.byteLength(events.at(-1) ?? "");
    const places = [0, 1, ...Array.from({ length: to - from + 2 }, (__, at) => from - 1 + at), last - 1, last];
    for (const how of ["breaks", "ends"]) {
      const texts = await Promise.all(
        places.map(async (at) => {
          const { base, queue } = await serve("stream", [], { ingress });
          queue.push(bytes.subarray(0, at));
          if (how === "breaks") queue.fail(cutOff);
          else queue.end();
          return (await ask(base, "{}")).text;
        }),
      );
      for (const [index, text] of texts.entries()) {
        expect(text).not.toContain("[DONE]");
        expect(text).not.toContain("response.completed");
        const end = await read(text);
        const at = places[index] ?? 0;
        // Half an event is no JSON, and cannot be taken back.
        const isFair = [0, from, to, last].includes(at) ? end instanceof APIError || end instanceof GoogleError : end instanceof Error;
        if (!isFair) expect.fail(`${how} at byte ${at}: ${String(end)}\n${text}`);
      }
      closeServed();
    }
  });

  it("that came whole ends as it came", async () => {
    const { base, queue, drained } = await serve("stream", [], { ingress });
    queue.push(Buffer.from(whole));
    queue.fail(cutOff);
    expect(await ask(base, "{}")).toMatchObject({ end: "clean", text: whole });
    expect((await drained).failure).toBeUndefined();
  });

  it("is pinged between two events, and those pings keep it alive, if anything does", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { base, queue, response } = await serve("stream", [], { ingress });
    const answer = await openAnswer(base, "{}");
    await response;
    queue.push(Buffer.from(events[0] ?? ""));
    await answer.until(events[0] ?? "");
    vi.advanceTimersByTime(10_000);
    await answer.until((events[0] ?? "") + Buffer.from(ingress.ping).toString());
    expect(ingress.isKeepAlive?.(ingress.ping)).toBe(true);
    queue.push(Buffer.from(events.slice(1).join("")));
    queue.end();
    expect(await answer.ended).toBe("clean");
  });
});

describe("a reply that was held before it came", () => {
  it("is pinged as though the caller had waited for it all along", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { base, queue, response } = await serve("stream", [], { quietMs: 9_900 });
    const answer = await openAnswer(base, "{}");
    await response;
    vi.advanceTimersByTime(200);
    await answer.until(ping.toString());
    vi.advanceTimersByTime(9_999);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(answer.text).toBe(ping.toString());
    vi.advanceTimersByTime(1);
    await answer.until(ping.toString().repeat(2));
    queue.fail(cutOff);
    await answer.ended;
  });

  it("is not pinged before what there is of it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { base, queue, response } = await serve("stream", [], { quietMs: 60_000 });
    queue.push(Buffer.from(": held\n\n"));
    const answer = await openAnswer(base, "{}");
    await response;
    await answer.until(": held\n\n");
    vi.advanceTimersByTime(9_999);
    queue.push(Buffer.from(": more\n\n"));
    await answer.until(": held\n\n: more\n\n");
    expect(answer.text).toBe(": held\n\n: more\n\n");
    queue.fail(cutOff);
    await answer.ended;
  });
});
