/** An upstream that repeats a key in what it refuses does not hand it on to callers, who may be given less than the proxy holds. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";

import { afterEach, describe, expect, test } from "vitest";

import { ask } from "../helpers/client.ts";
import { type Proxy, startProxy } from "../helpers/proxy.ts";

const key = "sk-planted-key-of-the-deployment-Qm71";
const body = JSON.stringify({ model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });

const refusal = JSON.stringify({ type: "error", error: { type: "x", message: `Incorrect API key provided: ${key}. It is é.` } });

let upstream: Server;
let proxy: Proxy;

async function start(model: string): Promise<void> {
  upstream = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(401, { "content-type": "application/json" }).end(refusal));
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  if (address === null || typeof address === "string") throw new Error("it does not listen on a port");
  const litellm_params = { model, api_base: `http://127.0.0.1:${address.port}`, api_key: key };
  proxy = await startProxy({ config: { model_list: [{ model_name: "m", litellm_params }] } });
}

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

describe.each([
  ["anthropic/m", "/v1/messages"],
  ["openai/m", "/v1/messages"],
  ["openai/m", "/v1/chat/completions"],
])("a key repeated by %s", (model, path) => {
  test(`is not told at ${path}, the rest of the sentence is`, async () => {
    await start(model);
    const answer = await ask(proxy.url, body, { path });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("Incorrect API key provided: ");
    expect(answer.text).toContain("It is é.");
    expect(answer.text).not.toContain(key);
    expect(answer.end).toBe("clean");
    expect(() => answer.json()).not.toThrow();
  });
});
