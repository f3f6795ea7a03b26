import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { encodeTokenCount, modelList, watchReply } from "../../../plugins/anthropic/reply.ts";
import type { LocalReply } from "../../../sdk/dialect.ts";
import { encodeText } from "../../../sdk/hub/local-message.ts";

/** The vendor's own client, served these replies without a network. */
function clientOf(reply: LocalReply): Anthropic {
  const served = async (): Promise<Response> =>
    new Response(Buffer.concat(reply.chunks), {
      status: reply.status,
      headers: reply.headers.map(([name, value]): [string, string] => [name, value]),
    });
  return new Anthropic({ apiKey: "none", maxRetries: 0, fetch: served });
}

const request = { model: "claude-sonnet-5-5", max_tokens: 10, messages: [{ role: "user" as const, content: "hi" }] };
const texts = ["hello", "", " ", "two words", "  leading and trailing  ", "lines\n\nand\ttabs", "é😀 \ud83d\ude00", '"quotes" \\ {}'];

describe("a reply of fixed text", () => {
  it.each(texts)("is accepted by the vendor's client as a stream: %j", async (text) => {
    const reply = encodeText(text, { model: "m", stream: true, inputTokens: 3 });
    const message = await clientOf(reply).messages.stream(request).finalMessage();
    expect(message).toMatchObject({ type: "message", role: "assistant", model: "m", stop_reason: "end_turn", usage: { input_tokens: 3 } });
    expect(message.content.map((block) => (block.type === "text" ? block.text : block.type)).join("")).toBe(text);
  });

  it.each(texts)("is accepted by the vendor's client whole: %j", async (text) => {
    const reply = encodeText(text, { model: "m", stream: false, inputTokens: 3 });
    const message = await clientOf(reply).messages.create(request);
    expect(message.content).toEqual([{ type: "text", text }]);
    expect(message).toMatchObject({ model: "m", stop_reason: "end_turn", usage: { input_tokens: 3 } });
  });

  it("is complete for the watch that sees it go by, with its usage", () => {
    for (const stream of [true, false]) {
      const watch = watchReply(stream ? "text/event-stream; charset=utf-8" : "application/json");
      for (const chunk of encodeText("two words", { model: "m", stream, inputTokens: 3 }).chunks) watch.push(chunk);
      expect(watch.end()).toMatchObject({ complete: true, error: undefined, usage: { inputTokens: 3, outputTokens: 2 } });
    }
  });

  it("is one event a chunk, one delta a word", () => {
    const { chunks } = encodeText("three short words", { model: "m", stream: true, inputTokens: 3 });
    const names = chunks.map((chunk) => /^event: (\w+)\n/.exec(Buffer.from(chunk).toString())?.[1]);
    expect(names).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });
});

describe("other local replies", () => {
  it("a token count is accepted by the vendor's client", async () => {
    expect(await clientOf(encodeTokenCount(42)).messages.countTokens(request)).toEqual({ input_tokens: 42 });
  });

  it("a model list is accepted by the vendor's client, empty or not", async () => {
    const models = [
      { id: "claude-a", displayName: "A" },
      { id: "claude-b", displayName: "B" },
    ];
    const page = await clientOf(modelList.encode(models)).models.list();
    expect(page.data.map(({ id, display_name: name }) => [id, name])).toEqual([
      ["claude-a", "A"],
      ["claude-b", "B"],
    ]);
    expect((await clientOf(modelList.encode([])).models.list()).data).toEqual([]);
  });

  it("groups that a client would ignore get an id it does not", () => {
    expect(["claude-x", "anthropic-y", "gpt-5", "default"].map((group) => modelList.publicId(group))).toEqual([
      "claude-x",
      "anthropic-y",
      "claude-gpt-5",
      "claude-default",
    ]);
  });
});
