import * as fc from "fast-check";
import { expect, test } from "vitest";

import { ThinkTags } from "../../../plugins/openai-chat/think-tags.ts";

function split(text: string, cuts: readonly number[]): { thinking: string; text: string } {
  const tags = new ThinkTags();
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  const pieces = [...places.slice(1).flatMap((end, index) => tags.push(text.slice(places[index], end))), ...tags.end()];
  const join = (isThinking: boolean) =>
    pieces
      .filter((piece) => piece.isThinking === isThinking)
      .map((piece) => piece.text)
      .join("");
  return { thinking: join(true), text: join(false) };
}

const words = fc.array(fc.constantFrom("<", "/", "think", ">", "a", " ", "\n", "<think>"), { maxLength: 8 }).map((parts) => parts.join(""));

test("what stands between the tags is thinking, wherever it is cut", () => {
  fc.assert(
    fc.property(words, words, fc.array(fc.nat(100), { maxLength: 10 }), (thinking, text, cuts) => {
      fc.pre(!`${thinking}</think`.includes("</think>"));
      const whole = split(`\n<think>${thinking}</think>\n\n${text}`, cuts);
      expect(whole).toEqual({ thinking, text: text.trimStart() });
    }),
    { numRuns: 500 },
  );
});

test("a text that begins otherwise is left alone", () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.nat(100), { maxLength: 5 }), (text, cuts) => {
      fc.pre(!text.trimStart().startsWith("<think>"));
      expect(split(text, cuts)).toEqual({ thinking: "", text });
    }),
  );
  expect(split("a <think>b</think>", [3, 5])).toEqual({ thinking: "", text: "a <think>b</think>" });
});

test("megabytes of one character take no time", () => {
  const tags = new ThinkTags();
  const piece = "<".repeat(1000);
  tags.push("<think>");
  const start = performance.now();
  for (let count = 0; count < 4000; count++) tags.push(piece);
  expect(performance.now() - start).toBeLessThan(1000);
});
