import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Patch } from "../../../../core/body/patch-format.ts";
import { applyPatch } from "../../../../core/body/patch.ts";
import { createRequestBody } from "../../../../core/body/request-body.ts";
import { createDocumentView, createView, type DocumentView } from "../../../../core/sandbox/guest/view.ts";
import { createPartSource } from "../../../../core/sandbox/part-source.ts";
import type { PartName } from "../../../../core/sandbox/protocol.ts";
import type { RequestBody, Span } from "../../../../sdk/body.ts";
import { jsonObjectText, valueText } from "../../../helpers/json-texts.ts";
import { mutate, mutation, type Mutation } from "../../../helpers/mutations.ts";

const numRuns = Number(process.env["VIEW_RUNS"] ?? 1000);

/** Lists and objects in the places where requests have them, so that most changes hit something. */
function requestText(): fc.Arbitrary<Buffer> {
  const element = fc.oneof(
    valueText(),
    fc.tuple(valueText(), valueText(), valueText()).map(([one, two, three]) => {
      return `{ "role":"user" ,"content":[${one}, ${two} ,{"type":"text","text":${three}}]}`;
    }),
  );
  const list = fc.array(element, { maxLength: 6 }).map((elements) => `[${elements.join(" ,\n")}]`);
  const request = fc.tuple(list, list, valueText(), valueText()).map(([messages, tools, system, metadata]) => {
    return `{"model" : "m\\u0061", "messages":${messages} ,"tools": ${tools}, "system":${system},"metadata":{"x":${metadata}}}\n`;
  });
  return fc.oneof(
    { weight: 3, arbitrary: request.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: jsonObjectText().map(({ bytes }) => bytes) },
  );
}

function allParts(body: RequestBody): Map<string, string> {
  const source = createPartSource(body);
  const parts = new Map<string, string>();
  for (const key of source.shape.keys) parts.set(`${key}#-1`, Buffer.from(source.part([key, -1])!).toString());
  return parts;
}

class Need extends Error {
  readonly part: PartName;
  constructor(part: PartName) {
    super(`need ${part.join("#")}`);
    this.part = part;
  }
}

function throwNeed(part: PartName): never {
  throw new Need(part);
}

function fullView(body: RequestBody): DocumentView {
  return createView(createPartSource(body).shape, allParts(body), throwNeed);
}

/** Runs again and again, each time with the part that was missing. */
function patchOnDemand(body: RequestBody, mutations: readonly Mutation[]): Patch | undefined {
  const source = createPartSource(body);
  const parts = new Map<string, string>();
  for (;;) {
    try {
      const { view, patch } = createView(source.shape, parts, throwNeed);
      mutate(view, mutations);
      return patch();
    } catch (error) {
      if (!(error instanceof Need)) throw error;
      const bytes = source.part(error.part);
      if (bytes === undefined) throw new Error(`${error.message}: there is no such part`, { cause: error });
      const name = `${error.part[0]}#${error.part[1]}`;
      expect(parts.has(name)).toBe(false);
      parts.set(name, Buffer.from(bytes).toString());
    }
  }
}

/** What JSON does to values: negative zero is zero, what is undefined is not there. */
function settled(value: unknown): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(settled);
  return new Map(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]): [string, unknown] => [key, settled(member)])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function holdsInfinity(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsInfinity);
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Everything the patch does not name has to be the same bytes. */
function expectKept(old: RequestBody, oldSpan: Span, body: RequestBody, span: Span, patch: Patch | undefined): void {
  if (patch === undefined) {
    expect(Buffer.from(body.slice(span)).toString()).toBe(Buffer.from(old.slice(oldSpan)).toString());
  } else if ("o" in patch) {
    const members = body.members(span);
    for (const [name, member] of old.members(oldSpan)) {
      const change = Object.hasOwn(patch.o, name) ? patch.o[name] : undefined;
      if (change !== null) expectKept(old, member, body, members.get(name)!, change);
    }
  } else if ("e" in patch) {
    const elements = body.elements(span);
    for (const [index, element] of old.elements(oldSpan).entries()) expectKept(old, element, body, elements[index]!, patch.e[index]);
  } else if ("a" in patch) {
    const before = old.elements(oldSpan);
    const after = body.elements(span);
    let next = 0;
    for (const piece of patch.a) {
      if ("v" in piece) {
        next++;
        continue;
      }
      const [first, second] = piece;
      if (typeof second !== "number") {
        expectKept(old, before[first]!, body, after[next++]!, second);
        continue;
      }
      for (let index = first; index <= second; index++) expectKept(old, before[index]!, body, after[next++]!, undefined);
    }
    expect(next).toBe(after.length);
  }
}

const rootOf = (body: RequestBody): Span => ({ start: Buffer.from(body.bytes).indexOf("{"), end: body.bytes.length });

function expectSame(bytes: Uint8Array, wanted: unknown): void {
  const found = JSON.parse(Buffer.from(bytes).toString());
  if (!isDeepStrictEqual(settled(found), settled(wanted))) expect(settled(found)).toEqual(settled(wanted));
}

describe("any changes to a view", () => {
  const mutations = fc.array(mutation(valueText()), { minLength: 1, maxLength: 6 });

  it("give the request that the same changes to a plain copy give, and leave every other byte as it was", () => {
    let changes = 0;
    fc.assert(
      fc.property(requestText(), mutations, (bytes, mutations) => {
        const copy = JSON.parse(bytes.toString());
        mutate(copy, mutations);
        fc.pre(depthOf(copy) <= 190 && !holdsInfinity(copy));
        const before = createRequestBody(bytes);
        const { view, patch } = fullView(before);
        mutate(view, mutations);
        const found = patch();
        if (found === undefined) {
          expectSame(bytes, copy);
          return;
        }
        changes++;
        const { body } = applyPatch(before, found);
        expectSame(body.bytes, copy);
        expectKept(before, rootOf(before), body, rootOf(body), found);
        // The index was moved along: it finds what a new scan finds.
        const scanned = createRequestBody(body.bytes);
        for (const key of Object.keys(copy)) {
          const span = body.field(key);
          expect(span).toEqual(scanned.field(key));
          if (span !== undefined) expect(body.elements(span)).toEqual(scanned.elements(span));
        }
      }),
      { numRuns },
    );
    expect(changes).toBeGreaterThan(numRuns / 2);
  });

  it("give the same when every part comes only on demand", () => {
    fc.assert(
      fc.property(requestText(), mutations, (bytes, mutations) => {
        const copy = JSON.parse(bytes.toString());
        mutate(copy, mutations);
        fc.pre(depthOf(copy) <= 190 && !holdsInfinity(copy));
        const before = createRequestBody(bytes);
        const found = patchOnDemand(before, mutations);
        expectSame(found === undefined ? bytes : applyPatch(before, found).body.bytes, copy);
      }),
      { numRuns },
    );
  });

  it("give the same on a whole document", () => {
    fc.assert(
      fc.property(requestText(), mutations, (bytes, mutations) => {
        const copy = JSON.parse(bytes.toString());
        mutate(copy, mutations);
        fc.pre(depthOf(copy) <= 190 && !holdsInfinity(copy));
        const { view, patch } = createDocumentView(bytes.toString());
        mutate(view, mutations);
        const found = patch();
        expectSame(found === undefined ? bytes : applyPatch(createRequestBody(bytes), found).body.bytes, copy);
      }),
      { numRuns },
    );
  });

  it("give no patch when everything was put back as it was", () => {
    fc.assert(
      fc.property(requestText(), mutations, (bytes, mutations) => {
        const body = createRequestBody(bytes);
        const { view, patch } = fullView(body);
        mutate(view, mutations);
        const original = JSON.parse(bytes.toString());
        for (const key of Object.keys(view)) Reflect.deleteProperty(view, key);
        for (const key of Object.keys(original)) Reflect.set(view, key, original[key]);
        expect(patch()).toBeUndefined();
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it("of one leaf give a patch of that leaf", () => {
    const choices = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(requestText(), choices, (bytes, choices) => {
        const body = createRequestBody(bytes);
        const { view, patch } = fullView(body);
        const path: string[] = [];
        let container: object = view;
        let next: unknown = view;
        for (const choice of choices) {
          if (typeof next !== "object" || next === null || Object.keys(next).length === 0) break;
          const keys = Object.keys(next);
          container = next;
          path.push(keys[choice % keys.length]!);
          next = Reflect.get(container, path.at(-1)!);
        }
        if (path.length === 0 || next === "another") return;
        Object.defineProperty(container, path.at(-1)!, { value: "another", enumerable: true, writable: true, configurable: true });
        let found: unknown = patch();
        for (const step of path) {
          const [[kind, changes]] = Object.entries(found as object) as [[string, object]];
          // The only element of a list has nothing to be kept beside it.
          if (kind === "v" && changes === ('["another"]' as unknown)) return;
          expect(["o", "e"]).toContain(kind);
          expect(Object.keys(changes)).toEqual([step]);
          found = Object.getOwnPropertyDescriptor(changes, step)?.value;
        }
        expect(found).toEqual({ v: '"another"' });
      }),
      { numRuns },
    );
  });
});
