import { expect, test } from "vitest";

import { coversModels, isModelAllowed } from "../../../core/keys/model-access.ts";

const opus = { name: "opus", provider: "anthropic", accessGroups: ["beta"] };

test.each([
  [[], undefined, true],
  [["opus"], undefined, true],
  [["Opus"], undefined, false],
  [["op"], undefined, false],
  [["op*"], undefined, true],
  [["anthropic/*"], undefined, true],
  [["openai/*"], undefined, false],
  [["beta"], undefined, true],
  [["bet*"], undefined, false],
  [["*"], undefined, true],
  [["all-proxy-models"], undefined, true],
  [["no-default-models"], undefined, false],
  [["no-default-models", "opus"], undefined, true],
  [["all-team-models"], undefined, false],
  [["all-team-models"], [], true],
  [["all-team-models"], ["opus"], true],
  [["all-team-models"], ["haiku"], false],
  [["all-team-models"], ["all-team-models"], false],
])("%j, in a team with %j, allows opus: %s", (models, ofTeam, isAllowed) => {
  expect(isModelAllowed(models, opus, ofTeam)).toBe(isAllowed);
});

test("a wildcard of a provider does not allow models of several", () => {
  expect(isModelAllowed(["anthropic/*"], { name: "opus" })).toBe(false);
  expect(isModelAllowed(["anthropic/*"], { name: "anthropic/new-model" })).toBe(true);
});

test("the special words are no models", () => {
  for (const word of ["no-default-models", "all-team-models"]) expect(isModelAllowed([word], { name: word })).toBe(false);
});

test.each([
  [[], [], true],
  [[], ["x"], true],
  [["all-proxy-models"], [], true],
  [["opus"], [], false],
  [["opus"], ["opus"], true],
  [["opus"], ["opus", "haiku"], false],
  [["opus"], ["*"], false],
  [["opus"], ["all-proxy-models"], false],
  [["a*"], ["all-proxy-models"], false],
  [["a*"], ["all-team-models"], false],
  [["all-team-models"], ["all-team-models"], true],
  [["opus"], ["no-default-models"], true],
  [["anthropic/*"], ["anthropic/claude-*", "anthropic/x"], true],
  [["anthropic/claude-*"], ["anthropic/*"], false],
  [["b*"], ["beta"], false],
  [["b*"], ["bravo"], true],
  [["beta"], ["beta"], true],
])("%j covers %j: %s", (models, wanted, isCovered) => {
  expect(coversModels(models, wanted, new Set(["beta"]))).toBe(isCovered);
});
