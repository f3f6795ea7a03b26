import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { parsePath, PathSyntaxError, selectSpans } from "../../../plugins/rules/json-path.ts";

describe("path syntax", () => {
  it("reads every kind of step", () => {
    expect(parsePath('$.messages[-1]["con\\"tent"][*].text-x[12]')).toEqual([
      { type: "member", name: "messages" },
      { type: "index", index: -1 },
      { type: "member", name: 'con"tent' },
      { type: "every" },
      { type: "member", name: "text-x" },
      { type: "index", index: 12 },
    ]);
  });

  it.each<[path: string, position: number]>([
    ["", 1],
    ["$", 2],
    [".", 2],
    ["[0]", 1],
    ["$[0]", 2],
    ["messages..text", 10],
    ["messages.", 10],
    ["messages[", 9],
    ["messages[1.5]", 9],
    ["messages[?(@.x)]", 9],
    ["messages[0]text", 12],
    ["messages 1", 9],
    ['messages["a]', 9],
    ['messages["\\x"]', 9],
    ["$x", 2],
  ])("refuses %j at position %i", (path, position) => {
    try {
      parsePath(path);
    } catch (error) {
      expect(error).toBeInstanceOf(PathSyntaxError);
      expect((error as PathSyntaxError).position).toBe(position);
      expect((error as PathSyntaxError).message).toContain(`position ${position}`);
      return;
    }
    throw new Error("the path was taken");
  });
});

describe("selection", () => {
  const select = (value: unknown, path: string): unknown[] => {
    const body = createRequestBody(Buffer.from(JSON.stringify(value)));
    return [...selectSpans(body, parsePath(path))].map((span) => body.read(span));
  };

  it("selects in document order", () => {
    expect(select({ a: [{ b: 1 }, { c: 2 }, { b: 3 }] }, "a[*].b")).toEqual([1, 3]);
    expect(select({ a: { x: 1, y: 2 } }, "a[*]")).toEqual([1, 2]);
  });

  it("agrees with a walk over the parsed value", () => {
    const name = fc.constantFrom("a", "b", "c d");
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.string(),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(name, tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    const step = fc.oneof(
      name.map((key) => ({
        text: `[${JSON.stringify(key)}]`,
        walk: (value: unknown) => (isObject(value) && Object.hasOwn(value, key) ? [value[key]] : []),
      })),
      fc.integer({ min: -3, max: 3 }).map((index) => ({
        text: `[${index}]`,
        walk: (value: unknown) => (Array.isArray(value) && value.at(index) !== undefined ? [value.at(index)] : []),
      })),
      fc.constant({ text: "[*]", walk: (value: unknown) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []) }),
    );
    fc.assert(
      fc.property(tree, fc.array(step, { maxLength: 4 }), (value, steps) => {
        const expected = steps.reduce<unknown[]>((found, { walk }) => found.flatMap((one) => walk(one)), [value]);
        expect(select({ root: value }, `root${steps.map(({ text }) => text).join("")}`)).toEqual(expected);
      }),
    );
  });
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
