import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { startProxy, type Proxy } from "../../helpers/proxy.ts";
import type { Loose } from "./targets.ts";

interface Asked {
  readonly path: string;
  readonly text: string;
  readonly body: Loose;
}

/** Speaks Messages below `/claude` and Chat Completions below `/chat`. */
let upstream: ReturnType<typeof createServer>;
let proxy: Proxy;
let asked: Asked[] = [];
let answer: (body: Loose, response: ServerResponse) => void;

beforeAll(async () => {
  upstream = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      asked.push({ path: request.url ?? "", text, body: JSON.parse(text) });
      answer(JSON.parse(text), response);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  proxy = await startProxy({
    config: {
      model_list: [
        { model_name: "claude", litellm_params: { model: "anthropic/claude-sonnet-5-5", api_base: `${base}/claude`, api_key: "sk-ant-1" } },
        { model_name: "local", litellm_params: { model: "hosted_vllm/qwen", api_base: `${base}/chat/v1`, api_key: "sk-1" } },
      ],
    },
  });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  upstream.close();
});

beforeEach(() => {
  asked = [];
});

function client(path = "/v1"): OpenAI {
  return new OpenAI({ apiKey: "sk-any", baseURL: `${proxy.url}${path}`, maxRetries: 0 });
}

function json(status: number, body: unknown): typeof answer {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
}

const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5-5",
  content: [{ type: "text", text: "Hi" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "qwen",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const hello = [{ role: "user" as const, content: "Hello" }];

test("a client of this wire is answered by a host of Messages, whole", async () => {
  answer = json(200, message);
  const reply = await client().chat.completions.create({ model: "claude", messages: [{ role: "system", content: "s" }, ...hello] });
  expect(reply.choices[0]).toMatchObject({ message: { content: "Hi" }, finish_reason: "stop" });
  expect(asked[0]?.body).toMatchObject({ model: "claude-sonnet-5-5", system: [{ type: "text", text: "s" }], max_tokens: 32_000 });
});

test("and in a stream that breaks off, which the client hears of", async () => {
  answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: message_start\ndata: ${JSON.stringify({ type: "message_start", message: { ...message, content: [] } })}\n\n`);
    response.write(
      `event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n`,
    );
    response.write(
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n`,
    );
    response.end(`event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`);
  };
  let words = "";
  const reading = async (): Promise<void> => {
    const stream = await client().chat.completions.create({ model: "claude", messages: hello, stream: true });
    for await (const chunk of stream) words += chunk.choices[0]?.delta.content ?? "";
  };
  await expect(reading()).rejects.toThrow("Overloaded");
  expect(words).toBe("Hi");
});

test.each(["/openai/deployments/claude", "/engines/claude", ""])("the paths %s/chat/completions lead here", async (path) => {
  answer = json(200, message);
  const reply = await client(path).chat.completions.create({ model: path === "" ? "claude" : "other", messages: hello });
  expect(reply.choices[0]?.message.content).toBe("Hi");
  expect(asked[0]?.body.model).toBe("claude-sonnet-5-5");
});

test("a host of this wire gets the bytes, with its own model", async () => {
  answer = json(200, completion);
  const body = '{ "model":"local", "messages":[{"role":"user","content":"Gr\\u00fc\\u00dfe"}], "brand_new": 1.0 }';
  const response = await fetch(`${proxy.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(await response.json()).toEqual(completion);
  expect(asked[0]).toMatchObject({ path: "/chat/v1/chat/completions", text: body.replace('"local"', '"qwen"') });
});

test("a path that names the model leads to the host's own path", async () => {
  answer = json(200, completion);
  await client("/engines/local").chat.completions.create({ model: "other", messages: hello });
  expect(asked[0]).toMatchObject({ path: "/chat/v1/chat/completions", body: { model: "qwen" } });
});

test("embeddings pass as they are", async () => {
  const list = {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.5] }],
    model: "qwen",
    usage: { prompt_tokens: 1, total_tokens: 1 },
  };
  answer = json(200, list);
  const response = await fetch(`${proxy.url}/v1/embeddings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"model":"local","input":"a"}',
  });
  expect(await response.json()).toEqual(list);
  expect(asked[0]).toMatchObject({ path: "/chat/v1/embeddings", text: '{"model":"qwen","input":"a"}' });
});

test("a request that is none is refused with its place", async () => {
  const refused = await client()
    .chat.completions.create({ model: "claude", messages: [{ role: "king" }] as Loose })
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 400, param: "messages.0.role", type: "invalid_request_error" });
});
