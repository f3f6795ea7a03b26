import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSealed, seal, sealMark, unseal } from "../../../sdk/hub/envelope.ts";

describe("an envelope", () => {
  it("gives back what was put in, in text that every dialect takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (producer, value) => {
        const payload = JSON.parse(JSON.stringify(value));
        const text = seal({ producer, payload });
        expect(text).toMatch(/^[A-Za-z0-9._-]+$/);
        expect(unseal(text)).toEqual({ producer, payload });
        expect(seal({ producer, payload })).toBe(text);
      }),
    );
  });

  it.each([
    ["a vendor's signature", "EqQBCgIYAhIM"],
    ["nothing", ""],
    ["half of one", seal({ producer: "p", payload: { state: "long enough to be cut" } }).slice(0, -9)],
    ["one whose text is no JSON", `Zccproxy.${Buffer.from("nonsense").toString("base64url")}`],
    ["one without a producer", `Zccproxy.${Buffer.from("[1,2]").toString("base64url")}`],
    ["one that is no list", `Zccproxy.${Buffer.from("{}").toString("base64url")}`],
  ])("is none: %s", (_, text) => {
    expect(unseal(text)).toBeUndefined();
  });

  it("is told by its beginning, damaged or not, and found in the bytes of a request", () => {
    const text = seal({ producer: "p", payload: null });
    expect(isSealed(text)).toBe(true);
    expect(isSealed(text.slice(0, 12))).toBe(true);
    expect(isSealed("EqQBCgIYAhIM")).toBe(false);
    expect(Buffer.from(JSON.stringify({ signature: text })).includes(sealMark)).toBe(true);
    expect(Buffer.from(JSON.stringify({ text: "about ccproxy. things" })).includes(sealMark)).toBe(false);
  });
});
