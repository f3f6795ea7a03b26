import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "spread1e9_issue107",
  where: "preCall",
  body: String.raw`[..."."["repeat"](5e8)]`,
  expected: ["kill", "timeout", "memory", { error: /memory|length|at most|x{1000}/ }],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
