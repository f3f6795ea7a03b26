import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeChanges } from "../../../core/body/describe-changes.ts";
import { PatchError } from "../../../core/body/patch-error.ts";
import type { Patch } from "../../../core/body/patch-format.ts";
import { applyPatch } from "../../../core/body/patch.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { jsonObjectText, valueText } from "../../helpers/json-texts.ts";

const numRuns = Number(process.env["PATCH_RUNS"] ?? 1000);
const smallestBytes = 100_000;

type Draw = (below: number) => number;

/** Draws numbers from a list that fast-check can shrink. */
function drawFrom(choices: readonly number[]): Draw {
  let next = 0;
  return (below) => (choices[next++ % choices.length] ?? 0) % below;
}

const keys = ["a", "model", "new", "__proto__", "constructor", "prototype", "0", "length"];

/** A patch for a value; with `wild`, one that is mostly wrong somewhere. */
function makePatch(value: unknown, draw: Draw, texts: readonly string[], wild: boolean, depth = 0): unknown {
  if (wild && draw(8) === 0) return junk(draw, texts);
  const text = (): { v: string } => ({ v: texts[draw(texts.length)]! });
  const kind = draw(4);
  if (depth > 0 && kind === 0) return text();
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (kind === 1) {
      const e: Record<string, unknown> = {};
      for (const [index, element] of list.entries()) if (draw(2) === 0) e[index] = makePatch(element, draw, texts, wild, depth + 1);
      return { e };
    }
    const pieces: unknown[] = [];
    // Every element may be named more than once: in a deep document that has no end.
    for (let count = draw(depth > 4 ? 2 : 6); count > 0; count--) {
      const first = draw(list.length + (wild ? 2 : 0) || 1);
      const sort = list.length === 0 && !wild ? 0 : draw(3);
      if (sort === 0) pieces.push(text());
      else if (sort === 1) pieces.push([first, makePatch(list[first], draw, texts, wild, depth + 1)]);
      else pieces.push([first, Math.min(first + draw(3), list.length - (wild ? 0 : 1))]);
    }
    return { a: pieces };
  }
  if (typeof value === "object" && value !== null) {
    const o: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) {
      const change = draw(4);
      if (change === 0) set(o, key, null);
      if (change === 1) set(o, key, makePatch(member, draw, texts, wild, depth + 1));
    }
    for (let count = draw(3); count > 0; count--) set(o, keys[draw(keys.length)]!, draw(4) === 0 ? null : text());
    return { o };
  }
  return text();
}

function junk(draw: Draw, texts: readonly string[]): unknown {
  const sorts: unknown[] = [
    null,
    undefined,
    5,
    "v",
    [],
    {},
    { v: 5 },
    { v: `${texts[0]} ${texts[0]}` },
    { v: "\ud800" },
    { v: '"\ud800"' },
    { v: '{"__proto__":{"polluted":1}}' },
    { o: null },
    { o: [] },
    { e: { "-1": { v: "1" } } },
    { e: { "4294967295": { v: "1" } } },
    { a: {} },
    { a: [[0]] },
    { a: [[0, Number.POSITIVE_INFINITY]] },
    { a: [[Number.NaN, 0]] },
    { a: [["0", "0"]] },
    { a: [[0, 2 ** 31]] },
    JSON.parse('{"o":{"__proto__":{"o":{"polluted":{"v":"1"}}}}}'),
    JSON.parse('{"__proto__":{"v":"1"}}'),
    { o: { a: { v: "1" } }, e: {} },
  ];
  return sorts[draw(sorts.length)];
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** What a patch means, said on parsed values. */
function applied(value: unknown, patch: Patch): unknown {
  if ("v" in patch) return JSON.parse(patch.v);
  if ("o" in patch) {
    const result: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value as object)) {
      const change = Object.hasOwn(patch.o, key) ? patch.o[key] : undefined;
      if (change !== null) set(result, key, change === undefined ? member : applied(member, change));
    }
    for (const [key, change] of Object.entries(patch.o)) {
      if (change !== null && !Object.hasOwn(value as object, key)) set(result, key, applied(undefined, change));
    }
    return result;
  }
  const list = value as readonly unknown[];
  if ("e" in patch) return list.map((element, index) => (Object.hasOwn(patch.e, index) ? applied(element, patch.e[index]!) : element));
  return patch.a.flatMap((piece) => {
    if ("v" in piece) return [JSON.parse(piece.v)];
    const [first, second] = piece;
    return typeof second === "number" ? list.slice(first, second + 1) : [applied(list[first], second)];
  });
}

const input = fc.tuple(
  jsonObjectText(),
  fc.array(fc.nat({ max: 100 }), { minLength: 5, maxLength: 60 }),
  fc.array(valueText(), { minLength: 1, maxLength: 4 }),
);

describe("patches", () => {
  it("make of any body what they mean", () => {
    let deep = 0;
    fc.assert(
      fc.property(input, ([{ bytes }, choices, texts]) => {
        const value = JSON.parse(bytes.toString());
        const patch = makePatch(value, drawFrom(choices), texts, false) as Patch;
        const before = createRequestBody(bytes);
        const { body, changed } = applyPatch(before, patch);
        expect(isDeepStrictEqual(JSON.parse(Buffer.from(body.bytes).toString()), applied(value, patch))).toBe(true);
        const scanned = createRequestBody(body.bytes);
        for (const name of Object.keys(scanned.json())) expect(body.field(name)).toEqual(scanned.field(name));
        if (changed.length === 0) expect(body).toBe(before);
        if (changed.some((path) => /\W/.test(path))) deep++;
        expect(() => describeChanges(before, patch)).not.toThrow();
      }),
      { numRuns },
    );
    expect(deep).toBeGreaterThan(numRuns / 20);
  });

  it("that are wrong are refused, and nothing else happens", () => {
    let refused = 0;
    let accepted = 0;
    fc.assert(
      fc.property(input, ([{ bytes }, choices, texts]) => {
        const copy = Buffer.from(bytes);
        const patch = makePatch(JSON.parse(bytes.toString()), drawFrom(choices), texts, true) as Patch;
        const before = createRequestBody(bytes);
        try {
          const { body } = applyPatch(before, patch, { largestBytes: smallestBytes });
          const result: unknown = JSON.parse(Buffer.from(body.bytes).toString());
          expect(typeof result === "object" && result !== null && !Array.isArray(result)).toBe(true);
          createRequestBody(body.bytes);
          accepted++;
        } catch (error) {
          if (!(error instanceof PatchError)) throw error;
          refused++;
        }
        try {
          describeChanges(before, patch);
        } catch (error) {
          if (!(error instanceof PatchError)) throw error;
        }
        expect(copy.equals(bytes)).toBe(true);
        expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
      }),
      { numRuns },
    );
    expect(refused).toBeGreaterThan(numRuns / 20);
    expect(accepted).toBeGreaterThan(numRuns / 20);
  });

  it("that are anything at all never throw anything else", () => {
    fc.assert(
      fc.property(
        jsonObjectText(),
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        ({ bytes }, patch) => {
          for (const each of [patch, { o: { model: patch } }, { o: { messages: { a: [patch] } } }]) {
            try {
              applyPatch(createRequestBody(bytes), each as Patch);
            } catch (error) {
              if (!(error instanceof PatchError)) throw error;
            }
          }
        },
      ),
      { numRuns },
    );
  });
});
