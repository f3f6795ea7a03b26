import { describe, expect, it } from "vitest";
import { PatchError } from "../../../core/body/patch-error.ts";
import type { Patch } from "../../../core/body/patch-format.ts";
import { applyPatch, applyPatchToJson } from "../../../core/body/patch.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";

function patched(text: string, patch: unknown, largestBytes?: number): { readonly text: string; readonly changed: readonly string[] } {
  const limits = largestBytes === undefined ? {} : { largestBytes };
  const { bytes, changed } = applyPatchToJson(Buffer.from(text), patch as Patch, limits);
  return { text: Buffer.from(bytes).toString(), changed };
}

function refusal(text: string, patch: unknown, largestBytes?: number): string {
  try {
    patched(text, patch, largestBytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PatchError);
    return error instanceof PatchError ? error.message : "";
  }
  throw new Error("the patch was applied");
}

const v = (value: unknown): { v: string } => ({ v: JSON.stringify(value) });

describe("the usual edits", () => {
  const before = `{ "model":"m", "system" : [ {"type":"text", "text":"Be br\\u0069ef."} ],
  "tools":[{"name":"Bash","n":1.0}, {"name":"Read"} ,{"name":"Write"}],
  "messages": [
    {"role":"user","content":"one"},
    {"role":"assistant","content":[{"type":"text","text":"two"}]},
    {"role":"user","content":[{"type":"text","text":"three"},{"type":"text","text":"secret 1e400"}]}
  ],
  "max_tokens":1e3 }
`;

  it.each<[string, unknown, readonly (readonly [string, string])[], readonly string[]]>([
    ["set a field", { o: { max_tokens: v(5) } }, [["1e3", "5"]], ["max_tokens"]],
    [
      "add a field, behind the last",
      { o: { thinking: v({ type: "disabled" }) } },
      [["1e3", '1e3,"thinking":{"type":"disabled"}']],
      ["thinking"],
    ],
    ["remove the first field", { o: { model: null } }, [['"model":"m", ', ""]], ["model"]],
    ["remove the last field", { o: { max_tokens: null } }, [[',\n  "max_tokens":1e3', ""]], ["max_tokens"]],
    [
      "remove the last field and add another",
      { o: { max_tokens: null, thinking: v(null) } },
      [[',\n  "max_tokens":1e3', ',"thinking":null']],
      ["max_tokens", "thinking"],
    ],
    [
      "append a block to the system prompt",
      { o: { system: { a: [[0, 0], v({ type: "text", text: "More." })] } } },
      [['brief."}'.replace("brief", "br\\u0069ef"), 'br\\u0069ef."},{"type":"text","text":"More."}']],
      ["system"],
    ],
    [
      "put a header block before the system prompt",
      { o: { system: { a: [v("head"), [0, 0]] } } },
      [['[ {"type":"text", "text":"Be', '[ "head",{"type":"text", "text":"Be']],
      ["system"],
    ],
    [
      "edit the last user text",
      { o: { messages: { e: { 2: { o: { content: { e: { 1: { o: { text: v("x") } } } } } } } } } },
      [['"secret 1e400"', '"x"']],
      ["messages[2].content[1].text"],
    ],
    ["remove the first tool", { o: { tools: { a: [[1, 2]] } } }, [['{"name":"Bash","n":1.0}, ', ""]], ["tools"]],
    [
      "remove the second tool",
      {
        o: {
          tools: {
            a: [
              [0, 0],
              [2, 2],
            ],
          },
        },
      },
      [[', {"name":"Read"}', ""]],
      ["tools"],
    ],
    ["remove the last tool", { o: { tools: { a: [[0, 1]] } } }, [[' ,{"name":"Write"}', ""]], ["tools"]],
    ["remove every tool", { o: { tools: { a: [] } } }, [['{"name":"Bash","n":1.0}, {"name":"Read"} ,{"name":"Write"}', ""]], ["tools"]],
    [
      "put the last tool first",
      {
        o: {
          tools: {
            a: [
              [2, 2],
              [0, 1],
            ],
          },
        },
      },
      [['{"name":"Bash","n":1.0}, {"name":"Read"} ,{"name":"Write"}', '{"name":"Write"},{"name":"Bash","n":1.0}, {"name":"Read"}']],
      ["tools"],
    ],
    [
      "say a tool twice, changed once",
      { o: { tools: { a: [[0, 2], [0, { o: { n: v(2) } }], v("new"), [1, 1]] } } },
      [['{"name":"Write"}', '{"name":"Write"},{"name":"Bash","n":2},"new",{"name":"Read"}']],
      ["tools[0].n", "tools"],
    ],
    [
      "cut the conversation",
      { o: { messages: { a: [[2, 2]] } } },
      [['{"role":"user","content":"one"},\n    {"role":"assistant","content":[{"type":"text","text":"two"}]},\n    ', ""]],
      ["messages"],
    ],
    [
      "redact everywhere",
      {
        o: {
          system: { e: { 0: { o: { text: v("a") } } } },
          messages: { e: { 0: { o: { content: v("b") } }, 1: { o: { content: { e: { 0: { o: { text: v("c") } } } } } } } },
        },
      },
      [
        ['"Be br\\u0069ef."', '"a"'],
        ['"one"', '"b"'],
        ['"two"', '"c"'],
      ],
      ["system[0].text", "messages[0].content", "messages[1].content[0].text"],
    ],
  ])("%s", (_, patch, replacements, changed) => {
    let wanted = before;
    for (const [from, to] of replacements) {
      expect(wanted.split(from).length).toBe(2);
      wanted = wanted.replace(from, () => to);
    }
    expect(patched(before, patch)).toEqual({ text: wanted, changed });
    JSON.parse(wanted);
  });

  it("append to a system prompt that is a string", () => {
    expect(patched('{"system":"a\\u0062"}', { o: { system: v("ab\n\nMore") } }).text).toBe('{"system":"ab\\n\\nMore"}');
  });
});

describe("empty containers", () => {
  it.each([
    ["{}", { o: { a: v(1), b: v(2) } }, '{"a":1,"b":2}'],
    ["\ufeff{ }", { o: { a: v(1) } }, '\ufeff{"a":1 }'],
    ['{"a":1}', { o: { a: null } }, "{}"],
    ['{ "a" : 1 , "b" : 2 }', { o: { a: null, b: null } }, "{  }"],
    ['{ "a" : 1 , "b" : 2 }', { o: { a: null, c: v(3), b: null } }, '{ "c":3 }'],
    ['{"a":[]}', { o: { a: { a: [v(1), v(2)] } } }, '{"a":[1,2]}'],
    ['{"a":[ ]}', { o: { a: { a: [v(1)] } } }, '{"a":[1 ]}'],
    ['{"a":{}}', { o: { a: { o: { b: v([]) } } } }, '{"a":{"b":[]}}'],
    ['{"a":[ 1 , 2 ]}', { o: { a: { a: [v(3), v(4)] } } }, '{"a":[ 3,4 ]}'],
  ])("%s", (text, patch, wanted) => {
    expect(patched(text, patch).text).toBe(wanted);
  });
});

describe("nothing is written", () => {
  it.each([
    ["an empty patch", '{"a":1}', { o: {} }],
    ["the same number, spelled otherwise", '{"a":1.0}', { o: { a: v(1) } }],
    ["the same object, spelled otherwise", '{"a":{ "\\u0062":[1E0] }}', { o: { a: v({ b: [1] }) } }],
    ["a member that is not there removed", '{"a":1}', { o: { b: null } }],
    [
      "the same list",
      '{"a":[1, 2 ,3]}',
      {
        o: {
          a: {
            a: [
              [0, 1],
              [2, 2],
            ],
          },
        },
      },
    ],
    ["nothing in an element", '{"a":[{"b":1}]}', { o: { a: { e: { 0: { o: {} } } } } }],
  ])("for %s", (_, text, patch) => {
    expect(patched(text, patch)).toEqual({ text, changed: [] });
    const body = createRequestBody(Buffer.from(text));
    expect(applyPatch(body, patch as Patch).body).toBe(body);
  });
});

describe("a repeated name", () => {
  const twice = '{"a":{"x":1,"x":2},"b":0, "\\u0061" :{"x":3,"y":[4],"x":5}}';

  it("gets the same value in every place", () => {
    expect(patched(twice, { o: { a: v(9) } })).toEqual({ text: '{"a":9,"b":0, "\\u0061" :9}', changed: ["a"] });
    expect(patched('{"m":1,"m":2}', { o: { m: v(2) } })).toEqual({ text: '{"m":2,"m":2}', changed: ["m"] });
  });

  it("gets the last value, changed, in every place when the change is inside", () => {
    expect(patched(twice, { o: { a: { o: { x: v(9) } } } })).toEqual({
      text: '{"a":{"x":9,"y":[4],"x":9},"b":0, "\\u0061" :{"x":9,"y":[4],"x":9}}',
      changed: ["a.x"],
    });
  });

  it("stays as it is where nothing changed inside", () => {
    expect(patched(twice, { o: { a: { o: { x: v(5), y: { e: { 0: v(4) } } } } } }).text).toBe(
      '{"a":{"x":5,"y":[4],"x":5},"b":0, "\\u0061" :{"x":5,"y":[4],"x":5}}',
    );
    const unchanged = '{"a":{"x":1},"a":{"x":2}}';
    expect(patched(unchanged, { o: { a: { o: { x: v(2) } } } })).toEqual({ text: unchanged, changed: [] });
  });

  it("is removed in every place", () => {
    expect(patched(twice, { o: { a: null } }).text).toBe('{"b":0}');
    expect(patched(twice, { o: { a: { o: { x: null } } } }).text).toBe('{"a":{"y":[4]},"b":0, "\\u0061" :{"y":[4]}}');
  });

  it("cannot make a small body grow without end", () => {
    let text = "1";
    for (let level = 0; level < 60; level++) text = `{"a":0,"a":${text}}`;
    let patch: unknown = v("x");
    for (let level = 0; level < 60; level++) patch = { o: { a: patch } };
    expect(refusal(text, patch)).toContain("more than 33554432 bytes");
  });
});

describe("names that objects have of their own", () => {
  it("are names like any other", () => {
    const patch: unknown = JSON.parse(
      '{"o":{"__proto__":{"v":"{\\"polluted\\":1}"},"constructor":{"o":{"prototype":null}},"toString":null}}',
    );
    expect(patched('{"constructor":{"prototype":1}}', patch).text).toBe('{"constructor":{},"__proto__":{"polluted":1}}');
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("are written with the escapes they need", () => {
    const key = 'quo"te\\\n\ud800';
    const { text } = patched("{}", { o: { [key]: v("\udfff") } });
    expect(JSON.parse(text)).toEqual({ [key]: "\udfff" });
    expect(patched(text, { o: { [key]: { v: '"\ud800 raw"' } } }).text).toContain('"\\ud800 raw"');
  });
});

describe("a patch is refused", () => {
  const body = '{"a":{"b":[1,{"c":2}]},"s":"text","n":null}';

  it.each<[string, unknown, string]>([
    ["no patch", 5, "The change of the document was refused: it is no patch"],
    ["nothing", null, "it is no patch"],
    ["a list", [], "it is no patch"],
    ["no kind", {}, "exactly one of"],
    ["two kinds", { o: {}, v: "1" }, "exactly one of"],
    ["an unknown kind", { x: 1 }, "it is no patch"],
    ["a value that is no text", { o: { s: { v: 1 } } }, "The change of s was refused: it is no patch"],
    ["another value for the document", v({}), "it has to stay an object"],
    ["a list for the document", { a: [] }, "it has to stay an object"],
    ["a text that is no JSON", { o: { s: { v: "{" } } }, "The change of s was refused: the new value is not JSON"],
    ["a text with more behind it", { o: { s: { v: '1,"x":2' } } }, "not JSON"],
    ["a text with a comment", { o: { s: { v: "1//" } } }, "not JSON"],
    ["an empty text", { o: { s: { v: "" } } }, "not JSON"],
    ["members of a string", { o: { s: { o: {} } } }, "s was refused: it is no object"],
    ["members of null", { o: { n: { o: { x: null } } } }, "n was refused: it is no object"],
    ["members of a list", { o: { a: { o: { b: { o: {} } } } } }, "a.b was refused: it is no object"],
    ["elements of an object", { o: { a: { e: {} } } }, "a was refused: it is no list"],
    ["pieces of a string", { o: { s: { a: [] } } }, "s was refused: it is no list"],
    ["a change in what is not there", { o: { x: { o: {} } } }, "x was refused: it is not there"],
    ["an index out of range", { o: { a: { o: { b: { e: { 2: v(1) } } } } } }, "a.b[2] was refused: the list has 2 elements"],
    ["an index that is none", { o: { a: { o: { b: { e: { "-1": v(1) } } } } } }, "an index of e is no whole number"],
    ["an index with a zero before it", { o: { a: { o: { b: { e: { "01": v(1) } } } } } }, "an index of e is no whole number"],
    ["length as an index", { o: { a: { o: { b: { e: { length: v(1) } } } } } }, "an index of e is no whole number"],
    ["a range out of range", { o: { a: { o: { b: { a: [[0, 2]] } } } } }, "a.b[2] was refused: the list has 2 elements"],
    ["a huge range", { o: { a: { o: { b: { a: [[0, 2 ** 53]] } } } } }, "a piece of a is none"],
    ["a range backwards", { o: { a: { o: { b: { a: [[1, 0]] } } } } }, "a piece of a is none"],
    ["a broken range", { o: { a: { o: { b: { a: [[0, 0.5]] } } } } }, "a piece of a is none"],
    ["a negative range", { o: { a: { o: { b: { a: [[-1, 0]] } } } } }, "a piece of a is none"],
    ["a piece of three", { o: { a: { o: { b: { a: [[0, 0, 0]] } } } } }, "a piece of a is none"],
    ["a piece that is no value", { o: { a: { o: { b: { a: [{ o: {} }] } } } } }, "a piece of a is none"],
    ["a hole for a patch", { o: { s: undefined } }, "s was refused: it is no patch"],
  ])("%s", (_, patch, wanted) => {
    expect(refusal(body, patch)).toContain(wanted);
  });

  it("that makes the body too big, before it is built", () => {
    expect(patched(body, { o: { x: v("12345") } }, body.length + 12).text).toHaveLength(body.length + 12);
    expect(refusal(body, { o: { x: v("123456") } }, body.length + 12)).toContain(`more than ${body.length + 12}`);
    const pieces = Array.from({ length: 1000 }, () => [0, 1]);
    expect(refusal(`{"a":["${"x".repeat(100_000)}",1]}`, { o: { a: { a: pieces } } })).toContain("more than 33554432");
  });

  it("that goes too deep", () => {
    const nest = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    expect(refusal("{}", { o: { x: { v: nest(200) } } })).toContain("deeper than 200 levels");
    expect(patched("{}", { o: { x: { v: nest(199) } } }).text).toContain(nest(199));
    let text = "1";
    let patch: unknown = v(2);
    for (let level = 0; level < 250; level++) {
      text = `{"a":${text}}`;
      patch = { o: { a: patch } };
    }
    expect(refusal(text, patch)).toContain("deeper than 200 levels");
  });

  it("that costs too much", () => {
    const members = Array.from({ length: 3000 }, (_, at) => `"k${at}":0`).join(",");
    const pieces = Array.from({ length: 3000 }, () => [0, { o: { k0: null } }]);
    expect(refusal(`{"a":[{${members}}]}`, { o: { a: { a: pieces } } })).toContain("too many steps");
    const many = Array.from({ length: 60_000 }, (_, at) => [`k${at}`, v(1)]);
    expect(refusal('{"a":{}}', { o: { a: { o: Object.fromEntries(many) } } })).toContain("too many steps");
    expect(refusal('{"a":[]}', { o: { a: { a: many.map(() => v(1)) } } })).toContain("too many steps");
    const long = `{"b":"${"x".repeat(4000)}"}`;
    expect(refusal(`{"a":[${long}]}`, { o: { a: { a: many.slice(0, 5000).map(() => [0, { o: { b: v(1) } }]) } } })).toContain(
      "too many steps",
    );
    expect(refusal("{}", { o: { a: v(Array.from({ length: 900_000 }, () => 1)) } })).toContain("too many steps");
    expect(patched("{}", { o: { a: v("x".repeat(5_000_000)) } }).text).toHaveLength(5_000_008);
  });

  it("whose way leads through what is not valid JSON", () => {
    expect(refusal('{"a":{"b" 1}}', { o: { a: { o: { b: v(2) } } } })).toContain("a was refused: it is not valid JSON");
    expect(refusal('{"a":{b:1}}', { o: { a: { o: { b: v(2) } } } })).toContain("not valid JSON");
    expect(refusal('{"a":[1,,2]}', { o: { a: { a: [[0, 0]] } } })).toContain("not valid JSON");
  });

  it("without any text of the body or the patch in the message", () => {
    const message = refusal('{"secret-in-body":"x"}', { o: { a: { v: "secret-in-patch" } } });
    expect(message).not.toMatch(/secret/);
  });
});

describe("the body that results", () => {
  const before = createRequestBody(claudeCodeBody({ bytes: 60_000 }));
  const patches: readonly [string, Patch][] = [
    ["a small edit deep inside", { o: { messages: { e: { 0: { o: { content: { e: { 0: { o: { text: v("short") } } } } } } } } } }],
    [
      "many edits",
      { o: { model: v("other"), system: { a: [v("x"), [1, 2]] }, messages: { a: [[1, 2], v("y")] }, thinking: null, last: v({ a: [1] }) } },
    ],
    ["a large new value", { o: { system: v("x".repeat(100_000)) } }],
  ];

  it.each(patches)("finds everything again after %s", (_, patch) => {
    const { body } = applyPatch(before, patch);
    const scanned = createRequestBody(body.bytes);
    expect(body.json()).toEqual(scanned.json());
    for (const name of Object.keys(scanned.json())) {
      const span = body.field(name)!;
      expect(span).toEqual(scanned.field(name));
      expect(body.elements(span)).toEqual(scanned.elements(span));
      expect(body.members(span)).toEqual(scanned.members(span));
    }
    const edited = body.edit([{ field: "model", value: "again" }]);
    expect(createRequestBody(edited.bytes).value("model")).toBe("again");
    expect(applyPatch(edited, { o: { model: v("third") } }).body.value("model")).toBe("third");
  });

  it("knows where a long last field ends, and which of a repeated one counts", () => {
    const long = "x".repeat(100);
    const body = createRequestBody(Buffer.from(`{"a":1,"b":["${long}"],"a":"${long}","c":{"d":"${long}"}}`));
    const patched = applyPatch(body, { o: { c: { o: { e: v(1) } }, b: { a: [[0, 0], v(2)] }, f: v(3) } }).body;
    expect(patched.json()).toEqual({ a: long, b: [long, 2], c: { d: long, e: 1 }, f: 3 });
    for (const [name, value] of Object.entries(patched.json())) expect(patched.value(name)).toEqual(value);
    expect(patched.elements(patched.field("b")!)).toHaveLength(2);
    expect([...patched.members(patched.field("c")!).keys()]).toEqual(["d", "e"]);
  });

  it("does not touch the one before", () => {
    const copy = Buffer.from(before.bytes);
    for (const [, patch] of patches) applyPatch(before, patch);
    expect(copy.equals(before.bytes)).toBe(true);
  });

  it("names at most a thousand paths", () => {
    const list = Array.from({ length: 1500 }, (_, at) => at);
    const patch = { o: { a: { e: Object.fromEntries(list.map((at) => [at, v("x")])) } } };
    expect(patched(JSON.stringify({ a: list }), patch).changed).toHaveLength(1000);
  });
});
