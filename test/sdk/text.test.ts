import { describe, expect, test } from "vitest";

import { lastUserText, mapStrings, mapText, matchesName, matchesTarget, textOf, type MessagesRequest } from "../../sdk/index.ts";
import { makeRequest } from "../../sdk/testing.ts";

const image = { type: "image" as const, source: { type: "base64", data: "text" } };

test("the text of content in any form", () => {
  expect(textOf("a")).toBe("a");
  expect(textOf(undefined)).toBe("");
  const result = { type: "tool_result" as const, tool_use_id: "t", content: "no" };
  expect(textOf([{ type: "text", text: "a" }, image, result, { type: "text", text: "b" }])).toBe("a\nb");
});

describe("what the user said last", () => {
  const user = (...texts: string[]): MessagesRequest["messages"][number] => ({
    role: "user",
    content: texts.map((text) => ({ type: "text" as const, text })),
  });
  const result: MessagesRequest["messages"][number] = {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "t", content: "result" }],
  };
  const assistant: MessagesRequest["messages"][number] = { role: "assistant", content: "answer" };

  test.each([
    ["a plain text", [{ role: "user" as const, content: " hi " }], "hi"],
    ["blocks", [user("a", "b")], "a\nb"],
    ["behind tool results", [user("hi"), assistant, result, assistant, result], "hi"],
    ["without reminders", [user("<system-reminder>\nsecret\n</system-reminder>", "hi")], "hi"],
    ["a turn of reminders only", [user("hi"), assistant, user("<system-reminder>x</system-reminder>")], "hi"],
    ["a reminder in the middle", [user("a<system-reminder>x</system-reminder>b")], "ab"],
    ["of the newest", [user("old"), assistant, user("new")], "new"],
    ["nobody", [assistant], ""],
    ["nothing", [], ""],
  ])("%s", (_case, messages, wanted) => {
    expect(lastUserText(makeRequest({ messages }))).toBe(wanted);
  });

  test("looks no further back than it has to", () => {
    const touched: string[] = [];
    const messages = new Proxy([user("old"), assistant, user("new")], {
      get(target, key, receiver) {
        touched.push(String(key));
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    lastUserText(makeRequest({ messages }));
    expect(touched).toEqual(["length", "2"]);
  });
});

describe("mapping all text", () => {
  const request = makeRequest({
    system: [{ type: "text", text: "s" }],
    messages: [
      { role: "system", content: "m" },
      {
        role: "user",
        content: [
          { type: "text", text: "t" },
          image,
          { type: "tool_result", tool_use_id: "a", content: "r" },
          { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "rt" }, image] },
          { type: "document", source: { type: "text", data: "d" } },
          { type: "document", source: { type: "content", content: [{ type: "text", text: "dc" }] } },
          { type: "document", source: { type: "base64", data: "pdf" } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "th", signature: "sig" },
          { type: "tool_use", id: "c", name: "n", input: { a: "i", list: ["j", { k: "l" }], n: 1, z: null } },
        ],
      },
    ],
  });

  test("hands out every text a model reads, with its path, and nothing else", () => {
    const seen: [string, string][] = [];
    const changed = mapText(structuredClone(request), (text, path) => {
      seen.push([path, text]);
      return text;
    });
    expect(changed).toBe(0);
    expect(seen).toEqual([
      ["system[0].text", "s"],
      ["messages[0].content", "m"],
      ["messages[1].content[0].text", "t"],
      ["messages[1].content[2].content", "r"],
      ["messages[1].content[3].content[0].text", "rt"],
      ["messages[1].content[4].source.data", "d"],
      ["messages[1].content[5].source.content[0].text", "dc"],
      ["messages[2].content[1].input.a", "i"],
      ["messages[2].content[1].input.list[0]", "j"],
      ["messages[2].content[1].input.list[1].k", "l"],
    ]);
  });

  test("writes only what differs", () => {
    const written: string[] = [];
    const watch = <Value extends object>(value: Value): Value =>
      new Proxy(value, {
        get(target, key, receiver) {
          const member: unknown = Reflect.get(target, key, receiver);
          return typeof member === "object" && member !== null ? watch(member) : member;
        },
        set(target, key, member, receiver) {
          written.push(String(key));
          return Reflect.set(target, key, member, receiver);
        },
      });
    const copy = structuredClone(request);
    expect(mapText(watch(copy), (text) => (text === "rt" || text === "l" ? "new" : text))).toBe(2);
    expect(written).toEqual(["text", "k"]);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(request).replace('"rt"', '"new"').replace('"l"', '"new"'));
  });

  test("leaves arguments of tool calls alone when asked to", () => {
    const seen: string[] = [];
    mapText(structuredClone(request), (text) => (seen.push(text), text), { toolInputs: false });
    expect(seen).not.toContain("i");
  });

  test("strings inside of anything", () => {
    const value = { a: ["x", { b: "x" }], c: 1 };
    mapStrings(value, (text, path) => `${text}:${path}`, "v");
    expect(value).toEqual({ a: ["x:v.a[0]", { b: "x:v.a[1].b" }], c: 1 });
    mapStrings("text", () => "never");
  });

  test("odd requests do no harm", () => {
    const odd: MessagesRequest = JSON.parse(
      '{"model":"m","system":null,"messages":[null,{"role":"user"},{"role":"user","content":[null,1,{"type":"text"}]}]}',
    );
    expect(mapText(odd, () => "x")).toBe(0);
    expect(lastUserText(makeRequest({ messages: [] }))).toBe("");
  });
});

test.each([
  ["mcp__git__push", ["mcp__*"], true],
  ["mcp__git__push", ["*push"], true],
  ["mcp__git__push", ["*git*"], true],
  ["mcp__git__push", ["m*git*sh"], true],
  ["mcp__git__push", ["git"], false],
  ["mcp__git__push", ["MCP__GIT__PUSH"], true],
  ["aba", ["ab*ba"], false],
  ["ab", ["a*b*"], true],
  ["", ["*"], true],
  ["x", [], false],
  ["a.b", ["a?b", "a.b+"], false],
])("%s among %j: %s", (name, patterns, wanted) => {
  expect(matchesName(name, patterns)).toBe(wanted);
});

test("a target is known by four names", () => {
  const target = { deployment: "d1", group: "g1", model: "m1", provider: "p1" };
  for (const name of ["d1", "g1", "m1", "p*"]) expect(matchesTarget(target, [name])).toBe(true);
  expect(matchesTarget(target, ["x"])).toBe(false);
  expect(matchesTarget(undefined, ["*"])).toBe(false);
});
