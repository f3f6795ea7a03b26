import * as fc from "fast-check";
import { expect, test } from "vitest";

import { JsonEnd } from "../../../plugins/openai-chat/json-end.ts";
import { makeHubRequest, makeTarget, wire } from "./targets.ts";

function started(deltas: readonly unknown[]): readonly unknown[] {
  if (wire.encode === undefined) throw new Error("the wire translates");
  const decoder = wire.encode(makeHubRequest(), makeTarget(), () => {}).reader.stream();
  const events = deltas.flatMap((delta) => decoder.push(Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`)));
  return events.filter((event) => event["type"] === "content_block_start").map((event) => event["index"]);
}

function piece(index: number, id: string | undefined, input: string) {
  return {
    tool_calls: [
      { index, ...(id === undefined ? {} : { id }), function: { ...(id === undefined ? {} : { name: "Bash" }), arguments: input } },
    ],
  };
}

test("the next call and the next text are told at once when the one before is complete", () => {
  const first = [piece(0, "a", ""), piece(0, undefined, '{"x":'), piece(0, undefined, '"}"}')];
  expect(started([...first, piece(1, "b", "")])).toEqual([0, 1]);
  expect(started([...first, { content: "text" }])).toEqual([0, 1]);
  expect(started([...first, { reasoning_content: "thought" }])).toEqual([0, 1]);
});

test("what follows a call that is not complete waits for its rest", () => {
  const first = [piece(0, "a", '{"x":"}')];
  expect(started([...first, piece(1, "b", "{}")])).toEqual([0]);
  expect(started([...first, { content: "text" }])).toEqual([0]);
});

test("a JSON value ends with its last character and not before, however it is cut", () => {
  const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(value, fc.array(fc.nat(1000), { maxLength: 5 }), (json, cuts) => {
      const text = JSON.stringify(json);
      const places = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length - 1];
      const end = new JsonEnd();
      for (const [index, place] of places.slice(1).entries()) {
        end.push(text.slice(places[index], place));
        expect(end.isComplete).toBe(false);
      }
      end.push(text.slice(-1));
      expect(end.isComplete).toBe(true);
    }),
    { numRuns: 500 },
  );
});
