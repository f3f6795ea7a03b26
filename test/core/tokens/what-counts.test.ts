import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { afterAll, describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { createTokenService } from "../../../core/tokens/token-service.ts";
import type { TokenCountMode } from "../../../sdk/rule.ts";
import { TINY_PNG } from "../../helpers/claude-body.ts";
import { jpegHeader, pngHeader } from "./image-headers.ts";
import { sample } from "./sample-conversation.ts";

const service = createTokenService();
afterAll(() => service.close());

const count = (request: unknown, mode?: TokenCountMode): Promise<number> =>
  service.counterFor(createRequestBody(Buffer.from(JSON.stringify(request)))).count(mode);
const user = (content: unknown): unknown => ({ role: "user", content });
const assistant = (content: unknown): unknown => ({ role: "assistant", content });
const NEW = "claude-opus-5-5";
const OLD = "claude-sonnet-4-20250514";
const messages = (...list: unknown[]): Record<string, unknown> => ({ model: NEW, messages: list });

describe("in a count of everything", () => {
  const text = sample("prose-en");

  it.each<[where: string, without: unknown, withText: unknown]>([
    ["the system prompt as a text", messages(user("x")), { ...messages(user("x")), system: text }],
    ["the system prompt as blocks", messages(user("x")), { ...messages(user("x")), system: [{ type: "text", text }] }],
    ["a text block", messages(user([])), messages(user([{ type: "text", text }]))],
    ["a message that is a text", messages(user("")), messages(user(text))],
    [
      "a system message in the middle",
      messages({ role: "system", content: "" }),
      messages({ role: "system", content: [{ type: "text", text }] }),
    ],
    ["thinking", messages(assistant([])), messages(assistant([{ type: "thinking", thinking: text, signature: "s" }]))],
    [
      "a tool call's input",
      messages(assistant([{ type: "tool_use", name: "T", input: {} }])),
      messages(assistant([{ type: "tool_use", name: "T", input: { a: text } }])),
    ],
    [
      "a tool result's text",
      messages(user([{ type: "tool_result", content: "" }])),
      messages(user([{ type: "tool_result", content: text }])),
    ],
    [
      "a tool result's blocks",
      messages(user([{ type: "tool_result", content: [] }])),
      messages(user([{ type: "tool_result", content: [{ type: "text", text }] }])),
    ],
    [
      "a document of text",
      messages(user([{ type: "document", source: { type: "text", data: "" } }])),
      messages(user([{ type: "document", source: { type: "text", data: text } }])),
    ],
    [
      "a document of blocks",
      messages(user([{ type: "document", source: { type: "content", content: [] } }])),
      messages(user([{ type: "document", source: { type: "content", content: [{ type: "text", text }] } }])),
    ],
    [
      "a search result",
      messages(user([{ type: "search_result", source: "", title: "", content: [] }])),
      messages(user([{ type: "search_result", source: "", title: "", content: [{ type: "text", text }] }])),
    ],
    ["a block of a kind not known yet", messages(user([{ type: "novel" }])), messages(user([{ type: "novel", body: text }]))],
  ])("the text of %s counts", async (_where, without, withText) => {
    const added = (await count(withText)) - (await count(without));
    expect(added).toBeGreaterThan(390);
    expect(added).toBeLessThan(440);
  });

  it("a tool's description and schema count, and the hidden prompt comes with the first tool", async () => {
    const tool = { name: "T", description: "", input_schema: { type: "object" } };
    const none = await count(messages(user("x")));
    const one = await count({ ...messages(user("x")), tools: [tool] });
    const two = await count({ ...messages(user("x")), tools: [tool, tool] });
    const described = await count({ ...messages(user("x")), tools: [{ ...tool, description: text }] });
    expect(one - none).toBeGreaterThan(286 + 15);
    expect(two - one).toBeLessThan(40);
    expect(described - one).toBeGreaterThan(390);
    const forced = await count({ ...messages(user("x")), tools: [tool], tool_choice: { type: "any" } });
    expect(forced - one).toBe(406 - 286);
  });

  it("a deferred tool counts once a search has brought it in", async () => {
    const tools = [{ name: "Late", description: text, input_schema: {}, defer_loading: true }];
    const reference = { type: "tool_result", content: [{ type: "tool_reference", tool_name: "Late" }] };
    const before = await count({ ...messages(user([{ type: "tool_result", content: [] }])), tools });
    const after = await count({ ...messages(user([reference])), tools });
    expect(after - before).toBeGreaterThan(390 + 286);
  });

  it("a tool the provider defines counts with its documented size", async () => {
    const none = await count(messages(user("x")));
    const bash = await count({ ...messages(user("x")), tools: [{ type: "bash_20250124", name: "bash" }] });
    expect(bash - none).toBe(286 + 245);
  });

  it("images count by their size, wherever they stand and however much data they hold", async () => {
    const image = (data: string): unknown => ({ type: "image", source: { type: "base64", media_type: "image/png", data } });
    const none = await count(messages(user([])));
    expect((await count(messages(user([image(TINY_PNG)])))) - none).toBe(1);
    expect((await count(messages(user([image(pngHeader(1000, 1000))])))) - none).toBe(1296);
    expect((await count(messages(user([image(jpegHeader(1000, 1000, 50_000))])))) - none).toBe(1296);
    const inResult = await count(messages(user([{ type: "tool_result", content: [image(pngHeader(1000, 1000))] }])));
    expect(inResult - (await count(messages(user([{ type: "tool_result", content: [] }]))))).toBe(1296);
  });

  it("an image whose size cannot be read counts as a screenshot", async () => {
    const none = await count(messages(user([])));
    for (const source of [{ type: "url", url: "https://example.com/a.png" }, { type: "base64", data: "AAAA" }, undefined]) {
      expect((await count(messages(user([{ type: "image", source }])))) - none).toBe(2691);
    }
  });

  it("a PDF counts by its pages", async () => {
    const pdf = (pages: number): unknown => {
      const file = `%PDF-1.4\n1 0 obj <</Type /Pages /Count ${pages}>>\n${"<</Type /Page /Parent 1 0 R>>\n".repeat(pages)}`;
      return { type: "document", source: { type: "base64", media_type: "application/pdf", data: Buffer.from(file).toString("base64") } };
    };
    const none = await count(messages(user([])));
    expect((await count(messages(user([pdf(1)])))) - none).toBe(2325);
    expect((await count(messages(user([pdf(7)])))) - none).toBe(7 * 2325);
  });

  it("thinking of earlier turns counts only for models that keep it", async () => {
    const thought = (thinking: string): unknown =>
      assistant([
        { type: "thinking", thinking, signature: "s" },
        { type: "tool_use", name: "T", input: {} },
      ]);
    const result = user([{ type: "tool_result", content: "" }]);
    const added = async (model: string, ...after: unknown[]): Promise<number> => {
      const request = (thinking: string): unknown => ({ model, messages: [user("x"), thought(thinking), result, ...after] });
      return (await count(request(text))) - (await count(request("")));
    };
    expect(await added(NEW, user("next"))).toBeGreaterThan(390);
    expect(await added(OLD, user("next"))).toBe(0);
    // Within the turn the model goes on with, tool results do not end it.
    expect(await added(OLD)).toBeGreaterThan(280);
    const kept = { context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] } };
    const request = (thinking: string): unknown => ({
      model: OLD,
      messages: [user("x"), thought(thinking), result, user("next")],
      ...kept,
    });
    expect((await count(request(text))) - (await count(request("")))).toBeGreaterThan(280);
  });

  it("sealed thinking counts by its size", async () => {
    const sealed = async (block: unknown): Promise<number> =>
      (await count(messages(assistant([block])))) - (await count(messages(assistant([]))));
    const signature = "A".repeat(8000);
    expect(await sealed({ type: "thinking", thinking: "", signature })).toBe(Math.round((6000 - 250) / 4));
    expect(await sealed({ type: "redacted_thinking", data: signature })).toBe(Math.round((6000 - 250) / 4));
    expect(await sealed({ type: "thinking", thinking: "short", signature })).toBeLessThan(10);
  });

  it("the model decides the tokenizer", async () => {
    const of = (model: unknown): Promise<number> => count({ model, messages: [user(text)] });
    expect(await of(NEW)).toBeGreaterThan((await of(OLD)) * 1.25);
    expect(await of("gemini-3-pro")).toBe(countTokens(text) + 7);
    expect(await of(undefined)).toBe(await of("gemini-3-pro"));
  });
});

describe("in a count of the text of messages", () => {
  const textOf = (request: unknown): Promise<number> => count(request, "messages_text");
  const pangram = "The quick brown fox jumps over the lazy dog. ";

  it("system, tools, calls, results, thinking and images do not count", async () => {
    const image = { type: "image", source: { type: "base64", data: TINY_PNG } };
    const blocks = [{ type: "text", text: "one two" }, image, { type: "tool_result", content: "no" }, { type: "thinking", thinking: "no" }];
    expect(await textOf({ ...messages(user(blocks)), system: "no no", tools: [{ name: "no", input_schema: {} }] })).toBe(2);
  });

  it("eighty pangrams stay under a thousand tokens and a hundred and fifty go over", async () => {
    expect(await textOf(messages(user(pangram.repeat(80))))).toBeLessThan(1000);
    expect(await textOf(messages(user(pangram.repeat(150))))).toBeGreaterThan(1000);
  });

  it("several messages add up", async () => {
    const one = await textOf(messages(user(pangram.repeat(300))));
    expect(one * 4).toBeGreaterThan(10_000);
    expect(await textOf(messages(...Array.from({ length: 4 }, () => user(pangram.repeat(300)))))).toBeGreaterThan(10_000);
  });

  it.each<[what: string, list: unknown, expected: number]>([
    ["texts among the messages", ["one two", user("three")], 3],
    ["null, numbers and objects as content", [user(null), user(5), user({ a: 1 }), {}], 0],
    ["text blocks without text", [user([{ type: "text" }, { type: "text", text: null }, { text: "untyped" }, null, 5])], 0],
    ["a text for messages", "text", 0],
    ["an object for messages", { role: "user", content: "x" }, 0],
    ["null for messages", null, 0],
    ["no message", [], 0],
    ["signs of all kinds", [user("Zürich 🙂 漢字")], countTokens("Zürich 🙂 漢字")],
  ])("%s", async (_what, list, expected) => {
    expect(await textOf({ messages: list })).toBe(expected);
  });

  it("is what the texts give when they are joined by spaces, for every model", async () => {
    const pieces = ["prose-en", "source-py", "markdown", "log", "prose-de", "json"].map((name) => sample(name).trim());
    const joined = countTokens(pieces.join(" "));
    for (const model of [NEW, OLD, "gpt-4", "gemini-3-pro", ""]) {
      expect(await textOf({ model, messages: pieces.map(user) })).toBe(joined);
    }
  });
});
