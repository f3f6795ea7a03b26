import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import { ask } from "../../helpers/client.ts";
import { type Proxy, startProxy } from "../../helpers/proxy.ts";
import { anthropicWire } from "../../helpers/wires/anthropic.ts";
import { geminiWire } from "../../helpers/wires/gemini.ts";
import { openaiChatWire } from "../../helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../../helpers/wires/openai-responses.ts";
import { says } from "../../helpers/wires/script.ts";
import { type Wire, type WireHost, startWire } from "../../helpers/wires/wire.ts";
import { type OwnServices, type TestCache, createTestCache } from "../cache/spliced-chain.ts";

const own = vi.hoisted(() => ({ services: {} as OwnServices }));

vi.mock("../../../core/chain.ts", async (original) => {
  const chainOf = (await original<{ readonly createChain: typeof createChain }>()).createChain;
  const { withCache } = await import("../cache/spliced-chain.ts");
  const create: typeof createChain = (services, route) => withCache(chainOf(services, route), { ...services, ...own.services });
  return { createChain: create };
});

interface Client {
  readonly name: string;
  readonly request: (stream: boolean) => { readonly path: string; readonly body: unknown };
  /** How its stream ends. */
  readonly end: string;
}

const messages = [{ role: "user", content: "hi" }];
const clients: readonly Client[] = [
  {
    name: "anthropic",
    request: (stream) => ({ path: "/v1/messages", body: { model: "m", max_tokens: 50, messages, stream } }),
    end: "event: message_stop",
  },
  {
    name: "openai-chat",
    request: (stream) => ({ path: "/v1/chat/completions", body: { model: "m", messages, stream } }),
    end: "data: [DONE]",
  },
  {
    name: "openai-responses",
    request: (stream) => ({ path: "/v1/responses", body: { model: "m", input: "hi", stream } }),
    end: "event: response.completed",
  },
  {
    name: "gemini",
    request: (stream) => ({
      path: stream ? "/v1beta/models/m:streamGenerateContent?alt=sse" : "/v1beta/models/m:generateContent",
      body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
    }),
    end: '"finishReason":"STOP"',
  },
];

const key = { api_key: "sk-deployment-key" };
const upstreams: readonly { readonly wire: Wire; readonly params: Readonly<Record<string, unknown>>; readonly path?: string }[] = [
  { wire: anthropicWire, params: { model: "anthropic/claude-sonnet-5-5", ...key } },
  { wire: openaiChatWire, params: { model: "openai/chat/gpt-4.1", ...key }, path: "/v1" },
  { wire: openaiResponsesWire, params: { model: "openai/responses/gpt-6-sol", ...key }, path: "/v1" },
  { wire: geminiWire, params: { model: "gemini/gemini-4-argon", ...key } },
];

let cache: TestCache;

beforeEach(() => {
  cache = createTestCache();
  own.services = cache.services;
});

describe.each(upstreams)("behind an upstream that speaks $wire.name", ({ wire, params, path = "" }) => {
  let host: WireHost;
  let proxy: Proxy;

  beforeEach(async () => {
    host = await startWire(wire, (_, index) => says(`answer ${index} of this host`));
    proxy = await startProxy({
      config: {
        model_list: [{ model_name: "m", litellm_params: { ...params, api_base: `${host.url}${path}` } }],
        litellm_settings: { cache: true, cache_params: { type: "local" } },
      },
    });
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  describe.each(clients)("a client that speaks $name", ({ request, end }) => {
    const send = async (stream: boolean): ReturnType<typeof ask> => {
      const { path: to, body } = request(stream);
      return ask(proxy.url, JSON.stringify(body), { path: to });
    };

    test.each([
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ])("is answered from the cache (streamed: first %s, then %s)", async (first, second) => {
      const fresh = await send(first);
      const again = await send(second);
      expect([fresh.status, again.status, again.end]).toEqual([200, 200, "clean"]);
      expect(host.asked.length).toBe(1);
      expect(cache.figures.describe()).toMatchObject({ hits: 1, misses: 1, stored: 1 });
      expect(again.headers["content-type"]).toContain(second ? "text/event-stream" : "application/json");
      // Pieces of a stream part the words.
      expect(again.text.replaceAll(/[^a-z0-9]+/gi, "")).toContain("0");
      if (second) expect(again.text.replaceAll(/:\s*"/g, ':"')).toContain(end);
      else expect(again.text).toContain("answer 0 of this host");
    });
  });
});
