/** One hook file, every client's dialect, every upstream's: it is told the same words, and what it does has the same effect. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { anthropicClient } from "./compatibility/clients/anthropic.ts";
import { geminiClient } from "./compatibility/clients/gemini.ts";
import { openaiChatClient } from "./compatibility/clients/openai-chat.ts";
import { openaiResponsesClient } from "./compatibility/clients/openai-responses.ts";
import { type Proxy, startProxy } from "./helpers/proxy.ts";
import { told } from "./helpers/user-log.ts";
import { anthropicWire } from "./helpers/wires/anthropic.ts";
import { bedrockWire } from "./helpers/wires/bedrock.ts";
import { geminiWire } from "./helpers/wires/gemini.ts";
import { openaiChatWire } from "./helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "./helpers/wires/openai-responses.ts";
import { says } from "./helpers/wires/script.ts";
import { type Wire, type WireHost, startWire } from "./helpers/wires/wire.ts";

const hook = `
import { defineHook, lastUserText } from "ccproxy/sdk";

const tell = (context, more) => context.log(JSON.stringify({ id: context.locals.get("id"), phase: context.phase, ...more }));

export default defineHook({
  buffer: true,
  preCall(request, context) {
    context.locals.set("id", lastUserText(request));
    tell(context, {});
    request.messages.at(-1).content = "asked by preCall";
  },
  preUpstream(request, context) {
    tell(context, { asked: lastUserText(request), group: context.target.group });
  },
  onEvent(event, context) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") event.delta.text = event.delta.text.toUpperCase();
  },
  postCall(reply, context) {
    tell(context, { said: reply.content.map((block) => block.text ?? "").join(""), stop: reply.stop_reason });
    reply.content.push({ type: "text", text: " AND postCall" });
  },
  onError(error, context) {
    const { status, type, source } = error;
    tell(context, { status, type, source });
  },
  onComplete({ outcome, usage }, context) {
    tell(context, { outcome, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, cacheReadTokens: usage.cacheReadTokens });
  },
});
`;

interface Place {
  readonly wire: Wire;
  readonly params: object;
  /** What is behind the host's own address. */
  readonly path?: string;
}

const key = { api_key: "sk-deployment-key" };
const places: readonly Place[] = [
  { wire: anthropicWire, params: { model: "anthropic/claude-sonnet-5-5", ...key } },
  { wire: openaiChatWire, params: { model: "openai/chat/gpt-4.1", ...key }, path: "/v1" },
  { wire: openaiResponsesWire, params: { model: "openai/responses/gpt-6-sol", ...key }, path: "/v1" },
  { wire: geminiWire, params: { model: "gemini/gemini-4-argon", ...key } },
  { wire: bedrockWire, params: { model: "bedrock/converse/amazon.nova-2-lite-v1:0", aws_region_name: "us-east-1", ...key } },
];
const clients = [anthropicClient, openaiChatClient, openaiResponsesClient, geminiClient];

const words = "A reply of a model, long enough for some events.";
let hosts: readonly WireHost[] = [];
let proxy: Proxy;

beforeAll(async () => {
  hosts = await Promise.all(places.map(({ wire }) => startWire(wire, says(words))));
  proxy = await startProxy({
    config: {
      model_list: places.map(({ wire, params, path = "" }, index) => ({
        model_name: wire.name,
        litellm_params: { ...params, api_base: `${hosts[index]?.url}${path}` },
      })),
    },
    files: { "hooks/parity.ts": hook },
  });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const host of hosts) await host[Symbol.asyncDispose]();
});

/** What the hook has to have been told of each request, in order; looked at once, when all have ended. */
const expected: (readonly Record<string, unknown>[])[] = [];

describe.each(clients.flatMap((client) => places.map(({ wire }, index) => [client.name, wire.name, client, index] as const)))(
  "%s → %s",
  (clientName, group, client, index) => {
    it.each(["stream", "whole"] as const)("what the hook does has the same effect: %s", async (how) => {
      const host = hosts[index];
      host?.script(says(words));
      const id = `${clientName} asks ${group} for a ${how}`;
      const said = await client.open({ baseUrl: proxy.url, model: group }).say({ text: id }, how);
      expect(said).toMatchObject({ text: `${words.toUpperCase()} AND postCall`, end: "stop", calls: [] });

      const sent = JSON.stringify(host?.asked.at(-1)?.turns);
      expect(sent).toContain("asked by preCall");
      expect(sent).not.toContain(id);
      expected.push([
        { id, phase: "preCall" },
        { id, phase: "preUpstream", asked: "asked by preCall", group },
        { id, phase: "postCall", said: words.toUpperCase(), stop: "end_turn" },
        { id, phase: "onComplete", outcome: "completed", inputTokens: 100, outputTokens: 30, cacheReadTokens: 20 },
      ]);
    });

    it("the hook is told of the upstream's refusal", async () => {
      hosts[index]?.script({ failure: "rate limit" });
      const id = `${clientName} is refused by ${group}`;
      await expect(client.open({ baseUrl: proxy.url, model: group }).say({ text: id }, "whole")).rejects.toThrow();
      expected.push([
        { id, phase: "preCall" },
        { id, phase: "preUpstream", asked: "asked by preCall", group },
        { id, phase: "onError", status: 429, type: "rate_limit_error", source: "upstream" },
        expect.objectContaining({ id, phase: "onComplete" }),
      ]);
    });
  },
);

it("in every dialect the hook was told the same", async () => {
  const byId = Map.groupBy(await told(proxy), ({ id }) => id);
  expect(byId.size).toBe(clients.length * places.length * 3);
  for (const calls of expected) expect(byId.get(calls[0]?.["id"])).toEqual(calls);
});
