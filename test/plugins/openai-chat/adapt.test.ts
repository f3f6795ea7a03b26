import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import type { ChatQuirks } from "../../../sdk/quirks.ts";
import { makeTarget, wire } from "./targets.ts";

function adapted(json: string, quirks: ChatQuirks = {}, operation: "generate" | "embeddings" = "generate"): string {
  return Buffer.from(wire.adapt(bodyOf(Buffer.from(json)), makeTarget(quirks), operation).bytes).toString();
}

describe("a body of a client of this wire", () => {
  test("changes its model and nothing else", () => {
    expect(adapted('{ "messages" : [ {"role":"user","content":"Gr\\u00fc\\u00dfe"} ],\n "model":"group" , "n":1.0}')).toBe(
      '{ "messages" : [ {"role":"user","content":"Gr\\u00fc\\u00dfe"} ],\n "model":"model-x" , "n":1.0}',
    );
  });

  test("is the same object where the model is the same", () => {
    const body = bodyOf(Buffer.from('{"model":"model-x","messages":[]}'));
    expect(wire.adapt(body, makeTarget(), "generate")).toBe(body);
  });

  test("gets a model where the path had it", () => {
    expect(adapted('{"messages":[]}')).toBe('{"model":"model-x","messages":[]}');
  });

  test("has fields under the names that the host knows", () => {
    const quirks = { renamed: { max_tokens: "max_completion_tokens" } };
    expect(adapted('{"model":"model-x", "max_tokens" :  5,"x":{"max_tokens":1}}', quirks)).toBe(
      '{"model":"model-x", "max_completion_tokens" :  5,"x":{"max_tokens":1}}',
    );
    expect(adapted('{"model":"model-x","max\\u005ftokens":5}', quirks)).toBe('{"model":"model-x","max_completion_tokens":5}');
    expect(JSON.parse(adapted('{"model":"g","max_tokens":5}', quirks))).toEqual({ model: "model-x", max_completion_tokens: 5 });
  });

  test("holds no thinking that only the proxy could read", () => {
    const json =
      '{"model":"model-x","messages":[{"role":"assistant","thinking_blocks":[{"signature":"}"}],"content":"a","reasoning_content":"b"},{"role":"user","content":"\\"thinking_blocks\\""}]}';
    expect(adapted(json)).toBe(
      '{"model":"model-x","messages":[{"role":"assistant","content":"a","reasoning_content":"b"},{"role":"user","content":"\\"thinking_blocks\\""}]}',
    );
    expect(adapted(json, { refusedMessageFields: [] })).toBe(json);
    expect(JSON.parse(adapted(json, { refusedMessageFields: ["thinking_blocks", "reasoning_content"] })).messages[0]).toEqual({
      role: "assistant",
      content: "a",
    });
  });

  test("for embeddings has its model changed", () => {
    expect(adapted('{"model":"g","input":["a"],"max_tokens":1}', { renamed: { max_tokens: "x" } }, "embeddings")).toBe(
      '{"model":"model-x","input":["a"],"max_tokens":1}',
    );
  });

  test("keeps every value, whatever it holds", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (fields, limit) => {
        const body = JSON.parse(JSON.stringify({ ...fields, model: "g", old: limit }));
        const { old, ...rest } = body;
        expect(JSON.parse(adapted(JSON.stringify(body), { renamed: { old: "brand new" } }))).toEqual({
          ...rest,
          model: "model-x",
          "brand new": old,
        });
      }),
    );
  });
});
