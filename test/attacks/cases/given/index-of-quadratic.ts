import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "indexOfQuadratic",
  where: "preCall",
  body: String.raw`const n=8e6;return ("a".repeat(n)).indexOf("b"+"a".repeat(n/2))`,
  expected: ["timeout", "kill", { value: -1 }],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
