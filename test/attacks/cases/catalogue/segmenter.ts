import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Intl.Segmenter over a huge text",
  where: "preCall",
  body: String.raw`const text = "a\u0301b ".repeat(1e6); let count = 0; for (const part of new Intl.Segmenter("en", { granularity: "word" }).segment(text)) count += part.segment.length; return count;`,
  expected: ["timeout", "kill", "memory"],
  why: "V8 looks for the end of the slice between loops; how much it does in one go depends on its version.",
};
export default attack;
