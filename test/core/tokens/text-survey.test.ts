import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONGEST_RUN, surveyText } from "../../../core/tokens/text-survey.ts";

describe("the survey of a text", () => {
  it("counts what tokenizers treat differently", () => {
    const { features } = surveyText("fooBar NASA Hello.world, 42  \n\tcharacteristic é ж 漢字 かな 한글");
    expect(features).toEqual({
      words: 5,
      capitalised: 2,
      humps: 1,
      furtherCapitals: 3,
      digits: 2,
      marks: 2,
      markRuns: 2,
      gluedWords: 1,
      lineEnds: 2,
      furtherSpaces: 1,
      lateLetters: 7,
      latin: 1,
      alphabetic: 1,
      han: 2,
      kana: 2,
      hangul: 2,
    });
  });

  it("cuts long words, so that no piece is longer than the limit and none is lost", () => {
    const word = fc.constantFrom("a", "B", "é", "ж", "漢", "か", "한", " ", "\n", "=", "🙂", "7");
    const run = fc.tuple(word, fc.integer({ min: 1, max: 400 })).map(([sign, times]) => sign.repeat(times));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
        const text = runs.join("");
        const { cuts } = surveyText(text);
        const edges = [0, ...cuts, text.length];
        for (const [index, edge] of edges.entries()) if (index > 0) expect(edge).toBeGreaterThanOrEqual(edges[index - 1] ?? 0);
        for (const cut of cuts)
          expect(text.slice(cut - 1, cut + 1).isWellFormed() || !/^[\ud800-\udbff]/.test(text[cut - 1] ?? "")).toBe(true);
        const longest = Math.max(
          0,
          ...edges
            .slice(1)
            .flatMap((edge, index) => [...text.slice(edges[index], edge).matchAll(/\p{L}+|\s+/gu)].map(([part]) => part.length)),
        );
        expect(longest).toBeLessThanOrEqual(LONGEST_RUN + 1);
      }),
    );
  });

  it("leaves ordinary text whole", () => {
    expect(surveyText("An ordinary sentence. ".repeat(500)).cuts).toEqual([]);
  });
});
