import { describe, expect, it } from "vitest";

import { vertex } from "../../../plugins/vertex/index.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { address, type Asked, noVariables, providerOf, questionOf, variablesOf } from "../../helpers/provider.ts";

const provider = providerOf(vertex, "vertex_ai");
const placed = { vertex_project: "my-project", vertex_location: "us-east5" };
const below = "/v1/projects/my-project/locations";

describe("the address", () => {
  const cases: readonly (readonly [string, Asked, string])[] = [
    [
      "Claude",
      { model: "claude-opus-5-5" },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/publishers/anthropic/models/claude-opus-5-5:rawPredict`,
    ],
    [
      "Claude of a date, streamed",
      { model: "claude-opus-4-5@20251101", stream: true },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/publishers/anthropic/models/claude-opus-4-5@20251101:streamRawPredict`,
    ],
    [
      "Gemini",
      { model: "gemini-4-argon" },
      "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-east5/publishers/google/models/gemini-4-argon:generateContent",
    ],
    [
      "Gemini with its publisher, streamed",
      { model: "google/gemini-3.8-flash", stream: true },
      "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-east5/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
    ],
    [
      "counting for Gemini",
      { model: "gemini-4-argon", operation: "count_tokens", stream: true },
      "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-east5/publishers/google/models/gemini-4-argon:countTokens",
    ],
    [
      "a tuned Gemini",
      { model: "gemini/4711" },
      "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-east5/endpoints/4711:generateContent",
    ],
    [
      "a model that was deployed here",
      { model: "openai/4711" },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/endpoints/4711/chat/completions`,
    ],
    [
      "an open model",
      { model: "deepseek-ai/deepseek-v4-maas", stream: true },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/endpoints/openapi/chat/completions`,
    ],
    [
      "Mistral",
      { model: "mistral-medium-3@2505", stream: true },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/publishers/mistralai/models/mistral-medium-3@2505:streamRawPredict`,
    ],
    [
      "Jamba",
      { model: "jamba-1.5-large@001" },
      `https://us-east5-aiplatform.googleapis.com${below}/us-east5/publishers/ai21/models/jamba-1.5-large@001:rawPredict`,
    ],
  ];

  it.each(cases)("of %s", (_, asked, url) => {
    expect(address(provider, { params: placed, ...asked }).url).toBe(url);
  });

  it.each([
    ["global", "aiplatform.googleapis.com"],
    ["us", "aiplatform.us.rep.googleapis.com"],
    ["eu", "aiplatform.eu.rep.googleapis.com"],
    ["europe-west1", "europe-west1-aiplatform.googleapis.com"],
  ])("has the host of the location %s", (vertex_location, host) => {
    const { url } = address(provider, { model: "claude-opus-5-5", params: { vertex_project: "p", vertex_location } });
    expect(url).toBe(`https://${host}/v1/projects/p/locations/${vertex_location}/publishers/anthropic/models/claude-opus-5-5:rawPredict`);
  });

  it("takes project and location from variables, and what is served everywhere from the world", () => {
    const variables = variablesOf({ VERTEXAI_PROJECT: "from-env", VERTEXAI_LOCATION: "us-south1" });
    expect(address(provider, { model: "meta/llama-4", variables }).url).toContain(
      "https://us-south1-aiplatform.googleapis.com/v1/projects/from-env/locations/us-south1/",
    );
    expect(address(provider, { model: "claude-opus-5-5", params: { vertex_project: "p" } }).url).toContain(
      "https://aiplatform.googleapis.com/v1/projects/p/locations/global/",
    );
    expect(address(provider, { model: "meta/llama-4", params: { vertex_ai_project: 4711 } }).url).toContain(
      "/projects/4711/locations/us-central1/",
    );
    expect(address(provider, { model: "claude-opus-5-5" }).url).toContain("/projects/_/locations/global/");
  });

  it("of a key without a project is that of the express mode", () => {
    const asked = { model: "gemini-4-argon", params: { api_key: "AIza" } };
    const url = "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-4-argon:generateContent";
    expect(address(provider, asked).url).toBe(url);
  });

  it("stands below a base of one's own, however much of it was written", () => {
    const end = "publishers/anthropic/models/claude-opus-5-5:rawPredict";
    const asked = { model: "claude-opus-5-5", params: placed };
    for (const apiBase of [
      "https://proxy.example/gcp",
      "https://proxy.example/gcp/v1/",
      "https://proxy.example/gcp/v1/projects/my-project/locations/us-east5",
    ]) {
      expect(address(provider, { ...asked, apiBase }).url).toBe(`https://proxy.example/gcp${below}/us-east5/${end}`);
    }
    const model = "https://proxy.example/x/publishers/anthropic/models/other";
    expect(address(provider, { ...asked, apiBase: model }).url).toBe(`${model}:rawPredict`);
    expect(address(provider, { ...asked, apiBase: model, operation: "count_tokens" }).url).toBe(
      "https://proxy.example/x/publishers/anthropic/models/count-tokens:rawPredict",
    );
  });

  it.each([
    ["us-east5", "us-east5"],
    ["global", "global"],
    ["us-central1", "us-east5"],
    ["eu", "europe-west1"],
    ["europe-west4", "europe-west1"],
    ["asia-east1", "asia-southeast1"],
  ])("for counting Claude's tokens in %s is in %s", (vertex_location, place) => {
    const { url, json } = address(provider, {
      model: "claude-opus-4-5@20251101",
      params: { vertex_project: "p", vertex_location },
      operation: "count_tokens",
    });
    const host = place === "global" ? "aiplatform.googleapis.com" : `${place}-aiplatform.googleapis.com`;
    expect(url).toBe(`https://${host}/v1/projects/p/locations/${place}/publishers/anthropic/models/count-tokens:rawPredict`);
    expect(json).toEqual({ model: "claude-opus-4-5@20251101", messages: [] });
  });
});

describe("the body for Claude", () => {
  it("names the version and no model, and keeps every other byte", () => {
    const original = claudeCodeBody({ turns: 1 }).toString();
    const { outbound } = address(provider, { model: "claude-opus-5-5", params: placed, stream: true, body: JSON.parse(original) });
    const expected = original
      .replace('{"model":"claude-opus-5-5",', '{"anthropic_version":"vertex-2023-10-16",')
      .replace(/\{"type":"text","text":"x-anthropic-billing-header[^}]*\},/, "");
    expect(Buffer.from(outbound.body).toString()).toBe(expected);
  });

  it("lacks what is refused here; betas are named as this host names them", () => {
    const { json, headers } = address(provider, {
      model: "claude-opus-4-7",
      params: placed,
      body: {
        model: "x",
        tags: ["a"],
        safeguards: {},
        speed: "fast",
        mcp_servers: [],
        context_management: { edits: [] },
        system: [{ type: "text", text: "s", cache_control: { type: "ephemeral", scope: "global" } }],
        messages: [
          { role: "user", content: "hi" },
          { role: "system", content: "be brief" },
        ],
      },
      headers: [
        ["anthropic-beta", "claude-code-20250219,effort-2025-11-24,context-management-2025-06-27,advanced-tool-use-2025-11-20"],
        ["anthropic-version", "2023-06-01"],
        ["x-claude-code-session-id", "s"],
        ["user-agent", "claude-cli/2"],
      ],
    });
    expect(json).toEqual({
      anthropic_version: "vertex-2023-10-16",
      context_management: { edits: [] },
      system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "hi" },
            { type: "text", text: "<system-reminder>\nbe brief\n</system-reminder>" },
          ],
        },
      ],
    });
    expect(headers).toEqual({
      "user-agent": "claude-cli/2",
      "content-type": "application/json",
      "anthropic-beta": "context-management-2025-06-27,tool-search-tool-2025-10-19",
    });
  });
});

describe("the body for others", () => {
  it.each([
    ["deepseek-ai/deepseek-v4-maas", "deepseek-ai/deepseek-v4-maas"],
    ["publishers/qwen/models/qwen3-coder", "qwen/qwen3-coder"],
    ["llama-4-maverick", "meta/llama-4-maverick"],
    ["grok-4.7", "xai/grok-4.7"],
    ["google/gemma-4-maas", "google/gemma-4-maas"],
    ["mistralai/mistral-medium-3@2505", "mistral-medium-3"],
  ])("names %s as %s", (model, name) => {
    expect(address(provider, { model, params: placed }).json).toEqual({ model: name, messages: [] });
  });

  it("has no model for Gemini, and for counting is the request itself", () => {
    const contents = [{ role: "user", parts: [{ text: "hi" }] }];
    const asked = { model: "gemini-4-argon", params: placed };
    expect(address(provider, { ...asked, body: { model: "models/x", contents } }).json).toEqual({ contents });
    const wrapped = { generateContentRequest: { model: "models/x", contents, tools: [] } };
    expect(address(provider, { ...asked, operation: "count_tokens", body: wrapped }).json).toEqual({ contents, tools: [] });
  });

  it("comes with nothing of the caller's protocol", () => {
    const headers = [
      ["anthropic-version", "2023-06-01"],
      ["anthropic-beta", "a"],
      ["accept", "*/*"],
    ] as const;
    expect(address(provider, { model: "meta/llama-4", params: placed, headers }).headers).toEqual({
      accept: "*/*",
      "content-type": "application/json",
    });
  });
});

describe("the provider", () => {
  it("names the wire of each model and operation", () => {
    const wires = (model: string): readonly string[] =>
      (["generate", "count_tokens", "embeddings"] as const).map((operation) => provider.dialects(questionOf({ model }), operation).join());
    expect(wires("claude-opus-5-5")).toEqual(["anthropic", "anthropic", ""]);
    expect(wires("gemini-4-argon")).toEqual(["gemini", "gemini", ""]);
    expect(wires("meta/llama-4")).toEqual(["openai-chat", "", ""]);
    expect(wires("anthropic/claude-opus-5-5")).toEqual(["anthropic", "anthropic", ""]);
  });

  it("sends keys as keys and tokens as tokens", () => {
    const send = (form: "api-key" | "bearer", value: string): unknown =>
      provider.authorize([["user-agent", "a"]], { form, value }).slice(1);
    expect(send("api-key", "AIza")).toEqual([["x-goog-api-key", "AIza"]]);
    expect(send("api-key", "ya29.x")).toEqual([["authorization", "Bearer ya29.x"]]);
    expect(send("bearer", "t")).toEqual([["authorization", "Bearer t"]]);
    expect(provider.authorize([["user-agent", "a"]], { form: "bearer", value: "t", userAgent: "b" })).toEqual([
      ["user-agent", "b"],
      ["authorization", "Bearer t"],
    ]);
  });

  it.each([
    ["https://us-east5-aiplatform.googleapis.com/v1", true],
    ["https://aiplatform.eu.rep.googleapis.com", true],
    ["http://aiplatform.googleapis.com", false],
    ["https://aiplatform.googleapis.com:8443", false],
    ["https://aiplatform.googleapis.com.evil.example", false],
    ["https://evil-aiplatform.googleapis.com.example", false],
    ["https://aiplatform.de.rep.googleapis.com", false],
  ])("sends logins to %s: %s", (url, owns) => {
    expect(provider.ownsUrl(new URL(url))).toBe(owns);
  });

  it.each([
    [{ vertex_location: "evil.example/x" }, /vertex_location "evil.example\/x" is no location of Google Cloud/],
    [{ vertex_project: "../x" }, /vertex_project "..\/x" is no id/],
    [{ vertex_credentials: "/nowhere/key.json" }, /names the file "\/nowhere\/key.json", which does not exist/],
    [{ vertex_credentials: "{secret" }, /^vertex_credentials begins like JSON and is none$/],
  ])("says what cannot work in %j", (params, message) => {
    const faults = provider.check?.(questionOf({ model: "claude-opus-5-5", params }), noVariables) ?? [];
    expect(faults).toEqual([expect.stringMatching(message)]);
  });

  it("finds nothing wrong with what can", () => {
    expect(provider.check?.(questionOf({ model: "claude-opus-5-5", params: placed }), noVariables)).toEqual([]);
    expect(provider.check?.(questionOf({ model: "claude-opus-5-5", params: { vertex_credentials: { type: "x" } } }), noVariables)).toEqual(
      [],
    );
  });
});
