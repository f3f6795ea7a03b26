import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "throwHugeMessage",
  where: "preCall",
  body: String.raw`throw new Error("x".repeat(2**29-100))`,
  expected: ["kill", "timeout", "memory", { error: /memory|length|at most|x{1000}/ }],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
