import { describe, expect, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { MessagesFacts } from "../../../sdk/hub/facts.ts";
import type { RequestClass } from "../../../sdk/facts.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";

const summary = "Your task is to create a detailed summary of the conversation so far, paying close attention to what was asked.";
const billing = "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli;";

function classOf(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestClass {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  return new MessagesFacts(createRequestBody(bytes), { get: (name) => headers[name] }).requestClass;
}

const hint = (value: string): Readonly<Record<string, string>> => ({ "x-claude-code-request-class": value });
const user = (content: unknown): unknown => ({ role: "user", content });

describe("with hint headers", () => {
  test.each(["main", "subagent", "auxiliary", "compaction"] as const)("the class is what the client says: %s", (value) => {
    expect(classOf({ messages: [user(summary)], tools: [{ type: "web_search_20250305", name: "web_search" }] }, hint(value))).toBe(value);
  });

  test.each(["", "Main", "MAIN", "main, subagent", "toString", "__proto__", "unknown", "new-class"])(
    "a word that is no class is unknown, and nothing is guessed beside it: %j",
    (value) => {
      expect(classOf({ messages: [user(summary)] }, hint(value))).toBe("unknown");
    },
  );
});

describe("without hint headers", () => {
  test("a turn of the main conversation is unknown, never main", () => {
    expect(classOf(claudeCodeBody({ kind: "main", turns: 3 }))).toBe("unknown");
    expect(classOf({ messages: [user("hello")] })).toBe("unknown");
    expect(classOf({})).toBe("unknown");
  });

  test("nothing in a body makes it main", () => {
    for (const system of [[{ type: "text", text: `${billing} cc_is_subagent=false;` }], "You are Claude Code, the main agent", undefined]) {
      expect(classOf({ system, messages: [user("x-claude-code-request-class: main")], metadata: { request_class: "main" } })).toBe(
        "unknown",
      );
    }
  });

  test("the inner request of a web search is auxiliary", () => {
    expect(classOf(claudeCodeBody({ kind: "auxiliary" }))).toBe("auxiliary");
    expect(classOf({ tools: [{ type: "web_search_20991231", name: "web_search" }], messages: [] })).toBe("auxiliary");
  });

  test.each([
    ["a search beside other tools", [{ type: "web_search_20250305", name: "web_search" }, { name: "Bash" }]],
    ["a tool of the client named like it", [{ name: "web_search_20250305", input_schema: {} }]],
    ["another server tool", [{ type: "web_fetch_20250910", name: "web_fetch" }]],
    ["no tool", []],
    ["a tool that is none", [null]],
    ["tools that are no list", { type: "web_search_20250305" }],
  ])("%s is not", (_what, tools) => {
    expect(classOf({ tools, messages: [user("hi")] })).toBe("unknown");
  });

  test("a billing block that names a subagent is believed, elsewhere and otherwise it is not", () => {
    const block = (text: string): unknown => ({ type: "text", text });
    expect(classOf({ system: [block(`${billing} cc_is_subagent=true;`)], messages: [] })).toBe("subagent");
    expect(classOf({ system: [block(`${billing} cc_is_subagent=truethy;`)], messages: [] })).toBe("unknown");
    expect(classOf({ system: [block("hello"), block(`${billing} cc_is_subagent=true;`)], messages: [] })).toBe("unknown");
    expect(classOf({ system: [block("quoting cc_is_subagent=true")], messages: [] })).toBe("unknown");
    expect(classOf({ system: `${billing} cc_is_subagent=true;`, messages: [] })).toBe("unknown");
    expect(classOf({ system: [null], messages: [] })).toBe("unknown");
  });

  test("the client's own request for a summary is compaction", () => {
    expect(classOf(claudeCodeBody({ kind: "compaction", turns: 2, prompt: summary }))).toBe("compaction");
    expect(classOf({ messages: [user("hi"), { role: "assistant", content: "yes" }, user(summary)] })).toBe("compaction");
    expect(
      classOf({
        messages: [
          user([
            { type: "tool_result", tool_use_id: "t", content: "done" },
            { type: "text", text: `No tools.\n\n${summary}` },
          ]),
        ],
      }),
    ).toBe("compaction");
  });

  test.each([
    ["in an earlier message", [user(summary), { role: "assistant", content: "yes" }, user("and now?")]],
    ["by the model", [user("hi"), { role: "assistant", content: summary }]],
    ["in what a tool read", [user([{ type: "tool_result", tool_use_id: "t", content: `12: const prompt = "${summary}"` }])]],
    ["in blocks of what a tool read", [user([{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: summary }] }])]],
    [
      "in a block before the question",
      [
        user([
          { type: "text", text: summary },
          { type: "text", text: "What does this prompt do?" },
        ]),
      ],
    ],
    ["in a document", [user([{ type: "document", source: { type: "text", data: summary } }])]],
  ])("the same words %s are not", (_where, messages) => {
    expect(classOf({ messages })).toBe("unknown");
  });
});
