import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask } from "../../helpers/client.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { recordsOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { errorReply, jsonReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const mockText = "A mocked answer,\nwith two lines.\n";
const countPath = "/v1/messages/count_tokens";
const request = { model: "m", max_tokens: 5, messages: [{ role: "user" as const, content: "hi" }] };

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream(jsonReply({ ok: true }));
  const mock = { model_name: "mock", litellm_params: { model: "anthropic/claude-mock", mock_response: mockText } };
  proxy = await startProxy({ config: { model_list: [deployment("m", upstream.url, { model: "anthropic/served" }), mock] } });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

const sdk = (): Anthropic => new Anthropic({ apiKey: "none", baseURL: proxy.url, maxRetries: 0 });

describe("count_tokens", () => {
  it("is forwarded to an upstream that has it, the model replaced", async () => {
    upstream.script(jsonReply({ input_tokens: 41 }), `POST ${countPath}`);
    const { input_tokens: tokens } = await sdk().messages.countTokens({ model: "m", messages: request.messages });
    expect(tokens).toBe(41);
    expect(upstream.requestsTo(countPath)[0]?.json()).toEqual({ model: "served", messages: request.messages });
  });

  it.each([404, 405, 501])("is answered here where the upstream says %d", async (status) => {
    upstream.script(errorReply(status), `POST ${countPath}`);
    const body = claudeCodeBody({ model: "m" });
    const answer = await ask(proxy.url, body, { path: countPath });
    const { input_tokens: tokens } = answer.json() as { input_tokens: number };
    expect(answer.status).toBe(200);
    // A body of 50 KB is some ten thousand tokens; the tokenizer's own tests say how close.
    expect([tokens > body.length / 10, tokens < body.length]).toEqual([true, true]);
  });

  it.each([400, 401, 429, 500, 529])("keeps an error of the upstream that is about the request: %d", async (status) => {
    upstream.script(errorReply(status), `POST ${countPath}`);
    expect((await ask(proxy.url, JSON.stringify(request), { path: countPath })).status).toBe(status);
  });

  it("of a mock is answered here", async () => {
    const { input_tokens: tokens } = await sdk().messages.countTokens({ model: "mock", messages: request.messages });
    expect(tokens).toBeGreaterThan(0);
    expect(upstream.requests).toEqual([]);
  });
});

describe("a mocked deployment", () => {
  it("answers a stream that the vendor's client accepts", async () => {
    const message = await sdk()
      .messages.stream({ ...request, model: "mock" })
      .finalMessage();
    expect(message.content).toEqual([{ type: "text", text: mockText }]);
    expect(message).toMatchObject({ model: "claude-mock", stop_reason: "end_turn" });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
  });

  it("answers whole when no stream was asked for, and says where the answer came from", async () => {
    const { data, response } = await sdk()
      .messages.create({ ...request, model: "mock" })
      .withResponse();
    expect(data.content).toEqual([{ type: "text", text: mockText }]);
    expect(response.headers.get("x-ccproxy-model")).toBe("claude-mock");
    await untilIdle(proxy);
    expect(await recordsOf(proxy)).toMatchObject([{ outcome: "completed", status: 200, modelServed: "claude-mock", outputTokens: 6 }]);
  });
});
