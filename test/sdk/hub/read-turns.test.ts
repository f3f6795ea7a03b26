import { describe, expect, it } from "vitest";
import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { assistant, call, read, result, system, text, turns, user } from "../../helpers/hub-messages.ts";

const calledPart = (id: string, name = "Bash"): JsonObject => ({ type: "tool_call", id, name, input: { command: id } });
const resultPart = (id: string, words = `result ${id}`): JsonObject => ({
  type: "tool_result",
  id,
  name: "Bash",
  content: [text(words)],
  isError: false,
});

describe("the system", () => {
  it.each<[string, Json | undefined, readonly string[]]>([
    ["nothing", undefined, []],
    ["a string", "Be brief.", ["Be brief."]],
    ["a string behind the billing line", "x-anthropic-billing-header: cc_version=2;\nBe brief.", ["Be brief."]],
    ["the billing line alone", "x-anthropic-billing-header: cc_version=2;", []],
    ["blocks", [text("x-anthropic-billing-header: a"), text("A"), text(""), text("B")], ["A", "B"]],
  ])("as %s", (_, field, expected) => {
    const body = { messages: [user("hi")], ...(field === undefined ? {} : { system: field }) };
    expect(read(body).system.map((part) => part.text)).toEqual(expected);
  });

  it.each<[string, readonly Json[], readonly Json[], readonly Json[]]>([
    [
      "behind a user",
      [user("a"), system("S"), assistant("b"), user("c")],
      [
        { role: "user", parts: [text("a"), text("<system-reminder>\nS\n</system-reminder>")] },
        { role: "assistant", parts: [text("b")] },
        { role: "user", parts: [text("c")] },
      ],
      [
        { role: "user", parts: [text("a")] },
        { role: "system", text: "S" },
        { role: "assistant", parts: [text("b")] },
        { role: "user", parts: [text("c")] },
      ],
    ],
    [
      "between a call and its result",
      [user("a"), assistant([call("1")]), system("S"), user([result("1"), text("c")])],
      [
        { role: "user", parts: [text("a")] },
        { role: "assistant", parts: [calledPart("1")] },
        { role: "user", parts: [resultPart("1"), text("<system-reminder>\nS\n</system-reminder>"), text("c")] },
      ],
      [
        { role: "user", parts: [text("a")] },
        { role: "assistant", parts: [calledPart("1")] },
        { role: "user", parts: [resultPart("1")] },
        { role: "system", text: "S" },
        { role: "user", parts: [text("c")] },
      ],
    ],
    [
      "without words",
      [user("a"), system([], { output_config: { effort: "low" } }), assistant("b"), user("c")],
      [
        { role: "user", parts: [text("a")] },
        { role: "assistant", parts: [text("b")] },
        { role: "user", parts: [text("c")] },
      ],
      [
        { role: "user", parts: [text("a")] },
        { role: "assistant", parts: [text("b")] },
        { role: "user", parts: [text("c")] },
      ],
    ],
    [
      "at the very beginning",
      [system("S"), user("a")],
      [{ role: "user", parts: [text("<system-reminder>\nS\n</system-reminder>"), text("a")] }],
      [
        { role: "system", text: "S" },
        { role: "user", parts: [text("a")] },
      ],
    ],
  ])("in between, %s, stays in its place", (_, messages, folded, apart) => {
    expect(turns(messages)).toEqual(folded);
    expect(turns(messages, { midSystem: true })).toEqual(apart);
  });

  it("in between reads the same as a string and as blocks", () => {
    const asString = turns([user("a"), system("S\nT")], { midSystem: true });
    expect(turns([user("a"), system([text("S"), text("T")])], { midSystem: true })).toEqual(asString);
  });

  it("that changes the tools says so, and lets the list only grow", () => {
    const add = (tool: JsonObject): JsonObject => ({ type: "tool_addition", tool });
    const messages = [
      user("a"),
      system([
        add({ type: "tool_reference", name: "Late" }),
        add({ type: "tool_definition", definition: { name: "Inline", input_schema: { type: "object" } } }),
        { type: "tool_removal", tool: { type: "tool_reference", name: "Bash" } },
      ]),
    ];
    const tools = [
      { name: "Late", defer_loading: true, input_schema: {} },
      { name: "Bash", input_schema: {} },
    ];
    const read1 = read({ messages, tools });
    expect(read1.tools.map(({ name }) => name)).toEqual(["Bash", "Late", "Inline"]);
    expect(JSON.stringify(read1.turns)).toContain("Bash must not be called any more");
  });
});

describe("turns", () => {
  it("of one role in a row are one", () => {
    expect(turns([user("a"), user([text("b")]), assistant("c"), assistant([text("d")])])).toEqual([
      { role: "user", parts: [text("a"), text("b")] },
      { role: "assistant", parts: [text("c"), text("d")] },
    ]);
  });

  it("begin with the user's", () => {
    expect(turns([assistant("Hello"), user("a")])[0]).toEqual({ role: "user", parts: [text("(no content)")] });
  });

  it("that say nothing say so, since another turn must not take their place", () => {
    expect(turns([user(""), assistant([text("")]), user([text(""), text("a")])])).toEqual([
      { role: "user", parts: [text("(no content)")] },
      { role: "assistant", parts: [text("(no content)")] },
      { role: "user", parts: [text("a")] },
    ]);
  });

  it("keep the beginning of an answer that the client wrote", () => {
    expect(turns([user("a"), assistant("{")]).at(-1)).toEqual({ role: "assistant", parts: [text("{")] });
  });

  it.each<[string, Json]>([
    ["nothing", { model: "m" }],
    ["no list", { messages: "hi" }],
    ["an empty list", { messages: [] }],
    ["a message that is none", { messages: ["hi"] }],
  ])("need messages: %s", (_, body) => {
    const parsed: JsonObject = JSON.parse(JSON.stringify(body));
    expect(() => read(parsed)).toThrow(/^messages(\.0)?: found .*, wanted /);
  });
});

describe("results", () => {
  const asked = [user("a"), assistant([text("b"), call("1"), call("2")])];

  it("come first, in the order of their calls", () => {
    expect(turns([...asked, user([text("c"), result("2"), result("1")])]).at(-1)).toEqual({
      role: "user",
      parts: [resultPart("1"), resultPart("2"), text("c")],
    });
  });

  it("may stand in messages of their own", () => {
    expect(turns([...asked, user([result("2")]), user([result("1")]), user("c")]).at(-1)).toEqual({
      role: "user",
      parts: [resultPart("1"), resultPart("2"), text("c")],
    });
  });

  it("that are missing are said to be", () => {
    const notes: unknown[] = [];
    const parts = turns([...asked, user([result("2")])], { notes }).at(-1);
    expect(parts).toMatchObject({
      parts: [{ id: "1", isError: true, content: [{ text: "[No result of this call was passed on.]" }] }, { id: "2" }],
    });
    expect(notes).toEqual([["a call had no result, and was given one that says so", { count: 1 }]]);
    expect(turns(asked).at(-1)).toMatchObject({ role: "user", parts: [{ id: "1" }, { id: "2" }] });
  });

  it("of one call are one, the last", () => {
    expect(turns([...asked, user([result("1", "old"), result("2"), result("1", "new")])]).at(-1)).toEqual({
      role: "user",
      parts: [resultPart("1", "new"), resultPart("2")],
    });
  });

  it("without a call, or too late for it, are text", () => {
    const late = turns([...asked, user([result("1"), result("2")]), assistant("d"), user([result("1", "late"), text("e")])]);
    expect(late.at(-1)).toEqual({ role: "user", parts: [text("[Result of an earlier tool call:]"), text("late"), text("e")] });
    expect(turns([user([result("9", "x")])])).toEqual([{ role: "user", parts: [text("[Result of an earlier tool call:]"), text("x")] }]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["an error", { ...result("1"), is_error: true }, { isError: true }],
    ["nothing", { type: "tool_result", tool_use_id: "1" }, { content: [text("(no output)")] }],
    ["an empty text", result("1", ""), { content: [text("(no output)")] }],
    ["blocks", result("1", [text("a"), text(""), text("b")]), { content: [text("a"), text("b")] }],
    [
      "an image",
      result("1", [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }]),
      { content: [{ type: "image", data: "AAAA", mediaType: "image/png" }] },
    ],
    [
      "tools that were found",
      result("1", [{ type: "tool_reference", tool_name: "Late" }]),
      { content: [text("The tool Late can be called from now on.")] },
    ],
  ])("hold %s", (_, block, expected) => {
    expect(turns([user("a"), assistant([call("1")]), user([block])]).at(-1)).toMatchObject({ parts: [expected] });
  });

  it("of an id that was given twice answer one call", () => {
    const notes: unknown[] = [];
    const read1 = turns([user("a"), assistant([call("1"), call("1", "Read")]), user([result("1")])], { notes });
    expect(read1.slice(1)).toEqual([
      { role: "assistant", parts: [calledPart("1")] },
      { role: "user", parts: [resultPart("1")] },
    ]);
    expect(notes).toEqual([["a call whose id was taken was left out", { count: 1 }]]);
  });

  it.each<[string, Json, JsonObject]>([
    ["an object", { a: 1 }, { a: 1 }],
    ["the text of one", '{"a":1}', { a: 1 }],
    ["a text that is none", '{"a":', {}],
    ["a list", [1], {}],
    ["nothing", null, {}],
  ])("answer calls whose input is %s", (_, input, expected) => {
    const block = { type: "tool_use", id: "1", name: "Bash", input };
    expect(turns([user("a"), assistant([block]), user([result("1")])])[1]).toMatchObject({ parts: [{ input: expected }] });
  });
});
