import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, onTestFinished, test } from "vitest";

import { startProxy } from "../../helpers/proxy.ts";
import { type Described, chunkFrame, frameOf } from "./frame.ts";
import { expectedSignature, readClaim } from "./signature.ts";

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const keys = { aws_access_key_id: "AKIDEXAMPLE", aws_secret_access_key: secret, aws_region_name: "us-west-2" };
const asked = { model: "m", max_tokens: 100, messages: [{ role: "user" as const, content: "Hi" }] };

interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  readonly isSigned: boolean;
}

describe("through the proxy", () => {
  test("Converse streams for a client of the Messages API, signed", async () => {
    const events: readonly Described[] = [
      { event: "messageStart", payload: { role: "assistant" } },
      { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: { text: "Hel" } } },
      { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: { text: "lo" } } },
      { event: "contentBlockStop", payload: { contentBlockIndex: 0 } },
      { event: "messageStop", payload: { stopReason: "end_turn" } },
      { event: "metadata", payload: { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } } },
    ];
    const { client, seen } = await start("us.amazon.nova-pro-v1:0", keys, (response) => sendFrames(response, events.map(frameOf)));
    const message = await client.messages.stream(asked).finalMessage();
    expect(message).toMatchObject({
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    expect(seen[0]).toMatchObject({
      path: "/model/us.amazon.nova-pro-v1%3A0/converse-stream",
      isSigned: true,
      body: { messages: [{ role: "user", content: [{ text: "Hi" }] }], inferenceConfig: { maxTokens: 100 } },
    });
  });

  test("Converse answers whole", async () => {
    const { client, seen } = await start("openai.gpt-oss-120b-1:0", keys, (response) => {
      const message = { role: "assistant", content: [{ toolUse: { toolUseId: "tooluse_1", name: "Bash", input: { a: 1 } } }] };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ output: { message }, stopReason: "tool_use", usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } }),
      );
    });
    const message = await client.messages.create({ ...asked, tools: [{ name: "Bash", input_schema: { type: "object" } }] });
    expect(message.content).toEqual([{ type: "tool_use", id: "tooluse_1", name: "Bash", input: { a: 1 } }]);
    expect(seen[0]?.path).toBe("/model/openai.gpt-oss-120b-1%3A0/converse");
  });

  test("InvokeModel streams the Messages API's own events out of its frames", async () => {
    const events = [
      {
        type: "message_start",
        message: { id: "msg_1", type: "message", role: "assistant", model: "c", content: [], usage: { input_tokens: 3, output_tokens: 1 } },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 2 } },
      { type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 3 } },
    ];
    const model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    const { client, seen } = await start(model, keys, (response) => sendFrames(response, events.map(chunkFrame)));
    const message = await client.messages.stream({ ...asked, metadata: { user_id: "{}" } }).finalMessage();
    expect(message.content).toMatchObject([{ type: "text", text: "Hello" }]);
    expect(seen[0]).toMatchObject({ path: `/model/${encodeURIComponent(model)}/invoke-with-response-stream`, isSigned: true });
    expect(seen[0]?.body).toEqual({ anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: asked.messages });
  });

  test("the Messages endpoint gets a key of Bedrock as x-api-key, and the model in the body", async () => {
    const { client, seen } = await start("anthropic.claude-opus-5", { api_key: "ABSKkey" }, (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const usage = { input_tokens: 3, output_tokens: 2 };
      response.end(JSON.stringify({ id: "msg_1", type: "message", role: "assistant", content: [{ type: "text", text: "Hello" }], usage }));
    });
    const message = await client.messages.create(asked);
    expect(message.content).toEqual([{ type: "text", text: "Hello" }]);
    expect(seen[0]).toMatchObject({ path: "/anthropic/v1/messages", body: { model: "anthropic.claude-opus-5" } });
    expect(seen[0]?.headers).toMatchObject({ "x-api-key": "ABSKkey", "anthropic-version": "2026-10-21" });
    expect(seen[0]?.headers["authorization"]).toBeUndefined();
  });

  test("a key of Bedrock is a bearer elsewhere", async () => {
    const { client, seen } = await start("amazon.nova-pro-v1:0", { api_key: "ABSKkey" }, (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ output: { message: { content: [{ text: "Hello" }] } }, stopReason: "end_turn", usage: {} }));
    });
    await client.messages.create(asked);
    expect(seen[0]?.headers["authorization"]).toBe("Bearer ABSKkey");
  });

  test("a prompt that is too long is told in the words that clients know", async () => {
    const { client } = await start("amazon.nova-pro-v1:0", keys, (response) => {
      response.writeHead(400, { "content-type": "application/json", "x-amzn-errortype": "ValidationException:http://x/" });
      response.end(JSON.stringify({ message: "Input is too long for requested model." }));
    });
    await expect(client.messages.create(asked)).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/prompt is too long: \d+ tokens > \d+ maximum/),
    });
  });
});

async function start(
  model: string,
  params: Readonly<Record<string, unknown>>,
  answer: (response: ServerResponse) => void,
): Promise<{ client: Anthropic; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      const { authorization = "" } = headers;
      const request = { method: "POST", path: incoming.url ?? "", headers, body };
      const claim = authorization.startsWith("AWS4") ? readClaim(authorization) : undefined;
      const isSigned = claim !== undefined && claim.signature === expectedSignature(request, claim, secret);
      seen.push({ path: request.path, headers: incoming.headers, body: JSON.parse(body.toString()), isSigned });
      answer(outgoing);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const litellm_params = { model: `bedrock/${model}`, api_base: `http://127.0.0.1:${port}`, ...params };
  const proxy = await startProxy({ config: { model_list: [{ model_name: "m", litellm_params }] } });
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { client: new Anthropic({ baseURL: proxy.url, apiKey: "any", maxRetries: 0 }), seen };
}

function sendFrames(response: ServerResponse, frames: readonly Uint8Array[]): void {
  response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
  for (const frame of frames) response.write(frame);
  response.end();
}
