import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a pattern of 30,000 groups",
  where: "preCall",
  body: String.raw`return new RegExp("(a)".repeat(30000)).test("a".repeat(30000));`,
  expected: ["timeout", "kill", { value: true }, { error: /[Ii]nvalid regular|too (large|many)|[Ss]tack/ }],
  why: "V8 refuses it, or compiles it, in a time that is up to the machine.",
};
export default attack;
