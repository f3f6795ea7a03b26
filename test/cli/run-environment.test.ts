import { describe, expect, test } from "vitest";
import { runEnvironment } from "../../cli/run-environment.ts";

const url = "http://127.0.0.1:4000";

describe("the environment of a command that runs through the proxy", () => {
  test("points every SDK at the proxy and keeps everything else", () => {
    expect(runEnvironment({ HOME: "/home/me", ANTHROPIC_BASE_URL: "http://elsewhere", ANTHROPIC_API_KEY: "key" }, url)).toEqual({
      HOME: "/home/me",
      ANTHROPIC_API_KEY: "key",
      ANTHROPIC_BASE_URL: url,
      OPENAI_BASE_URL: url,
      OPENAI_API_BASE: url,
      CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1",
      CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
    });
  });

  test("of the extras the user's own values win, empty ones too", () => {
    const own = { CLAUDE_CODE_GATEWAY_HINT_HEADERS: "0", CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "" };
    expect(runEnvironment(own, url)).toMatchObject(own);
  });

  test.each([
    ["no proxy settings: none are made", {}, {}],
    ["an empty one is none", { HTTP_PROXY: "" }, {}],
    [
      "both spellings, since programs differ",
      { HTTPS_PROXY: "http://proxy:1" },
      { NO_PROXY: "127.0.0.1,localhost,::1", no_proxy: "127.0.0.1,localhost,::1" },
    ],
    [
      "only the spelling the user has",
      { https_proxy: "http://proxy:1", no_proxy: "corp, localhost" },
      { no_proxy: "corp,localhost,127.0.0.1,::1" },
    ],
    ["a star already says everything", { ALL_PROXY: "http://proxy:1", NO_PROXY: "*" }, { NO_PROXY: "*" }],
  ])("%s", (_what, own, wanted) => {
    const result = runEnvironment(own, url);
    expect(Object.fromEntries(Object.entries(result).filter(([name]) => /^no_proxy$/i.test(name)))).toEqual(wanted);
    for (const [name, value] of Object.entries(own)) if (!/^no_proxy$/i.test(name)) expect(result[name]).toBe(value);
  });

  test("an address that is not loopback goes around a proxy as well", () => {
    expect(runEnvironment({ HTTP_PROXY: "http://proxy:1" }, "http://10.1.2.3:4000")["NO_PROXY"]).toBe("127.0.0.1,localhost,::1,10.1.2.3");
  });
});
