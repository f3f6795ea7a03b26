import { describe, expect, test } from "vitest";

import { bedrock } from "../../../plugins/bedrock/index.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { forInvoke, forMessagesEndpoint } from "../../../plugins/bedrock/messages-body.ts";
import { address, providerOf } from "../../helpers/provider.ts";

const provider = providerOf(bedrock, "bedrock");
const params = { aws_region_name: "us-east-1" };

/** The shape that Claude Code sends today. */
const claudeCode = {
  model: "anthropic.claude-opus-4-6-v1",
  messages: [{ role: "user", content: [{ type: "text", text: "Grüße 👋", cache_control: { type: "ephemeral", ttl: "1h" } }] }],
  system: [{ type: "text", text: "You are…", cache_control: { type: "ephemeral" } }],
  tools: [
    { name: "Bash", description: "d", strict: true, input_schema: { type: "object", properties: { strict: { type: "boolean" } } } },
    { name: "Later", description: "d", defer_loading: true, eager_input_streaming: true, input_schema: { type: "object" } },
  ],
  metadata: { user_id: '{"device_id":"d","account_uuid":"","session_id":"s"}' },
  max_tokens: 32000,
  thinking: { type: "adaptive", display: "omitted" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "high" },
  tags: ["x"],
  safeguards: { mode: "auto" },
  brand_new_field: { a: 1 },
  stream: true,
};

describe("a request of today's client for InvokeModel", () => {
  test("has the version in its body, and neither the model nor what Bedrock refuses", () => {
    const { json } = address(provider, { model: claudeCode.model, params, body: claudeCode, stream: true });
    expect(json).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      messages: claudeCode.messages,
      system: claudeCode.system,
      tools: [
        { name: "Bash", description: "d", input_schema: { type: "object", properties: { strict: { type: "boolean" } } } },
        { name: "Later", description: "d", defer_loading: true, input_schema: { type: "object" } },
      ],
      max_tokens: 32000,
      thinking: { type: "adaptive", display: "omitted" },
      output_config: { effort: "high" },
    });
  });

  test("what is kept is kept byte for byte", () => {
    const text = '{ "messages":[ {"role":"user","content":"\\u00fc  \\/"} ] ,\n "tags":[1], "model":"m","max_tokens": 1e3 }';
    const bytes = forInvoke(createRequestBody(Buffer.from(text)), { added: new Set(), betas: ["b"] });
    expect(Buffer.from(bytes).toString()).toBe(
      '{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b"], "messages":[ {"role":"user","content":"\\u00fc  \\/"} ] ,\n "max_tokens": 1e3 }',
    );
  });

  test("a compaction stays where its beta is named", () => {
    const edits = [{ type: "clear_thinking_20251015" }, { type: "compact_20260112", trigger: { type: "input_tokens", value: 60000 } }];
    const body = { ...claudeCode, context_management: { edits } };
    const headers = [["anthropic-beta", "compact-2026-01-12"]] as const;
    expect(address(provider, { model: claudeCode.model, params, body, headers }).json).toMatchObject({
      context_management: { edits: [edits[1]] },
      anthropic_beta: ["compact-2026-01-12"],
    });
    expect(address(provider, { model: claudeCode.model, params, body }).json).not.toHaveProperty("context_management");
  });

  test("a body with nothing but refused fields is still a body", () => {
    const bytes = forInvoke(createRequestBody(Buffer.from('{"model":"m","stream":true}')), { added: new Set(), betas: [] });
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({ anthropic_version: "bedrock-2023-05-31" });
  });

  test("repeated fields all go", () => {
    const bytes = forInvoke(createRequestBody(Buffer.from('{"model":"a","max_tokens":1,"model":"b"}')), { added: new Set(), betas: [] });
    expect(Buffer.from(bytes).toString()).toBe('{"anthropic_version":"bedrock-2023-05-31","max_tokens":1}');
  });
});

describe("a request of today's client for the Messages endpoint", () => {
  test("keeps its model and all that is known there", () => {
    const { json } = address(provider, { model: "anthropic.claude-opus-5", params, body: claudeCode, stream: true });
    const { metadata: _, tags: _t, safeguards: _s, brand_new_field: _b, tools, ...kept } = claudeCode;
    expect(json).toEqual({
      ...kept,
      tools: tools.map(({ strict: _strict, eager_input_streaming: _eager, ...tool }) => tool),
    });
  });

  test("passes as the same bytes where there is nothing to refuse", () => {
    const body = createRequestBody(Buffer.from('{ "model":"m", "messages":[ ], "metadata": {"user_id":"user_1"} }'));
    expect(forMessagesEndpoint(body, { added: new Set() })).toBe(body.bytes);
  });

  test.each([
    ["user_abc_account__session_123", true],
    ["", true],
    ['{"device_id":"d"}', false],
    ["a".repeat(257), false],
    ["ü", false],
  ])("metadata.user_id %j is sent: %s", (user_id, isSent) => {
    const body = { model: "m", metadata: { user_id } };
    const { json } = address(provider, { model: "anthropic.claude-opus-5", params, body });
    expect(json).toEqual(isSent ? body : { model: "m" });
  });

  test("what extra_body names is meant, known here or not", () => {
    const asked = { ...params, extra_body: { brand_new_field: { a: 1 } } };
    const body = { model: "m", brand_new_field: { a: 1 }, other: 1 };
    expect(address(provider, { model: "anthropic.claude-opus-5", params: asked, body }).json).toEqual({
      model: "m",
      brand_new_field: { a: 1 },
    });
    expect(address(provider, { model: "anthropic.claude-opus-4-6-v1", params: asked, body }).json).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      brand_new_field: { a: 1 },
    });
  });
});
