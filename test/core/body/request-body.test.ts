import { describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { Json, RequestBody } from "../../../sdk/body.ts";

const bodyOf = (text: string): RequestBody => createRequestBody(Buffer.from(text));
const textOf = (body: RequestBody): string => Buffer.from(body.bytes).toString();
const edited = (text: string, changes: Record<string, Json>): string =>
  textOf(bodyOf(text).edit(Object.entries(changes).map(([field, value]) => ({ field, value }))));

function refusal(run: () => unknown): ProxyError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("reading", () => {
  it("the last occurrence of a repeated key counts", () => {
    expect(bodyOf('{"model":"a","x":1,"model":"b"}').value("model")).toBe("b");
  });

  it("an escaped key is the key it stands for", () => {
    const body = bodyOf(String.raw`{"m\u006fd\u0065l":"a"}`);
    expect(body.value("model")).toBe("a");
    expect(body.field(String.raw`m\u006fd\u0065l`)).toBeUndefined();
  });

  it("a string ends at the first quote with an even number of backslashes before it", () => {
    const body = bodyOf(String.raw`{"a":"\\\\\"","b":"\\","c":"\"}"}`);
    expect(body.json()).toEqual({ a: '\\\\"', b: "\\", c: '"}' });
    expect(body.value("b")).toBe("\\");
    expect(body.value("c")).toBe('"}');
  });

  it("spans leave out the whitespace around a value", () => {
    const body = bodyOf('{ "a" :\n [ 1 , {"b" : 2 } ] }');
    const spans = body.elements(body.field("a")!);
    expect(spans.map((span) => Buffer.from(body.slice(span)).toString())).toEqual(["1", '{"b" : 2 }']);
    expect(Buffer.from(body.slice(body.members(spans[1]!).get("b")!)).toString()).toBe("2");
  });

  it("a slice shares the memory of the body", () => {
    const bytes = Buffer.from('{"a":"xyz"}');
    const body = createRequestBody(bytes);
    const slice = body.slice(body.field("a")!);
    bytes[6] = 0x71;
    expect(Buffer.from(slice).toString()).toBe('"qyz"');
  });

  it("a value is parsed once", () => {
    const body = bodyOf('{"a":[{"b":1}]}');
    expect(body.value("a")).toBe(body.value("a"));
    expect(body.json()).toBe(body.json());
    const [element] = body.elements(body.field("a")!);
    expect(body.read(element!)).toBe(body.read({ ...element! }));
  });

  it("keys named like parts of every object are plain keys", () => {
    const body = bodyOf('{"__proto__":{"admin":true},"constructor":1,"hasOwnProperty":2}');
    expect(body.value("__proto__")).toEqual({ admin: true });
    expect(body.value("toString")).toBeUndefined();
    expect(Object.hasOwn(body.json(), "__proto__")).toBe(true);
    expect(Reflect.get({}, "admin")).toBeUndefined();
  });

  it("arrays of other things than arrays, and members of other things than objects, are none", () => {
    const body = bodyOf('{"a":"[1,2]","b":{"c":1},"d":[1],"e":7,"f":[ ],"g":{ }}');
    for (const name of ["a", "b", "e", "f"]) expect(body.elements(body.field(name)!)).toEqual([]);
    for (const name of ["a", "d", "e", "g"]) expect(body.members(body.field(name)!).size).toBe(0);
  });

  it("a span from nowhere finds nothing and does not fail", () => {
    const body = bodyOf('{"a":[1]}');
    expect(body.elements({ start: 100, end: 200 })).toEqual([]);
    expect(body.elements({ start: 5, end: 200 })).toEqual([{ start: 6, end: 7 }]);
    expect(body.members({ start: -5, end: 3 }).size).toBe(0);
    expect(bodyOf('{"a":[1,2]}').elements({ start: 5, end: 7 })).toEqual([{ start: 6, end: 7 }]);
    expect(bodyOf('{"a":"["}').elements({ start: 6, end: 9 })).toEqual([{ start: 7, end: 9 }]);
  });

  it("spans of different ends are parsed apart", () => {
    const body = bodyOf('{"a":12}');
    expect(body.read({ start: 5, end: 6 })).toBe(1);
    expect(body.read({ start: 5, end: 7 })).toBe(12);
  });

  it("keys of one length are told apart, however many there are", () => {
    const keys = Array.from({ length: 2000 }, (_, at) => `key_${String(at).padStart(4, "0")}`);
    const body = bodyOf(JSON.stringify({ o: Object.fromEntries(keys.map((key) => [key, key])) }));
    for (const [name, span] of body.members(body.field("o")!)) expect(body.read(span)).toBe(name);
  });

  it("a Uint8Array will do", () => {
    expect(createRequestBody(new TextEncoder().encode('{"model":"é"}')).value("model")).toBe("é");
  });
});

describe("what a parse would change", () => {
  it.each([
    ["big integers", '{"n":12345678901234567890}'],
    ["numbers beyond a double", '{"n":[1e400,-0,1.0,1E2,0.1000]}'],
    ["escapes", String.raw`{"s":"\u00e9\/\ud83d\ude00"}`],
    ["lone surrogates", String.raw`{"s":"\ud800","\udfff":1}`],
    ["key order", '{"b":1,"2":1,"1":1}'],
    ["repeated keys inside a value", '{"o":{"a":1,"a":2}}'],
    ["whitespace", ' \r\n\t{ "a" : [ ] } \n'],
  ])("%s stay as they are when the model is set", (_, text) => {
    const opened = text.indexOf("{") + 1;
    expect(edited(text, { model: "m" })).toBe(`${text.slice(0, opened)}"model":"m",${text.slice(opened)}`);
  });

  it("invalid UTF-8 in a string passes and stays", () => {
    const bytes = Buffer.concat([Buffer.from('{"s":"'), Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]), Buffer.from('","model":"a"}')]);
    const result = createRequestBody(bytes).edit([{ field: "model", value: "b" }]);
    expect(Buffer.from(result.bytes).toString("latin1")).toBe(bytes.toString("latin1").replace('"a"', '"b"'));
    expect(result.value("s")).toContain("\ufffd");
  });

  it("a byte order mark is kept and stepped over", () => {
    const body = bodyOf('\ufeff{"model":"a"}');
    expect(body.json()).toEqual({ model: "a" });
    expect(textOf(body.edit([{ field: "x", value: 1 }]))).toBe('\ufeff{"x":1,"model":"a"}');
  });
});

describe("edit", () => {
  it("replaces the value of every occurrence, escaped keys too", () => {
    expect(edited(String.raw`{"model":"a", "m\u006fdel" : {"x":[1]} ,"z":1,"model":null}`, { model: "b" })).toBe(
      String.raw`{"model":"b", "m\u006fdel" : "b" ,"z":1,"model":"b"}`,
    );
  });

  it("leaves fields of the same name inside values alone", () => {
    expect(edited('{"metadata":{"model":"x"},"model":"a"}', { model: "b" })).toBe('{"metadata":{"model":"x"},"model":"b"}');
  });

  it("puts absent fields first, with a comma only before other members", () => {
    expect(edited("{}", { a: 1 })).toBe('{"a":1}');
    expect(edited("{ }", { a: 1, b: [2] })).toBe('{"a":1,"b":[2] }');
    expect(edited('{ "c":3}', { a: 1, b: "2" })).toBe('{"a":1,"b":"2", "c":3}');
  });

  it("does several changes at once, and the later of two to one field counts", () => {
    expect(
      textOf(
        bodyOf('{"a":1,"b":2}').edit([
          { field: "b", value: "long long value" },
          { field: "new", value: null },
          { field: "a", value: [] },
          { field: "b", value: 3 },
        ]),
      ),
    ).toBe('{"new":null,"a":[],"b":3}');
  });

  it("returns the same body when every field holds these bytes already", () => {
    const body = bodyOf('{"model":"a","n":1.0}');
    expect(body.edit([])).toBe(body);
    expect(body.edit([{ field: "model", value: "a" }])).toBe(body);
    expect(textOf(body.edit([{ field: "n", value: 1 }]))).toBe('{"model":"a","n":1}');
  });

  it("leaves the edited body itself as it was", () => {
    const body = bodyOf('{"model":"a","x":[1]}');
    const result = body.edit([{ field: "model", value: "longer" }]);
    expect(textOf(body)).toBe('{"model":"a","x":[1]}');
    expect(body.json()).toEqual({ model: "a", x: [1] });
    expect(result.json()).toEqual({ model: "longer", x: [1] });
    expect(body.value("model")).toBe("a");
    expect(result.value("model")).toBe("longer");
    expect(result.value("x")).toEqual([1]);
  });

  it("moves what was found along: values can be walked and edited again", () => {
    const long = "x".repeat(100);
    const body = bodyOf(`{"messages":[{"text":"${long}"},{"text":"b"}],"model":"a","tools":[["${long}"],2]}`);
    const result = body.edit([{ field: "model", value: long }]).edit([{ field: "front", value: long }]);
    const [first, second] = result.elements(result.field("messages")!);
    expect(result.read(result.members(first!).get("text")!)).toBe(long);
    expect(result.read(second!)).toEqual({ text: "b" });
    expect(result.elements(result.field("tools")!).map((span) => result.read(span))).toEqual([[long], 2]);
    expect(textOf(result.edit([{ field: "messages", value: [long] }]))).toBe(
      `{"front":"${long}","messages":["${long}"],"model":"${long}","tools":[["${long}"],2]}`,
    );
  });

  it("can be walked where an edit put a new value", () => {
    const value = [{ text: "y".repeat(200), nested: [["]"], "z".repeat(80)] }, 5];
    const result = bodyOf('{"a":[1,2,3],"b":1}').edit([{ field: "a", value }]);
    const [first] = result.elements(result.field("a")!);
    expect(result.elements(result.members(first!).get("nested")!)).toHaveLength(2);
    expect(result.value("b")).toBe(1);
  });

  it("escapes a lone surrogate instead of losing it", () => {
    expect(edited("{}", { s: "\ud800" })).toBe(String.raw`{"s":"\ud800"}`);
  });
});

describe("refusals", () => {
  it.each([
    ["", "found the end at byte 0, wanted `{`"],
    ["  \n", "found the end at byte 3, wanted `{`"],
    ["[1]", "found `[` at byte 0, wanted `{`"],
    ["\u0000{}", "found 0x00 at byte 0, wanted `{`"],
    ['{"a":1', "found the end at byte 6, wanted `,` or `}` after the value"],
    ['{"a":"x', 'found the end at byte 7, wanted `"` to close the string opened at byte 5'],
    ['{"a":"x\\"}', 'found the end at byte 10, wanted `"` to close the string opened at byte 5'],
    ['{"a":[1,{"b":2}', "found the end at byte 15, wanted `]` to close the `[` opened at byte 5"],
    ['{"a":[1,{"b":2]}', "found `]` at byte 14, wanted `}` to close the `{` opened at byte 8"],
    ['{"a" 1}', "found `1` at byte 5, wanted `:` after the key"],
    ['{"a":}', "found `}` at byte 5, wanted a JSON value"],
    ['{"a":tru}', "found `t` at byte 5, wanted a JSON value"],
    ['{"a":01}', "found `0` at byte 5, wanted a JSON value"],
    ['{"a":NaN}', "found `N` at byte 5, wanted a JSON value"],
    ['{"a":1,}', "found `}` at byte 7, wanted a key in double quotes"],
    ["{,}", "found `,` at byte 1, wanted a key in double quotes or `}`"],
    ["{'a':1}", "found `'` at byte 1, wanted a key in double quotes or `}`"],
    ['{"a":1 "b":2}', 'found `"` at byte 7, wanted `,` or `}` after the value'],
    ['{"\\q":1}', 'found `"` at byte 1, wanted a key that is a valid JSON string'],
    ['{"a":1}}', "found `}` at byte 7, wanted nothing after the object"],
    ['{"a":1} x', "found `x` at byte 8, wanted nothing after the object"],
    ['{"a":1}\u0000', "found 0x00 at byte 7, wanted nothing after the object"],
  ])("%j is refused with what was found, where, and what was wanted", (text, message) => {
    const error = refusal(() => bodyOf(text));
    expect(error.message).toBe(`The request body is not a JSON object: ${message}.`);
    expect(error).toMatchObject({ status: 400, kind: "invalid_request_error" });
  });

  it("what is wrong inside a value passes, and is refused when it is read", () => {
    const body = bodyOf('{"a":[1 2,,tru,"\\q"],"b":{"c" 1,"\\q":3,"d":4,5}}');
    const spans = body.elements(body.field("a")!);
    expect(spans.map((span) => Buffer.from(body.slice(span)).toString())).toEqual(["1 2", "", "tru", '"\\q"']);
    expect([...body.members(body.field("b")!).keys()]).toEqual(["d"]);
    for (const run of [() => body.json(), () => body.value("a"), ...spans.map((span) => () => body.read(span))]) {
      expect(refusal(run)).toMatchObject({ status: 400, kind: "invalid_request_error" });
    }
  });

  it("the refusal does not show the text", () => {
    const error = refusal(() => bodyOf('{"key":sk-secret}'));
    const later = refusal(() => bodyOf('{"key":[sk-secret]}').json());
    expect(`${error.message} ${error.stack} ${later.message} ${later.stack}`).not.toContain("secret");
    expect(later.message).toBe("The request body holds invalid JSON between bytes 0 and 19.");
  });
});

describe("size", () => {
  it("a hundred thousand levels of nesting are scanned, walked and edited", () => {
    const depth = 100_000;
    const body = bodyOf(`{"a":${"[".repeat(depth)}${"]".repeat(depth)},"o":${'{"k":'.repeat(depth)}1${"}".repeat(depth)},"model":"a"}`);
    expect(body.elements(body.field("a")!)).toEqual([{ start: 6, end: 6 + 2 * (depth - 1) }]);
    expect([...body.members(body.field("o")!).keys()]).toEqual(["k"]);
    expect(body.edit([{ field: "model", value: "b" }]).value("model")).toBe("b");
    expect(() => bodyOf(`{"a":${"[".repeat(depth)}`)).toThrow(ProxyError);
  });

  it("ten thousand repetitions of a key are all replaced", () => {
    const times = 10_000;
    const text = `{${Array.from({ length: times - 1 }, () => `"model":"a"`).join(",")},"x":["${"y".repeat(100)}"]}`;
    expect(edited(text, { model: "bc" })).toBe(text.replaceAll('"a"', '"bc"'));
  });

  it("strings of every length around the steps of the search end where they end", () => {
    for (const length of [
      ...Array.from({ length: 140 }, (_, at) => at),
      1019,
      1020,
      1021,
      1022,
      1023,
      1024,
      1025,
      1026,
      1027,
      1028,
      5000,
    ]) {
      for (const content of ["#".repeat(length), `${"!".repeat(length)}\\"`, `\\"${"a".repeat(length)}\\\\`, "é".repeat(length)]) {
        const body = bodyOf(`{"a":"${content}","b":["${content}",1]}`);
        expect(Buffer.from(body.slice(body.field("a")!)).toString()).toBe(`"${content}"`);
        expect(body.elements(body.field("b")!)).toHaveLength(2);
      }
    }
  });

  it("a body that is nothing but keys is refused before it costs much", () => {
    const members = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(",")}}`;
    expect(bodyOf(members(10_000)).field("k9999")).toBeDefined();
    expect(() => bodyOf(members(10_001))).toThrow(/more than 10000 top-level fields/);
  });
});
