import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

/** What the expression gives inside, as JSON. */
async function evaluate(expression: string): Promise<unknown> {
  await host.load([
    {
      kind: "hook",
      code: `"use strict"; var __exports = { default: { preCall(request, context) { const show = (act) => { try { return act(); } catch (error) { return error.name + ": " + error.message; } }; return { kind: "respond", reply: JSON.stringify([${expression}]) }; } } };`,
    },
  ]);
  const { decision, error } = await host.outcome({ phase: "preCall", body: { model: "x" } });
  if (decision?.kind !== "respond" || typeof decision.reply !== "string") throw new Error(error?.message ?? "nothing came back");
  return (JSON.parse(decision.reply) as unknown[])[0];
}

describe("a context", () => {
  it("lacks what escapes its limits", async () => {
    const names = [
      "WebAssembly",
      "SharedArrayBuffer",
      "Atomics",
      "FinalizationRegistry",
      "WeakRef",
      "process",
      "require",
      "Buffer",
      "global",
      "performance",
    ];
    expect(await evaluate(`[${names.map((name) => `typeof ${name}`).join()}]`)).toEqual(names.map(() => "undefined"));
    expect(
      await evaluate(
        `[typeof ArrayBuffer.prototype.resize, typeof ArrayBuffer.prototype.transfer, new ArrayBuffer(8, { maxByteLength: 1e9 }).byteLength, new Uint8Array(8).buffer.constructor === ArrayBuffer, "maxByteLength" in new ArrayBuffer(1)]`,
      ),
    ).toEqual(["undefined", "undefined", 8, true, false]);
  });

  it("says what to use instead of what is not there", async () => {
    expect(
      await evaluate(`[() => setTimeout(() => {}, 1), () => fetch("https://a.example"), () => crypto.randomUUID()].map(show)`),
    ).toEqual([
      expect.stringMatching(/^SandboxError: setTimeout is not there.*context\.state/),
      expect.stringMatching(/^SandboxError: fetch is not there.*context\.fetch/),
      expect.stringMatching(/^SandboxError: crypto\.randomUUID is not there.*context\.pseudonym/),
    ]);
  });

  it("does not show the runtime", async () => {
    expect(await evaluate(`[typeof runtime, typeof globalThis.__exports, typeof entry, Object.keys(globalThis)]`)).toEqual([
      "undefined",
      "undefined",
      "undefined",
      [],
    ]);
  });

  it("has frozen intrinsics, those that only syntax reaches too", async () => {
    const intrinsics = `[Object, Object.prototype, Function.prototype, Array, Array.prototype, Array.prototype.push, Map.prototype, Promise, Promise.prototype.then, JSON, Math, Reflect, Intl.Segmenter.prototype,
      Object.getPrototypeOf(async () => {}), Object.getPrototypeOf(function* () {}), Object.getPrototypeOf(async function* () {}).prototype, Object.getPrototypeOf([][Symbol.iterator]()), Object.getPrototypeOf(Uint8Array), Object.getPrototypeOf("".matchAll(/x/g)),
      RegExp.prototype, Symbol.prototype, Date.prototype, Error.prototype, TypeError, console, structuredClone, Proxy.revocable, Object.getOwnPropertyDescriptor(Map.prototype, "size").get]`;
    expect(
      await evaluate(`${intrinsics}.map((value, index) => (Object.isFrozen(value) ? "" : index)).filter((index) => index !== "")`),
    ).toEqual([]);
    expect(await evaluate(`show(() => { globalThis.JSON = 1; })`)).toMatch(/^TypeError/);
    expect(await evaluate(`[Object.isExtensible(Error), show(() => { Error.captureStackTrace = 1; })]`)).toEqual([
      false,
      expect.stringMatching(/^TypeError/),
    ]);
  });

  it("lets code assign what a frozen prototype has", async () => {
    expect(
      await evaluate(`(() => {
        class MyError extends Error { constructor() { super("m"); this.name = "MyError"; this.message = "mine"; } }
        const object = {}; object.toString = () => "own"; object.constructor = 1; object.hasOwnProperty = 2;
        function Old() {} Old.prototype = Object.create(Error.prototype); Old.prototype.constructor = Old; Old.prototype.name = "Old";
        const list = []; list.toString = () => "list"; const map = new Map(); map.get = () => "got"; const date = new Date(0); date.toJSON = () => "day";
        const fn = () => {}; fn.toString = () => "fn"; fn.call = 3;
        return [String(new MyError()), String(object), Object.keys(object), String(new Old()), String(list), map.get(), JSON.stringify(date), String(fn), ({}).toString(), JSON.stringify({ ...object, a: 1 })];
      })()`),
    ).toEqual([
      "MyError: mine",
      "own",
      ["toString", "constructor", "hasOwnProperty"],
      "Old",
      "list",
      "got",
      '"day"',
      "fn",
      "[object Object]",
      '{"constructor":1,"hasOwnProperty":2,"a":1}',
    ]);
    expect(await evaluate(`show(() => { Object.prototype.toString = 1; })`)).toMatch(/^TypeError: the sandbox has frozen toString/);
  });

  it("keeps the names of errors, and their stacks", async () => {
    expect(await evaluate(`show(() => null.x)`)).toMatch(/^TypeError: Cannot read/);
    expect(await evaluate(`typeof new Error("x").stack`)).toBe("string");
    expect(await evaluate(`(() => { Error.stackTraceLimit = 0; return new Error("x").stack; })()`)).toBe("Error: x");
  });

  it("is one for each file, with its own global object", async () => {
    expect(await evaluate(`(() => { globalThis.mine = 1; globalThis.structuredClone = 2; return [mine, structuredClone]; })()`)).toEqual([
      1, 2,
    ]);
    expect(await evaluate(`typeof mine`)).toBe("undefined");
  });
});

describe("what is supplied", () => {
  it("encodes and decodes UTF-8 as Node does", async () => {
    const texts = ["", "abc", "äöü€", "😀", "\ud800", "a\udc00b", "\ufeffbom", "x".repeat(10_000)];
    const encoder = new TextEncoder();
    const expected = texts.map((text) => [...encoder.encode(text)]);
    expect(await evaluate(`${JSON.stringify(texts)}.map((text) => [...new TextEncoder().encode(text)])`)).toEqual(expected);
    const bytes = [
      [0xef, 0xbb, 0xbf, 0x61],
      [0xff, 0x61],
      [0xe2, 0x82],
      [0xe2, 0x28, 0xa1],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xc0, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0x41],
      [0xe0, 0x80, 0x41],
    ];
    expect(await evaluate(`${JSON.stringify(bytes)}.map((bytes) => new TextDecoder().decode(Uint8Array.from(bytes)))`)).toEqual(
      bytes.map((list) => new TextDecoder().decode(Uint8Array.from(list))),
    );
    expect(await evaluate(`show(() => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(255)))`)).toMatch(/^TypeError/);
    expect(
      await evaluate(
        `(() => { const decoder = new TextDecoder(); return ["f0 9f", "98", "80 41"].map((part) => decoder.decode(Uint8Array.from(part.split(" "), (digits) => parseInt(digits, 16)), { stream: true })); })()`,
      ),
    ).toEqual(["", "", "😀A"]);
    expect(await evaluate(`show(() => new TextDecoder("latin1"))`)).toMatch(/^RangeError: .*utf-8 only/);
  });

  it("reads and writes base64 as Node does", async () => {
    const texts = ["", "a", "ab", "abc", "abcd", "\u00ff\u0000\u0080"];
    expect(await evaluate(`${JSON.stringify(texts)}.map(btoa)`)).toEqual(texts.map((text) => btoa(text)));
    const encoded = ["", "YQ==", "YQ", " Y W I = ", "YWJj"];
    expect(await evaluate(`${JSON.stringify(encoded)}.map(atob)`)).toEqual(encoded.map((text) => atob(text)));
    expect(await evaluate(`[() => btoa("€"), () => atob("a"), () => atob("a*bc"), () => atob("YQ=a")].map(show)`)).toEqual(
      [0, 1, 2, 3].map(() => expect.stringMatching(/^InvalidCharacterError/)),
    );
  });

  it("clones structures", async () => {
    expect(
      await evaluate(`(() => {
        const source = { list: [1, , 3], map: new Map([[{ a: 1 }, new Set([2])]]), date: new Date(5), regexp: /x/gi, bytes: Uint8Array.of(1, 2), nothing: undefined, error: new TypeError("no") };
        source.self = source; Object.defineProperty(source, "__proto__", { value: 9, enumerable: true });
        const copy = structuredClone(source);
        return [copy !== source, copy.self === copy, copy.list.length, copy.list !== source.list, [...copy.map][0][0].a, [...[...copy.map][0][1]], copy.date.getTime(), String(copy.regexp), [...copy.bytes], copy.bytes.buffer !== source.bytes.buffer, "nothing" in copy, copy.error.name, Object.getOwnPropertyDescriptor(copy, "__proto__").value];
      })()`),
    ).toEqual([true, true, 3, true, 1, [2], 5, "/x/gi", [1, 2], true, true, "TypeError", 9]);
    expect(
      await evaluate(
        `[() => structuredClone(() => 1), () => structuredClone({ a: Symbol("s") }), () => structuredClone(Promise.resolve())].map(show)`,
      ),
    ).toEqual([0, 1, 2].map(() => expect.stringMatching(/^DataCloneError/)));
  });

  it("reads and writes URLs as Node does", async () => {
    const urls = [
      "https://user:pw@Example.COM:8443/a/../b?q=1#f",
      "http://127.1/",
      "https://bücher.example/ä",
      "file:///c:/x",
      "data:text/plain,hi",
    ];
    expect(await evaluate(`${JSON.stringify(urls)}.map((url) => new URL(url).href)`)).toEqual(urls.map((url) => new URL(url).href));
    expect(
      await evaluate(
        `[new URL("../c?d=e", "https://a.example/x/y").href, URL.canParse("no"), new URLSearchParams({ a: "b c", d: "ä" }).toString(), [...new URL("https://a/?x=1&x=2").searchParams.getAll("x")], Object.isFrozen(Object.prototype)]`,
      ),
    ).toEqual(["https://a.example/c?d=e", false, "a=b+c&d=%C3%A4", ["1", "2"], true]);
  });

  it("runs microtasks in order", async () => {
    await host.load([
      {
        kind: "hook",
        code: `var __exports = { default: { async preCall() { const seen = []; queueMicrotask(() => seen.push(1)); await null; seen.push(2); return { kind: "respond", reply: seen.join() }; } } };`,
      },
    ]);
    expect(await host.outcome({ phase: "preCall", body: { model: "x" } })).toMatchObject({ decision: { reply: "1,2" } });
  });
});
