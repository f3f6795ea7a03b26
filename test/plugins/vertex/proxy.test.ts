import { generateKeyPairSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { ask } from "../../helpers/client.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { jsonReply, textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "claude-code-20250219,context-management-2025-06-27" };

function entry(group: string, model: string, params: Readonly<Record<string, unknown>>): unknown {
  return { model_name: group, litellm_params: { model, ...params } };
}

function credentials(upstream: Upstream): Record<string, unknown> {
  const private_key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    type: "service_account",
    project_id: "of-the-key",
    client_email: "r@p.iam.gserviceaccount.com",
    private_key,
    token_uri: `${upstream.url}/token`,
  };
}

describe("Claude Code on Google Cloud", () => {
  it("streams from Claude with a token of the service account", async () => {
    await using upstream = await startUpstream();
    const path = "/v1/projects/of-the-key/locations/us-east5/publishers/anthropic/models/claude-opus-5-5:streamRawPredict";
    upstream.script(textReply("hello from the cloud"), `POST ${path}`);
    upstream.script(jsonReply({ access_token: "ya29.test", expires_in: 3600, token_type: "Bearer" }), "POST /token");
    const params = { api_base: upstream.url, vertex_location: "us-east5", vertex_credentials: credentials(upstream) };
    await using proxy = await startProxy({ config: { model_list: [entry("opus", "vertex_ai/claude-opus-5-5", params)] } });
    for (let turn = 0; turn < 2; turn++) {
      const answer = await ask(proxy.url, claudeCodeBody({ model: "opus" }), { headers });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.text).toContain("message_stop");
    }
    const [request] = upstream.requestsTo(path);
    expect(request?.headers["authorization"]).toBe("Bearer ya29.test");
    expect(request?.headers["anthropic-beta"]).toBe("context-management-2025-06-27");
    expect(request?.headers["anthropic-version"]).toBeUndefined();
    expect(request?.json()).toMatchObject({ anthropic_version: "vertex-2023-10-16", stream: true });
    expect(request?.json()).not.toHaveProperty("model");
    expect(upstream.requestsTo("/token")).toHaveLength(1);
  });

  it("reaches Gemini, in Gemini's words", async () => {
    await using upstream = await startUpstream();
    const path = "/v1beta1/projects/p/locations/global/publishers/google/models/gemini-4-argon:generateContent";
    const candidates = [{ content: { role: "model", parts: [{ text: "hi from Gemini" }] }, finishReason: "STOP", index: 0 }];
    upstream.script(
      jsonReply({ candidates, usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 } }),
      `POST ${path}`,
    );
    upstream.script(jsonReply({ access_token: "ya29.test", expires_in: 3600 }), "POST /token");
    const params = { api_base: upstream.url, vertex_project: "p", vertex_credentials: credentials(upstream) };
    await using proxy = await startProxy({ config: { model_list: [entry("argon", "vertex_ai/gemini-4-argon", params)] } });
    const body = JSON.stringify({ model: "argon", max_tokens: 100, messages: [{ role: "user", content: "hi" }] });
    const answer = await ask(proxy.url, body, { headers });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toMatchObject({ content: [{ type: "text", text: "hi from Gemini" }], stop_reason: "end_turn" });
    expect(upstream.requestsTo(path)[0]?.headers["authorization"]).toBe("Bearer ya29.test");
  });

  it("says what is wrong with its login, and asks the model for nothing", async () => {
    await using upstream = await startUpstream();
    upstream.script(jsonReply({ error: "invalid_grant", error_description: "Invalid JWT Signature." }, { status: 400 }), "POST /token");
    const params = { api_base: upstream.url, vertex_credentials: credentials(upstream) };
    await using proxy = await startProxy({ config: { model_list: [entry("opus", "vertex_ai/claude-opus-5-5", params)] } });
    const answer = await ask(proxy.url, claudeCodeBody({ model: "opus" }), { headers });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({
      type: "error",
      error: { type: "authentication_error", message: expect.stringContaining("Invalid JWT Signature") },
    });
    expect(answer.text).not.toContain("PRIVATE KEY");
    await proxy.stop(0);
    expect(await proxy.logText()).not.toContain("PRIVATE KEY");
    expect(upstream.requests.map(({ path }) => path)).toEqual(["/token"]);
  });
});

describe("Claude Code on Azure", () => {
  it("reaches a deployment of a dated version with its key", async () => {
    await using upstream = await startUpstream();
    const path = "/openai/deployments/prod/chat/completions";
    const choices = [{ index: 0, message: { role: "assistant", content: "hi from Azure" }, finish_reason: "stop" }];
    const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
    upstream.script(
      jsonReply({ id: "c", object: "chat.completion", model: "gpt-4.1", choices, usage, prompt_filter_results: [] }),
      `POST ${path}`,
    );
    const params = { api_base: upstream.url, api_key: "azure-key", api_version: "2024-10-21" };
    await using proxy = await startProxy({ config: { model_list: [entry("gpt", "azure/prod", params)] } });
    const body = JSON.stringify({ model: "gpt", max_tokens: 100, messages: [{ role: "user", content: "hi" }] });
    const answer = await ask(proxy.url, body, { headers });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toMatchObject({ content: [{ type: "text", text: "hi from Azure" }] });
    const [request] = upstream.requestsTo(path);
    expect(request?.url).toBe(`${path}?api-version=2024-10-21`);
    expect(request?.headers["api-key"]).toBe("azure-key");
    expect(request?.json()).toMatchObject({ model: "prod", max_completion_tokens: 100 });
  });

  it("reaches Claude in Foundry with a token of Entra", async () => {
    await using upstream = await startUpstream();
    upstream.script(jsonReply({ access_token: "entra", expires_in: 3600 }), "POST /t/oauth2/v2.0/token");
    upstream.script(textReply("hi from Foundry"), "POST /anthropic/v1/messages");
    const client = { tenant_id: "t", client_id: "c", client_secret: "s3cret", azure_authority_host: upstream.url };
    await using proxy = await startProxy({
      config: { model_list: [entry("opus", "azure_ai/claude-opus-5-5", { api_base: upstream.url, ...client })] },
    });
    const answer = await ask(proxy.url, claudeCodeBody({ model: "opus" }), { headers });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain("message_stop");
    const [request] = upstream.requestsTo("/anthropic/v1/messages");
    expect(request?.headers).toMatchObject({ authorization: "Bearer entra", "anthropic-version": "2023-06-01" });
    expect(request?.body.toString()).not.toContain("x-anthropic-billing-header");
    await proxy.stop(0);
    expect(await proxy.logText()).not.toContain("s3cret");
  });
});
