import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stringReplaceHuge",
  where: "preCall",
  body: String.raw`return "a".repeat(1e7).replace(/a/g,"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb").length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
