import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a lookbehind without an end",
  where: "preCall",
  body: String.raw`return /(?<=^(a+)+)b/.test("a".repeat(60) + "c") || /(?<=(\w+\s?)+)$/.test("a ".repeat(40) + "!".repeat(40)) || /^(?:(\w+)\s?)+(?<=x)$/.test("a".repeat(50) + "!");`,
  expected: ["timeout"],
};
export default attack;
