import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import type { Json, RequestBody, Span } from "../../../sdk/body.ts";
import { jsonObjectText, valueText } from "../../helpers/json-texts.ts";

const numRuns = 3000;

/** Compares what a body finds by walking with what JSON.parse makes of the same text. */
function agrees(body: RequestBody, span: Span, wanted: Json): boolean {
  if (Array.isArray(wanted)) {
    const spans = body.elements(span);
    return spans.length === wanted.length && body.members(span).size === 0 && spans.every((each, at) => agrees(body, each, wanted[at]));
  }
  if (typeof wanted === "object" && wanted !== null) {
    const spans = body.members(span);
    const entries = Object.entries(wanted);
    return (
      spans.size === entries.length &&
      body.elements(span).length === 0 &&
      entries.every(([name, value]) => agrees(body, spans.get(name)!, value))
    );
  }
  return body.elements(span).length === 0 && body.members(span).size === 0 && isDeepStrictEqual(body.read(span), wanted);
}

function agreesThroughout(body: RequestBody): boolean {
  const wanted: Record<string, Json> = JSON.parse(Buffer.from(body.bytes).toString());
  return Object.entries(wanted).every(([name, value]) => {
    const span = body.field(name);
    return span !== undefined && agrees(body, span, value) && isDeepStrictEqual(body.value(name), value);
  });
}

describe("generated bodies", () => {
  it("are the same bytes when nothing was changed", () => {
    fc.assert(
      fc.property(jsonObjectText(), ({ bytes }) => {
        const before = Buffer.from(bytes);
        const body = createRequestBody(bytes);
        body.json();
        expect(before.equals(body.bytes)).toBe(true);
        expect(before.equals(body.edit([]).bytes)).toBe(true);
      }),
      { numRuns },
    );
  });

  it("read field by field, element by element and member by member as JSON.parse reads them", () => {
    fc.assert(
      fc.property(jsonObjectText(), ({ bytes, text }) => {
        const body = createRequestBody(bytes);
        expect(agreesThroughout(body)).toBe(true);
        expect(isDeepStrictEqual(body.json(), JSON.parse(text))).toBe(true);
        expect(body.field("not there")).toBeUndefined();
      }),
      { numRuns },
    );
  });

  it("read the same wherever in memory they begin", () => {
    fc.assert(
      fc.property(jsonObjectText(), fc.nat({ max: 7 }), ({ bytes }, offset) => {
        const memory = Buffer.alloc(offset + bytes.length + 3, '"');
        bytes.copy(memory, offset);
        expect(agreesThroughout(createRequestBody(memory.subarray(offset, offset + bytes.length)))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("differ in nothing but the model when the model was set", () => {
    fc.assert(
      fc.property(jsonObjectText(), fc.string(), ({ bytes, replaced }, model) => {
        const edited = createRequestBody(bytes).edit([{ field: "model", value: model }]);
        expect(Buffer.from(edited.bytes).toString()).toBe(replaced(new Map([["model", JSON.stringify(model)]])));
        expect(edited.value("model")).toBe(model);
      }),
      { numRuns },
    );
  });

  it("differ in nothing but the changed fields after several edits, and are still read right", () => {
    const field = fc.constantFrom("model", "messages", "stream", "", "__proto__", 'quo"te', "absent", "also absent");
    const changes = fc.uniqueArray(fc.record({ field, value: valueText() }), { selector: (change) => change.field, maxLength: 5 });
    fc.assert(
      fc.property(jsonObjectText(), changes, ({ bytes, replaced }, changes) => {
        const parsed: { field: string; value: Json }[] = changes.map(({ field, value }) => ({ field, value: JSON.parse(value) }));
        const wanted = replaced(new Map(parsed.map(({ field, value }) => [field, JSON.stringify(value)])));
        const edited = createRequestBody(bytes).edit(parsed);
        expect(Buffer.from(edited.bytes).toString()).toBe(wanted);
        expect(agreesThroughout(edited)).toBe(true);
        const again = edited.edit([{ field: "model", value: "a model edited in last" }]);
        expect(agreesThroughout(again)).toBe(true);
        expect(Buffer.from(again.edit(parsed).bytes).equals(edited.bytes)).toBe(parsed.some((change) => change.field === "model"));
      }),
      { numRuns },
    );
  });
});
