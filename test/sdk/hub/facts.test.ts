import { describe, expect, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { MessagesFacts } from "../../../sdk/hub/facts.ts";
import { claudeCodeBody, TINY_PNG } from "../../helpers/claude-body.ts";

function facts(body: unknown, headers: Readonly<Record<string, string>> = {}): MessagesFacts {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return new MessagesFacts(createRequestBody(bytes), { get: (name) => headers[name] });
}

const uuid = "0f4c0f7e-6b0f-4f55-9d8e-0a1b2c3d4e5f";
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: TINY_PNG } };

describe("model and stream", () => {
  test("are read as they were sent", () => {
    expect(facts({ model: "claude-x", stream: true })).toMatchObject({ model: "claude-x", stream: true });
    expect(facts('{"model":"a","model":"b","mod\\u0065l":"c\\u00e9"}').model).toBe("cé");
  });

  test.each([undefined, null, 7, ["claude-x"], { name: "claude-x" }])("a model that is no text is none: %j", (model) => {
    expect(facts({ model }).model).toBe("");
  });

  test.each([undefined, "true", 1, null])("only true asks for a stream, not %j", (stream) => {
    expect(facts({ stream }).stream).toBe(false);
  });
});

describe("the session", () => {
  const withUser = (userId: unknown): unknown => ({ metadata: { user_id: userId } });

  test.each([
    ["today's JSON text", JSON.stringify({ device_id: "d", account_uuid: "a", session_id: uuid })],
    ["the older joined text", `user_0123abcd_account_9f_session_${uuid}`],
    ["the older text without an account", `user_0123abcd_account__session_${uuid}`],
  ])("is read from %s", (_form, userId) => {
    expect(facts(withUser(userId)).session).toBe(uuid);
  });

  test("of the header wins", () => {
    expect(facts(withUser(`user_x_session_${uuid}`), { "x-claude-code-session-id": "of-the-header" }).session).toBe("of-the-header");
    expect(facts(withUser(`user_x_session_${uuid}`), { "x-claude-code-session-id": "" }).session).toBe(uuid);
  });

  test.each([
    ["another text", "customer-7"],
    ["broken JSON", '{"session_id":"x"'],
    ["JSON without one", '{"device_id":"d"}'],
    ["JSON with a number", '{"session_id":7}'],
    ["an empty one", '{"session_id":""}'],
    ["nothing behind the word", "user_x_session_"],
    ["the word twice", `user_x_session_a_session_b`],
    ["a number", 7],
    ["nothing", undefined],
    ["one beyond all measure", JSON.stringify({ session_id: "x".repeat(100_000) })],
    ["one with a line break", JSON.stringify({ session_id: "a\nb" })],
  ])("is not read from %s", (_what, userId) => {
    expect(facts(withUser(userId)).session).toBeUndefined();
  });

  test("is missing where there is no metadata, or no mapping", () => {
    for (const metadata of [undefined, null, "text", ["user_id"]]) expect(facts({ metadata }).session).toBeUndefined();
  });
});

test.each([
  ["claude-cli/2.1.330 (external, sdk-cli)", "claude-code"],
  ["Anthropic/JS 1.12.0", "anthropic-sdk"],
  ["OpenAI/JS 7.57.0", "openai-sdk"],
  ["Bun/1.3", "other"],
  ["not claude-cli/1", "other"],
  [undefined, "other"],
])("user agent %s is of the kind %s", (agent, kind) => {
  expect(facts({}, agent === undefined ? {} : { "user-agent": agent }).client).toBe(kind);
});

test("agent id and type come from their headers", () => {
  const read = facts({}, { "x-claude-code-agent-id": "a1", "x-claude-code-agent-type": "general-purpose" });
  expect(read).toMatchObject({ agentId: "a1", agentType: "general-purpose" });
  expect(facts({})).toMatchObject({ agentId: undefined, agentType: undefined });
});

describe("thinking and effort", () => {
  test.each([
    [{ type: "adaptive", display: "omitted" }, "adaptive"],
    [{ type: "enabled", budget_tokens: 1024 }, "enabled"],
    [{ type: "disabled" }, "disabled"],
    [{ type: "between_the_lines" }, "none"],
    [{}, "none"],
    ["enabled", "none"],
    [null, "none"],
    [undefined, "none"],
  ])("%j is the mode %s", (thinking, mode) => {
    expect(facts({ thinking }).thinking).toBe(mode);
  });

  test("effort is what output_config says", () => {
    expect(facts({ output_config: { effort: "xhigh" } }).effort).toBe("xhigh");
    for (const config of [undefined, {}, { effort: 7 }, "high"]) expect(facts({ output_config: config }).effort).toBeUndefined();
  });
});

describe("tools", () => {
  test("are named in order; those without a type are custom", () => {
    const tools = [
      { name: "Bash", input_schema: {} },
      { type: "web_search_20250305", name: "web_search" },
      { type: "custom", name: "Bash" },
      null,
      {},
    ];
    expect(facts({ tools })).toMatchObject({
      toolNames: ["Bash", "web_search", "Bash", "", ""],
      toolTypes: ["custom", "web_search_20250305", "custom", "custom", "custom"],
    });
    for (const none of [undefined, null, {}, "Bash"]) expect(facts({ tools: none })).toMatchObject({ toolNames: [], toolTypes: [] });
  });

  test("used ones are those the conversation called, each once", () => {
    const use = (name: unknown): unknown => ({ type: "tool_use", id: "t", name, input: { type: "tool_use", name: "Nested" } });
    const messages = [
      { role: "user", content: 'please "tool_use" Bash' },
      { role: "assistant", content: [{ type: "text", text: "{}" }, use("Read"), use("Bash")] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: '{"type":"tool_use","name":"Quoted"}' }] },
      { role: "assistant", content: [use("Read"), { type: "server_tool_use", name: "web_search" }] },
    ];
    expect(facts({ tools: [{ name: "Declared" }], messages }).usedToolNames).toEqual(["Read", "Bash"]);
    expect(facts({ messages: [{ role: "user", content: "hi" }] }).usedToolNames).toEqual([]);
  });
});

describe("images", () => {
  const inContent = (content: unknown): boolean =>
    facts({
      messages: [
        { role: "user", content: "hi" },
        { role: "user", content },
      ],
    }).hasImage;

  test("are found in a message and inside a tool result", () => {
    expect(inContent([{ type: "text", text: "see" }, image])).toBe(true);
    expect(inContent([{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "read" }, image] }])).toBe(true);
    expect(facts(claudeCodeBody({ turns: 2, image: true })).hasImage).toBe(true);
  });

  test.each([
    ["the word in a text", 'an "image" of it'],
    ["a block in a text", [{ type: "text", text: JSON.stringify(image) }]],
    ["a block in the input of a tool", [{ type: "tool_use", id: "t", name: "Draw", input: image }]],
    ["a block in a tool result that is text", [{ type: "tool_result", tool_use_id: "t", content: JSON.stringify(image) }]],
    ["a list of another kind", [null, "image", 7, ["image"]]],
  ])("%s is none", (_what, content) => {
    expect(inContent(content)).toBe(false);
  });

  test("a Claude Code body without one has none", () => {
    expect(facts(claudeCodeBody({ turns: 2 })).hasImage).toBe(false);
  });
});

test("messages and bytes are counted", () => {
  const body = '{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"b"}]}';
  expect(facts(body)).toMatchObject({ messageCount: 2, bodyBytes: Buffer.byteLength(body) });
  expect(facts({ messages: "none" }).messageCount).toBe(0);
});

test("content nested without end is answered, not crashed on", () => {
  const depth = 400;
  const nested = `${'{"type":"tool_result","content":['.repeat(depth)}"image"${"]}".repeat(depth)}`;
  expect(facts(`{"messages":[{"role":"user","content":[${nested}]}]}`).hasImage).toBe(false);
});
