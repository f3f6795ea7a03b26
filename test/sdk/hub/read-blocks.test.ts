import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../sdk/events.ts";
import { seal } from "../../../sdk/hub/envelope.ts";
import { assistant, call, PRODUCER as producer, result, text, turns, user } from "../../helpers/hub-messages.ts";

describe("thinking", () => {
  const thought = (signature: string, words = "hm"): JsonObject => ({ type: "thinking", thinking: words, signature });
  const own = thought(seal({ producer, payload: { id: "rs_1" } }));

  it("goes back to its producer, in its place", () => {
    expect(turns([user("a"), assistant([own, call("1")]), user([result("1")])])[1]).toEqual({
      role: "assistant",
      parts: [
        { type: "thinking", text: "hm", payload: { id: "rs_1" } },
        { type: "tool_call", id: "1", name: "Bash", input: { command: "1" } },
      ],
    });
  });

  it("without opaque state is words alone", () => {
    const block = thought(seal({ producer, payload: null }));
    expect(turns([user("a"), assistant([block, text("b")])])[1]).toEqual({
      role: "assistant",
      parts: [{ type: "thinking", text: "hm", payload: undefined }, text("b")],
    });
    expect(turns([user("a"), assistant([thought(seal({ producer, payload: null }), ""), text("b")])])[1]).toEqual({
      role: "assistant",
      parts: [text("b")],
    });
  });

  it.each<[string, JsonObject]>([
    ["of another producer", thought(seal({ producer: "other", payload: 1 }))],
    ["of the hub's vendor", thought("EqQBCgIYAhIM")],
    ["without a signature", { type: "thinking", thinking: "hm" }],
    ["that was damaged", thought("Zccproxy.@@@")],
    ["that is hidden", { type: "redacted_thinking", data: "EqQB" }],
  ])("%s goes nowhere", (_, block) => {
    const notes: unknown[] = [];
    expect(turns([user("a"), assistant([block, text("b")]), user("c")], { notes })[1]).toEqual({ role: "assistant", parts: [text("b")] });
    expect(notes).toEqual([["thinking of another producer was left out", { count: 1 }]]);
  });

  it("goes nowhere where the producer refused it", () => {
    const notes: unknown[] = [];
    const read1 = turns([user("a"), assistant([own, text("b")])], { request: { withoutThinking: true }, notes });
    expect(read1[1]).toEqual({ role: "assistant", parts: [text("b")] });
    expect(notes).toEqual([["thinking that the producer refused was left out", { count: 1 }]]);
  });

  it("alone is no answer", () => {
    expect(turns([user("a"), assistant([own]), user("b")])[1]).toEqual({ role: "assistant", parts: [text("(no content)")] });
  });
});

describe("images and documents", () => {
  const png: JsonObject = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
  const pdf: JsonObject = { type: "document", title: "Plan", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } };

  it.each<[string, JsonObject, readonly unknown[]]>([
    ["an image", png, [{ type: "image", data: "AAAA", mediaType: "image/png" }]],
    [
      "an image elsewhere",
      { type: "image", source: { type: "url", url: "https://x/y.png" } },
      [{ type: "image", url: "https://x/y.png", mediaType: "" }],
    ],
    [
      "an image stored with the vendor",
      { type: "image", source: { type: "file", file_id: "f" } },
      [text("[An image was here that is stored elsewhere; it could not be passed on.]")],
    ],
    ["a PDF", pdf, [{ type: "document", data: "JVBE", mediaType: "application/pdf", title: "Plan" }]],
    [
      "a PDF elsewhere",
      { type: "document", context: "Read it.", source: { type: "url", url: "https://x/y.pdf" } },
      [text("Read it."), { type: "document", url: "https://x/y.pdf", mediaType: "application/pdf", title: undefined }],
    ],
    [
      "a text",
      { type: "document", title: "T", source: { type: "text", media_type: "text/plain", data: "a ``` b" } },
      [text('Document "T":\n````\na ``` b\n````')],
    ],
    [
      "texts in a row",
      { type: "document", title: "T", source: { type: "content", content: [text("a"), png] } },
      [text('Document "T":'), text("a"), { type: "image", data: "AAAA", mediaType: "image/png" }],
    ],
    ["a text as content", { type: "document", source: { type: "content", content: "a" } }, [text("a")]],
    [
      "a search result",
      { type: "search_result", title: "T", source: "https://x", content: [text("a"), text("b")] },
      [text("Search result: T – https://x\na\nb")],
    ],
    [
      "what is not known",
      { type: "container_upload", file_id: "f" },
      [text('[Content of the type "container_upload" was here; it could not be passed on.]')],
    ],
    ["what has no name", { type: "Some <b>thing</b>" }, [text('[Content of the type "unknown" was here; it could not be passed on.]')]],
  ])("%s", (_, block, expected) => {
    expect(turns([user([block])])).toEqual([{ role: "user", parts: expected }]);
  });

  it("are words for a model that sees none", () => {
    const notes: unknown[] = [];
    const blind = turns([user([png, pdf]), assistant([call("1")]), user([result("1", [png])])], { images: false, documents: false, notes });
    expect(blind[0]).toEqual({
      role: "user",
      parts: [
        text("[An image (image/png) was here; this model cannot see images.]"),
        text('[A document (application/pdf) titled "Plan" was here; this model cannot read documents.]'),
      ],
    });
    expect(blind[2]).toMatchObject({ parts: [{ content: [{ type: "text" }] }] });
    expect(notes).toEqual([
      ["an image was replaced by words, since the model sees none", { count: 2 }],
      ["a document was replaced by words, since the model reads none", { count: 1 }],
    ]);
  });
});

describe("tools of the vendor's own servers", () => {
  it("stand in the history in words", () => {
    const blocks = [
      { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "ccproxy" } },
      {
        type: "web_search_tool_result",
        tool_use_id: "s1",
        content: [{ type: "web_search_result", title: "T", url: "https://x", encrypted_content: "zz" }],
      },
      {
        type: "web_search_tool_result",
        tool_use_id: "s2",
        content: { type: "web_search_tool_result_error", error_code: "max_uses_exceeded" },
      },
      { type: "server_tool_use", id: "s3", name: "web_fetch", input: { url: "https://x" } },
      {
        type: "code_execution_tool_result",
        tool_use_id: "s4",
        content: { type: "code_execution_result", stdout: "42", stderr: "", return_code: 0 },
      },
      { type: "mcp_tool_use", id: "m1", name: "list", server_name: "files", input: {} },
      { type: "mcp_tool_result", tool_use_id: "m1", content: [text("a.txt")] },
      { type: "compaction", content: "They built a proxy." },
      { type: "fallback" },
      text("Done."),
    ];
    expect(turns([user("a"), assistant(blocks)])[1]).toEqual({
      role: "assistant",
      parts: [
        text("[Searched the web for: ccproxy]"),
        text("[Search results]\n- T: https://x"),
        text("[The search failed: max_uses_exceeded]"),
        text('[Called the tool web_fetch with {"url":"https://x"}]'),
        text("[Result]\n42"),
        text("[Called the tool list with {}]"),
        text("[Result]\na.txt"),
        text("Summary of the conversation so far:\nThey built a proxy."),
        text("Done."),
      ],
    });
  });
});
