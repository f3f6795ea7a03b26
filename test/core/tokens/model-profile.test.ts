import { describe, expect, it } from "vitest";
import { modelProfile } from "../../../core/tokens/model-profile.ts";

describe("what is known of a model", () => {
  it.each<[model: string, encoding: string, keepsThinking: boolean, toolPrompt: number]>([
    ["claude-opus-5-5", "newer", true, 286],
    ["claude-opus-5-5[1m]", "newer", true, 286],
    ["claude-opus-5", "newer", true, 286],
    ["claude-opus-4-8", "newer", true, 290],
    ["anthropic/claude-opus-4-7", "newer", true, 675],
    ["claude-sonnet-5-5", "newer", true, 354],
    ["claude-haiku-5-5", "newer", true, 354],
    ["claude-fable-5-1", "newer", true, 286],
    ["claude-opus", "newer", true, 286],
    ["claude-opus-4-6", "older", true, 497],
    ["claude-opus-4-5-20251101", "older", true, 496],
    ["claude-opus-4-5@20251101", "older", true, 496],
    ["claude-sonnet-4-6", "older", true, 497],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "older", false, 496],
    ["claude-haiku-4-5-20251001", "older", false, 496],
    ["claude-opus-4-1-20250805", "older", false, 313],
    ["claude-sonnet-4-20250514", "older", false, 313],
    ["claude-3-7-sonnet-latest", "older", false, 346],
    ["claude-3-5-haiku-20241022", "older", false, 264],
    ["claude-3-opus-20240229", "older", false, 530],
    ["gpt-6", "plain", true, 0],
    ["gemini-2.5-pro", "plain", true, 0],
    ["", "plain", true, 0],
  ])("%s", (model, encoding, keepsThinking, toolPrompt) => {
    const profile = modelProfile(model);
    expect([profile.encoding, profile.keepsThinking, profile.toolPrompt.free]).toEqual([encoding, keepsThinking, toolPrompt]);
  });

  it("later models take larger images", () => {
    expect(modelProfile("claude-opus-4-7").images.tokens).toBe(4784);
    expect(modelProfile("claude-opus-4-6").images.tokens).toBe(1568);
  });
});
