import { describe, expect, it } from "vitest";
import { applyPatch } from "../../../../core/body/patch.ts";
import { createRequestBody } from "../../../../core/body/request-body.ts";
import { createDocumentView, createView } from "../../../../core/sandbox/guest/view.ts";
import { createPartSource } from "../../../../core/sandbox/part-source.ts";
import type { PartName } from "../../../../core/sandbox/protocol.ts";
import type { Json } from "../../../../sdk/body.ts";

interface Anything {
  [key: string]: Anything;
  [index: number]: Anything;
}
type List = Anything[] & Record<string, unknown>;

interface Request {
  [key: string]: unknown;
  messages: { role: string; content: { type: string; text: string; [key: string]: unknown }[]; [key: string]: unknown }[];
  tools: { name: string; input_schema?: object }[];
}

const message = (role: string, ...texts: string[]): object => ({ role, content: texts.map((text) => ({ type: "text", text })) });
const request = {
  model: "claude",
  messages: [message("user", "first"), message("assistant", "second", "third"), message("user", "fourth")],
  system: "Be brief.",
  tools: [{ name: "Bash", input_schema: { type: "object" } }, { name: "Read" }, { name: "Write" }],
  metadata: { user_id: "u" },
  max_tokens: 100,
};

/** A view that has the named parts; what else was asked for is in `needed`. */
function viewOf(body: object, ...names: PartName[]): { view: Request; patch: () => unknown; needed: PartName[] } {
  const source = createPartSource(createRequestBody(Buffer.from(JSON.stringify(body))));
  const parts = new Map(names.map((name) => [`${name[0]}#${name[1]}`, Buffer.from(source.part(name)!).toString()]));
  const needed: PartName[] = [];
  const { view, patch } = createView(source.shape, parts, (part) => {
    needed.push(part);
    throw new Error("needed");
  });
  return { view: view as Request, patch, needed };
}

/** Everything is there. */
function wholeView(body: object): ReturnType<typeof viewOf> {
  return viewOf(body, ...Object.keys(body).map((key): PartName => [key, -1]));
}

/** The view after a change, and the request that the patch makes. */
function changed(body: object, change: (request: Request) => void): { patch: unknown; result: unknown } {
  const text = JSON.stringify(body);
  const { view, patch } = wholeView(body);
  change(view);
  const found = patch();
  if (found === undefined) return { patch: undefined, result: body };
  const applied = applyPatch(createRequestBody(Buffer.from(text)), found as Parameters<typeof applyPatch>[1]);
  return { patch: found, result: JSON.parse(Buffer.from(applied.body.bytes).toString()) };
}

describe("what is known without any part", () => {
  it("is the keys and the lengths", () => {
    const { view, patch, needed } = viewOf(request);
    expect(Object.keys(view)).toEqual(["model", "messages", "system", "tools", "metadata", "max_tokens"]);
    expect("tools" in view).toBe(true);
    expect("thinking" in view).toBe(false);
    expect(Object.hasOwn(view, "tools")).toBe(true);
    expect(view["thinking"]).toBeUndefined();
    expect(Array.isArray(view.messages)).toBe(true);
    expect(view.messages.length).toBe(3);
    expect(Object.keys(view.messages)).toEqual(["0", "1", "2"]);
    expect(2 in view.messages).toBe(true);
    expect(view.messages.at(3)).toBeUndefined();
    expect(patch()).toBeUndefined();
    expect(needed).toEqual([]);
  });

  it("includes an empty list, whole", () => {
    const { view, needed } = viewOf({ messages: [] });
    expect([...view.messages]).toEqual([]);
    view.messages.push({ role: "user", content: [] });
    expect(needed).toEqual([]);
  });

  it.each<[string, (view: Request) => unknown, PartName]>([
    ["a field", (view) => view["model"], ["model", -1]],
    ["the last message", (view) => view.messages.at(-1), ["messages", 2]],
    ["one message", (view) => view.messages[1]!.content, ["messages", 1]],
    ["a loop", (view) => [...view.messages], ["messages", 0]],
    ["find", (view) => view.messages.find((each) => each.role === "user"), ["messages", 0]],
    ["findLast", (view) => view.messages.findLast((each) => each.role === "user"), ["messages", 2]],
    ["filter", (view) => view.tools.filter(() => true), ["tools", 0]],
    ["a spread", (view) => ({ ...view }), ["model", -1]],
    ["JSON.stringify", (view) => JSON.stringify(view.tools), ["tools", 0]],
    ["destructuring", ({ system }) => system, ["system", -1]],
    ["pop", (view) => view.messages.pop(), ["messages", 2]],
    ["the value of a descriptor", (view) => Object.getOwnPropertyDescriptor(view, "model")?.get?.(), ["model", -1]],
  ])("does not include %s", (_, read, part) => {
    const { view, needed } = viewOf(request);
    expect(() => read(view)).toThrow("needed");
    expect(needed).toEqual([part]);
  });

  it("lets a field be set, removed and replaced without reading it", () => {
    const { view, patch, needed } = viewOf(request);
    view["model"] = "other";
    delete view["system"];
    view["max_tokens"] = undefined;
    view["thinking"] = { type: "disabled" };
    view.messages.push({ role: "user", content: [] });
    view.tools.length = 1;
    expect(patch()).toEqual({
      o: {
        model: { v: '"other"' },
        system: null,
        max_tokens: null,
        thinking: { v: '{"type":"disabled"}' },
        messages: { a: [[0, 2], { v: '{"role":"user","content":[]}' }] },
        tools: { a: [[0, 0]] },
      },
    });
    expect(needed).toEqual([]);
  });
});

describe("a view with one message", () => {
  it("gives the same object each time", () => {
    const { view } = viewOf(request, ["messages", 2]);
    expect(view.messages).toBe(view.messages);
    expect(view.messages.at(-1)).toBe(view.messages[2]);
    expect(view.messages[2]!.content).toBe(view.messages[2]!.content);
    const found = view.messages.findLast(() => true);
    expect(view.messages.lastIndexOf(found!)).toBe(2);
  });

  it("patches that message alone", () => {
    const { view, patch } = viewOf(request, ["messages", 2]);
    view.messages.at(-1)!.content[0]!.text += "!";
    expect(patch()).toEqual({
      o: { messages: { e: { 2: { o: { content: { e: { 0: { o: { text: { v: '"fourth!"' } } } } } } } } } },
    });
  });

  it("knows it again where others were put before it", () => {
    const { view, patch } = viewOf(request, ["messages", 0], ["messages", 1], ["messages", 2]);
    view.messages.splice(1, 1, view.messages[2]!, view.messages[0]!);
    view.messages[1]!.role = "system";
    expect(patch()).toEqual({
      o: {
        messages: {
          a: [
            [0, 0],
            [2, { o: { role: { v: '"system"' } } }],
            [0, 0],
            [2, { o: { role: { v: '"system"' } } }],
          ],
        },
      },
    });
  });

  it("is the real list for every method", () => {
    const { view } = wholeView(request);
    const plain = structuredClone(request) as unknown as Request;
    const views: ((list: Request["messages"]) => unknown)[] = [
      (list) => list.map((each) => each.role),
      (list) => list.filter((each) => each.role === "user").length,
      (list) => list.some((each) => each.content.length > 1),
      (list) => list.every((each) => each.content.length > 1),
      (list) => list.indexOf(list[1]!),
      (list) => list.includes(list[2]!),
      (list) => list.slice(-2),
      (list) => list.concat(list).length,
      (list) => list.flatMap((each) => each.content),
      (list) => list.flat(),
      (list) => list.map((each) => each.role).join(),
      (list) => [...list.entries()],
      (list) => [...list.keys()],
      (list) => list.reduce((sum, each) => sum + each.content.length, 0),
      (list) => list.toReversed(),
      (list) => list.with(0, list[1]!),
      (list) => Object.entries(list),
      (list) => Object.values(list),
      (list) => JSON.stringify(list),
      ([first, ...rest]) => [first, rest.length],
    ];
    for (const look of views) expect(look(view.messages)).toEqual(look(plain.messages));
    expect(JSON.stringify(view)).toBe(JSON.stringify(request));
    expect({ ...view }).toEqual(request);
  });
});

describe("changes", () => {
  it("that end equal to what was there are none", () => {
    const { patch } = changed(request, (view) => {
      view["model"] = "other";
      view["model"] = "claude";
      view["metadata"] = { user_id: "u" };
      view.messages = view.messages.map((each) => ({ ...each }));
      view.tools.push({ name: "More" });
      view.tools.pop();
      view.tools.reverse();
      view.tools.reverse();
      const { content } = view.messages[0]!;
      content[0] = { text: "first", type: "text" };
    });
    expect(patch).toBeUndefined();
  });

  it("keep the elements that a filter leaves", () => {
    const { patch, result } = changed(request, (view) => {
      view.tools = view.tools.filter((tool) => tool.name !== "Read");
    });
    expect(patch).toEqual({
      o: {
        tools: {
          a: [
            [0, 0],
            [2, 2],
          ],
        },
      },
    });
    expect(result).toEqual({ ...request, tools: [request.tools[0], request.tools[2]] });
  });

  it("keep the bytes of what changed places, copies too", () => {
    const { patch } = changed(request, (view) => {
      view.messages.reverse();
      view.tools = structuredClone(view.tools).toReversed();
      const { content } = view.messages[1]!;
      [content[0], content[1]] = [content[1]!, content[0]!];
    });
    const swapped = {
      o: {
        content: {
          a: [
            [1, 1],
            [0, 0],
          ],
        },
      },
    };
    expect(patch).toEqual({
      o: {
        messages: {
          a: [
            [2, 2],
            [1, swapped],
            [0, 0],
          ],
        },
        tools: {
          a: [
            [2, 2],
            [1, 1],
            [0, 0],
          ],
        },
      },
    });
  });

  it("through copies of every message touch only what differs", () => {
    const { patch } = changed(request, (view) => {
      view.messages = view.messages.map((each) => ({
        ...each,
        content: each.content.map((block) => ({ ...block, text: block.text.replace("third", "3rd") })),
      }));
    });
    expect(patch).toEqual({ o: { messages: { e: { 1: { o: { content: { e: { 1: { o: { text: { v: '"3rd"' } } } } } } } } } } });
  });

  it("know a block again behind one that was removed, and one that was changed at the same time", () => {
    const { patch } = changed(request, (view) => {
      const [, second] = view.messages;
      second!.content.shift();
      second!.content[0]!.text = "changed";
      second!.content.push({ type: "text", text: "new" });
    });
    expect(patch).toMatchObject({ o: { messages: { e: { 1: { o: { content: expect.anything() } } } } } });
  });

  it("of one subtree put into two places show in both", () => {
    const { result } = changed(request, (view) => {
      const [first] = view.messages;
      view["metadata"] = { copy: first, list: [first] };
      view.messages.push(first!);
      first!.role = "changed";
    });
    const first = { ...request.messages[0], role: "changed" };
    expect(result).toEqual({
      ...request,
      messages: [first, ...request.messages.slice(1), first],
      metadata: { copy: first, list: [first] },
    });
  });

  it("may put one list in the place of another", () => {
    const { result } = changed(request, (view) => {
      view["tools"] = view.messages as never;
    });
    expect(result).toEqual({ ...request, tools: request.messages });
    const { view, patch, needed } = viewOf(request);
    view["copy"] = view.messages;
    expect(() => patch()).toThrow("needed");
    expect(needed).toEqual([["messages", 0]]);
  });

  it("may use names that objects have of their own", () => {
    const { view, patch } = wholeView(JSON.parse('{"__proto__":1,"a":{"__proto__":{"x":1}},"constructor":2}'));
    const data = view as unknown as Anything;
    expect(Object.keys(view)).toEqual(["__proto__", "a", "constructor"]);
    expect([view["__proto__"], view["constructor"]]).toEqual([1, 2]);
    view["__proto__"] = { polluted: true };
    Reflect.set(view, "toString", "text");
    data["a"]!["__proto__"]!["x"] = 2 as never;
    expect(JSON.stringify(patch())).toBe(
      '{"o":{"__proto__":{"v":"{\\"polluted\\":true}"},"a":{"o":{"__proto__":{"o":{"x":{"v":"2"}}}}},"toString":{"v":"\\"text\\""}}}',
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(view)).toBe(Object.prototype);
  });

  it("with undefined remove a member, as JSON does", () => {
    const { patch } = changed(request, (view) => {
      view.messages[0]!["role"] = undefined as never;
      view.messages[1]!["nothing"] = undefined;
      view["metadata"] = { user_id: "u", nothing: undefined };
      view["more"] = { one: 1, nothing: undefined };
    });
    expect(patch).toEqual({ o: { messages: { e: { 0: { o: { role: null } } } }, more: { v: '{"one":1}' } } });
  });

  it("survive freezing, and what was frozen stays", () => {
    const { view, patch } = wholeView(request);
    Object.freeze(view.messages);
    Object.freeze(view);
    expect(() => (view["model"] = "other")).toThrow(TypeError);
    expect(() => view.messages.push(view.messages[0]!)).toThrow(TypeError);
    expect(view.messages.length).toBe(3);
    expect(view["model"]).toBe("claude");
    expect(patch()).toBeUndefined();
  });
});

describe("what is no JSON", () => {
  class Message {
    text = "x";
  }
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = { cyclic };
  const emptied = [1];
  Reflect.deleteProperty(emptied, 0);
  let deep: unknown = 0;
  for (let level = 0; level < 300; level++) deep = [deep];
  // Printed by nobody: a failing test would never end.
  let bomb: unknown = ["x"];
  for (let level = 0; level < 60; level++) bomb = [bomb, bomb];
  const bad: [string, unknown, string][] = [
    ["a function", () => 1, "is a function"],
    ["a symbol", Symbol("x"), "is a symbol"],
    ["a big integer", 1n, "is a bigint"],
    ["not a number", Number.NaN, "is NaN"],
    ["infinity", Number.POSITIVE_INFINITY, "is Infinity"],
    ["a date", new Date(0), "is a Date"],
    ["a map", new Map(), "is a Map"],
    ["a set", new Set(), "is a Set"],
    ["a promise", Promise.resolve(), "is a Promise"],
    ["an object of a class", new Message(), "is an object of a class"],
    ["a boxed string", new String("x"), "is an object of a class"],
    ["bytes", new Uint8Array(2), "is an object of a class"],
    ["a cycle", cyclic, "holds itself"],
    ["too deep", deep, "is nested deeper than 200 levels"],
    ["too much", bomb, "holds more than 1000000 values"],
    ["a getter", Object.defineProperty({}, "x", { get: () => 1, enumerable: true }), "is a getter or setter"],
    ["a hidden member", Object.defineProperty({}, "x", { value: 1 }), "was defined as not enumerable"],
    ["a member with a symbol for a key", { [Symbol("x")]: 1 }, "has a member whose key is a symbol"],
    ["an empty place", emptied, "is an empty place in a list"],
    ["undefined in a list", [undefined], "is undefined"],
  ];
  const names = bad.map(([name]) => name);
  const find = (name: string): readonly [unknown, string] => {
    const [, value, found] = bad.find(([each]) => each === name)!;
    return [value, found];
  };

  it.each(names)("%s is an error that names the path of a new member", (name) => {
    const [value, refusal] = find(name);
    for (const place of ["new", "user_id"]) {
      const { view, patch } = wholeView(request);
      (view["metadata"] as Record<string, unknown>)[place] = value;
      expect(() => patch()).toThrow(TypeError);
      expect(() => patch()).toThrow(new RegExp(`^metadata\\.${place}.*${refusal}`));
    }
  });

  it.each(names)("%s is an error where an element stood", (name) => {
    const [value, refusal] = find(name);
    const { view, patch } = wholeView(request);
    view.messages[1]!.content[1] = value as never;
    expect(() => patch()).toThrow(new RegExp(`^messages\\[1\\]\\.content\\[1\\].*${refusal}`));
  });

  it("is refused at once on the request itself", () => {
    const { view } = wholeView(request);
    expect(() => (view["system"] = () => 1)).toThrow("system is a function; only JSON values can be put there.");
    expect(() => viewOf(request).view.messages.push(Symbol("x") as never)).toThrow("messages[3] is a symbol");
    expect(() => Reflect.set(view, Symbol.iterator, 1)).toThrow("symbol");
    expect(() => Object.defineProperty(view, "model", { get: () => "x" })).toThrow("model was given a getter or setter");
    expect(() => Object.setPrototypeOf(view, {})).toThrow("prototype");
  });

  it("is refused at the end: a getter over an old value, another prototype, an empty place", () => {
    const { view, patch } = wholeView(request);
    const [first] = view.messages;
    Object.defineProperty(first, "role", { get: () => "system" });
    expect(() => patch()).toThrow("messages[0].role is a getter or setter");
    const other = wholeView(request);
    Object.setPrototypeOf(other.view.messages[0]!, { inherited: 1 });
    expect(() => other.patch()).toThrow("messages[0] is an object of a class");
    const third = wholeView(request);
    Reflect.deleteProperty(third.view.messages, 1);
    expect(() => third.patch()).toThrow("messages[1] is an empty place in a list");
    const fourth = wholeView(request);
    fourth.view.messages[0]!["again"] = fourth.view.messages[0];
    expect(() => fourth.patch()).toThrow("holds itself");
  });

  it("does not get out through toJSON", () => {
    const { view, patch } = wholeView(request);
    view.messages[0]!["toJSON"] = () => "else";
    expect(() => patch()).toThrow("messages[0].toJSON is a function");
  });

  it("may have properties defined anew, read before or not", () => {
    const { view, patch, needed } = viewOf(request, ["model", -1]);
    Object.defineProperty(view, "model", { writable: false, configurable: false });
    expect(view["model"]).toBe("claude");
    Object.defineProperty(view, "max_tokens", { value: 5 });
    expect(() => Object.defineProperty(view, "system", { writable: false })).toThrow("needed");
    expect(needed).toEqual([["system", -1]]);
    expect(patch()).toEqual({ o: { max_tokens: { v: "5" } } });
  });

  it("does not show placeholders to an inherited setter or getter", () => {
    const { view, needed } = viewOf(request);
    const heir: Record<string, unknown> = Object.create(view);
    heir["model"] = "own";
    expect(Object.keys(heir)).toEqual(["model"]);
    expect(() => heir["system"]).toThrow("needed");
    expect(() => Object.values(Object.getOwnPropertyDescriptors(view.messages)).map((each) => each.get?.())).toThrow("needed");
    expect(needed).toEqual([
      ["system", -1],
      ["messages", 0],
    ]);
  });
});

describe("a document", () => {
  it("is parsed whole, and patched like a request", () => {
    const { view, patch } = createDocumentView('{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"usage":{"n":1.0}}');
    const reply = view as unknown as Record<string, List>;
    expect(patch()).toBeUndefined();
    reply["content"]!.splice(0, 1);
    (reply["usage"] as unknown as Record<string, Json>)["n"] = 2;
    expect(patch()).toEqual({ o: { content: { a: [[1, 1]] }, usage: { o: { n: { v: "2" } } } } });
  });

  it("has to be an object", () => {
    expect(() => createDocumentView("[]")).toThrow(SyntaxError);
    expect(() => createDocumentView('{"secret"')).toThrow(/^The document is not valid JSON\.$/);
  });
});

it("a part that is not JSON is an error that does not quote it", () => {
  const { view } = createView({ keys: ["system"], lengths: {} }, new Map([["system#-1", '"secret']]), () => {
    throw new Error("needed");
  });
  expect(() => (view as Request)["system"]).toThrow(/^system is not valid JSON\.$/);
});
