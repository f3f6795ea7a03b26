import { expect, test } from "vitest";

import { coversRoutes, isRouteAllowed, isRouteEntry } from "../../../core/keys/route-access.ts";

test.each([
  [[], "/v1/messages", true],
  [[], "/v1/chat/completions", true],
  [[], "/chat/completions", true],
  [[], "/v1/responses/resp_1/input_items", true],
  [[], "/v1beta/models/gemini-pro:generateContent", true],
  [[], "/key/generate", false],
  [[], "/key/info", false],
  [["llm_api_routes"], "/v1/messages", true],
  [["management_routes"], "/key/generate", true],
  [["management_routes"], "/v1/messages", false],
  [["info_routes"], "/key/info", true],
  [["info_routes"], "/key/generate", false],
  [["/v1/messages"], "/v1/messages", true],
  [["/v1/messages"], "/v1/messages/count_tokens", false],
  [["/v1/messages"], "/V1/messages", false],
  [["/v1/*"], "/v1/chat/completions", true],
  [["/v1/*"], "/v1x", false],
  [["*"], "/anything", true],
  [["nothing"], "nothing", false],
])("with %j, %s is allowed: %s", (routes, path, isAllowed) => {
  expect(isRouteAllowed(routes, path)).toBe(isAllowed);
});

test.each([
  "/v1/../key/generate",
  "/v1//messages",
  "/v1/./x",
  "/v1/..",
  "/v1/%2e%2e/key",
  "/v1/a%2Fb",
  "/v1/a\\b",
  "/v1/%252e",
  "/v1/\0",
  "/v1/a?x",
])("%j, which may be taken for another path, is allowed to nobody", (path) => {
  expect(isRouteAllowed(["*", "/v1/*"], path)).toBe(false);
});

test("an entry is a group, or a path", () => {
  expect(["/v1/*", "info_routes", "*"].every(isRouteEntry)).toBe(true);
  expect(["", "v1", "all_routes", "/v1/../key", "/v1//x"].some(isRouteEntry)).toBe(false);
});

test.each([
  [[], [], true],
  [[], ["/v1/messages"], true],
  [[], ["/v1/images/*"], true],
  [[], ["/v1/*"], false],
  [[], ["management_routes"], false],
  [["/v1/*"], [], false],
  [["/v1/*"], ["/v1/models/*", "/v1/*"], true],
  [["management_routes"], ["/key/generate", "/key/*"], true],
  [["management_routes"], ["info_routes"], false],
  [["management_routes", "/health", "/health/*"], ["info_routes"], true],
  [["*"], ["*", "llm_api_routes", "management_routes"], true],
  [["/v1/*"], ["*"], false],
])("%j covers %j: %s", (routes, wanted, isCovered) => {
  expect(coversRoutes(routes, wanted)).toBe(isCovered);
});
