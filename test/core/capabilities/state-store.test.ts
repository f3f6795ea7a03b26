import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createStateStore } from "../../../core/capabilities/state-store.ts";
import type { Json } from "../../../sdk/body.ts";

const file = "hooks/a.ts";

describe("state", () => {
  test("lasts from one exchange of a session to the next, for the same file", () => {
    const store = createStateStore();
    const first = store.exchange("s1");
    first.commit(file, { state: { count: 1 }, locals: { seen: true } });
    const second = store.exchange("s1");
    expect(second.get(file)).toEqual({ state: { count: 1 }, locals: {} });
    expect(second.get("hooks/b.ts")).toBeUndefined();
    expect(store.exchange("s2").get(file)).toBeUndefined();
  });

  test("without a session lasts as long as the exchange", () => {
    const store = createStateStore();
    const exchange = store.exchange(undefined);
    exchange.commit(file, { state: { count: 1 } });
    expect(exchange.get(file)).toEqual({ state: { count: 1 }, locals: {} });
    expect(store.exchange(undefined).get(file)).toBeUndefined();
    expect(store.status()).toEqual({ sessions: 0, bytes: 0 });
  });

  test("null deletes, and what holds nothing costs nothing", () => {
    const store = createStateStore();
    const exchange = store.exchange("s1");
    exchange.commit(file, { state: { a: 1, b: 2 } });
    exchange.commit(file, { state: { a: null } });
    expect(exchange.get(file)?.state).toEqual({ b: 2 });
    exchange.commit(file, { state: { b: null, never: null } });
    expect(exchange.get(file)).toBeUndefined();
    expect(store.status()).toEqual({ sessions: 0, bytes: 0 });
  });

  test("of another exchange of the same session is seen at once, and what was handed out before stays as it was", () => {
    const store = createStateStore();
    const one = store.exchange("s1");
    const other = store.exchange("s1");
    one.commit(file, { state: { a: 1 } });
    const before = other.get(file)?.state;
    one.commit(file, { state: { b: 2 } });
    expect(before).toEqual({ a: 1 });
    expect(Object.isFrozen(before)).toBe(true);
    expect(other.get(file)?.state).toEqual({ a: 1, b: 2 });
  });

  test("beyond 64 KiB is refused as a whole, and says so", () => {
    const exchange = createStateStore().exchange("s1");
    exchange.commit(file, { state: { a: "x".repeat(40_000) } });
    const refused = exchange.commit(file, { state: { b: "y".repeat(30_000), c: 1 }, locals: { d: 1 } });
    expect(refused).toEqual([
      expect.stringMatching(/^context\.state of hooks\/a\.ts would hold 70\d\d\d characters of JSON, at most 65536 fit/),
    ]);
    expect(Object.keys(exchange.get(file)?.state ?? {})).toEqual(["a"]);
    expect(exchange.get(file)?.locals).toEqual({ d: 1 });
    expect(exchange.commit(file, { locals: { d: "é".repeat(66_000) } })).toHaveLength(1);
    expect(exchange.commit(file, { state: { a: null, b: "y".repeat(60_000) } })).toEqual([]);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])("takes a key called %j for a key", (key) => {
    const store = createStateStore();
    const exchange = store.exchange("__proto__");
    const written: { [key: string]: Json } = JSON.parse(`{${JSON.stringify(key)}: {"admin": true}}`);
    exchange.commit("__proto__", { state: written, locals: written });
    const { state, locals } = exchange.get("__proto__") ?? {};
    expect(JSON.stringify(state)).toBe(JSON.stringify(written));
    expect(JSON.stringify(locals)).toBe(JSON.stringify(written));
    expect(Object.hasOwn({ ...state }, key)).toBe(true);
    expect(Reflect.get({}, "admin")).toBeUndefined();
    expect(store.exchange("constructor").get(file)).toBeUndefined();
    exchange.commit("__proto__", { state: JSON.parse(`{${JSON.stringify(key)}: null}`) });
    expect(Object.keys(exchange.get("__proto__")?.state ?? {})).toEqual([]);
  });

  test("of the sessions not used for longest is forgotten first", () => {
    const store = createStateStore({ fileLength: 1000, sessions: 2, totalBytes: 1_000_000 });
    store.exchange("s1").commit(file, { state: { a: 1 } });
    store.exchange("s2").commit(file, { state: { a: 2 } });
    store.exchange("s1").get(file);
    store.exchange("s3").commit(file, { state: { a: 3 } });
    expect(["s1", "s2", "s3"].map((session) => store.exchange(session).get(file)?.state["a"])).toEqual([1, undefined, 3]);
  });

  test("never grows beyond its limit, whatever is written", () => {
    const limits = { fileLength: 2_000, sessions: 5, totalBytes: 9_000 };
    const write = fc.record({
      session: fc.oneof(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), fc.string({ maxLength: 3000 })),
      file: fc.constantFrom("x", "y"),
      state: fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(fc.constant(null), fc.string({ maxLength: 900 }), fc.integer())),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
        const store = createStateStore(limits);
        for (const { session, file, state } of writes) {
          store.exchange(session).commit(file, { state });
          const status = store.status();
          expect(status.sessions).toBeLessThanOrEqual(limits.sessions);
          expect(status.bytes).toBeLessThanOrEqual(limits.totalBytes);
        }
      }),
    );
  });
});
