import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { applyOutgoingParams, applyOutgoingParamsToBytes } from "../../../core/translation/outgoing-params.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";

interface Done {
  readonly body: JsonObject;
  readonly bytes: string;
  readonly notes: readonly unknown[];
}

/** By both ways, which have to agree. */
function done(body: JsonObject, params: Readonly<Record<string, unknown>>): Done {
  const notes: unknown[] = [];
  const json = applyOutgoingParams(body, params, (what, details) => void notes.push([what, details]));
  const text = JSON.stringify(body);
  const ofBytes: unknown[] = [];
  const bytes = applyOutgoingParamsToBytes(
    createRequestBody(Buffer.from(text)),
    params,
    (what, details) => void ofBytes.push([what, details]),
  );
  const written = Buffer.from(bytes.bytes).toString("utf8");
  expect(JSON.parse(written)).toEqual(json);
  expect(ofBytes).toEqual(notes);
  return { body: json, bytes: written, notes };
}

describe("nothing to do", () => {
  test.each([
    {},
    { extra_body: {} },
    { extra_body: null },
    { additional_drop_params: [] },
    { additional_drop_params: "temperature" },
    { temperature: 1 },
  ])("with %j the body is the very same", (params) => {
    const body = { model: "m" };
    expect(applyOutgoingParams(body, params, () => expect.unreachable())).toBe(body);
    const bytes = createRequestBody(Buffer.from('{"model":"m"}'));
    expect(applyOutgoingParamsToBytes(bytes, params, () => expect.unreachable())).toBe(bytes);
  });

  test("a drop of what is not there leaves the bytes alone", () => {
    const bytes = createRequestBody(Buffer.from('{ "model" : "m", "tools": [ {"a": 1} ] }'));
    const params = { additional_drop_params: ["temperature", "tools[*].strict", "tools[7].a", "model.x", "a.b.c"] };
    expect(applyOutgoingParamsToBytes(bytes, params, () => expect.unreachable())).toBe(bytes);
  });
});

describe("extra_body", () => {
  test("replaces fields of the same name whole, and adds the others", () => {
    const { body, notes } = done(
      { model: "m", thinking: { type: "enabled", budget: 1 } },
      { extra_body: { thinking: { type: "disabled" }, top_k: 5, nothing: null } },
    );
    expect(body).toEqual({ model: "m", thinking: { type: "disabled" }, top_k: 5, nothing: null });
    expect(notes).toEqual([["extra_body added", { fields: ["thinking", "top_k", "nothing"] }]]);
  });

  test("changes neither the model nor whether it streams", () => {
    expect(done({ model: "m", stream: true }, { extra_body: { model: "other", stream: false, a: 1 } }).body).toEqual({
      model: "m",
      stream: true,
      a: 1,
    });
  });

  test("gives way to additional_drop_params", () => {
    const params = { extra_body: { a: 1, b: { c: 1, d: 2 } }, additional_drop_params: ["a", "b.c"] };
    expect(done({ model: "m", a: 0 }, params).body).toEqual({ model: "m", b: { d: 2 } });
  });

  test("of a name that JavaScript treats in its own way is a field like any other", () => {
    const params: Record<string, unknown> = JSON.parse('{"extra_body": {"__proto__": {"polluted": 1}, "constructor": 2}}');
    const { bytes } = done({ model: "m" }, params);
    expect(bytes).toContain('"__proto__":{"polluted":1}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("additional_drop_params", () => {
  const tools = [
    { type: "function", function: { name: "a", strict: true, parameters: { strict: 1 } } },
    { type: "function", function: { name: "b" } },
    { type: "web_search" },
  ];

  test.each([
    [["temperature"], { temperature: 1, top_p: 1 }, { top_p: 1 }],
    [["reasoning.effort"], { reasoning: { effort: "high", summary: "auto" } }, { reasoning: { summary: "auto" } }],
    [
      ["tools[*].function.strict"],
      { tools },
      { tools: [{ type: "function", function: { name: "a", parameters: { strict: 1 } } }, tools[1], tools[2]] },
    ],
    [["tools[1].function"], { tools }, { tools: [tools[0], { type: "function" }, tools[2]] }],
    [["tools[*].type", "tools[0].function"], { tools }, { tools: [{}, { function: { name: "b" } }, {}] }],
    [["a\\.b.c"], { "a.b": { c: 1, d: 2 }, a: { b: { c: 1 } } }, { "a.b": { d: 2 }, a: { b: { c: 1 } } }],
    [["a[*][0].b"], { a: [[{ b: 1 }, { b: 2 }], "x"] }, { a: [[{}, { b: 2 }], "x"] }],
    [["a", "a.b"], { a: { b: 1 } }, {}],
    [["a.b", "a"], { a: { b: 1 } }, {}],
  ])("%j", (paths, given, wanted) => {
    expect(done({ model: "m", ...(given as JsonObject) }, { additional_drop_params: paths }).body).toEqual({ model: "m", ...wanted });
  });

  test("whole elements, and what is no path, are left alone", () => {
    const body = { model: "m", tools };
    for (const path of ["tools[*]", "tools[0]", "tools[x].a", "tools[", "tools[-1].function", "", ".", "tools.function", "[*].a"]) {
      expect(done(body, { additional_drop_params: [path] }).body, path).toEqual(body);
    }
  });

  test("the request itself cannot be taken away, parts of it can", () => {
    const body = { model: "m", stream: true, messages: [{ role: "user", content: "x", name: "n" }], input: "x", contents: [] };
    expect(done(body, { additional_drop_params: ["model", "stream", "messages", "input", "contents"] }).body).toEqual(body);
    expect(done(body, { additional_drop_params: ["messages[*].name"] }).body).toEqual({
      ...body,
      messages: [{ role: "user", content: "x" }],
    });
  });

  test("a name of Chat Completions means the same on every wire", () => {
    expect(done({ generationConfig: { temperature: 1, topP: 1 } }, { additional_drop_params: ["temperature"] }).body).toEqual({
      generationConfig: { topP: 1 },
    });
    expect(done({ inferenceConfig: { maxTokens: 1 } }, { additional_drop_params: ["max_tokens"] }).body).toEqual({ inferenceConfig: {} });
    expect(done({ reasoning: { effort: "low" }, model: "m" }, { additional_drop_params: ["reasoning_effort"] }).body).toEqual({
      model: "m",
    });
  });

  test("what was taken out is told, by name alone", () => {
    const { notes } = done(
      { model: "m", user: "somebody", tools },
      { additional_drop_params: ["user", "tools[*].function.strict", "absent"] },
    );
    expect(notes).toEqual([["additional_drop_params taken out", { fields: ["user", "tools"] }]]);
  });
});

test("today's Claude request keeps every byte that was not named", () => {
  const original = claudeCodeBody({ turns: 2 });
  const notes: string[] = [];
  const params = { extra_body: { speed: "fast" }, additional_drop_params: ["context_management", "tools[*].defer_loading"] };
  const result = Buffer.from(applyOutgoingParamsToBytes(createRequestBody(original), params, (what) => void notes.push(what)).bytes);
  const { context_management: _, ...kept } = JSON.parse(original.toString("utf8"));
  const parsed = JSON.parse(result.toString("utf8"));
  expect(Object.keys(parsed)).toEqual([...Object.keys(kept), "speed"]);
  expect(parsed.tools.every((tool: object) => !("defer_loading" in tool))).toBe(true);
  const messages = original.subarray(original.indexOf('"messages"'), original.indexOf('"system"'));
  expect(result.includes(messages)).toBe(true);
  expect(notes).toHaveLength(2);
});

test("both ways agree, whatever the body and the paths", () => {
  const name = fc.constantFrom("a", "b", "tools", "x.y");
  const segment = fc.oneof(
    name.map((text) => text.replaceAll(".", "\\.")),
    fc.constantFrom("[*]", "[0]", "[1]"),
  );
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".").replaceAll(".[", "["));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(1, "s", null, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(name, tie("value"), { maxKeys: 3 }),
    ),
  }));
  const object = fc.dictionary(name, value, { maxKeys: 4 });
  fc.assert(
    fc.property(object, object, fc.array(path, { maxLength: 4 }), (body, extra, paths) => {
      done(body as JsonObject, { extra_body: extra, additional_drop_params: paths });
    }),
    { numRuns: 500 },
  );
});
