/** A row of the table in a running proxy: what a user of LiteLLM has in config.yaml and in the environment is enough. */

import { expect, test } from "vitest";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { jsonReply, rawReply } from "../../helpers/replies.ts";
import { startUpstream } from "../../helpers/upstream.ts";

const reply = rawReply((response) => {
  const delta = { role: "assistant", content: "Hi." };
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`);
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  response.write(`data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], x_groq: { usage } })}\n\n`);
  response.end("data: [DONE]\n\n");
});

test("key and base come from the provider's variables, and the deployment has the last word on the body", async () => {
  await using upstream = await startUpstream();
  upstream.script(reply, "*");
  const litellm_params = {
    model: "groq/openai/gpt-oss-120b",
    extra_body: { service_tier: "flex" },
    additional_drop_params: ["stream_options", "tools[*].function.description"],
  };
  await using proxy = await startProxy({
    environment: { GROQ_API_KEY: "gsk-from-the-environment", GROQ_API_BASE: `${upstream.url}/openai/v1/` },
    config: { model_list: [{ model_name: "fast", litellm_params }] },
  });
  const response = await fetch(new URL("/v1/messages", proxy.url), {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "sk-ant-callers-own" },
    body: claudeCodeBody({ model: "fast", effort: "max" }),
  });
  const text = await response.text();
  expect(text).toContain('"text":"Hi."');
  expect(text).toContain('"input_tokens":5,"output_tokens":2');
  expect(text).toContain("message_stop");
  const [sent] = upstream.requests;
  expect(sent?.url).toBe("/openai/v1/chat/completions");
  expect(sent?.headers["authorization"]).toBe("Bearer gsk-from-the-environment");
  expect(JSON.stringify(sent?.rawHeaders)).not.toContain("callers-own");
  const body = JSON.parse(sent?.body.toString("utf8") ?? "");
  expect(body).toMatchObject({
    model: "openai/gpt-oss-120b",
    service_tier: "flex",
    reasoning_effort: "high",
    max_completion_tokens: 64_000,
  });
  expect(body).not.toHaveProperty("stream_options");
  expect(body.tools.length).toBeGreaterThan(5);
  expect(JSON.stringify(body.tools)).not.toContain('"name":"Bash","description"');
  await proxy.stop(0);
  expect(await proxy.logText()).not.toContain("gsk-from-the-environment");
});

test("embeddings pass to who has them, as they are", async () => {
  await using upstream = await startUpstream();
  const vectors = {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.5] }],
    model: "e",
    usage: { prompt_tokens: 1, total_tokens: 1 },
  };
  upstream.script(jsonReply(vectors), "*");
  await using proxy = await startProxy({
    environment: { MISTRAL_API_KEY: "m-key" },
    config: {
      model_list: [
        { model_name: "embed", litellm_params: { model: "mistral/mistral-embed", api_base: upstream.url } },
        { model_name: "none", litellm_params: { model: "groq/x", api_base: upstream.url, api_key: "k" } },
      ],
    },
  });
  const embed = (model: string): Promise<Response> =>
    fetch(new URL("/v1/embeddings", proxy.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"input":["a", "b"] , "model":"${model}"}`,
    });
  expect(await (await embed("embed")).json()).toEqual(vectors);
  const [sent] = upstream.requests;
  expect([sent?.url, sent?.body.toString(), sent?.headers["authorization"]]).toEqual([
    "/v1/embeddings",
    '{"input":["a", "b"] , "model":"mistral-embed"}',
    "Bearer m-key",
  ]);
  expect((await embed("none")).status).toBe(501);
  expect(upstream.requests).toHaveLength(1);
});
