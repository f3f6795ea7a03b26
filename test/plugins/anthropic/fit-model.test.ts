import { describe, expect, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { fitModel } from "../../../plugins/anthropic/fit-model.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { targetOf } from "../../helpers/targets.ts";

const messages = [{ role: "user", content: "hi" }];

function fitted(model: string, fields: object, maxOutputTokens?: number): unknown {
  const body = createRequestBody(Buffer.from(JSON.stringify({ model: "asked", messages, ...fields })));
  const target = targetOf({ model });
  const {
    model: _,
    messages: kept,
    ...rest
  } = fitModel(body, { ...target, modelFacts: { ...target.modelFacts, maxOutputTokens } }, () => undefined).json();
  expect(kept).toEqual(messages);
  return rest;
}

const adaptive = { thinking: { type: "adaptive", display: "omitted" } };
const budget = { thinking: { type: "enabled", budget_tokens: 2000 } };
const disabled = { thinking: { type: "disabled" } };

describe("thinking", () => {
  test.each([
    ["claude-haiku-4-5-20251001", adaptive, {}],
    ["claude-sonnet-4-5", adaptive, {}],
    ["claude-sonnet-4-5", budget, budget],
    ["claude-opus-4-6", adaptive, adaptive],
    ["claude-opus-4-6", budget, budget],
    ["claude-opus-4-8", budget, { thinking: { type: "adaptive" } }],
    ["claude-opus-5-5", budget, { thinking: { type: "adaptive" } }],
    ["claude-opus-5-5", disabled, {}],
    ["claude-fable-5-2", disabled, {}],
    ["claude-sonnet-5", disabled, disabled],
    ["claude-3-5-haiku-latest", budget, {}],
    ["anthropic.claude-haiku-4-5-v1:0", adaptive, {}],
  ])("%s is asked with %j as %j", (model, asked, expected) => {
    expect(fitted(model, asked)).toEqual(expected);
  });

  test("edits of thinking go with it", () => {
    const context_management = { edits: [{ type: "clear_thinking_20251015", keep: "all" }] };
    expect(fitted("claude-haiku-4-5", { ...adaptive, context_management })).toEqual({});
    expect(fitted("claude-opus-5", { ...adaptive, context_management })).toEqual({ ...adaptive, context_management });
  });
});

describe("effort", () => {
  const effort = (value: string, more = {}): object => ({ output_config: { effort: value, ...more } });
  const format = { format: { type: "json_schema", schema: {} } };
  test.each([
    ["claude-haiku-4-5", effort("high"), {}],
    ["claude-haiku-4-5", effort("high", format), { output_config: format }],
    ["claude-opus-4-5", effort("xhigh"), effort("high")],
    ["claude-sonnet-4-6", effort("max"), effort("high")],
    ["claude-sonnet-4-6", effort("low"), effort("low")],
    ["claude-opus-5-5", effort("xhigh"), effort("xhigh")],
  ])("%s is asked with %j as %j", (model, asked, expected) => {
    expect(fitted(model, asked)).toEqual(expected);
  });
});

describe("other fields", () => {
  test("sampling is left out where it is refused, and only there", () => {
    const sampling = { temperature: 0.5, top_p: 0.9, top_k: 5 };
    expect(fitted("claude-opus-5-5", { ...sampling, stream: true })).toEqual({ stream: true });
    expect(fitted("claude-haiku-4-5", sampling)).toEqual(sampling);
  });

  test("a tool that is forced becomes a free choice where forcing is refused", () => {
    const tool_choice = { type: "tool", name: "Bash" };
    expect(fitted("claude-opus-5-5", { tool_choice })).toEqual({ tool_choice: { type: "auto" } });
    expect(fitted("claude-opus-5", { tool_choice })).toEqual({ tool_choice });
  });

  test("more tokens than the model can give are asked for as many as it can", () => {
    expect(fitted("claude-haiku-4-5", { max_tokens: 128_000 }, 64_000)).toEqual({ max_tokens: 64_000 });
    expect(fitted("claude-haiku-4-5", { max_tokens: 1000 }, 64_000)).toEqual({ max_tokens: 1000 });
  });
});

test("a request of today's Claude Code fits an older model, its system messages folded, its billing block kept", () => {
  const body = createRequestBody(claudeCodeBody());
  const sent = JSON.stringify(fitModel(body, targetOf({ model: "claude-haiku-4-5" }), () => undefined).json());
  expect(sent).not.toContain('"role":"system"');
  expect(sent).not.toContain('"adaptive"');
  expect(sent).not.toContain('"effort"');
  expect(sent).toContain("x-anthropic-billing-header");
});

test("a request that fits, or whose model is nobody's, keeps its bytes", () => {
  const body = createRequestBody(Buffer.from(JSON.stringify({ model: "m", messages, ...adaptive, max_tokens: 10 })));
  for (const model of ["claude-opus-5-5", "glm-5", "unheard-of"]) expect(fitModel(body, targetOf({ model }), () => undefined)).toBe(body);
});
